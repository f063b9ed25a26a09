"""Local minima of a measured curve that is rough, and where to look closer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import count
from typing import Any

from error_analysis.measurement.measure import check_integer
from winograd.exact import exact


def prominent_minima(errors: Sequence[float], least: float = 0.05) -> list[tuple[int, float]]:
    """Positions of the local minima that stand out, and how far each does, lowest first.

    The prominence of a minimum is how much the error must rise on the way to a lower one: (ridge - error) / error, and
    infinite for the lowest of all. A curve of errors is rough, since each c rounds its own matrix entries, so that
    every third point is lower than its neighbours; only those with a prominence of at least `least` count. The ends
    are no minima: the curve may fall beyond them. NaN, an error not known, is higher than any other.

    Examples
    --------
    >>> prominent_minima([50, 30, 40, 39, 45, 10, 20])
    [(5, inf), (1, 0.5)]
    """
    heights = [math.inf if math.isnan(e) else float(e) for e in errors]
    # Flooding: points come up in the order of their height, and join the basins beside them. Where two basins meet,
    # the shallower one ends, and that height is its ridge.
    basin: dict[int, int] = {}
    ridge: dict[int, float] = {}

    def root(position: int) -> int:
        while basin[position] != position:
            position = basin[position]
        return position

    for position in sorted(range(len(heights)), key=lambda k: (heights[k], k)):
        basin[position] = position
        for other in (position - 1, position + 1):
            if other not in basin:
                continue
            low, high = sorted((root(position), root(other)), key=lambda k: (heights[k], k))
            if low != high:
                basin[high] = low
                ridge[high] = heights[position]
    found = []
    for position, height in enumerate(heights):
        if not 0 < position < len(heights) - 1 or height == math.inf:
            continue
        rise = (ridge.get(position, math.inf) - height) / height if height else math.inf
        if rise >= least and (position not in ridge or ridge[position] > height):
            found.append((position, rise))
    return sorted(found, key=lambda pair: heights[pair[0]])


def refinement(low: Fraction, high: Fraction, at: Fraction, values: int = 12) -> list[Fraction]:
    """Values between two neighbours of a minimum to measure next: the simplest fractions there, then a finer grid.

    On a rough curve a golden section follows the roughness. Half of the values are the fractions of the smallest
    denominators; the others are spaced evenly, but for being dyadic, so that they are short to write.

    Examples
    --------
    >>> [str(c) for c in refinement(Fraction(14, 10), Fraction(16, 10), Fraction(3, 2), 6)]
    ['10/7', '11/7', '93/64', '99/64']
    """
    found: dict[Fraction, None] = {}
    for denominator in count(1):
        if len(found) >= values // 2 or denominator > 64:
            break
        first = math.floor(low * denominator) + 1
        for numerator in range(first, math.ceil(high * denominator)):
            if math.gcd(numerator, denominator) == 1:
                found[Fraction(numerator, denominator)] = None
    simple = list(found)[: values // 2]
    steps = values - len(simple) + 1
    scale = 2 ** max(0, math.ceil(math.log2(4 * steps / (high - low))))  # 1 / scale is a quarter of a step at most
    even = [Fraction(round((low + (high - low) * k / steps) * scale), scale) for k in range(1, steps)]
    return [c for c in dict.fromkeys((*simple, *even)) if c != at]


def spaced(start: Any, stop: Any, values: int) -> tuple[Fraction, ...]:
    """So many fractions from start to stop, both included, evenly spaced.

    Parameters
    ----------
    start, stop : rational numbers
        As `winograd.parse_number` and its kin read them: "1.1" is 11/10, and the float 1.1 its binary value.
    values : int
        At least 2.

    Raises
    ------
    ValueError
        If start is not below stop, one of them is irrational, or there are fewer than two values.

    Examples
    --------
    >>> spaced(1, "1.5", 3)
    (Fraction(1, 1), Fraction(5, 4), Fraction(3, 2))
    """
    check_integer("values", values, 2)
    low, high = exact(start), exact(stop)
    if not (isinstance(low, Fraction) and isinstance(high, Fraction) and low < high):
        raise ValueError(f"start must be below stop, both rational; got {low} and {high}.")
    return tuple(low + (high - low) * Fraction(k, values - 1) for k in range(values))
