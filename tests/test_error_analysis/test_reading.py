"""Reading rounded numbers: every simple fraction and surd comes back, and doubt is admitted."""

from fractions import Fraction
from itertools import product

import ml_dtypes
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from error_analysis.auditing.reading import read_matrix, read_number, rounding_interval, rounds_to, simplest_between
from winograd import FORMATS, round_exact

SIMPLE = [Fraction(sign * p, q) for sign, p, q in product((1, -1), range(1, 19), range(1, 24))]


@pytest.mark.parametrize("kind", [np.float32, np.float64, float])
def test_simple_fractions_come_back_from_floats(kind):
    for fraction in SIMPLE:
        reading = read_number(kind(fraction.numerator / fraction.denominator))
        assert reading.value == fraction and reading.clear, reading


def test_a_float32_kept_as_a_double_is_seen():
    for fraction in SIMPLE:
        reading = read_number(float(round_exact(fraction, "float32")))
        assert reading.value == fraction and reading.clear, reading


@pytest.mark.parametrize("digits", [7, 8, 9, 16])
def test_simple_fractions_come_back_from_decimals(digits):
    for fraction in SIMPLE:
        text = f"{fraction.numerator / fraction.denominator:.{digits}g}"
        assert read_number(text).value == fraction
        assert read_number(float(text)).value == fraction


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16])
def test_narrow_floats_tell_small_fractions(kind):
    for p, q in product(range(1, 6), (1, 2, 3, 4, 5, 6)):
        assert read_number(kind(p / q)).value == Fraction(p, q)


def test_surds_come_back():
    root = sympy.sqrt
    for surd in (root(2), -root(2) / 2, 2 * root(2), root(2) / 4, root(sympy.Rational(2, 3)), (1 + root(5)) / 2,
                 2 - root(3), -(3 + 2 * root(2)) / 6):
        for dtype in ("float32", "float64"):
            reading = read_number(round_exact(surd, dtype))
            assert sympy.expand(reading.value - surd) == 0 and reading.clear, (surd, dtype, reading)


def test_exact_numbers_are_themselves():
    for number in (3, Fraction(2, 9), "2/9", "sqrt(2)", "0.25", "1.0000", "0.4375", 0.0, 0.375, np.float32(5.25)):
        assert read_number(number).how == "exact"
    assert str(read_number("0.125")) == "0.125, exactly"


def test_random_numbers_are_in_doubt():
    generator = np.random.default_rng(0)
    for kind in (np.float64, np.float32):
        clear = [read_number(kind(x)).clear for x in np.pi * generator.random(150)]
        assert sum(clear) <= 5  # one in a hundred by construction; more than 5 of 150 happen once in two hundred draws
    assert "in doubt" in str(read_number(np.pi))


@given(st.floats(-1e6, 1e6, width=32).filter(lambda x: abs(x) > 1e-30))
def test_what_is_read_rounds_to_what_was_given(x):
    for number in (x, np.float32(x)):
        reading = read_number(number)
        if reading.how != "exact":
            assert rounds_to(reading.value, number)
        if reading.how in FORMATS:
            assert float(round_exact(reading.value, reading.how)) == x


@given(st.fractions(), st.fractions())
def test_the_simplest_fraction_is_the_simplest(a, b):
    low, high = sorted((a, b))
    if low == high:
        with pytest.raises(ValueError, match="low must be below high"):
            simplest_between(low, high)
        return
    found = simplest_between(low, high)
    assert low < found < high
    for q in range(1, min(found.denominator, 60)):
        assert not low < Fraction(low * q // 1 + 1) / q < high


@pytest.mark.parametrize("name", ["float16", "float8_e5m2", "float8_e4m3fn"])
def test_the_rounding_interval_holds_what_rounds_here(name):
    fmt = FORMATS[name]
    for bits in range(1, 120):
        value = Fraction(float(np.array(bits, np.uint8).view(getattr(ml_dtypes, name)))) if "8" in name else (
            Fraction(float(np.array(bits * 250, np.uint16).view(np.float16))))
        low, high = rounding_interval(value, fmt)
        step = (high - low) / 1000
        for inside in (low + step, high - step):
            assert fmt.nearest(inside) in (value, None)  # None: beyond the largest finite number
        assert fmt.nearest(low - step) != value
        assert fmt.nearest(high + step) != value
        assert rounding_interval(-value, fmt) == (-high, -low)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([[1, 2], [3]], "rows of one length"),
        ([], "at least one entry"),
        (7, "must be a matrix"),
        ("1 2", "must be a matrix"),
        ([["1", "x!"]], r"G\[0, 1\]"),
        ([[1.0, float("nan")]], r"G\[0, 1\]: number must be finite"),
        ([[float("inf")]], "finite"),
        ([[None]], r"G\[0, 0\]"),
        (np.zeros((2, 2, 2)), r"G\[0, 0\]"),
    ],
)
def test_what_is_no_matrix_is_refused(entries, message):
    with pytest.raises(ValueError, match=message):
        read_matrix(entries, "G")
