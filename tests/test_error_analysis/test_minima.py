"""Local minima that stand out, and where to look closer."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from error_analysis.sweeping.minima import prominent_minima, refinement, spaced

HEIGHTS = st.lists(st.integers(1, 30), min_size=1, max_size=12)


def prominence(heights, k):
    """By its definition: the least rise on a way to a lower point, earlier ones going before equal ones."""
    lower = [j for j in range(len(heights)) if (heights[j], j) < (heights[k], k)]
    if not lower:
        return math.inf
    return min(max(heights[min(j, k) : max(j, k) + 1]) - heights[k] for j in lower) / heights[k]


@given(HEIGHTS)
def test_prominence_is_the_rise_on_the_way_to_a_lower_point(heights):
    found = dict(prominent_minima(heights, 0.2))
    wanted = {k: prominence(heights, k) for k in range(1, len(heights) - 1)}
    assert found == {k: rise for k, rise in wanted.items() if rise >= 0.2}


def test_the_lowest_comes_first_and_roughness_does_not_count():
    assert [k for k, _ in prominent_minima([9, 5, 5.1, 4.9, 8, 4.0, 4.1, 7])] == [5, 3]


def test_the_ends_are_no_minima_and_unknown_errors_are_high():
    assert prominent_minima([1, 2, 3]) == prominent_minima([3, 2, 1]) == prominent_minima([1]) == []
    assert prominent_minima([5, math.nan, 3, math.nan, 4]) == [(2, math.inf)]
    assert prominent_minima([math.nan] * 3) == []
    assert prominent_minima([2, 0.0, 1]) == [(1, math.inf)]


@given(st.fractions(1, 4, max_denominator=1000), st.fractions(Fraction(1, 500), 1, max_denominator=500))
def test_refinement_stays_inside_and_holds_the_simplest_fraction(low, width):
    high = low + width
    at = (low + high) / 2
    values = refinement(low, high, at)
    assert len(set(values)) == len(values) <= 12 and at not in values
    assert all(low < c < high for c in values)
    inside = {Fraction(p, q) for q in range(1, 13) for p in range(math.floor(low * q), math.ceil(high * q) + 1)}
    simple = sorted((c for c in inside if low < c < high and c != at), key=lambda c: c.denominator)
    if simple and simple[0].denominator < 12:
        assert any(c.denominator <= simple[0].denominator for c in values)


def test_spaced():
    assert spaced("1.1", 2, 4) == (Fraction(11, 10), Fraction(7, 5), Fraction(17, 10), 2)
    with pytest.raises(ValueError, match="start must be below stop, both rational; got 2 and 1"):
        spaced(2, 1, 5)
    with pytest.raises(ValueError, match=r"start must be below stop, both rational; got 1 and sqrt\(2\)"):
        spaced(1, "sqrt(2)", 5)
    with pytest.raises(ValueError, match="values must be at least 2; got 1"):
        spaced(1, 2, 1)
