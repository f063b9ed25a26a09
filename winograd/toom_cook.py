"""Toom-Cook: the transform of F(m, r) from chosen points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from winograd.exact import in_field
from winograd.points import Infinity, as_points, format_points
from winograd.transform import Transform, transform_from_field

_FRACTIONS = ("G", "A", "B")


def toom_cook(m: int, r: int, points: Iterable[Any], fractions: str = "G") -> Transform:
    """The transform of F(m, r): m outputs of a filter with r taps from n = m + r - 1 points.

    With finite points a_0, a_1, ... and M(x) the product of all (x - a_k)::

        AT[i, k] = a_k^i      G[k, j] = a_k^j / N_k      BT[k, :] = coefficients of M(x) / (x - a_k)

    where N_k is M(x) / (x - a_k) at a_k. The point at infinity adds the column e_(m-1) to AT, the row e_(r-1) to G
    and the coefficients of M(x) to BT: that is the modified Toom-Cook algorithm, with M one degree lower. Without
    it, this is the original algorithm. The row of the point 0 has its sign chosen so that N_k is positive.

    Parameters
    ----------
    m, r : int
        Outputs and taps, at least 1.
    points : iterable of n points
        As in `as_point`: integers, fractions, "1/2", SymPy numbers such as sqrt(2), a symbol, floats, INF.
        In the order given they index the columns of AT and the rows of G and BT.
    fractions : "G", "A" or "B"
        The matrix that takes up 1 / N_k.

    Returns
    -------
    Transform
        Exact, over the rationals, an algebraic extension or rational functions, as the points require.

    Raises
    ------
    ValueError
        For m or r below 1, a wrong number of points, equal points, or points that do not parse.

    Rounding
    --------
    None: exact.

    Source
    ------
    Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020, sections 2 and 5 (arXiv:1803.10986).

    Examples
    --------
    >>> T = toom_cook(2, 3, [0, 1, -1, "inf"])
    >>> T.BT
    Matrix([
    [1,  0, -1, 0],
    [0,  1,  1, 0],
    [0, -1,  1, 0],
    [0, -1,  0, 1]])
    """
    check_size(m, r)
    chosen = as_points(points)
    n = m + r - 1
    if len(chosen) != n:
        raise ValueError(f"F({m}, {r}) needs m + r - 1 = {n} points; got {len(chosen)}.")
    if fractions not in _FRACTIONS:
        raise ValueError(f"fractions must be one of {', '.join(_FRACTIONS)}; got {fractions!r}.")

    field, roots = in_field([p for p in chosen if not isinstance(p, Infinity)])
    whole = [field.one]  # M(x), lowest coefficient first
    for root in roots:
        whole = _times_linear(field, whole, root)

    AT: list[list[Any]] = []  # by product: the columns of AT
    G: list[list[Any]] = []
    BT: list[list[Any]] = []
    finite = iter(roots)
    for point in chosen:
        if isinstance(point, Infinity):
            AT.append([field.zero] * (m - 1) + [field.one])
            G.append([field.zero] * (r - 1) + [field.one])
            BT.append(whole)
            continue
        root = next(finite)
        quotient = _over_linear(whole, root)
        norm = _value(field, quotient, root)
        if not root and field.is_QQ and norm < 0:
            quotient, norm = [-c for c in quotient], -norm
        column, row = _powers(field, root, m), _powers(field, root, r)
        inverse = field.one / norm
        if fractions == "A":
            column = [inverse * e for e in column]
        elif fractions == "G":
            row = [inverse * e for e in row]
        else:
            quotient = [inverse * e for e in quotient]
        AT.append(column)
        G.append(row)
        BT.append(quotient + [field.zero] * (n - len(quotient)))
    columns = [list(row) for row in zip(*AT, strict=True)]
    origin = (("points", format_points(chosen)),) + ((("fractions", fractions),) if fractions != "G" else ())
    return transform_from_field(field, {"AT": columns, "G": G, "BT": BT}, chosen, origin)


def check_size(m: int, r: int) -> None:
    """Refuse m or r that are no integers of at least 1."""
    for name, value in (("m", m), ("r", r)):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{name} must be an integer; got {type(value).__name__} {value!r}.")
        if value < 1:
            raise ValueError(f"{name} must be at least 1; got {value}.")


def _times_linear(field: Any, polynomial: list[Any], root: Any) -> list[Any]:
    """polynomial * (x - root)."""
    shifted = [field.zero, *polynomial]
    for degree, coefficient in enumerate(polynomial):
        shifted[degree] -= root * coefficient
    return shifted


def _over_linear(polynomial: list[Any], root: Any) -> list[Any]:
    """polynomial / (x - root) by synthetic division, where root is a root."""
    quotient = polynomial[1:]
    for degree in range(len(quotient) - 2, -1, -1):
        quotient[degree] += root * quotient[degree + 1]
    return quotient


def _value(field: Any, polynomial: list[Any], x: Any) -> Any:
    result = field.zero
    for coefficient in reversed(polynomial):
        result = result * x + coefficient
    return result


def _powers(field: Any, x: Any, count: int) -> list[Any]:
    """1, x, x^2, ...; 0^0 is 1, which a field of fractions refuses to compute."""
    powers = [field.one]
    while len(powers) < count:
        powers.append(powers[-1] * x)
    return powers
