"""Errors on shared data: the numbers that `measure` has."""

import numpy as np
import pytest

import winograd as wg
from error_analysis import measure
from error_analysis.sweeping.paired import Draw, PairedData, paired_data

T = wg.family("reciprocal").transform(4, 3, "3/2")


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"dims": 2, "fma": True, "passes": "share"},
        {"dims": 2, "dtype": "float16", "sum_dtype": "float32"},
        {"dtype": "bfloat16", "rounding": "stochastic"},
    ],
)
@pytest.mark.parametrize(("kind", "channels"), [("uniform", 1), ("relu", 3)])
def test_means_are_those_of_measure(recipe, kind, channels):
    A = wg.Algorithm(T, **recipe)
    # More trials than a chunk holds.
    data = PairedData(A.tile, A.r, A.stored_dtype, Draw(kind, 1100, 5, channels))
    report = measure(A, 1100, 5, channels, data=kind)
    assert float(np.mean(data.errors(A).by_trial)) == report.mean_abs.value
    assert float(np.mean(data.direct_errors(A).by_trial)) == report.direct.value


def test_outputs_that_overflow_are_counted_and_left_out():
    # Entries up to 8 in each axis, numbers of at most 1, and a format that ends below 32.
    A = wg.Algorithm(wg.family("pairs").transform(4, 3, 2), dims=2, dtype="binary(8, -14, 4)")
    errors = PairedData(A.tile, A.r, A.stored_dtype, Draw("uniform", 300, 0, 1)).errors(A)
    report = measure(A, 300, 0, 1)
    assert errors.nonfinite == report.nonfinite > 0
    assert float(np.nanmean(errors.by_trial)) == report.mean_abs.value


def test_data_is_kept_for_the_next_algorithm():
    paired_data.cache_clear()
    draw = Draw("uniform", 10, 0, 1)
    assert paired_data((6,), (3,), "float32", draw) is paired_data((6,), (3,), "float32", draw)
    assert paired_data((6,), (3,), "float32", draw) is not paired_data((6,), (3,), "float32", draw._replace(seed=1))
    paired_data.cache_clear()
