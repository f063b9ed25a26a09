from dataclasses import replace

import pytest

from error_analysis.searching.checking import checked
from winograd import catalogue_rows

SMALL = [row for row in catalogue_rows() if row.n <= 8 and not row.nonfinite]


def test_a_random_sample_of_the_catalogue_agrees() -> None:
    found = checked(SMALL, 6, seed=20, trials=6000)
    assert [check.wrong for check in found] == [()] * 6


def test_a_large_row_agrees() -> None:
    wanted = (10, 3, 1, "float32", "literature")
    (row,) = [row for row in catalogue_rows() if (row.m, row.r, row.dims, row.dtype, row.model) == wanted]
    assert checked([row], 1, trials=2000)[0].wrong == ()


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [({"error": 1.1}, "error"), ({"bound": 1.001}, "bound"), ({"fmas": 2}, "fmas"),
     ({"input_growth": 0.5}, "input_growth")],
)
def test_a_row_that_is_off_is_found(changed: dict[str, float], wrong: str) -> None:
    row = next(row for row in SMALL if row.fmas and row.dims == 1)
    values = {name: getattr(row, name) * factor for name, factor in changed.items()}
    assert checked([replace(row, **values)], 1, seed=3)[0].wrong == (wrong,)


def test_samples_differ_with_the_seed() -> None:
    first, second = ([check.row for check in checked(SMALL, 3, seed, trials=20)] for seed in (1, 2))
    assert first != second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(([],), "rows must not be empty"), ((SMALL, 0), "count must be at least 1"),
     ((SMALL, 1, -1), "seed must be at least 0"), ((SMALL, 1, 1, 1), "trials must be at least 2")],
)
def test_bad_input(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(*arguments)
