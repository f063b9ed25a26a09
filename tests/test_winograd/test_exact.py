"""Reading exact numbers from anything, and placing them in one field."""

import math
from decimal import Decimal
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np
import pytest
import sympy

from winograd.exact import exact, from_field, in_field, magnitude, parse_number, sign, to_sympy


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3/4", sympy.Rational(3, 4)),
        (" -1.5 ", sympy.Rational(-3, 2)),
        ("0.1", sympy.Rational(1, 10)),
        ("1e-3", sympy.Rational(1, 1000)),
        ("sqrt(2)/2", sympy.sqrt(2) / 2),
        ("2**-3", sympy.Rational(1, 8)),
        ("2^3", sympy.Integer(8)),
        ("-1/c", -1 / sympy.Symbol("c")),
        ("+(1 + sqrt(5))/2", (1 + sympy.sqrt(5)) / 2),
        ("1_000", sympy.Integer(1000)),
    ],
)
def test_text_is_read_exactly(text: str, value: sympy.Expr) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "1//2", "1 2", "nan", "1j", "f(2)", "sqrt(2, 3)", "sqrt()", "[1]", "'1'", "__import__('os')"),
        *("2**10000", "x.y", "True", "-inf", "2*oo", "1 if 1 else 2", "2**c"),
        *("10**10**10", "1e99999999", "0x1e", "0b11", "1e-1001", "(10**900)**900"),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number must be"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1/0", "1/(2-2)", "0**-1", "0^-2"])
def test_division_by_zero_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="divides by zero"):
        parse_number(text)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (3, Fraction(3)),
        (np.int8(-3), Fraction(-3)),
        (Fraction(1, 3), Fraction(1, 3)),
        (0.1, Fraction(3602879701896397, 2**55)),
        (np.float32(0.1), Fraction(13421773, 2**27)),
        (np.float16(0.1), Fraction(float(np.float16(0.1)))),
        (ml_dtypes.bfloat16(0.1), Fraction(float(ml_dtypes.bfloat16(0.1)))),
        (mpmath.mpf(0.1), Fraction(0.1)),
        (mpmath.mpf(-3), Fraction(-3)),
        (sympy.Rational(2, 6), Fraction(1, 3)),
        (sympy.Float(0.5), Fraction(1, 2)),
        ("1/2", Fraction(1, 2)),
        (5e-324, Fraction(1, 2**1074)),
    ],
)
def test_every_number_is_taken_at_its_exact_value(given: object, value: Fraction) -> None:
    assert exact(given) == value
    assert isinstance(exact(given), Fraction)


def test_irrational_numbers_stay_symbolic() -> None:
    assert exact("sqrt(8)") == 2 * sympy.sqrt(2)
    assert exact("sqrt(4)") == Fraction(2)


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf, np.float32("nan"), sympy.nan, sympy.zoo, -sympy.oo])
def test_what_is_not_finite_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        exact(given)


@pytest.mark.parametrize("given", [sympy.I, sympy.sqrt(-2), "sqrt(-1)"])
def test_complex_numbers_are_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be real"):
        exact(given)


def test_floats_inside_expressions_are_refused() -> None:
    with pytest.raises(ValueError, match="must be exact"):
        exact(0.5 * sympy.Symbol("c"))


@pytest.mark.parametrize("given", [True, np.bool_(False), None, [1], object(), 1j, Decimal("nan")])
def test_what_is_no_number_is_a_type_error(given: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        exact(given)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([Fraction(1, 2), Fraction(3)], "QQ"),
        ([Fraction(1), sympy.sqrt(2)], "QQ<sqrt(2)>"),
        ([sympy.Symbol("c"), Fraction(1, 2)], "ZZ(c)"),
    ],
)
def test_the_field_is_the_smallest_one_and_gives_the_numbers_back(values: list, name: str) -> None:
    field, elements = in_field(values)
    assert str(field) == name
    assert [from_field(field, e) for e in elements] == values


def test_two_roots_live_in_one_field() -> None:
    values = [sympy.sqrt(2), sympy.sqrt(3)]
    field, elements = in_field(values)
    product = from_field(field, elements[0] * elements[1])
    assert sympy.simplify(to_sympy(product) - sympy.sqrt(6)) == 0


def test_sign_and_magnitude() -> None:
    assert [sign(v) for v in (Fraction(-2), Fraction(0), 1 - sympy.sqrt(2), sympy.sqrt(2))] == [-1, 0, -1, 1]
    assert magnitude(Fraction(-2, 3)) == Fraction(2, 3)
    assert magnitude(-sympy.sqrt(2)) ** 2 == pytest.approx(2, abs=1e-15)
    for question in (sign, magnitude):
        with pytest.raises(ValueError, match="give the symbol c a value"):
            question(sympy.Symbol("c") + 1)
