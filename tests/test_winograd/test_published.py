"""The published points are complete, and those of every row make a transform."""

import pytest

import winograd as wg
from winograd.published import PUBLISHED_TAPS, published_direct_error, published_points, published_rows
from winograd.reference_counts import reference_counts


@pytest.mark.parametrize("dims", [1, 2])
def test_every_row_is_an_algorithm(dims: int) -> None:
    rows = published_rows(dims)
    assert [row.m for row in rows] == list(range(2, 17))
    for row in rows:
        assert row.points[-1] is wg.INF and len(row.points) == row.m + PUBLISHED_TAPS - 1
        assert published_points(row.m, dims) == row.points
        wg.toom_cook(row.m, PUBLISHED_TAPS, row.points).verify()


def test_dimensions_differ_where_the_source_says_so() -> None:
    assert wg.format_points(published_points(4, 1)) == "0, -1, 1, 1/2, -3, inf"
    assert wg.format_points(published_points(4, 2)) == "0, -1, 1, 1/2, -2, inf"
    assert published_rows(1)[3].error is None and published_rows(2)[3].error == 6.81e-07
    assert (published_direct_error(1), published_direct_error(2)) == (1.75e-08, 4.63e-08)


@pytest.mark.parametrize(
    ("m", "dims", "message"), [(1, 1, "m = 2 to 16"), (17, 2, "got m = 17"), (4, 3, "dims must be 1 or 2")]
)
def test_what_is_not_published_is_refused(m: int, dims: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        published_points(m, dims)


def test_reference_counts() -> None:
    counts = reference_counts(6, 3)
    assert counts is not None and counts[:2] == (839, 752) and "2026" in counts.source
    assert reference_counts(2, 3) is None and reference_counts(4, 5) is None
