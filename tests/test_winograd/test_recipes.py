"""Recipes: as many points as asked for, whatever the number."""

import pytest

from winograd.points import INF, as_points
from winograd.recipes import BESIDE, UNIT_BESIDE, chebyshev, fractions, integers


@pytest.mark.parametrize("n", range(2, 33))
def test_series_have_as_many_points_as_asked_for_and_each_is_the_start_of_the_next(n):
    for recipe in (integers, fractions):
        points = as_points(recipe(n))
        assert len(points) == n and points[-1] is INF
        assert recipe(n + 1)[: n - 1] == points[:-1]
    assert len(as_points(chebyshev(n))) == n


def test_fractions_come_by_the_larger_of_numerator_and_denominator():
    heights = [max(abs(p.numerator), p.denominator) for p in fractions(32)[1:-1]]
    assert heights == sorted(heights)


@pytest.mark.parametrize("beside", [BESIDE, UNIT_BESIDE])
def test_fixed_points_are_as_many_as_their_place_says(beside):
    for count, (before, after) in enumerate(beside):
        assert len(as_points((*before, *after))) == count
