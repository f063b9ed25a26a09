"""What the random tiles promise."""

import math

import ml_dtypes
import numpy as np
import pytest

import winograd as wg
from error_analysis import emulate, exact_correlation, measure, random_tiles, uniform_tiles, worst_signs
from error_analysis.measurement.data import KINDS
from winograd import published_points
from winograd.rounding import format_of

FORMATS = ["float32", "float64", "float16", "bfloat16", "tf32", "float8_e4m3fn", "float8_e5m2", "binary(5, -6, 7)"]
SIGNS = worst_signs(wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF])))


def drawn(trials, dtype, seed=0, kind="uniform"):
    generator = np.random.Generator(np.random.PCG64(seed))
    return random_tiles(kind, generator, trials, 2, (6,), (3,), dtype, SIGNS)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_tiles_are_uniform_on_minus_one_to_one(dtype):
    d, g = drawn(20_000, dtype)
    assert d.shape == (20_000, 2, 6) and g.shape == (20_000, 2, 3) and d.dtype == g.dtype == format_of(dtype).carrier
    for x in (d, g):
        assert np.abs(x).max() <= 1
        # Five standard deviations of the mean of the first and second moments of the uniform distribution.
        assert abs(x.mean(dtype=float)) < 5 * (1 / 3 / x.size) ** 0.5
        assert abs((x.astype(float) ** 2).mean() - 1 / 3) < 5 * (4 / 45 / x.size) ** 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_uniform_numbers_are_multiples_of_the_unit_roundoff(dtype):
    d, _ = drawn(1000, dtype)
    assert not np.remainder(d / float(format_of(dtype).u), 1).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", FORMATS)
def test_all_numbers_are_of_the_format(kind, dtype):
    fmt = format_of(dtype)
    for x in drawn(300, dtype, kind=kind):
        assert x.dtype == fmt.carrier and np.isfinite(x).all() and np.abs(x).max() <= fmt.largest
        fraction, exponent = np.frexp(x.astype(float))
        steps = np.ldexp(fraction, np.minimum(exponent - 1 - fmt.smallest_exponent, 0) + fmt.precision)
        assert (steps == np.rint(steps)).all()


def test_native_formats_draw_as_others_do():
    """tf32 widened to 24 bits would be float32: the custom format takes the other way through the code."""
    for kind in KINDS:
        for native, custom in zip(drawn(500, "float32", kind=kind), drawn(500, "binary(24, -126, 127)", kind=kind),
                                  strict=True):
            np.testing.assert_array_equal(native, custom)


def test_normal_numbers_are_doubles_rounded_once():
    doubles = np.random.Generator(np.random.PCG64(0)).standard_normal((100, 2 * 6 + 2 * 3))
    d, g = drawn(100, "bfloat16", kind="normal")
    expected = doubles.astype(ml_dtypes.bfloat16).astype(float)
    np.testing.assert_array_equal(np.hstack([d.reshape(100, -1), g.reshape(100, -1)]), expected)


def test_relu_data_is_normal_data_without_its_negative_half():
    (normal, g), (relu, same) = (drawn(2000, "float32", kind=kind) for kind in ("normal", "relu"))
    np.testing.assert_array_equal(relu, np.where(normal > 0, normal, 0))
    np.testing.assert_array_equal(same, g)
    assert (g < 0).any() and 0.45 < (relu == 0).mean() < 0.55


def test_constant_data_is_constant_in_each_channel():
    d, g = drawn(500, "float16", kind="constant")
    assert (d == d[..., :1]).all() and len(np.unique(d[..., 0])) > 500 and (g != g[..., :1]).any()


def test_adversarial_data_has_the_signs_and_sizes_between_a_half_and_one():
    for x, signs in zip(drawn(500, "float32", kind="adversarial"), SIGNS, strict=True):
        assert (np.sign(x) == signs).all() and np.abs(x).min() >= 0.5 and np.abs(x).max() <= 1
        assert len(np.unique(x)) > x.size / 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_does_not_depend_on_how_many_are_drawn_at_once(kind):
    generator = np.random.Generator(np.random.PCG64(0))
    parts = [random_tiles(kind, generator, count, 2, (6,), (3,), "float32", SIGNS) for count in (1, 5, 4)]
    for whole, split in zip(drawn(10, "float32", kind=kind), zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(whole, np.concatenate(split))


def test_bad_input_is_refused():
    generator = np.random.default_rng()
    with pytest.raises(ValueError, match=r"data must be one of uniform, .*; got 'levy'\."):
        random_tiles("levy", generator, 2, 1, (6,), (3,), "float32")
    with pytest.raises(ValueError, match="adversarial data needs signs"):
        random_tiles("adversarial", generator, 2, 1, (6,), (3,), "float32")
    with pytest.raises(ValueError, match="dtype must be one of"):
        uniform_tiles(generator, 2, 1, (6,), (3,), "float12")


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


def test_adversarial_data_is_worse_than_any_other():
    A = wg.Algorithm(wg.toom_cook(4, 3, published_points(4, 2)), dims=2)
    means = {kind: measure(A, 1000, data=kind).mean_abs.value / (3 if kind in ("normal", "relu") else 1)
             for kind in KINDS}  # normal data has three times the variance of uniform data
    assert max(means, key=means.get) == "adversarial"
    assert means["adversarial"] > 3 * means["uniform"] and math.isfinite(means["adversarial"])
