"""The Chinese remainder theorem: transforms from any pairwise coprime polynomials, not only linear ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import sympy

from winograd.exact import parse_number
from winograd.points import INF, Infinity, as_point
from winograd.toom_cook import check_size, toom_cook
from winograd.transform import Transform

_X = sympy.Symbol("x")


def from_moduli(m: int, r: int, moduli: Iterable[Any]) -> Transform:
    """The transform of F(m, r) from pairwise coprime moduli of total degree m + r - 1.

    The product of two polynomials is found modulo each modulus, then put together by the Chinese remainder theorem;
    transposed, that is F(m, r). A linear modulus x - a costs one product, as the point a does. A modulus of degree
    d costs 2d - 1, by Toom-Cook on small points, so n may exceed m + r - 1; what one buys is smaller constants.

    Parameters
    ----------
    m, r : int
        Outputs and taps, at least 1.
    moduli : iterable
        Polynomials in x with rational coefficients, as SymPy expressions or text such as "x^2 + 1"; INF, or "inf",
        counts as degree one. They need not be irreducible, and x^2 is as good as x.

    Returns
    -------
    Transform
        Products in the order of the moduli. Common denominators of a row of BT are moved to G.

    Raises
    ------
    ValueError
        If a modulus is no polynomial in x of degree at least 1, two of them share a factor, or the degrees do not
        add up to m + r - 1.

    Rounding
    --------
    None: exact.

    Source
    ------
    Winograd, Arithmetic Complexity of Computations, SIAM 1980; Barabasz and Gregg, Winograd Convolution for DNNs:
    Beyond Linear Polynomials, AIxIA 2019 (arXiv:1905.05233).

    Examples
    --------
    >>> T = from_moduli(4, 3, ["x", "x-1", "x+1", "x^2+1", "inf"]).verify()
    >>> T.n, T.tile
    (7, 6)
    """
    check_size(m, r)
    chosen = [_modulus(q, position) for position, q in enumerate(moduli, 1)]
    _check_moduli(chosen, m, r)
    finite = [q for q in chosen if not isinstance(q, Infinity)]
    whole = math.prod(finite, start=sympy.Poly(1, _X, domain="QQ"))
    columns: list[list[Any]] = []  # of AT
    G: list[list[Any]] = []
    BT: list[list[Any]] = []
    for modulus in chosen:
        if isinstance(modulus, Infinity):
            leading = _coefficients(whole, m + r - 1)
            content = _content(leading)
            columns.append([0] * (m - 1) + [1])
            G.append([0] * (r - 1) + [content])
            BT.append([e / content for e in leading])
            continue
        # y = E^T [ (E' g) * (C d) ] for polynomials modulo this one: E reduces and evaluates, C interpolates and lifts.
        inner = _short_product(modulus.degree())
        cofactor = whole.quo(modulus)
        idempotent = cofactor * cofactor.rem(modulus).invert(modulus) if modulus.degree() else cofactor
        data, filter_ = _reduction(modulus, m), _reduction(modulus, r)
        lift = [_coefficients((sympy.Poly(_X**k, _X, domain="QQ") * idempotent).rem(whole), m + r - 1)
                for k in range(inner.AT.rows)]
        lifted = (sympy.Matrix(lift).T * inner.AT).T
        for product in range(inner.n):
            content = _content(lifted.row(product))
            columns.append(list((inner.BT * data).row(product)))
            G.append([content * e for e in (inner.G * filter_).row(product)])
            BT.append([e / content for e in lifted.row(product)])
    AT = [list(row) for row in zip(*columns, strict=True)]
    text = ", ".join("inf" if isinstance(q, Infinity) else str(q.as_expr()).replace("**", "^") for q in chosen)
    return Transform(AT, G, BT, None, (("moduli", text),))


def _modulus(value: Any, position: int) -> Any:
    if value is INF or (isinstance(value, str) and value.strip().lower() == "inf") or value is sympy.oo:
        return INF
    try:
        expression = parse_number(value) if isinstance(value, str) else sympy.sympify(value, strict=True)
    except sympy.SympifyError:
        raise TypeError(f"moduli must be polynomials in x, as text or SymPy expressions; got {value!r}.") from None
    try:
        polynomial = sympy.Poly(expression, _X, domain="QQ")
    except sympy.PolynomialError:
        polynomial = None
    except (sympy.CoercionFailed, ValueError):
        polynomial = None
    if polynomial is None or polynomial.degree() < 1:
        raise ValueError(
            f"moduli must be polynomials in x with rational coefficients, of degree 1 or more; got {value} at position "
            f"{position}."
        )
    return polynomial.monic()


def _check_moduli(moduli: list[Any], m: int, r: int) -> None:
    for second, b in enumerate(moduli):
        for first, a in enumerate(moduli[:second]):
            both_infinite = isinstance(a, Infinity) and isinstance(b, Infinity)
            either_infinite = isinstance(a, Infinity) or isinstance(b, Infinity)
            if both_infinite or (not either_infinite and a.gcd(b).degree() > 0):
                raise ValueError(
                    f"moduli must be pairwise coprime; those at positions {first + 1} and {second + 1} share a factor."
                )
    degree = sum(1 if isinstance(q, Infinity) else q.degree() for q in moduli)
    if degree != m + r - 1:
        raise ValueError(f"moduli of F({m}, {r}) must have total degree m + r - 1 = {m + r - 1}; got {degree}.")


def _short_product(degree: int) -> Transform:
    """The product of two polynomials of `degree` coefficients: Toom-Cook on 0, inf, 1, -1, 2, -2, 1/2, ..."""
    small = [as_point(p) for p in (0, "inf", 1, -1, 2, -2, "1/2", "-1/2")]
    small += [as_point(p) for k in range(3, degree + 3) for p in (k, -k)]
    points = small[: 2 * degree - 1] if degree > 1 else [as_point(0)]
    return toom_cook(degree, degree, points).transpose()


def _reduction(modulus: sympy.Poly, length: int) -> sympy.Matrix:
    """The matrix that reduces a polynomial of `length` coefficients modulo `modulus`."""
    powers = [sympy.Poly(_X**k, _X, domain="QQ").rem(modulus) for k in range(length)]
    return sympy.Matrix([_coefficients(p, modulus.degree()) for p in powers]).T


def _coefficients(polynomial: sympy.Poly, length: int) -> list[Any]:
    """Lowest first, padded with zeros."""
    ascending = polynomial.all_coeffs()[::-1]
    return [*ascending, *([0] * (length - len(ascending)))]


def _content(row: Any) -> sympy.Rational:
    """The positive rational c for which row / c has coprime integer entries."""
    entries = [sympy.Rational(e) for e in row]
    denominator = math.lcm(*(int(e.q) for e in entries))
    numerator = math.gcd(*(int(e.p * denominator / e.q) for e in entries))
    return sympy.Rational(numerator or 1, denominator)
