"""The one rounding: exhaustively in float16, against Python's own correctly rounded division, and mpmath."""

import itertools
import math
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from winograd.rounding import FORMATS, BinaryFormat, format_of, round_exact, round_matrix

OTHER_DTYPES = {name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}


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


@pytest.mark.parametrize("name", OTHER_DTYPES)
def test_every_number_of_the_formats_of_ml_dtypes(name: str) -> None:
    """Each is its own nearest; midpoints go to the even neighbour, anything else to the nearer one."""
    dtype = OTHER_DTYPES[name]
    patterns = np.arange(1 << (8 * dtype.itemsize - 1), dtype=f"u{dtype.itemsize}").view(dtype)
    values = [Fraction(v) for v in map(float, patterns) if math.isfinite(v)]
    own = FORMATS[name]
    assert values[-1] == own.largest and values[1] == own.smallest
    little = Fraction(1, 2**200)
    stride = 1 if len(values) < 999 else 37
    for index, (a, b) in list(enumerate(itertools.pairwise(values)))[::stride]:
        middle = (a + b) / 2
        assert own.nearest(a) == a and own.nearest(-b) == -b
        assert own.nearest(middle) == (b if index % 2 else a)
        assert own.nearest(middle - little) == a and own.nearest(middle + little) == b


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "tf32"])  # no library holds tf32
def test_the_limits_of_the_formats_are_those_of_numpy_and_ml_dtypes(name: str) -> None:
    info, own = ml_dtypes.finfo(OTHER_DTYPES.get(name, name)), FORMATS[name]
    assert own.largest == Fraction(float(info.max))
    assert own.u == Fraction(float(info.eps)) / 2
    assert Fraction(2) ** own.smallest_exponent == Fraction(float(info.smallest_normal))
    assert own.smallest == Fraction(float(info.smallest_subnormal))


@pytest.mark.parametrize("name", [*FORMATS, "binary(5, -6, 7)", "binary(2, 3, 4)"])
def test_rounding_at_the_limits(name: str) -> None:
    own = format_of(name)
    little = Fraction(1, 2**1200)
    assert own.nearest(own.smallest) == own.smallest
    assert own.nearest(own.smallest / 2) == 0 and own.nearest(own.smallest / 2 + little) == own.smallest
    ulp = Fraction(2) ** (own.largest_exponent - own.precision + 1)
    assert own.nearest(own.largest + ulp / 2 - little) == own.largest
    # Half an ulp beyond is a tie, and goes to the even neighbour: over the edge, but for e4m3, whose last bit is 0.
    assert own.nearest(own.largest + ulp / 2) == (own.largest if name == "float8_e4m3fn" else None)
    assert own.nearest(own.largest + ulp / 2 + little) is None


def test_tf32_has_the_range_of_float32_and_the_precision_of_float16() -> None:
    """NVIDIA A100 white paper, 2020: 8 bits of exponent, 10 of fraction."""
    tf32, single, half = (FORMATS[name] for name in ("tf32", "float32", "float16"))
    assert tf32.u == half.u
    assert (tf32.smallest_exponent, tf32.largest_exponent) == (single.smallest_exponent, single.largest_exponent)


def test_carriers_hold_every_number() -> None:
    assert {name: fmt.carrier.name for name, fmt in FORMATS.items()} == {
        **dict.fromkeys(FORMATS, "float64"), "float32": "float32",
    }
    for fmt in FORMATS.values():
        for value in (fmt.largest, fmt.smallest, 1 + 2 * fmt.u):
            assert Fraction(float(fmt.carrier.type(float(value)))) == value


@pytest.mark.parametrize("text", ["binary(5, -6, 7)", " binary(5,-6,7) ", "binary( 5, -6,7 )"])
def test_other_formats_are_spelled_out(text: str) -> None:
    fmt = format_of(text)
    assert fmt == BinaryFormat("binary(5, -6, 7)", 5, -6, 7) == format_of(fmt) == format_of(fmt.name)
    assert (fmt.u, fmt.smallest, fmt.largest) == (Fraction(1, 32), Fraction(1, 1024), 248)
    assert round_exact("1/3", text) == 0.328125  # 21/64, of 21/64 and 22/64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("binary(1, -6, 7)", "precision must be 2 to 53 bits; got 1"),
        ("binary(54, -6, 7)", "precision must be 2 to 53 bits; got 54"),
        ("binary(5, 7, 7)", "exponents must satisfy -1022 <= smallest < largest <= 1023; got 7 and 7"),
        ("binary(5, -1023, 7)", "exponents must satisfy"),
        ("binary(5, 0, 1024)", "exponents must satisfy"),
        ("binary(5, 7)", "dtype must be one of"),
        ("binary(5.5, 0, 7)", "dtype must be one of"),
    ],
)
def test_impossible_formats_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        format_of(text)


@pytest.mark.parametrize("name", OTHER_DTYPES)
def test_dtypes_of_ml_dtypes_are_read(name: str) -> None:
    dtype = OTHER_DTYPES[name]
    assert format_of(dtype) is format_of(dtype.type) is FORMATS[name]


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


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_result_is_a_scalar_of_the_dtype(dtype: str) -> None:
    own = dtype in ("float16", "float32", "float64")
    assert round_exact("1/3", dtype).dtype == np.dtype(dtype if own else "float64")


@pytest.mark.parametrize("dtype", ["int32", "complex64", "float8", "longdouble", object, "bool", None, 3])
def test_other_formats_are_refused(dtype: object) -> None:
    every = "float64, float32, tf32, bfloat16, float16, float8_e4m3fn, float8_e5m2"
    with pytest.raises(ValueError, match=f"dtype must be one of {every} or "):
        format_of(dtype)


def test_symbols_have_no_rounding() -> None:
    with pytest.raises(ValueError, match="give the symbol c a value"):
        round_exact("c", "float32")


def test_overflow_names_the_entry() -> None:
    matrix = sympy.Matrix([[1, 2], [3, 4**15]])
    with pytest.raises(OverflowError, match=r"AT\[1, 1\] = 1073741824 exceeds the largest float16, 65504; rescale"):
        round_matrix(matrix, "float16", "AT")
    assert round_matrix(matrix, "float32", "AT")[1, 1] == 4**15


@pytest.mark.parametrize("name", ["x", "float32"])
def test_a_format_is_what_its_name_says(name):
    """Records and Algorithms hold names: another format under a name would be lost on the way."""
    with pytest.raises(ValueError, match=r"a format must be what its name says|dtype must be one of"):
        format_of(BinaryFormat(name, 5, -3, 4))
    assert format_of(format_of("binary(5, -3, 4)")).precision == 5
