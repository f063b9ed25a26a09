"""The magnitudes of a layout that the quick estimate likes best, as real numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from error_analysis.searching.quick_estimate import Roundings, quick_estimate, toom_cook_matrices
from error_analysis.searching.structures import Layout

_NEAREST = 1e-3  # points nearer than this are as good as equal
_WORST = 50.0  # the logarithm of an error that no points have
_EVALUATIONS = 120  # for each number to choose


def optimised(
    m: int, r: int, layout: Layout, dims: int, roundings: Roundings, seed: int = 0, starts: int = 3
) -> list[list[float]]:
    """Magnitudes at local minima of the quick estimate, the best first; one for each start.

    The estimate is continuous where no constant happens to be exact, with kinks where the order of a sum changes, so
    the simplex method of Nelder and Mead minimises it over logarithms. Starts are spread evenly, wider each time, and
    moved at random.

    Parameters
    ----------
    m, r : int
    layout : Layout
    dims : 1 or 2
    roundings : Roundings
    seed, starts : int

    Raises
    ------
    ImportError
        If SciPy is missing.

    Examples
    --------
    >>> from error_analysis.searching.structures import layouts
    >>> best = optimised(4, 3, layouts(6)[0], 2, Roundings())[0]
    >>> [round(size, 1) for size in sorted(best)]
    [0.6, 1.6]
    """
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise ImportError(
            "a search optimises with SciPy: pip install winograd[search], or ask for continuous=False."
        ) from None
    generator = np.random.default_rng(seed)
    count = layout.numbers

    def objective(logarithms: np.ndarray) -> float:
        return log_estimate(m, r, layout.floats([math.exp(x) for x in logarithms]), dims, roundings)

    found = []
    for start in range(starts):
        spread = 0.45 + 0.2 * start
        first = np.linspace(-spread, spread, count) * (1 + count / 8) + generator.normal(0, 0.05, count)
        limits = {"maxfev": _EVALUATIONS * count, "xatol": 1e-3, "fatol": 1e-4}
        result = minimize(objective, first, method="Nelder-Mead", options=limits)
        if result.fun < _WORST:
            found.append((float(result.fun), [math.exp(x) for x in result.x]))
    return [sizes for _, sizes in sorted(found)]


def log_estimate(m: int, r: int, points: Sequence[float], dims: int, roundings: Roundings) -> float:
    """The logarithm of the quick estimate; large where points all but coincide."""
    finite = sorted(p for p in points if p != math.inf)
    if any(not b - a > _NEAREST for a, b in pairwise(finite)) or abs(finite[-1]) > 1e3:
        return _WORST
    with np.errstate(all="ignore"):
        estimated = quick_estimate(toom_cook_matrices(m, r, points), dims, roundings)
    return math.log(estimated) if 0 < estimated < math.exp(_WORST) else _WORST
