"""One rounding to any format: against ml_dtypes and NumPy over all values, and against the list of all numbers."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import winograd as wg
from error_analysis.emulation.conversion import convert, rounded_fraction

ML_DTYPES = {name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}
DTYPES = {**ML_DTYPES, "float16": np.dtype(np.float16)}
CUSTOM = ["binary(2, -3, 3)", "binary(5, -6, 7)", "binary(7, -1, 12)", "binary(4, 3, 9)", "binary(3, -9, -2)"]
WIDE = [
    "float32", "float64", "tf32", "binary(27, -60, 60)", "binary(40, -1000, 1000)", "binary(51, -5, 1023)",
    "binary(52, -1022, 1023)", "binary(53, -30, 30)", "binary(2, -1022, 1023)",
]
FORMATS = [*DTYPES, *CUSTOM, *WIDE]


def assert_same(got, want, message=""):
    """Equal, zeros with their signs, all NaN alike."""
    got, want = (np.asarray(x).astype(np.float64) for x in (got, want))
    np.testing.assert_array_equal(got, want, err_msg=message)
    zero = want == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]), err_msg=message)


def every_pattern(dtype):
    return np.arange(1 << (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}").view(dtype)


def every_class_of_float32():
    """Every sign, exponent and upper seven bits, each with what the sixteen bits below can matter by."""
    upper = np.arange(1 << 16, dtype=np.uint32) << 16
    return np.concatenate([upper | low for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF)]).view(np.float32)


@pytest.mark.parametrize("target", ML_DTYPES)
@pytest.mark.parametrize("source", DTYPES)
def test_every_small_number_converts_as_in_ml_dtypes(source, target):
    with np.errstate(all="ignore"):
        x = every_pattern(DTYPES[source])
        assert_same(convert(x.astype(np.float64), target), x.astype(np.float32).astype(DTYPES[target]))


@pytest.mark.parametrize("target", DTYPES)
def test_every_class_of_float32_converts_as_in_ml_dtypes(target):
    x = every_class_of_float32()
    with np.errstate(all="ignore"):
        assert_same(convert(x, target), x.astype(DTYPES[target]))


@pytest.mark.parametrize("name", DTYPES)
def test_every_number_of_a_format_stays(name):
    x = every_pattern(DTYPES[name])
    for rounding in wg.algorithm.ROUNDINGS:
        with np.errstate(all="ignore"):
            assert_same(convert(x.astype(np.float64), name, rounding, random=np.zeros(x.shape)), x)


@pytest.mark.parametrize("target", ["float16", "float32", "float64"])
def test_float64_of_every_size_converts_as_in_numpy(target):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 1 << 64, 1_000_000, np.uint64).view(np.float64)
    near = np.ldexp(rng.uniform(-1, 1, 1_000_000), rng.integers(-160, 140, 1_000_000))
    with np.errstate(all="ignore"):
        for values in (x, near):
            assert_same(convert(values, target), values.astype(target))


class NumberLine:
    """All numbers of a small format, in order; the number beyond the largest stands for overflow."""

    def __init__(self, name):
        self.format = wg.format_of(name)
        if name in DTYPES:  # by counting through the patterns
            positive = every_pattern(DTYPES[name])[: 1 << (8 * DTYPES[name].itemsize - 1)]
            with np.errstate(all="ignore"):  # NaN among the patterns
                numbers = positive.astype(np.float64)
            numbers = numbers[np.isfinite(numbers)]
        else:  # by the definition: multiples of the quantum of each binade
            p, low, high = (getattr(self.format, f) for f in ("precision", "smallest_exponent", "largest_exponent"))
            steps = 1 << (p - 1)
            numbers = [k * 2.0 ** (low - p + 1) for k in range(steps)]
            numbers += [k * 2.0 ** (e - p + 1) for e in range(low, high + 1) for k in range(steps, 2 * steps)]
            numbers = np.array(numbers)
        assert (np.diff(numbers) > 0).all() and numbers[-1] == self.format.largest
        self.numbers = np.append(numbers, 2 * numbers[-1] - numbers[-2])

    def neighbours(self, size):
        """Index of the number at or below each size, none beyond the largest."""
        return np.minimum(np.searchsorted(self.numbers, size, side="right") - 1, len(self.numbers) - 2)

    def finished(self, index, x):
        beyond = np.nan if self.format.overflow == "nan" else np.inf
        return np.copysign(np.where(index == len(self.numbers) - 1, beyond, self.numbers[index]), x)

    def nearest(self, x):
        size = np.abs(x)
        index = self.neighbours(size)
        below, above = size - self.numbers[index], self.numbers[index + 1] - size  # exact for what is tested
        return self.finished(index + ((above < below) | ((above == below) & (index % 2 == 1))), x)

    def toward_zero(self, x):
        return self.finished(self.neighbours(np.abs(x)), x)

    def stochastic(self, x, random):
        index = self.neighbours(np.abs(x))
        part = (np.abs(x) - self.numbers[index]) / (self.numbers[index + 1] - self.numbers[index])
        return self.finished(index + (random < part), x)

    def between(self):
        """Every number, every midpoint, and what is next to them, of both signs."""
        middles = (self.numbers[1:] + self.numbers[:-1]) / 2
        x = np.concatenate([self.numbers, middles, [1.5 * self.numbers[-1], 2.0**200]])
        x = np.concatenate([x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf)])
        return np.concatenate([x, -x])


@pytest.mark.parametrize("name", [*DTYPES, *CUSTOM])
def test_numbers_midpoints_and_their_neighbours(name):
    line = NumberLine(name)
    x = line.between()
    assert_same(convert(x, name), line.nearest(x))
    assert_same(convert(x, name, "toward_zero"), line.toward_zero(x))
    for random in (0.0, 0.25, 0.5, 1 - 2.0**-53):
        draws = np.full(x.shape, random)
        # Where the size has no part above a number, the tiny quotient of the definition is off in the last bit.
        assert_same(convert(x, name, "stochastic", random=draws), line.stochastic(x, draws))


def numbers_and_midpoints(name, count=180):
    """Numbers of a format, half way and a quarter of the way to the next one; powers of two among them."""
    fmt = wg.format_of(name)
    rng = np.random.default_rng(1)
    exponents = rng.integers(max(fmt.smallest_exponent - 2, -1022), fmt.largest_exponent, count)
    numbers = np.array(convert(np.ldexp(rng.uniform(1, 2, count), exponents), name, "toward_zero"))
    numbers[::3] = np.ldexp(1.0, exponents[::3])
    step = np.ldexp(1.0, np.maximum(exponents, fmt.smallest_exponent) - fmt.precision + 1)
    x = np.concatenate([numbers, numbers + step / 2, numbers + step / 4])
    x = x[x > 2.0**-900]  # below, float64 itself has no room for an error
    return np.concatenate([x, -x])


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_below_float64_decides_ties_and_cuts(name):
    x = numbers_and_midpoints(name)
    random = np.random.default_rng(2).random(x.shape)
    for direction, part in ((-np.inf, 2), (np.inf, 2), (-np.inf, 2**20), (np.inf, 2**20)):
        e = (np.nextafter(x, direction) - x) / part
        # Half an ulp: a tie of float64 itself, which x has the error of only where it is even.
        keep = (x.view(np.int64) % 2 == 0) | (part > 2)
        for rounding in wg.algorithm.ROUNDINGS:
            got = convert(x[keep], name, rounding, error=e[keep], random=random[keep])
            want = [
                rounded_fraction(Fraction(v) + Fraction(f), wg.format_of(name), rounding, r)
                for v, f, r in zip(x[keep].tolist(), e[keep].tolist(), random[keep].tolist(), strict=True)
            ]
            assert_same(got, want, f"{rounding}, {direction} / {part}")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rounding", wg.algorithm.ROUNDINGS)
def test_random_numbers_against_fractions(name, rounding):
    fmt = wg.format_of(name)
    rng = np.random.default_rng(3)
    low, high = fmt.smallest_exponent - fmt.precision - 3, fmt.largest_exponent + 2
    x = np.ldexp(rng.uniform(-1, 1, 5000), rng.integers(max(low, -1074), min(high, 1024), 5000))
    error = rng.uniform(-0.5, 0.5, x.shape) * np.spacing(np.abs(x))
    random = rng.random(x.shape)
    for e in (None, np.where(np.abs(x) > 1e-290, error, 0)):
        got = convert(x, name, rounding, error=e, random=random)
        missing = np.zeros(x.shape) if e is None else e
        want = [
            rounded_fraction(Fraction(v) + Fraction(f), fmt, rounding, r) or np.copysign(0.0, v)
            for v, f, r in zip(x.tolist(), missing.tolist(), random.tolist(), strict=True)
        ]
        assert_same(got, want)


@given(st.fractions(), st.sampled_from(FORMATS))
@example(Fraction(85, 7), "binary(2, -3, 3)")
def test_a_fraction_is_rounded_as_constants_are(value, name):
    fmt = wg.format_of(name)
    nearest = fmt.nearest(value)
    if nearest is not None:
        assert rounded_fraction(value, fmt, "nearest") == nearest
        cut = rounded_fraction(value, fmt, "toward_zero")
        up = rounded_fraction(value, fmt, "stochastic", 0.0) if value else 0.0  # beyond the largest number: infinite
        assert abs(cut) <= abs(value) and nearest in (cut, up) and (cut == value or abs(up) > abs(value))


@pytest.mark.parametrize("name", ["float16", "float8_e4m3fn", "binary(5, -6, 7)", "float32", "float64"])
def test_stochastic_rounding_is_unbiased_and_takes_neighbours_only(name):
    fmt = wg.format_of(name)
    rng = np.random.default_rng(4)
    draws = 40_000
    low = max(fmt.smallest_exponent - 3, -900)  # subnormal numbers among them, but none of float64
    for x in np.ldexp(rng.uniform(-2, 2, 12), rng.integers(low, low + 8, 12)):
        error = rng.uniform(-0.5, 0.5) * np.spacing(abs(x)) if fmt.precision > 30 else 0.0
        exact = Fraction(x) + Fraction(error)
        y = convert(np.full(draws, x), fmt, "stochastic", error=error, random=rng.random(draws))
        cut = Fraction(rounded_fraction(exact, fmt, "toward_zero"))
        step = Fraction(rounded_fraction(exact, fmt, "stochastic", 0.0)) - cut
        values, counts = np.unique(y, return_counts=True)
        assert {Fraction(v) for v in values.tolist()} <= {cut, cut + step}
        away = int(counts[values != float(cut)].sum())
        p = float((exact - cut) / step)
        # Five standard deviations of a binomial number.
        assert abs(away - draws * p) <= 5 * np.sqrt(draws * p * (1 - p))


@pytest.mark.parametrize("name", FORMATS)
def test_special_values(name):
    infinity = np.nan if wg.format_of(name).overflow == "nan" else np.inf
    x = np.array([0.0, -0.0, np.nan, np.inf, -np.inf])
    for rounding in wg.algorithm.ROUNDINGS:
        assert_same(convert(x, name, rounding, random=np.full(5, 0.5)), [0.0, -0.0, np.nan, infinity, -infinity])


def test_overflow_by_rounding():
    x = np.array([464.0, np.nextafter(464, 500), -1e300])  # 464 is half way from 448 to what 480 would be
    assert_same(convert(x, "float8_e4m3fn"), [448, np.nan, np.nan])
    assert_same(convert(x, "float8_e4m3fn", "toward_zero"), [448, 448, -448])
    assert_same(convert(x, "float8_e4m3fn", "stochastic", random=np.full(3, 0.5)), [448, np.nan, np.nan])
    assert_same(convert([65520.0, 65519.0], "float16"), [np.inf, 65504])
    assert_same(convert([65520.0, 65519.0], "float16", "stochastic", random=np.array([0.49, 0.49])), [np.inf, 65504])


def test_shapes_and_scalars():
    assert isinstance(convert(1 / 3, "float16"), np.float64)
    assert convert(np.zeros((2, 0, 3)), "float16").shape == (2, 0, 3)
    x = np.random.default_rng(5).uniform(-1, 1, (6, 4))
    assert_same(convert(x.T[::2], "float8_e5m2"), convert(x, "float8_e5m2").T[::2])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="rounding must be one of nearest, toward_zero, stochastic; got 'up'"):
        convert(1.0, "float16", "up")
    with pytest.raises(ValueError, match="stochastic rounding needs random numbers"):
        convert(1.0, "float16", "stochastic")
    with pytest.raises(ValueError, match="dtype must be one of"):
        convert(1.0, "float12")
