"""The compiled kernel stays below the bound of its Algorithm, at every output of every tile."""

import numpy as np
import pytest

import kernels
import winograd as wg
from error_analysis.prediction.bounds import bound


@pytest.mark.parametrize("options", [{}, {"fma": True, "passes": ("share", "factor")}, {"channel_sum": "pairwise"}])
def test_no_output_of_a_layer_is_further_off(options: dict) -> None:
    A = wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4, 2)), dims=2, **options)
    generator = np.random.default_rng(7)
    x = np.sign(generator.uniform(-1, 1, (1, 24, 22, 18))).astype(np.float32)
    w = (np.sign(generator.uniform(-1, 1, (4, 24, 3, 3))) * generator.uniform(0.9, 1, (4, 24, 3, 3))).astype(np.float32)
    y = kernels.conv2d(x, w, algorithm=A)
    exact = kernels.conv2d(x.astype(np.float64), w.astype(np.float64), algorithm="direct")
    worst = bound(A, channels=24).worst
    # 216 products of at most 1, in float64: the reference is off by less than 216 * 217 * 2^-53.
    allowed = np.tile(worst, (5, 4)) + 216 * 217 * 2.0**-53
    assert y.shape[2:] == (20, 16)
    assert (np.abs(y - exact) <= allowed).all()
    # Not vacuously: a thousand times less would not do.
    assert np.abs(y - exact).max() > worst.max() / 20_000
