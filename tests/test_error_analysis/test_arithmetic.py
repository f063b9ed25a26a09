"""One rounding per operation: against ml_dtypes, the C library and exact integers."""

import ctypes
import itertools
import shutil
import subprocess
from fractions import Fraction

import ml_dtypes
import mpmath.libmp as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from error_analysis import Emulated, fma
from error_analysis.emulation.arithmetic import fma_one
from error_analysis.emulation.conversion import convert

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
    for name, a, c, b in cases(dtype, 200_000 if dtype == np.float32 else 12_000, seed=1):
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


def test_constants_are_rounded_once():
    # 1 + 2^-24 + 2^-60 is above the midpoint of two float32; by way of float64 it would fall on it, and to even.
    value = 1 + Fraction(1, 2**24) + Fraction(1, 2**60)
    assert Emulated("float32").constant(value) == np.float32(1 + 2.0**-23)


@pytest.mark.parametrize("dtype", ["int32", "nonsense", "binary(1, -3, 3)"])
def test_other_formats_are_refused(dtype):
    with pytest.raises(ValueError, match="must be"):
        Emulated(dtype)


def test_an_unknown_rounding_is_refused():
    with pytest.raises(ValueError, match="rounding must be one of nearest, toward_zero, stochastic; got 'up'"):
        Emulated("float16", "up")


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
class TestEveryPairOf8Bits:
    """All 256 patterns against all 256, infinities and NaN among them."""

    def pairs(self, name):
        dtype = np.dtype(getattr(ml_dtypes, name))
        x = np.arange(256, dtype=np.uint8).view(dtype)
        return [y.ravel() for y in np.meshgrid(x, x)]

    def test_sums_and_products_are_those_of_ml_dtypes(self, name):
        a, b = self.pairs(name)
        with np.errstate(all="ignore"):
            x, y = a.astype(np.float64), b.astype(np.float64)
            wanted = {"add": a + b, "sub": a - b, "mul": a * b}
            for operation, want in wanted.items():
                got = getattr(Emulated(name), operation)(x, y)
                np.testing.assert_array_equal(bits(got), bits(want.astype(np.float64)), err_msg=operation)

    def test_fma_of_every_pair_and_some_third(self, name):
        with np.errstate(all="ignore"):
            a, c = (x.astype(np.float64) for x in self.pairs(name))
            # At most 2^32 times the quantum of the least product: float64 holds the exact result, to round once.
            for b in np.arange(0, 256, 9, dtype=np.uint8).view(getattr(ml_dtypes, name)).astype(np.float64):
                exact = a * c + b
                for rounding in ("nearest", "toward_zero"):
                    got = Emulated(name, rounding).fma(a, c, b)
                    np.testing.assert_array_equal(bits(got), bits(convert(exact, name, rounding)))


JUDGED = [
    "float8_e5m2", "float8_e4m3fn", "float16", "bfloat16", "tf32", "float32", "float64",
    "binary(2, -2, 5)", "binary(9, -40, 3)", "binary(26, -200, 200)", "binary(27, -126, 127)",
    "binary(40, -300, 300)", "binary(52, -500, 500)", "binary(53, -60, 60)", "binary(30, -1022, 1023)",
    "binary(11, -900, 100)",
]


class Judge:
    """a * c + b rounded once, in whole numbers: every number of a format is a multiple of its smallest."""

    def __init__(self, name, rounding):
        self.format, self.rounding = wg.format_of(name), rounding
        self.low = self.format.smallest_exponent - self.format.precision + 1  # the smallest number is 2^low
        self.largest = self.format.largest / Fraction(2) ** (2 * self.low)

    def whole(self, x):
        numerator, denominator = x.as_integer_ratio()
        return (numerator << -self.low) // denominator if self.low < 0 else (numerator >> self.low) // denominator

    def fma(self, a, c, b, random):
        # In units of 2^(2 low), the quantum of products.
        exact = self.whole(a) * self.whole(c) + (self.whole(b) << -self.low)
        size = abs(exact)
        dropped = max(size.bit_length() - self.format.precision, -self.low)
        kept, rest = size >> dropped, size & ((1 << dropped) - 1)
        if self.rounding == "nearest":
            half = 1 << (dropped - 1)
            kept += rest > half or (rest == half and kept % 2)
        elif self.rounding == "stochastic":
            kept += Fraction(rest, 1 << dropped) > random
        if kept << dropped > self.largest:
            if self.rounding == "toward_zero":
                value = float(self.format.largest)
            else:
                value = np.nan if self.format.overflow == "nan" else np.inf
        else:
            value = float(np.ldexp(float(kept), dropped + 2 * self.low))
        return -value if exact < 0 else value


def operands(name, count, rng):
    """(a, c, b) of the hard kinds: any, cancelling, on and beside ties, subnormal, overflowing; numbers of a format."""
    fmt = wg.format_of(name)
    p, low, high = fmt.precision, fmt.smallest_exponent, fmt.largest_exponent

    def numbers(least, most, bits_set=p):
        """Of exponents in a range, with significands of a few bits or of all."""
        whole = rng.integers(0, 1 << (bits_set - 1), count) | (1 << (bits_set - 1))
        exponents = rng.integers(min(max(least, low - p + 1), high), min(max(most, low + 1), high) + 1, count)
        x = np.ldexp(whole.astype(np.float64), exponents - bits_set + 1) * rng.choice([-1, 1], count)
        return np.array(convert(x, name, "toward_zero"))

    few = min(p, 3)
    centre = max(low, min(0, high))
    spread = min(2 * p + 3, (high - low) // 2)
    a, c = numbers(low - p, high), numbers(low - p, high)
    yield a, c, numbers(low - p, high)
    near = [numbers(centre - 1, centre + 1) for _ in range(2)]
    yield *near, np.array(convert(-near[0] * near[1], name)) * np.where(rng.random(count) < 0.5, 1, 1 + 2.0 ** (1 - p))
    yield *(numbers(centre - 1, centre + 1, few) for _ in range(2)), numbers(centre - spread, centre + spread, few)
    yield *near, numbers(centre - spread, centre + spread)
    # A sum of 2 p bits, on a midpoint but for the last of them: rounded to 53 first, it might fall on the midpoint.
    beside = 2.0**-p * (1 + rng.integers(-1, 2, count) * 2.0 ** (1 - p)) * rng.choice([-1, 1], count)
    yield numbers(centre, centre), np.ones(count), 2.0**centre * beside
    half = low // 2
    yield *(numbers(half - p, half + 1) for _ in range(2)), numbers(low - p, low + 1)
    yield *(numbers(half - p, half + 1, few) for _ in range(2)), numbers(low - p, low - p + 2, 1)
    yield numbers(high - 2, high), numbers(-1, 1), numbers(high - 3, high)
    yield numbers(high // 2, high // 2 + 1), numbers(high - high // 2 - 1, high - high // 2), numbers(high - 2, high)


@pytest.mark.parametrize("rounding", wg.algorithm.ROUNDINGS)
@pytest.mark.parametrize("name", JUDGED)
def test_every_operation_rounds_the_exact_result_once(name, rounding):
    judge = Judge(name, rounding)
    rng = np.random.default_rng(7)
    carrier = wg.format_of(name).carrier
    count = 400 if judge.low < -900 else 1200  # long integers
    for kind, (a, c, b) in enumerate(operands(name, count, rng)):
        b = np.array(convert(b, name))
        a, c, b = (np.where(np.isfinite(x), x, 1.0) for x in (a, c, b))
        one, zero = [1.0] * count, [0.0] * count
        for operation, operators, terms in (
            ("fma", (a, c, b), (a.tolist(), c.tolist(), b.tolist())),
            ("mul", (a, c), (a.tolist(), c.tolist(), zero)),
            ("add", (a, b), (a.tolist(), one, b.tolist())),
            ("sub", (a, b), (a.tolist(), one, (-b).tolist())),
        ):
            random = np.random.default_rng(kind).random(count)
            arithmetic = Emulated(name, rounding, np.random.default_rng(kind))
            with np.errstate(all="ignore"):
                got = getattr(arithmetic, operation)(*(x.astype(carrier) for x in operators))
            assert got.dtype == carrier
            want = [judge.fma(*term) for term in zip(*terms, random.tolist(), strict=True)]
            np.testing.assert_array_equal(got.astype(np.float64), want, err_msg=f"{operation} {kind}")


@pytest.mark.parametrize("rounding", ["nearest", "toward_zero"])
@pytest.mark.parametrize("name", ["tf32", "bfloat16", "float16", "float32", "float64", "binary(40, -300, 300)"])
def test_many_operations_agree_with_mpmath(name, rounding):
    """mpmath has any precision but no limits of the exponent, so the numbers are near 1."""
    p, carrier, count = wg.format_of(name).precision, wg.format_of(name).carrier, 30_000
    rng = np.random.default_rng(9)
    a, c = (np.array(convert(rng.uniform(-2, 2, count), name)) for _ in range(2))
    b = np.array(convert(np.where(rng.random(count) < 0.5, rng.uniform(-2, 2, count), -a * c), name))
    A, C, B = ([mp.from_float(v) for v in x.tolist()] for x in (a, c, b))
    mode = {"nearest": mp.round_nearest, "toward_zero": mp.round_down}[rounding]
    products = [mp.mpf_mul(x, y) for x, y in zip(A, C, strict=True)]  # exact
    wanted = {
        "add": [mp.mpf_add(x, y, p, mode) for x, y in zip(A, B, strict=True)],
        "mul": [mp.mpf_pos(x, p, mode) for x in products],
        "fma": [mp.mpf_add(x, y, p, mode) for x, y in zip(products, B, strict=True)],
    }
    for operation, want in wanted.items():
        operators = {"add": (a, b), "mul": (a, c), "fma": (a, c, b)}[operation]
        got = getattr(Emulated(name, rounding), operation)(*(x.astype(carrier) for x in operators)).astype(float)
        # What cancels may leave less than the smallest normal number, and then fewer bits.
        normal = (np.abs(got) >= 2.0 ** wg.format_of(name).smallest_exponent) | (got == 0)
        exact = np.array([mp.to_float(x) for x in want])
        normal &= (np.abs(exact) >= 2.0 ** wg.format_of(name).smallest_exponent) | (exact == 0)
        assert normal.mean() > 0.4
        np.testing.assert_array_equal(got[normal], exact[normal], err_msg=operation)


@pytest.mark.parametrize("rounding", wg.algorithm.ROUNDINGS)
@pytest.mark.parametrize("name", JUDGED)
def test_zeros_infinities_and_nan_are_those_of_ieee_754(name, rounding):
    fmt = wg.format_of(name)
    values = [0.0, 1.0, 2.0, float(fmt.largest), np.nan, *([np.inf] if fmt.overflow == "infinity" else [])]
    grid = np.array(list(itertools.product([*values, *(-v for v in values)], repeat=3)))
    a, c, b = grid.T
    with np.errstate(all="ignore"):
        wanted = {"add": a + b, "sub": a - b, "mul": a * c, "fma": fma(a, c, b)}
        for operation, want in wanted.items():
            operators = {"mul": (a, c), "fma": (a, c, b)}.get(operation, (a, b))
            # Rounding and overflow of finite numbers are other tests' subject.
            held = ~np.logical_and.reduce([np.isfinite(x) for x in operators]) | (np.abs(want) <= 2)
            got = getattr(Emulated(name, rounding), operation)(*(x.astype(fmt.carrier) for x in operators))
            np.testing.assert_array_equal(bits(got.astype(np.float64))[held], bits(want)[held], err_msg=operation)


def test_stochastic_rounding_follows_its_generator():
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 1000)).astype(np.float32)
    runs = [Emulated("float32", "stochastic", np.random.default_rng(seed)).add(a, b) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()
    default = [Emulated("float32", "stochastic").add(a, b) for _ in range(2)]
    np.testing.assert_array_equal(*default)


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "binary(40, -300, 300)"])
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "fma"])
def test_stochastic_operations_are_unbiased(name, operation):
    """The mean of the rounded results is the exact result, within five standard deviations of a mean of coins."""
    rng = np.random.default_rng(8)
    carrier = wg.format_of(name).carrier
    arithmetic = Emulated(name, "stochastic", rng)
    draws = 20_000
    for a, c, b in np.array(convert(rng.uniform(-2, 2, (6, 3)), name)):
        terms = {"mul": (a, c), "fma": (a, c, b)}.get(operation, (a, b))
        y = getattr(arithmetic, operation)(*(np.full(draws, x, carrier) for x in terms)).astype(np.float64)
        A, C, B = (Fraction(float(x)) for x in (a, c, b))
        exact = {"add": A + B, "sub": A - B, "mul": A * C, "fma": A * C + B}[operation]
        values = np.unique(y)
        assert len(values) <= 2
        offset = float(sum(Fraction(float(v)) * int((y == v).sum()) for v in values) / draws - exact)
        assert abs(offset) <= 5 * (values[-1] - values[0]) / 2 / np.sqrt(draws)


def test_numbers_enter_a_format_rounded_once():
    x = np.array([1 / 3, 1e6, 0.1])
    np.testing.assert_array_equal(Emulated("float16").rounded(x), convert(x, "float16"))
    assert Emulated("float32").rounded(x).dtype == np.float32
    np.testing.assert_array_equal(Emulated("float32").rounded(x), x.astype(np.float32))
    assert Emulated("float32", "toward_zero").rounded(x).dtype == np.float32
    np.testing.assert_array_equal(Emulated("float64").rounded(x.astype(np.float32)), x.astype(np.float32))


def test_constants_are_held_in_the_carrier():
    for name in ("float16", "bfloat16", "float8_e5m2"):
        assert Emulated(name, "toward_zero").constant("2/3").dtype == np.float64
    assert Emulated("float16").constant("2/3") == np.float16(2 / 3)
    with pytest.raises(OverflowError, match="1000 exceeds the largest float8_e4m3fn, 448"):
        Emulated("float8_e4m3fn").constant(1000)
