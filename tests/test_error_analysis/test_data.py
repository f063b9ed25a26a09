"""What the random tiles promise."""

import numpy as np
import pytest

import winograd as wg
from error_analysis import emulate, exact_correlation, measure, uniform_tiles
from winograd.published import published_points


def drawn(trials, dtype, seed=0):
    return uniform_tiles(np.random.Generator(np.random.PCG64(seed)), trials, 2, (6,), (3,), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiles_are_uniform_on_minus_one_to_one(dtype):
    d, g = drawn(20_000, dtype)
    assert d.shape == (20_000, 2, 6) and g.shape == (20_000, 2, 3) and d.dtype == g.dtype == dtype
    for x in (d, g):
        assert np.abs(x).max() <= 1
        # Five standard deviations of the mean of the first and second moments of the uniform distribution.
        assert abs(x.mean(dtype=float)) < 5 * (1 / 3 / x.size) ** 0.5
        assert abs((x.astype(float) ** 2).mean() - 1 / 3) < 5 * (4 / 45 / x.size) ** 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_multiples_of_the_unit_roundoff(dtype):
    d, _ = drawn(1000, dtype)
    assert not np.remainder(d / np.finfo(dtype).epsneg, 1).any()


def test_a_trial_does_not_depend_on_how_many_are_drawn_at_once():
    generator = np.random.Generator(np.random.PCG64(0))
    parts = [uniform_tiles(generator, count, 2, (6,), (3,), "float32") for count in (1, 5, 4)]
    for whole, split in zip(drawn(10, "float32"), zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(whole, np.concatenate(split))


def test_what_the_drawing_does_to_small_transforms():
    """The figures of the docstring: on rounded doubles F(2, 3) has about 14 % more error, F(4, 3) about as much."""
    ratios = []
    for m in (2, 4):
        A = wg.Algorithm(wg.toom_cook(m, 3, published_points(m)))
        generator = np.random.Generator(np.random.PCG64(0))
        d, g = (generator.uniform(-1, 1, (40_000, 1, k)).astype(np.float32) for k in (m + 2, 3))
        high, low = exact_correlation(d, g)
        ratios.append(np.abs((emulate(A, d, g) - high) - low).mean() / measure(A, trials=40_000).mean_abs.value)
    # Each mean is known to +-1 %.
    assert 1.10 < ratios[0] < 1.18 and 0.99 < ratios[1] < 1.05
