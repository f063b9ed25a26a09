"""What an algorithm errs and costs, in one record: the columns of the gallery and of an audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.measure import measure
from error_analysis.measurement.report import Report
from error_analysis.prediction.bounds import bound
from error_analysis.prediction.estimate import estimate
from error_analysis.prediction.normwise import condition
from winograd import Algorithm, Transform
from winograd.exact import exact, magnitude
from winograd.points import Point
from winograd.program import Counts


@dataclass(frozen=True)
class Merits:
    """What an algorithm errs and costs.

    Attributes
    ----------
    algorithm : str
        Its name.
    error : Estimate
        Measured mean |error|, data uniform on [-1, 1], one channel.
    to_direct : Estimate
        That over the error of direct convolution on the same data.
    bound : float
        The worst |error| over all such data and all outputs, proved.
    predicted : float
        Statistical estimate of the mean |error|.
    input_growth, filter_growth, output_growth : float
        Largest magnitude after a transform, for entries of magnitude 1 before it: the maximum row sum, over all axes.
    condition : float or None
        Condition number (2-norm) of the Vandermonde matrix of the points of axis 0; None where there are no points.
    counts : Counts
        Operations of the three transforms of one tile of one channel.
    products : int
    """

    algorithm: str
    error: Estimate
    to_direct: Estimate
    bound: float
    predicted: float
    input_growth: float
    filter_growth: float
    output_growth: float
    condition: float | None
    counts: Counts
    products: int


def merits(
    A: Algorithm,
    trials: int = 5000,
    seed: int = 0,
    points: Sequence[Point] | None = None,
    report: Report | None = None,
) -> Merits:
    """An algorithm judged: its error measured, bounded and predicted, its ranges, its operations.

    Parameters
    ----------
    A : Algorithm
    trials, seed : int
        As in `error_analysis.measure`. Algorithms of equal m and r see the same data for equal seeds.
    points : sequence of points, optional
        Of axis 0, where the transform does not name them.
    report : Report, optional
        What was measured already; trials and seed are then not asked for.

    Raises
    ------
    ValueError, TypeError
        As `error_analysis.measure`.

    Rounding
    --------
    Growth and condition number are float64, for show; the rest as `measure`, `bound` and `estimate`.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> found = merits(Algorithm(toom_cook(2, 3, [0, 1, -1, INF]), dims=2), trials=100)
    >>> found.input_growth, found.error.high < found.bound
    (4.0, True)
    """
    measured = measure(A, trials, seed) if report is None else report
    first = A.transforms[0]
    named = first if points is None else Transform(first.AT, first.G, first.BT, tuple(points))
    return Merits(
        algorithm=str(A),
        error=measured.mean_abs,
        to_direct=measured.ratio,
        bound=float(bound(A).max),
        predicted=float(estimate(A).mean),
        input_growth=growth(A, "BT"),
        filter_growth=growth(A, "G"),
        output_growth=growth(A, "AT"),
        condition=None if named.points is None else condition(named).conditions["V"].two,
        counts=A.counts().transforms,
        products=A.counts().products,
    )


def growth(A: Algorithm, matrix: str) -> float:
    """The largest magnitude a transform makes of numbers of magnitude at most 1: the maximum row sum, over all axes.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> growth(Algorithm(toom_cook(4, 3, [0, 1, -1, 2, -2, INF]), dims=2), "BT")
    100.0
    """
    return float(np.prod([_row_sum(T, matrix) for T in A.transforms]))


def _row_sum(T: Transform, matrix: str) -> float:
    entries = getattr(T, matrix)
    return max(float(sum(magnitude(exact(e)) for e in entries.row(i))) for i in range(entries.rows))
