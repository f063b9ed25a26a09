"""The oracle is exact, and its fast stand-in is as good."""

from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np
import pytest

from error_analysis import exact_correlation
from error_analysis.emulation.oracle import (
    double_double_correlation,
    double_double_is_proved,
    exact_bits,
    mpmath_correlation,
)

DTYPES = [np.float32, np.float64]


def tiles(dtype, trials=20, channels=3, dims=2, seed=0):
    rng = np.random.default_rng(seed)
    d = rng.uniform(-1, 1, (trials, channels, *(6, 5, 4)[:dims])).astype(dtype)
    return d, rng.uniform(-1, 1, (trials, channels, *(3, 2, 2)[:dims])).astype(dtype)


def cancelling(dtype):
    """Products that cancel to far below the roundoff of the largest."""
    d, g = tiles(dtype, channels=4)
    d[:, 1], g[:, 1] = d[:, 0], -g[:, 0] * (1 - 2 * np.finfo(dtype).eps)
    d[:, 2:] *= np.finfo(dtype).eps ** 2
    return d, g


def cancelling_exactly(dtype):
    d, g = tiles(dtype, channels=2)
    d[:, 1], g[:, 1] = d[:, 0], -g[:, 0]
    return d, g


def of_every_size(dtype):
    d, g = tiles(dtype)
    sizes = np.random.default_rng(1).integers(-60, 60, d.shape)
    return np.ldexp(d, sizes).astype(dtype), g


def subnormal(dtype):
    d, g = tiles(dtype)
    return (d * np.finfo(dtype).tiny).astype(dtype), g


def huge(dtype):
    d, g = tiles(dtype)
    return (d * np.finfo(dtype).max / 64).astype(dtype), g


def fractions(d, g):
    """Exact correlation, term by term."""
    m = [t - k + 1 for t, k in zip(d.shape[2:], g.shape[2:], strict=True)]
    y = np.zeros((len(d), *m), object)
    for t, *i in np.ndindex(*y.shape):
        for c, *k in np.ndindex(*g.shape[1:]):
            x = d[(t, c, *(a + b for a, b in zip(i, k, strict=True)))]
            y[(t, *i)] += Fraction(float(x)) * Fraction(float(g[(t, c, *k)]))
    return y


def distance(pair, exact):
    """|high + low - exact|, exactly, with its bound's ingredient |exact|."""
    high, low = (np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(part) for part in pair)
    return abs(high + low - exact)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [tiles, cancelling, cancelling_exactly, of_every_size, subnormal, huge])
def test_mpmath_is_exact_to_a_double_double(dtype, make):
    d, g = make(dtype)
    exact = fractions(d, g)
    # The last part of a sum near 2^-1074 has no double: half the smallest one more.
    bound = abs(exact) * Fraction(1, 2**106) + Fraction(1, 2**1075)
    assert (distance(mpmath_correlation(d, g), exact) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [tiles, cancelling, cancelling_exactly, of_every_size])
def test_double_double_keeps_its_documented_bound(dtype, make):
    d, g = make(dtype)
    assert double_double_is_proved(d, g)
    exact, size = fractions(d, g), fractions(abs(d), abs(g))
    u, terms = Fraction(1, 2**53), g[0].size
    bound = (terms * u / (1 - terms * u)) ** 2 * size
    assert (distance(double_double_correlation(d, g), exact) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_two_oracles_agree_to_far_below_the_error_measured(dtype):
    # Half an ulp of a single product is the least that any measured error could mean.
    d, g = tiles(dtype, trials=100)
    fast, slow = exact_correlation(d, g), exact_correlation(d, g, "mpmath")
    difference = np.abs((fast[0] - slow[0]) + (fast[1] - slow[1]))
    assert difference.max() < 1e-12 * np.finfo(dtype).eps


def test_float64_near_the_ends_of_its_range_goes_to_mpmath():
    for make in (subnormal, huge):
        d, g = make(np.float64)
        assert not double_double_is_proved(d, g)
        np.testing.assert_array_equal(exact_correlation(d, g)[0], mpmath_correlation(d, g)[0])
    assert double_double_is_proved(*subnormal(np.float32))
    assert double_double_is_proved(*(np.zeros_like(x) for x in tiles(np.float64)))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float32", "float64"])
def test_every_dtype_and_number_of_axes(dtype, dims):
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    d, g = (x.astype(dtype) for x in tiles(np.float64, 5, 3, dims))
    wide = d.astype(np.float64), g.astype(np.float64)
    exact = fractions(*wide)
    for oracle in ("auto", "mpmath"):
        got = exact_correlation(d, g, oracle)
        assert got[0].shape == exact.shape == (5, *(4, 4, 3)[:dims])
        assert (distance(got, exact) <= Fraction(1, 2**100)).all()
        np.testing.assert_array_equal(got, exact_correlation(*wide, oracle))


def test_zeros_and_one_dimension():
    d, g = tiles(np.float32, dims=1)
    for oracle in ("auto", "mpmath"):
        assert exact_correlation(d, g, oracle)[0].shape == (20, 4)
        high, low = exact_correlation(d * 0, g, oracle)
        assert not high.any() and not low.any()


def test_the_precision_covers_every_bit_of_a_sum():
    d, g = np.array([[[1.0, 2.0**-80, -1.0]]]), np.array([[[1 + 2.0**-52, 1.0, 1.0]]])
    assert exact_bits(d, g) >= 80 + 52
    assert mpmath_correlation(d, g)[0][0, 0] == 2.0**-52 + 2.0**-80
    longest = np.full((1, 1000, 1), 2 - 2.0**-52)
    assert exact_bits(longest, longest) >= (1000 * (2**53 - 1) ** 2).bit_length()


def test_the_global_precision_of_mpmath_is_left_alone():
    before = mpmath.mp.prec
    mpmath_correlation(*tiles(np.float64, 1))
    assert mpmath.mp.prec == before


def test_bad_input_is_refused():
    d, g = tiles(np.float32)
    with pytest.raises(ValueError, match="oracle must be one of auto, mpmath; got 'exact'"):
        exact_correlation(d, g, "exact")
    with pytest.raises(TypeError, match="d must have a floating dtype, float64 at most; got int64"):
        exact_correlation(d.astype(int), g)
    d[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"d must be finite to have an exact correlation; got nan at d\[0, 0, 0, 0\]"):
        exact_correlation(d, g)
