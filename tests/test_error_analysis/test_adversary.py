"""The worst signs, beside all signs there are."""

from itertools import product

import numpy as np
import pytest

import winograd as wg
from error_analysis import worst_signs
from error_analysis.measurement import adversary
from winograd import published_points


def largest_row(T):
    """The row of |AT| with the largest row sum of |AT| |G| |BT|, and G and BT."""
    AT, G, BT = T.matrices("float64")
    reach = [sum(map(abs, g)) * sum(map(abs, b)) for g, b in zip(G, BT, strict=True)]
    row = max(range(T.m), key=lambda i: sum(abs(AT[i, j]) * reach[j] for j in range(T.n)))
    return np.abs(AT[row]), G, BT


@pytest.mark.parametrize("m", [2, 3, 4, 5])
def test_no_signs_give_larger_terms(m):
    T = wg.toom_cook(m, 3, published_points(m))
    s, t = worst_signs(wg.Algorithm(T))
    assert s.shape == (m + 2,) and t.shape == (3,) and set(np.abs(s)) == set(np.abs(t)) == {1.0}
    weights, G, BT = largest_row(T)
    best = max(weights @ (np.abs(G @ np.array(taps)) * np.abs(BT @ np.array(data)))
               for taps in product((-1, 1), repeat=3) for data in product((-1, 1), repeat=m + 2))
    assert weights @ (np.abs(G @ t) * np.abs(BT @ s)) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("m", [4, 6, 8, 12])
def test_climbing_comes_near_where_not_all_are_tried(m, monkeypatch):
    T = wg.toom_cook(m, 3, published_points(m))
    weights, G, BT = largest_row(T)
    tried = worst_signs(wg.Algorithm(T))
    adversary._axis_signs.cache_clear()
    monkeypatch.setattr(adversary, "_TRIED", 0)
    climbed = worst_signs(wg.Algorithm(T))
    adversary._axis_signs.cache_clear()
    sums = [weights @ (np.abs(G @ t) * np.abs(BT @ s)) for s, t in (climbed, tried)]
    assert 0.9 * sums[1] <= sums[0] <= sums[1] * (1 + 1e-12)


def test_terms_are_far_larger_than_their_sum():
    T = wg.toom_cook(6, 3, published_points(6))
    weights, G, BT = largest_row(T)
    s, t = worst_signs(wg.Algorithm(T))
    assert weights @ (np.abs(G @ t) * np.abs(BT @ s)) > 10 * T.r


def test_signs_factor_by_axis():
    transforms = [wg.toom_cook(m, 3, published_points(m)) for m in (2, 3, 4)]
    s, t = worst_signs(wg.Algorithm(transforms))
    parts = [worst_signs(wg.Algorithm(T)) for T in transforms]
    np.testing.assert_array_equal(s, np.einsum("i,j,k->ijk", *(part[0] for part in parts)))
    np.testing.assert_array_equal(t, np.einsum("i,j,k->ijk", *(part[1] for part in parts)))
