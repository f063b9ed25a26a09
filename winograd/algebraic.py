"""A normal form of algebraic numbers, so that what is rational is seen to be, and equal numbers are one expression."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import sympy
from sympy.polys.polyerrors import NotAlgebraic

_X = sympy.Dummy("x")


def canonical(expression: sympy.Expr) -> sympy.Expr:
    """The same number, in normal form: rational if it is, a + b*sqrt(d) if its degree is 2, else denested radicals.

    An expression with symbols has the numbers inside it put into that form, and plain symbols, without assumptions, so
    that it can be written as text and read back equal.

    Raises
    ------
    ValueError
        For a number that is no radical expression of rationals, such as pi or cos(1).

    Examples
    --------
    >>> canonical(sympy.sqrt(3 + 2 * sympy.sqrt(2)) - sympy.sqrt(2)), canonical(1 / (1 + sympy.sqrt(2)))
    (1, -1 + sqrt(2))
    """
    if expression.is_Rational or _is_plain_surd(expression):
        return expression
    if not expression.free_symbols:
        return _canonical_number(expression)
    if expression.is_Symbol:
        return sympy.Symbol(expression.name)
    return expression.func(*(canonical(argument) for argument in expression.args))


def _is_plain_surd(expression: sympy.Expr) -> bool:
    """Whether it is a + b*sqrt(d) as SymPy prints it: the common case, normal already."""
    _, rest = expression.as_coeff_Add()
    _, root = rest.as_coeff_Mul()
    return bool(root.is_Pow and root.exp == sympy.S.Half and root.base.is_Integer and root.base > 1)


@lru_cache(maxsize=4096)
def _canonical_number(number: sympy.Expr) -> sympy.Expr:
    if number.atoms(sympy.Function, sympy.NumberSymbol):
        raise ValueError(f"number must be made of rationals and roots; got {number}.")
    try:
        polynomial = sympy.minimal_polynomial(number, _X, polys=True)
    except (NotAlgebraic, NotImplementedError, ZeroDivisionError):
        raise ValueError(f"number must be made of rationals and roots; got {number}.") from None
    if polynomial.degree() > 2:
        return sympy.expand(sympy.sqrtdenest(sympy.radsimp(number)))
    roots = [sympy.expand(root) for root in sympy.roots(polynomial, multiple=True)]
    # The two roots of an irreducible quadratic differ by more than the evaluation errs.
    return min(roots, key=lambda root: abs(Fraction(str(sympy.N(number - root, 30, maxn=10000)))))
