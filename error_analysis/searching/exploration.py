"""Where candidates come from: published points, families, continuous optimisation, and what is near them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from error_analysis.searching.candidate import Candidate, candidate_of
from error_analysis.searching.canonical import RationalPoint, canonical
from error_analysis.searching.continuous import optimised
from error_analysis.searching.neighbours import Descent
from error_analysis.searching.scales import best_scales
from error_analysis.searching.setting import Setting
from error_analysis.searching.structures import layouts
from winograd import published_points
from winograd.points import Infinity
from winograd.published import PUBLISHED_TAPS, published_rows

_LARGE = 12  # points from which on a second start of the optimiser is not worth its time


def known_points(setting: Setting) -> Iterator[tuple[RationalPoint, ...]]:
    """Point sets that are tried in any case, canonical: the published ones."""
    if setting.r == PUBLISHED_TAPS and any(row.m == setting.m for row in published_rows(setting.dims)):
        for dims in (1, 2):
            yield canonical(_rational(published_points(setting.m, dims)))


def explored(setting: Setting, seed: int = 0, continuous: bool = True) -> Descent:
    """Point sets by their quick estimates: descents from the optima of every layout, and from the known points.

    Parameters
    ----------
    setting : Setting
    seed : int
    continuous : bool
        Whether to optimise with SciPy; otherwise descents start from evenly spread magnitudes.
    """
    descent = Descent(setting.m, setting.r, setting.dims, setting.roundings)
    for points in known_points(setting):
        descent.from_points(points)
    starts = 2 if setting.n < _LARGE else 1
    for layout in layouts(setting.n):
        if layout.numbers == 0:
            descent.value(layout.points([]))
        elif continuous:
            found = optimised(setting.m, setting.r, layout, setting.dims, setting.roundings, seed, starts)
            for sizes in found:
                descent.from_sizes(layout, sizes)
        else:
            count = layout.numbers
            descent.from_sizes(layout, [2.0 ** ((2 * k - count + 1) * (0.5 + 1 / count)) for k in range(count)])
    return descent


def leads(setting: Setting, descent: Descent, count: int) -> list[Candidate]:
    """The candidates to measure first: the leading point sets and the known ones, as they are and with best factors.

    Parameters
    ----------
    setting : Setting
    descent : Descent
        As `explored` gives it; its estimates may be of another setting of the same m and r.
    count : int
        How many candidates there shall be, at most.
    """
    how: dict[str, Any] = {"fma": setting.model == "kernel"}
    known = list(dict.fromkeys(known_points(setting)))
    found: dict[Candidate, None] = {}
    for points in dict.fromkeys([*known, *descent.leading(count)]):
        if len(found) >= count:
            break
        scales, _ = best_scales(setting.m, setting.r, points, setting.dims, setting.roundings)
        if len(found) < count // 2:
            found[candidate_of(points, **how)] = None
        found[candidate_of(points, *scales, **how)] = None
    return list(found)[:count]


def variants(candidate: Candidate) -> list[Candidate]:
    """The candidate evaluated in other orders, with shared sums, without fma: all that the kernel model allows."""
    how = [
        (order, passes, fma)
        for order, passes in (
            ("huffman", ()), ("huffman", ("share",)), ("huffman", ("share", "factor")), ("sorted", ()),
            ("pairwise", ()), ("left", ()),
        )
        for fma in (True, False)
    ]
    return [
        Candidate(candidate.points, candidate.scale_a, candidate.scale_b, order, passes, fma)
        for order, passes, fma in how
    ]


def _rational(points: Any) -> list[RationalPoint]:
    return [p if isinstance(p, Infinity) else Fraction(p) for p in points]
