"""Means and ratios with their intervals."""

import numpy as np
import pytest

from error_analysis import Estimate
from error_analysis.measurement.interval import mean_estimate, ratio_estimate, root_ratio_estimate


def test_means():
    values = np.random.default_rng(0).exponential(size=1000)
    e = mean_estimate(values)
    assert e.low < e.value < e.high and e.half_width == pytest.approx(1.959964 * values.std(ddof=1) / 1000**0.5)
    assert mean_estimate(np.ones(5)) == Estimate(1, 1, 1)


def test_what_is_not_known_is_left_out():
    values = np.random.default_rng(0).exponential(size=100)
    holes = np.concatenate([values, np.full(7, np.nan)])
    assert mean_estimate(holes) == mean_estimate(values)
    assert ratio_estimate(holes, np.ones(107)) == ratio_estimate(values, np.ones(100))
    assert np.isnan(mean_estimate(np.full(3, np.nan)).value)
    lone = mean_estimate(np.array([2.0, np.nan]))
    assert lone.value == 2 and np.isnan(lone.low) and np.isnan(lone.high)


def test_ratios():
    below = np.random.default_rng(1).exponential(size=1000)
    assert ratio_estimate(4 * below, below) == Estimate(4, 4, 4)
    other = np.random.default_rng(2).exponential(size=1000)
    assert ratio_estimate(other, below).value == pytest.approx(other.mean() / below.mean(), rel=1e-12)
    assert np.isnan(ratio_estimate(other, np.zeros(1000)).value)
    assert root_ratio_estimate(16 * below, below) == Estimate(4, 4, 4)  # a power of two scales exactly
    assert np.isnan(root_ratio_estimate(other, np.zeros(1000)).low)


def test_the_text_of_an_estimate():
    assert str(Estimate(1.5e-7, 1.25e-7, 1.75e-7)) == "1.50e-07 [1.25e-07, 1.75e-07]"
