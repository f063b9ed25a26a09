"""One rounding per operation: fma against exact fractions, and against the C library."""

import ctypes
import itertools
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from error_analysis import Emulated, fma
from error_analysis.arithmetic import fma_one, two_prod, two_sum

DTYPES = [np.float32, np.float64]
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


def bits(x):
    """Bits as integers; every NaN as the same one, since their payload is not part of the arithmetic."""
    x = np.asarray(x)
    return np.where(np.isnan(x), np.array(np.nan, x.dtype), x).view(f"i{x.itemsize}")


def exact_fma(a, c, b):
    """The definition, for finite scalars: the exact value, rounded once; the sign of a zero by IEEE 754."""
    dtype = type(b)
    value = Fraction(float(a)) * Fraction(float(c)) + Fraction(float(b))
    if value == 0:
        negative = np.signbit(b) and np.signbit(a) != np.signbit(c)
        # A sum that cancels is +0; zero plus zero is -0 where both are.
        return dtype(-0.0 if negative and b == 0 else 0.0)
    try:
        return np.copysign(wg.round_exact(value, dtype), dtype(1 if value > 0 else -1))
    except OverflowError:
        return dtype(np.inf if value > 0 else -np.inf)


def any_bits(rng, dtype, count):
    """Finite numbers of every size, subnormal ones included."""
    kind = f"u{np.dtype(dtype).itemsize}"
    x = rng.integers(0, np.iinfo(kind).max, count, dtype=kind, endpoint=True).view(dtype)
    return np.where(np.isfinite(x), x, dtype(1.5))


def near_one(rng, dtype, count, bits_set):
    """1 + k ulps, k below 2^bits_set: few bits make exact ties likely."""
    ulps = rng.integers(0, 2**bits_set, count) * rng.choice([-1, 1], count)
    return (1 + ulps * float(np.finfo(dtype).eps)).astype(dtype)


def scaled(x, exponents):
    return np.ldexp(x, exponents).astype(x.dtype)


def cases(dtype, count, seed=0):
    """(name, a, c, b) of the hard kinds, `count` of each."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    p, low = info.nmant + 1, int(info.minexp)
    signs = rng.choice([-1, 1], count).astype(dtype)
    with np.errstate(all="ignore"):
        a, c = any_bits(rng, dtype, count), any_bits(rng, dtype, count)
        yield "any bits", a, c, any_bits(rng, dtype, count)
        yield "cancellation", a, c, np.where(np.isfinite(a * c), -(a * c), a)
        a, c = (near_one(rng, dtype, count, p - 1) for _ in range(2))
        yield "cancellation of all but the last bits", a, c, -(a * c) * near_one(rng, dtype, count, 2)
        # a * c has one bit or a few; b is up to p + 2 binades away: sums on and beside the midpoint.
        a, c = near_one(rng, dtype, count, 2), near_one(rng, dtype, count, 2)
        b = scaled(near_one(rng, dtype, count, 3), rng.integers(-p - 2, p + 3, count)) * signs
        yield "ties", a, c, b
        a, c = (near_one(rng, dtype, count, p - 1) for _ in range(2))
        b = scaled(near_one(rng, dtype, count, p - 1), rng.integers(-2 * p - 3, 2 * p + 4, count)) * signs
        yield "overlapping", a, c, b
        half = low // 2
        small = scaled(a, rng.integers(half - p, half + 4, count)), scaled(c, rng.integers(half - p, half + 4, count))
        yield "subnormal results", *small, scaled(b, np.full(count, low))
        a, c = (scaled(near_one(rng, dtype, count, 2), rng.integers(half - p, half + 2, count)) for _ in range(2))
        yield "subnormal results, few bits", a, c, scaled(signs, rng.integers(low - p + 1, low, count))
        a, c = (near_one(rng, dtype, count, p - 1) for _ in range(2))
        top = info.maxexp // 2
        yield "overflow", scaled(a, np.full(count, top)), scaled(c, np.full(count, info.maxexp - top - 1)), \
            scaled(near_one(rng, dtype, count, p - 1), rng.integers(info.maxexp - 4, info.maxexp - 1, count)) * signs


@pytest.mark.parametrize("dtype", DTYPES)
def test_fma_rounds_the_exact_value_once(dtype):
    for name, a, c, b in cases(dtype, 3000):
        want = np.array([exact_fma(*abc) for abc in zip(a, c, b, strict=True)])
        np.testing.assert_array_equal(bits(fma(a, c, b)), bits(want), err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_fma_agrees_with_the_c_library_on_many_cases(dtype, tmp_path):
    c_fma = compiled_fma(dtype, tmp_path)
    # Float64 near the ends of its range goes element by element, hence fewer.
    for name, a, c, b in cases(dtype, 200_000 if dtype == np.float32 else 30_000, seed=1):
        np.testing.assert_array_equal(bits(fma(a, c, b)), bits(c_fma(a, c, b)), err_msg=name)
    rng = np.random.default_rng(2)
    a, c, b = (rng.uniform(-1, 1, 1_000_000).astype(dtype) for _ in range(3))
    np.testing.assert_array_equal(bits(fma(a, c, b)), bits(c_fma(a, c, b)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_fma_of_special_values(dtype, tmp_path):
    info = np.finfo(dtype)
    values = [0.0, 1.0, 1 + info.eps, np.inf, info.max, info.tiny, info.smallest_subnormal, np.sqrt(info.tiny), 2.0**66]
    grid = np.array(list(itertools.product([*values, np.nan, *(-v for v in values)], repeat=3)), dtype)
    a, c, b = (np.ascontiguousarray(column) for column in grid.T)
    np.testing.assert_array_equal(bits(fma(a, c, b)), bits(compiled_fma(dtype, tmp_path)(a, c, b)))


def compiled_fma(dtype, folder):
    """The C library's fma over arrays."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    kind, name = ("float", "fmaf") if dtype == np.float32 else ("double", "fma")
    source = folder / "loop.c"
    source.write_text(
        f"#include <math.h>\nvoid loop(const {kind}*a, const {kind}*c, const {kind}*b, {kind}*y, long n)"
        f"{{ for (long i = 0; i < n; i++) y[i] = {name}(a[i], c[i], b[i]); }}\n"
    )
    library = folder / "loop.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", str(source), "-o", str(library), "-lm"], check=True)
    loop = ctypes.CDLL(str(library)).loop

    def run(a, c, b):
        arrays = [np.ascontiguousarray(x, dtype) for x in (a, c, b)]
        y = np.empty(len(a), dtype)
        loop(*(ctypes.c_void_p(x.ctypes.data) for x in (*arrays, y)), ctypes.c_long(len(a)))
        return y

    return run


@pytest.mark.parametrize("dtype", DTYPES)
def test_fma_broadcasts_and_keeps_scalars(dtype):
    a = np.arange(6, dtype=dtype).reshape(2, 3)
    y = fma(a, dtype(2), a[0])
    assert y.dtype == dtype and y.shape == (2, 3)
    np.testing.assert_array_equal(y, a * 2 + a[0])
    assert isinstance(fma(dtype(2), dtype(3), dtype(4)), dtype)
    np.testing.assert_array_equal(fma(a.T[::-1], dtype(2), a.T), a.T[::-1] * 2 + a.T)
    assert fma(a[:0], dtype(1), a[:0]).shape == (0, 3)


def test_fma_refuses_other_dtypes():
    with pytest.raises(TypeError, match="one dtype, float32 or float64; got float32, float64, float32"):
        fma(np.float32(1), np.float64(1), np.float32(1))
    with pytest.raises(TypeError, match="got int64"):
        fma(np.int64(1), np.int64(1), np.int64(1))


@given(DOUBLES, DOUBLES, DOUBLES)
def test_fma_one_is_the_definition(a, c, b):
    a, c, b = np.float64(a), np.float64(c), np.float64(b)
    assert bits(fma_one(a, c, b)) == bits(exact_fma(a, c, b)) == bits(fma(a, c, b))


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_two_sum_is_exact(a, b):
    s, e = two_sum(np.float64(a), np.float64(b))
    assert s == a + b
    assert Fraction(float(s)) + Fraction(float(e)) == Fraction(a) + Fraction(b)


@given(st.floats(1e-140, 1e150), st.floats(-1e150, -1e-140) | st.just(0.0))
def test_two_prod_is_exact(a, b):
    p, e = two_prod(np.float64(a), np.float64(b))
    assert p == a * b
    assert Fraction(float(p)) + Fraction(float(e)) == Fraction(a) * Fraction(b)


def test_constants_are_rounded_once():
    # 1 + 2^-24 + 2^-60 is above the midpoint of two float32; by way of float64 it would fall on it, and to even.
    value = 1 + Fraction(1, 2**24) + Fraction(1, 2**60)
    assert Emulated("float32").constant(value) == np.float32(1 + 2.0**-23)


@pytest.mark.parametrize("dtype", ["float16", "int32", "nonsense"])
def test_other_formats_are_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be"):
        Emulated(dtype)
