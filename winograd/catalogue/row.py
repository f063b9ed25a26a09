"""A row of the catalogue: an algorithm, what it errs and costs, and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from winograd.algorithm import Algorithm
from winograd.catalogue.models import stage_formats
from winograd.points import parse_points
from winograd.toom_cook import toom_cook


@dataclass(frozen=True)
class CatalogueRow:
    """The best known algorithm of its size for one objective.

    Attributes
    ----------
    m, r, dims : int
        All axes of a tile have the same m and r.
    dtype : str
        The working format.
    model : "literature" or "kernel"
        See `winograd.catalogue.models.MODELS`.
    objective : "error", "operations" or "range"
        What it is the best in; for the latter two, of those with at most four times the lowest error.
    points : str
        As `winograd.parse_points` reads them.
    scale_a, scale_b : str
        Factors of the products, as `Transform.scaled` takes them, separated by commas; empty for ones.
    order : str
    passes : tuple of str
    fma : bool
    error, error_low, error_high : float
        Measured mean |computed - exact| and its 95 % interval, one channel.
    nonfinite : int
        Outputs that overflowed in that measurement, and are left out of the mean.
    bound : float
        The worst |error| for all data and filters of magnitude at most 1, proved; infinite where something may
        overflow.
    additions, multiplications, fmas, products : int
        Of one tile of one channel, the three transforms and the products between them.
    input_growth, filter_growth, output_growth : float
        Largest magnitude after a transform, for numbers of magnitude 1 before it.
    best_published : float or None
        The lowest error that others published, or that points which others published have when measured here alike.
    published_source : str
        Which of the two, and whose.
    data : "uniform" or "relu"
        Kind of data of the measurement, see `winograd.catalogue.models.measured_data`.
    trials, seed : int
        Of the measurement; `error_analysis.measure` repeats it to the last bit.
    version : str
        Of this library.
    """

    m: int
    r: int
    dims: int
    dtype: str
    model: str
    objective: str
    points: str
    scale_a: str
    scale_b: str
    order: str
    passes: tuple[str, ...]
    fma: bool
    error: float
    error_low: float
    error_high: float
    nonfinite: int
    bound: float
    additions: int
    multiplications: int
    fmas: int
    products: int
    input_growth: float
    filter_growth: float
    output_growth: float
    best_published: float | None
    published_source: str
    data: str
    trials: int
    seed: int
    version: str

    @property
    def n(self) -> int:
        """Points, infinity included."""
        return self.m + self.r - 1

    @property
    def delta(self) -> float | None:
        """How far the error lies above the best published one, in parts of it; negative where it is lower."""
        return None if self.best_published is None else self.error / self.best_published - 1

    @property
    def operations(self) -> int:
        """Additions, multiplications and fmas of the transforms."""
        return self.additions + self.multiplications + self.fmas

    @property
    def range(self) -> float:
        """The largest magnitude that transformed data or filters reach, for numbers of magnitude 1."""
        return max(self.input_growth, self.filter_growth)

    @property
    def size(self) -> str:
        """F(m, r), by axis."""
        m, r = ("x".join([str(length)] * self.dims) for length in (self.m, self.r))
        return f"F({m}, {r})"

    @property
    def algorithm(self) -> Algorithm:
        """The Algorithm, exact and proved."""
        T = toom_cook(self.m, self.r, parse_points(self.points))
        if self.scale_a or self.scale_b:
            a, b = (text.split(",") if text else None for text in (self.scale_a, self.scale_b))
            T = T.scaled(a, b)
        how = Algorithm(T, dims=self.dims, order=self.order, passes=self.passes, fma=self.fma)
        return how.with_formats(**stage_formats(self.dtype, self.model))

    def to_record(self) -> dict[str, Any]:
        """As plain values for JSON, which has no infinity: None stands for it."""
        record = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**record, "passes": list(self.passes), "bound": None if self.bound == float("inf") else self.bound}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> CatalogueRow:
        """The row of a record. Raises ValueError for one that lacks a field or has another."""
        try:
            bound = float("inf") if record["bound"] is None else record["bound"]
            return cls(**{**record, "passes": tuple(record["passes"]), "bound": bound})
        except (KeyError, TypeError) as error:
            raise ValueError(f"a row must have the fields of CatalogueRow; {error!r}.") from None
