import math

from hypothesis import given
from hypothesis import strategies as st

from error_analysis.searching.pareto import pareto_front

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12)


def dominates(one: tuple, other: tuple) -> bool:
    return one != other and all(x <= y for x, y in zip(one, other, strict=True))


@given(rows)
def test_front_is_what_nothing_dominates(values: list) -> None:
    front = pareto_front(values)
    for i, row in enumerate(values):
        beaten = any(dominates(other, row) for other in values)
        assert (i in front) == (not beaten and values.index(row) == i)


def test_nan_is_on_no_front() -> None:
    assert pareto_front([(math.nan, 0), (1, 1), (0, math.nan)]) == [1]
