from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from error_analysis.searching.canonical import canonical, ordered
from winograd import INF, parse_points

sizes = st.fractions(min_value=F(1, 8), max_value=8, max_denominator=9)
finite = st.one_of(st.just(F(0)), sizes, sizes.map(lambda x: -x))
point_sets = st.lists(finite, min_size=1, max_size=7, unique=True).flatmap(
    lambda points: st.sampled_from([points, [*points, INF]])
)


@given(point_sets, st.integers(-3, 3), st.sampled_from([1, -1]), st.booleans())
def test_twins_have_one_form(points: list, exponent: int, sign: int, turned: bool) -> None:
    def twin(p: object) -> object:
        if turned:
            p = F(0) if p is INF else INF if p == 0 else 1 / p
        return p if p is INF else p * sign * F(2) ** exponent

    assert canonical([twin(p) for p in reversed(points)]) == canonical(points)


@given(point_sets)
def test_the_form_is_a_twin_of_its_own(points: list) -> None:
    form = canonical(points)
    assert canonical(form) == form
    assert len(form) == len(points)


def test_sets_that_are_no_twins_stay_apart() -> None:
    texts = ["0, 1, -1, 2, -2, inf", "0, 1, -1, 1/2, -2, inf", "0, 1, -1, 3, -3, inf", "1, -1, 2, -2, 1/2, -1/2"]
    assert len({canonical(parse_points(text)) for text in texts}) == len(texts)


@pytest.mark.parametrize("points", [[F(0)], [INF], [F(0), INF]])
def test_ends_alone_are_their_own_form(points: list) -> None:
    assert set(canonical(points)) in ({F(0)}, {INF}, {F(0), INF})


def test_order_is_by_magnitude() -> None:
    assert ordered([INF, F(-2), F(1, 2), F(2), F(0)]) == (0, F(1, 2), 2, -2, INF)
