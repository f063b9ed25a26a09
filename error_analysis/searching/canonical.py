"""Point sets that are the same but for a symmetry, brought to one form, so that each is tried once.

Three changes of all points leave the error as it is, or nearly so: their signs; their reciprocals, with 0 and infinity
for one another, which reverses data, filter and output; and a power of two as common factor, which in a binary format
only moves exponents. The first two permute and negate entries, but for a factor of each product that the scaling of its
row takes up (`error_analysis.searching.scales`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

from winograd.points import INF, Infinity

RationalPoint: TypeAlias = Fraction | Infinity
"""The points that are searched: a format has only rationals, and those near a surd are as good."""


def canonical(points: Iterable[Any]) -> tuple[RationalPoint, ...]:
    """The simplest of all point sets that are this one by symmetry, in the order 0, by magnitude, infinity.

    Parameters
    ----------
    points : iterable of Fraction, int or INF

    Examples
    --------
    >>> from winograd import format_points, parse_points
    >>> for text in ("0, -1, 1, 1/2, -2, inf", "inf, 4, -4, 2, -8, 0", "0, 2, -1/2, 1, -1, inf"):
    ...     print(format_points(canonical(parse_points(text))))
    0, 1/2, 1, -1, -2, inf
    0, 1/2, 1, -1, -2, inf
    0, 1/2, 1, -1, -2, inf
    """
    given: list[RationalPoint] = [p if isinstance(p, Infinity) else Fraction(p) for p in points]
    centred = (_centred(given), _centred([_reciprocal(p) for p in given]))
    twins = [ordered([_signed(p, sign) for p in points]) for points in centred for sign in (1, -1)]
    return min(twins, key=_simplicity)


def ordered(points: Iterable[RationalPoint]) -> tuple[RationalPoint, ...]:
    """By magnitude, positive before negative, infinity last.

    Examples
    --------
    >>> ordered([INF, Fraction(-2), Fraction(2), Fraction(0)])
    (Fraction(0, 1), Fraction(2, 1), Fraction(-2, 1), INF)
    """
    return tuple(sorted(points, key=_place))


def _place(point: RationalPoint) -> tuple[bool, Fraction, bool]:
    if isinstance(point, Infinity):
        return True, Fraction(0), False
    return False, abs(point), point < 0


def _signed(point: RationalPoint, sign: int) -> RationalPoint:
    return point if isinstance(point, Infinity) else sign * point


def _reciprocal(point: RationalPoint) -> RationalPoint:
    if isinstance(point, Infinity):
        return Fraction(0)
    return 1 / point if point else INF


def _centred(points: Sequence[RationalPoint]) -> list[RationalPoint]:
    """Times the power of two that brings the geometric mean of the magnitudes nearest to 1."""
    sizes = [abs(p) for p in points if not isinstance(p, Infinity) and p]
    if not sizes:
        return list(points)
    above, below = prod(p.numerator for p in sizes) ** 2, prod(p.denominator for p in sizes) ** 2
    count, k = len(sizes), 0
    # 2^(2k - 1) <= (geometric mean)^2 < 2^(2k + 1), by exact numbers: the same form everywhere
    while above >= below << count:
        below, k = below << 2 * count, k + 1
    while above << count < below:
        above, k = above << 2 * count, k - 1
    if k == 0:
        return list(points)
    factor = Fraction(1, 2) ** k
    return [p if isinstance(p, Infinity) else p * factor for p in points]


def _simplicity(points: tuple[RationalPoint, ...]) -> tuple[Any, ...]:
    finite = [p for p in points if not isinstance(p, Infinity)]
    height = sum(abs(p.numerator) + p.denominator for p in finite)
    return height, sum(p < 0 for p in finite), [_place(p) for p in points]
