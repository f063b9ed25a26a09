"""Pictures of the catalogue and of searches. Each draws one on an Axes and returns it; none measures anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from error_analysis.measurement.interval import Estimate
from error_analysis.plots import error_against_n, operations_against_error
from error_analysis.searching.result import SearchResult
from winograd.catalogue.row import CatalogueRow
from winograd.published import PUBLISHED_TAPS, published_direct_error, published_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def best_error_against_n(rows: Iterable[CatalogueRow], dims: int = 2, ax: Axes | None = None) -> Axes:
    """The best known error of F(m, 3) in float32 against its points n, the published one, and direct convolution.

    Parameters
    ----------
    rows : iterable of CatalogueRow
        Those for r = 3, float32 and these dims that are best in error are drawn, a line for each model.
    dims : 1 or 2
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If no row is one of these.
    """
    curves: dict[str, Any] = {}
    wanted = (PUBLISHED_TAPS, dims, "float32", "error")
    shown = [row for row in rows if (row.r, row.dims, row.dtype, row.objective) == wanted]
    if shown:
        known = [(row.m + PUBLISHED_TAPS - 1, row.error) for row in published_rows(dims) if row.error is not None]
        curves["published"] = [(n, Estimate(error, error, error)) for n, error in known]
    for row in sorted(shown, key=lambda row: (row.model != "literature", row.n)):
        curves.setdefault(_LINES[row.model], []).append((row.n, Estimate(row.error, row.error_low, row.error_high)))
    return error_against_n(curves, ax, {"direct convolution": published_direct_error(dims)})


def front_of_search(result: SearchResult, objective: str = "operations", ax: Axes | None = None) -> Axes:
    """What a search ended with: the error on fresh data against another objective, and the front of the two.

    Parameters
    ----------
    result : SearchResult
    objective : str
        For the abscissa: "additions", "operations", "range", "bound" or "products".
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If the search has no such objective.
    """
    if objective not in result.objectives or objective == "error":
        others = ", ".join(name for name in result.objectives if name != "error")
        raise ValueError(f"objective must be one of {others}; got {objective!r}.")
    rows = [
        (f"{number}: {found.candidate.points}", found.figures.objective(objective), found.figures.error)
        for number, found in enumerate(result.front, 1)
    ]
    axes = operations_against_error(rows, ax)
    axes.set(xlabel=_AXES[objective])
    return axes


_LINES = {"literature": "catalogue, rounded as published", "kernel": "catalogue, with all that kernels may do"}
_AXES = {
    "products": "products of a tile",
    "additions": "additions and fmas of a tile", "operations": "operations of the transforms of a tile",
    "range": "largest transformed number, for data and filters of magnitude 1", "bound": "proved worst error",
}
