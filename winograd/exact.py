"""Exact numbers: reading them from anything a user may hold, and placing them in one SymPy field."""

from __future__ import annotations

import ast
import math
import numbers
import operator
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import sympy
from sympy.polys.constructor import construct_domain

from winograd.algebraic import canonical

Exact: TypeAlias = Fraction | sympy.Expr
"""An exact number: a Fraction where it is rational, otherwise a SymPy expression."""

_OPERATORS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}

# Read as symbols, these would hide a mistake.
_NO_SYMBOLS = frozenset({"nan", "inf", "infinity", "oo", "zoo", "sqrt", "pi", "E", "I"})


# Larger powers of ten are no point or constant anyone computes with, and take a while to spell out.
_LARGEST_EXPONENT = 1000


def parse_number(text: str) -> sympy.Expr:
    """The exact number written in `text`: decimals, fractions, `sqrt(...)`, a symbol, and `+ - * / **` of these.

    Decimals are read as the decimal fraction they spell ("0.1" is 1/10). Nothing is evaluated as Python.

    Parameters
    ----------
    text : str
        For example "3/4", "-1.5", "sqrt(2)/2", "1/c".

    Returns
    -------
    sympy.Expr

    Raises
    ------
    ValueError
        If the text is not such a number.

    Examples
    --------
    >>> parse_number("-3/4"), parse_number("1/sqrt(2)"), parse_number("0.1")
    (-3/4, sqrt(2)/2, 1/10)
    """
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
        return _from_node(tree.body, text)
    except (SyntaxError, RecursionError, MemoryError):
        raise _unreadable(text) from None
    except ZeroDivisionError:
        raise ValueError(f"number must be finite; {text.strip()!r} divides by zero.") from None


def _digits(value: sympy.Expr) -> int:
    """A bound on the decimal digits of a rational number's numerator and denominator; 1 for anything else."""
    return 1 + max(int(value.p).bit_length(), int(value.q).bit_length()) // 3 if value.is_Rational else 1


def _unreadable(text: str) -> ValueError:
    return ValueError(
        "number must be an integer, fraction, decimal, sqrt(...) or a symbol, combined by + - * / **; "
        f"got {text.strip()!r}."
    )


def _from_node(node: ast.expr, text: str) -> sympy.Expr:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        # The spelling, not the binary double: "0.1" means one tenth.
        literal = ast.get_source_segment(text.strip().replace("^", "**"), node) or repr(node.value)
        decimal = re.fullmatch(r"[\d_.]+(?:e([+-]?\d+))?", literal, re.IGNORECASE)
        if decimal is None or abs(int(decimal[1] or 0)) > _LARGEST_EXPONENT:
            raise _unreadable(text)
        return sympy.Rational(Fraction(literal.replace("_", "")))
    if isinstance(node, ast.Name) and node.id.lower() not in _NO_SYMBOLS:
        return sympy.Symbol(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _from_node(node.operand, text)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _from_node(node.left, text), _from_node(node.right, text)
        if isinstance(node.op, ast.Div) and right.is_zero:
            raise ZeroDivisionError
        if isinstance(node.op, ast.Pow):
            if not (right.is_Rational and abs(right) * _digits(left) <= _LARGEST_EXPONENT):
                raise _unreadable(text)
            if left.is_zero and right.is_negative:
                raise ZeroDivisionError
        return _OPERATORS[type(node.op)](left, right)
    match node:
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return sympy.sqrt(_from_node(argument, text))
    raise _unreadable(text)


def exact(value: Any) -> Exact:
    """`value` as an exact number; a binary float is taken at its exact binary value.

    Parameters
    ----------
    value : int, Fraction, float, NumPy scalar, str or SymPy number
        Strings as in `parse_number`.

    Returns
    -------
    Fraction or sympy.Expr
        A Fraction whenever the number is rational.

    Raises
    ------
    ValueError
        If the value is NaN, infinite or not real.
    TypeError
        If it is no number at all.

    Examples
    --------
    >>> exact("1/2"), exact(0.1) == Fraction(1, 10), exact(sympy.sqrt(8))
    (Fraction(1, 2), False, 2*sqrt(2))
    """
    if isinstance(value, str):
        value = parse_number(value)
    if isinstance(value, sympy.Expr):
        return _from_sympy(value)
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"number must be numeric; got {value!r}.")
    if isinstance(value, numbers.Integral):
        return Fraction(int(value))
    if isinstance(value, numbers.Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, (float, np.floating)) or type(value).__module__.startswith(("mpmath", "ml_dtypes")):
        if not math.isfinite(value):
            raise ValueError(f"number must be finite; got {value}.")
        return _from_mpf(value) if hasattr(value, "man_exp") else _from_float(value)
    # gmpy2 and SymPy's own rationals carry numerator and denominator without registering as Rational.
    if hasattr(value, "numerator") and hasattr(value, "denominator"):
        return Fraction(int(value.numerator), int(value.denominator))
    kind = type(value).__name__
    raise TypeError(f"number must be an int, Fraction, float, str or SymPy number; got {kind} {value!r}.")


def _from_float(value: Any) -> Fraction:
    # ml_dtypes' scalars have no as_integer_ratio; each of them is a double.
    return Fraction(*(value if hasattr(value, "as_integer_ratio") else float(value)).as_integer_ratio())


def _from_mpf(value: Any) -> Fraction:
    mantissa, exponent = value.man_exp  # of |value|
    size = Fraction(int(mantissa)) * Fraction(2) ** exponent
    return -size if value < 0 else size


def _from_sympy(value: sympy.Expr) -> Exact:
    if value.is_Float:
        value = sympy.Rational(value)
    if value.is_Rational:
        return Fraction(*_ratio(value))
    if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        raise ValueError(f"number must be finite; got {value}.")
    if value.is_real is False:
        raise ValueError(f"number must be real; got {value}.")
    if value.has(sympy.Float):
        raise ValueError(f"number must be exact; {value} mixes a float with symbols.")
    normal = canonical(value)
    return Fraction(*_ratio(normal)) if normal.is_Rational else normal


def _ratio(value: sympy.Rational) -> tuple[int, int]:
    return int(value.p), int(value.q)


def to_sympy(value: Exact) -> sympy.Expr:
    """The same number as a SymPy expression."""
    return sympy.Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else value


def in_field(values: Iterable[Exact]) -> tuple[Any, list[Any]]:
    """The smallest SymPy field that holds `values`, and the values as its elements.

    Rationals give QQ, surds an algebraic extension such as QQ<sqrt(2)>, symbols a field of rational functions.

    Examples
    --------
    >>> in_field([Fraction(1, 2), sympy.sqrt(2)])[0]
    QQ<sqrt(2)>
    """
    expressions = [to_sympy(v) for v in values]
    if all(e.is_Rational for e in expressions):
        field = sympy.QQ
        return field, [field(e.p, e.q) for e in expressions]
    return construct_domain(expressions, field=True, extension=True)


def from_field(field: Any, element: Any) -> Exact:
    """An element of `field` as an exact number; elements are in normal form already."""
    number = field.to_sympy(element)
    return Fraction(*_ratio(number)) if number.is_Rational else number


def sign(value: Exact) -> int:
    """-1, 0 or 1. Raises ValueError for a number that still holds a symbol."""
    if isinstance(value, Fraction):
        return (value > 0) - (value < 0)
    require_number(value)
    return 1 if value.is_positive else -1 if value.is_negative else 0


def magnitude(value: Exact) -> Fraction:
    """|value|, exact for rationals and to 60 digits for irrational numbers, which no rational of use comes as near."""
    if isinstance(value, Fraction):
        return abs(value)
    require_number(value)
    return abs(Fraction(str(sympy.N(value, 60))))


def require_number(value: sympy.Expr) -> None:
    """Refuse an expression with free symbols, which has no size and no rounding."""
    if value.free_symbols:
        names = ", ".join(sorted(str(s) for s in value.free_symbols))
        raise ValueError(f"{value} must be a number here; give the symbol {names} a value with subs(...) first.")
