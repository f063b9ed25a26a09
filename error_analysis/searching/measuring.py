"""What a worker does: one candidate measured on given data, and its other figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from error_analysis.auditing.merits import growth
from error_analysis.measurement.interval import UNKNOWN, Estimate
from error_analysis.measurement.measure import measure
from error_analysis.prediction.bounds import bound
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.setting import Setting

OBJECTIVES = ("error", "additions", "operations", "range", "bound")
"""What a search minimises by default: the measured mean error; additions, with fmas, of the transforms of a tile; those
and its multiplications; the largest magnitude that the transforms of data and filter make of numbers of magnitude 1;
the proved worst error."""

PRODUCTS = "products"
"""The objective that lets superlinear moduli in: the products of a tile, which are as few as can be for all points."""


@dataclass(frozen=True)
class Task:
    """A candidate to measure, and the data to measure it on: trials tiles of this seed, one channel, of the
    setting's kind.

    `bounded`: prove the worst error too, which takes longer than a short measurement.
    """

    candidate: Candidate
    setting: Setting
    trials: int
    seed: int
    bounded: bool = True

    @property
    def key(self) -> str:
        """What it is known by: text that is the same for equal tasks."""
        return json.dumps([self.candidate.to_json(), self.setting.to_json(), self.trials, self.seed, self.bounded])

    def __str__(self) -> str:
        return f"{self.candidate} in {self.setting.name}"


@dataclass(frozen=True)
class Figures:
    """What was found out about a candidate.

    Attributes
    ----------
    error : Estimate
        Measured mean |computed - exact|; NaN if every tile overflowed.
    additions, multiplications, fmas : int
        Of the three transforms of one tile of one channel.
    input_growth, filter_growth, output_growth : float
        Largest magnitude after a transform, for entries of magnitude 1 before it.
    bound : float
        The worst error, proved; infinite where something may overflow, NaN where it was not asked for.
    nonfinite : int
        Outputs that overflowed.
    trials, seed : int
        What it was measured on.
    products : int
        Of one tile of one channel.
    """

    error: Estimate
    additions: int
    multiplications: int
    fmas: int
    input_growth: float
    filter_growth: float
    output_growth: float
    bound: float
    nonfinite: int
    trials: int
    seed: int
    products: int

    def objective(self, name: str) -> float:
        """The figure that an objective minimises; what overflows on random data is worst of all."""
        if self.nonfinite:
            return float("inf")
        return {
            "error": self.error.value, "additions": float(self.additions + self.fmas),
            "operations": float(self.additions + self.fmas + self.multiplications),
            "range": max(self.input_growth, self.filter_growth), "bound": self.bound, PRODUCTS: float(self.products),
        }[name]

    def to_record(self) -> dict[str, Any]:
        """As plain numbers."""
        return {**vars(self), "error": [self.error.value, self.error.low, self.error.high]}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Figures:
        """The figures of a record."""
        return cls(**{**record, "error": Estimate(*record["error"])})


def figures(task: Task) -> Figures:
    """The candidate of a task built, measured and bounded. This is what is sent to workers.

    A candidate with a constant that exceeds the format is measured as one whose every output overflows.

    Raises
    ------
    ValueError
        If its points coincide.
    """
    A = task.candidate.algorithm(task.setting)
    try:
        report = measure(A, task.trials, task.seed, data=task.setting.data)
    except OverflowError:
        nan, outputs = math.nan, task.trials * math.prod(A.m)
        return Figures(UNKNOWN, 0, 0, 0, nan, nan, nan, math.inf, outputs, task.trials, task.seed, math.prod(A.n))
    counts = A.counts().transforms
    return Figures(
        report.mean_abs, counts.additions, counts.multiplications, counts.fmas,
        growth(A, "BT"), growth(A, "G"), growth(A, "AT"), float(bound(A).max) if task.bounded else math.nan,
        report.nonfinite, task.trials, task.seed, math.prod(A.n),
    )
