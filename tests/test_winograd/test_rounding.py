"""The one rounding: exhaustively in float16, against Python's own correctly rounded division, and mpmath."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from winograd.rounding import FORMATS, format_of, round_exact, round_matrix


def all_float16() -> np.ndarray:
    """Every finite float16 of positive sign, ascending."""
    return np.arange(0x7C00, dtype=np.uint16).view(np.float16)


def test_every_float16_rounds_to_itself() -> None:
    values = all_float16()
    nearest = FORMATS["float16"].nearest
    assert all(nearest(Fraction(float(v))) == Fraction(float(v)) for v in values)
    assert all(nearest(-Fraction(float(v))) == -Fraction(float(v)) for v in values[::7])


def test_between_every_two_neighbours_of_float16() -> None:
    """Midpoints go to the even neighbour, anything else to the nearer one."""
    values = all_float16()
    nearest = FORMATS["float16"].nearest
    little = Fraction(1, 2**200)
    for index, (low, high) in enumerate(zip(values[:-1].tolist(), values[1:].tolist(), strict=True)):
        a, b = Fraction(low), Fraction(high)
        middle = (a + b) / 2
        assert nearest(middle) == (b if index % 2 else a)
        assert nearest(middle - little) == a
        assert nearest(middle + little) == b


@pytest.mark.parametrize("name", FORMATS)
def test_the_limits_of_the_formats_are_those_of_numpy(name: str) -> None:
    info, own = np.finfo(name), FORMATS[name]
    assert own.largest == Fraction(float(info.max))
    assert own.u == Fraction(float(info.eps)) / 2
    assert own.nearest(Fraction(float(info.smallest_subnormal))) == Fraction(float(info.smallest_subnormal))
    half = Fraction(float(info.smallest_subnormal)) / 2
    assert own.nearest(half) == 0 and own.nearest(half + Fraction(1, 2**1200)) == 2 * half
    ulp = own.largest * own.u / (1 - own.u)
    assert own.nearest(own.largest + ulp / 2 - Fraction(1, 2**1200)) == own.largest
    assert own.nearest(own.largest + ulp / 2) is None


@given(st.fractions())
def test_float64_is_what_correctly_rounded_division_gives(value: Fraction) -> None:
    assert round_exact(value, np.float64) == value.numerator / value.denominator


@given(st.integers(-(10**40), 10**40), st.integers(-330, 300))
def test_float64_is_what_reading_a_decimal_gives(mantissa: int, exponent: int) -> None:
    value = mantissa * Fraction(10) ** exponent
    expected = float(f"{mantissa}e{exponent}")
    if np.isinf(expected):
        with pytest.raises(OverflowError):
            round_exact(value, "float64")
    else:
        assert round_exact(value, "float64") == expected


@given(st.integers(-(2**60), 2**60), st.integers(0, 160))
def test_float32_is_what_numpy_reads(mantissa: int, exponent: int) -> None:
    """`np.float32(text)` goes through a double, so only values that are doubles exactly are compared."""
    value = Fraction(mantissa >> 7, 2**exponent)
    double = float(value)
    assert Fraction(double) == value
    assert round_exact(value, "float32") == np.float32(double)


def test_rounding_twice_would_differ() -> None:
    """1 + 2^-24 + 2^-60 is above the midpoint of two float32; the double nearest to it is the midpoint itself."""
    value = 1 + Fraction(1, 2**24) + Fraction(1, 2**60)
    assert round_exact(value, "float32") == np.float32(1 + 2**-23)
    assert np.float32(float(value)) == np.float32(1)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "text", ["sqrt(2)", "1/sqrt(3)", "-sqrt(5)/1000", "(1 + sqrt(5))/2", "sqrt(2)/100000000", "sqrt(65519)"]
)
def test_irrational_numbers_against_mpmath(name: str, text: str) -> None:
    with mpmath.workdps(200):
        value = mpmath.mpf(sympy.N(sympy.sympify(text), 200))
        nearby = Fraction(str(value))
        assert Fraction(float(round_exact(text, name))) == FORMATS[name].nearest(nearby)


def test_an_irrational_number_next_to_a_midpoint() -> None:
    """sqrt(q) for q just above the square of a midpoint of float64 rounds up, just below rounds down."""
    middle = 1 + Fraction(1, 2**53)
    for offset, expected in ((Fraction(1, 10**90), 1 + 2.0**-52), (-Fraction(1, 10**90), 1.0)):
        square = middle**2 + offset
        root = sympy.sqrt(sympy.Rational(square.numerator, square.denominator))
        assert round_exact(root, "float64") == expected


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_result_is_a_scalar_of_the_dtype(dtype: str) -> None:
    assert round_exact("1/3", dtype).dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["int32", "complex64", "float8", "longdouble", object, "bool"])
def test_other_formats_are_refused(dtype: object) -> None:
    with pytest.raises(ValueError, match="dtype must be one of float16, float32, float64"):
        format_of(dtype)


def test_symbols_have_no_rounding() -> None:
    with pytest.raises(ValueError, match="give the symbol c a value"):
        round_exact("c", "float32")


def test_overflow_names_the_entry() -> None:
    matrix = sympy.Matrix([[1, 2], [3, 4**15]])
    with pytest.raises(OverflowError, match=r"AT\[1, 1\] = 1073741824 exceeds the largest float16, 65504; rescale"):
        round_matrix(matrix, "float16", "AT")
    assert round_matrix(matrix, "float32", "AT")[1, 1] == 4**15
