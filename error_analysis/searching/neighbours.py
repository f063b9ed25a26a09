"""From real numbers to simple ones: a descent over rationals with small denominators."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache

from error_analysis.searching.canonical import RationalPoint, canonical
from error_analysis.searching.continuous import log_estimate
from error_analysis.searching.quick_estimate import Roundings
from error_analysis.searching.structures import Layout
from winograd.points import Infinity

_SIDE = 4  # neighbours looked at on each side of a number
_ROUNDS = 12


@cache
def simple_rationals() -> tuple[Fraction, ...]:
    """Rationals from 1/16 to 16 with small denominators, ascending.

    p / q with p and q at most 10, and dyadic ones of at most five bits, whose powers a format holds exactly.

    Examples
    --------
    >>> Fraction(7, 4) in simple_rationals(), Fraction(11, 9) in simple_rationals()
    (True, False)
    """
    small = {Fraction(p, q) for p in range(1, 11) for q in range(1, 11)}
    dyadic = {Fraction(p) * Fraction(2) ** k for p in range(1, 32) for k in range(-8, 5)}
    return tuple(sorted(x for x in small | dyadic if Fraction(1, 16) <= x <= 16))


def neighbours(size: float | Fraction, side: int = _SIDE) -> tuple[Fraction, ...]:
    """The simple rationals next to a number, as many on each side, the number itself left out.

    Examples
    --------
    >>> [str(x) for x in neighbours(1.01, side=1)]
    ['1', '17/16']
    """
    among = simple_rationals()
    at = bisect_left(among, size)
    after = at + 1 if at < len(among) and among[at] == size else at
    return among[max(0, at - side) : at] + among[after : after + side]


def _nearest(size: float) -> Fraction:
    return min(neighbours(size, 2), key=lambda x: abs(x - size))


class Descent:
    """Quick estimates of all point sets that were looked at, by canonical form."""

    def __init__(self, m: int, r: int, dims: int, roundings: Roundings) -> None:
        self.m, self.r, self.dims, self.roundings = m, r, dims, roundings
        self.seen: dict[tuple[RationalPoint, ...], float] = {}

    def value(self, points: Iterable[RationalPoint]) -> float:
        """The logarithm of the quick estimate of a point set."""
        key = canonical(points)
        if key not in self.seen:
            floats = [math.inf if isinstance(p, Infinity) else float(p) for p in key]
            self.seen[key] = log_estimate(self.m, self.r, floats, self.dims, self.roundings)
        return self.seen[key]

    def from_sizes(self, layout: Layout, sizes: Sequence[float]) -> None:
        """Descend from the simple rationals next to these magnitudes, changing one magnitude at a time."""
        chosen = [_nearest(size) for size in sizes]
        for position, other in enumerate(chosen):  # two sizes that are rounded to the same one
            while chosen.index(other) < position:
                other = neighbours(other, 1)[-1]
                chosen[position] = other
        best = self.value(layout.points(chosen))
        for _ in range(_ROUNDS):
            before = best
            for position in range(len(chosen)):
                for size in neighbours(chosen[position]):
                    if size in chosen:
                        continue
                    tried = [*chosen[:position], size, *chosen[position + 1 :]]
                    value = self.value(layout.points(tried))
                    if value < best:
                        best, chosen = value, tried
            if best == before:
                return

    def from_points(self, points: Iterable[RationalPoint]) -> None:
        """Descend from a point set of any layout, changing one point at a time, or one and its negative."""
        chosen = list(points)
        best = self.value(chosen)
        for _ in range(_ROUNDS):
            before = best
            for position, point in enumerate(chosen):
                if isinstance(point, Infinity) or point == 0:
                    continue
                for size in neighbours(abs(point)):
                    moved = size if point > 0 else -size
                    for tried in _replaced(chosen, position, moved):
                        value = self.value(tried)
                        if value < best:
                            best, chosen = value, tried
            if best == before:
                return

    def leading(self, count: int) -> list[tuple[RationalPoint, ...]]:
        """The point sets with the lowest estimates, best first; equal ones by their numbers."""
        keys = sorted(self.seen, key=lambda key: (self.seen[key], str(key)))
        return keys[:count]


def _replaced(points: list[RationalPoint], position: int, moved: Fraction) -> list[list[RationalPoint]]:
    old = points[position]
    alone: list[RationalPoint] = [*points[:position], moved, *points[position + 1 :]]
    sets = [alone]
    if not isinstance(old, Infinity) and -old in points:
        paired = list(alone)
        paired[points.index(-old)] = -moved
        sets.append(paired)
    return [s for s in sets if len(set(s)) == len(s)]
