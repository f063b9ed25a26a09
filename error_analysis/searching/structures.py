"""Symmetric layouts of points, and the numbers in them that an optimiser may turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from error_analysis.searching.canonical import RationalPoint, ordered
from winograd.points import INF


@dataclass(frozen=True)
class Layout:
    """Pairs {-c, c}, at most one point without its negative, and 0 and infinity or not.

    Odd and even parts of the rows of a pair are shared, and the rounding errors of the pair are small together. How
    many points there are decides which layouts there can be; `layouts(n)` gives them.
    """

    pairs: int
    single: bool
    zero: bool
    infinity: bool

    @property
    def n(self) -> int:
        """Points."""
        return 2 * self.pairs + self.single + self.zero + self.infinity

    @property
    def numbers(self) -> int:
        """Magnitudes to choose."""
        return self.pairs + self.single

    def floats(self, sizes: Sequence[float]) -> list[float]:
        """The points for these magnitudes; `math.inf` is infinity."""
        paired = [s * c for c in sizes[: self.pairs] for s in (1.0, -1.0)]
        return [0.0] * self.zero + paired + list(sizes[self.pairs :]) + [math.inf] * self.infinity

    def points(self, sizes: Sequence[Fraction]) -> tuple[RationalPoint, ...]:
        """The points for these magnitudes, exact."""
        paired = [s * c for c in sizes[: self.pairs] for s in (1, -1)]
        ends: list[RationalPoint] = [Fraction(0)] * self.zero + [INF] * self.infinity
        return ordered([*ends, *paired, *sizes[self.pairs :]])


def layouts(n: int) -> tuple[Layout, ...]:
    """All layouts of n points with as many pairs as fit beside the ends, twins by reciprocals once.

    Examples
    --------
    >>> [(l.pairs, l.single, l.zero, l.infinity) for l in layouts(7)]
    [(3, False, True, False), (2, True, True, True)]
    >>> [(l.pairs, l.single, l.zero, l.infinity) for l in layouts(6)]
    [(2, False, True, True), (3, False, False, False), (2, True, True, False)]
    """
    found = []
    for zero, infinity in ((True, True), (False, False), (True, False)):
        rest = n - zero - infinity
        layout = Layout(rest // 2, rest % 2 == 1, zero, infinity)
        if rest >= 2 or (rest >= 0 and zero and infinity):
            found.append(layout)
    whole = [layout for layout in found if not layout.single]
    lone = [layout for layout in found if layout.single and layout.zero]
    return (*whole, *lone)
