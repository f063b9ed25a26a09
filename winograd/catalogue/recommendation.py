"""The best known algorithm for a size: from the catalogue, or searched for briefly."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from numpy.typing import DTypeLike

from winograd.algorithm import Algorithm
from winograd.catalogue.brief_search import brief_search
from winograd.catalogue.models import stage_formats
from winograd.catalogue.records import catalogue_rows
from winograd.catalogue.row import CatalogueRow
from winograd.rounding import format_of
from winograd.toom_cook import check_size

OBJECTIVES = ("error", "operations", "range")


class RecommendedAlgorithm(Algorithm):
    """An Algorithm with the row that recommends it. It equals the same Algorithm made by hand.

    Attributes
    ----------
    row : CatalogueRow or None
        Its measured error with interval, bound, counts, ranges, and the best published error beside it; None once a
        field was replaced.
    origin : "catalogue" or "search"
        Whether it ships, or was searched for just now, briefly.
    """

    row: CatalogueRow | None = None
    origin: str = "catalogue"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Algorithm):
            return NotImplemented
        return _values(self) == _values(other)

    __hash__ = Algorithm.__hash__


def _values(A: Algorithm) -> list[Any]:
    return [getattr(A, f.name) for f in fields(Algorithm)]


def recommend(
    m: int, r: int, dims: int = 2, dtype: DTypeLike = "float32", objective: str = "error", model: str = "kernel"
) -> RecommendedAlgorithm:
    """The best known Algorithm for F(m, r), with its measured error.

    What the catalogue lacks is searched for briefly, for some seconds, by error_analysis; `origin` says so.

    Parameters
    ----------
    m, r : int
        Outputs and taps, at least 2, the same along all axes.
    dims : 1 or 2
    dtype : str
        Working format. In formats narrower than float32, products are summed and the output is transformed in float32.
    objective : "error", "operations" or "range"
        The lowest measured error; or the fewest operations, or the smallest transformed numbers, among algorithms with
        at most four times that error.
    model : "kernel" or "literature"
        What the algorithm may do, see `winograd.catalogue.models.MODELS`.

    Returns
    -------
    RecommendedAlgorithm
        An Algorithm; its `row` holds the measured error with interval and all other figures.

    Raises
    ------
    ValueError
        For m or r below 2, other dims, an unknown dtype, objective or model.
    ImportError
        If a search is needed and error_analysis is not there.

    Source
    ------
    The catalogue is made by `winograd-error catalogue --regenerate`.

    Examples
    --------
    >>> A = recommend(4, 3)
    >>> A.size, A.row.error < 1.9e-7, A.origin
    ('F(4x4, 3x3)', True, 'catalogue')
    """
    chosen, origin = recommended_row(m, r, dims, dtype, objective, model)
    A = chosen.algorithm
    recommended = RecommendedAlgorithm(**{f.name: getattr(A, f.name) for f in fields(Algorithm)})
    object.__setattr__(recommended, "row", chosen)
    object.__setattr__(recommended, "origin", origin)
    return recommended


def recommended_row(
    m: int, r: int, dims: int = 2, dtype: DTypeLike = "float32", objective: str = "error", model: str = "kernel"
) -> tuple[CatalogueRow, str]:
    """The row that `recommend` takes, and whether it is from the "catalogue" or a "search"."""
    check_size(m, r)
    if m < 2 or r < 2:
        raise ValueError(f"m and r must be at least 2, or there is nothing to recommend; got F({m}, {r}).")
    if isinstance(dims, bool) or not isinstance(dims, int) or dims not in (1, 2):
        raise ValueError(f"dims must be 1 or 2; got {dims!r}.")
    name = format_of(dtype).name
    stage_formats(name, model)  # refuses an unknown model
    if objective not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}; got {objective!r}.")
    wanted = (m, r, dims, name, model, objective)
    for row in catalogue_rows():
        if (row.m, row.r, row.dims, row.dtype, row.model, row.objective) == wanted:
            return row, "catalogue"
    return brief_search()(m, r, dims, name, model, objective), "search"
