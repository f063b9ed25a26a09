"""The gallery: point sets that others proposed or ship, each audited, measured, bounded, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations

import numpy as np

from error_analysis.auditing.audit import audit
from error_analysis.auditing.findings import Audit
from error_analysis.auditing.merits import Merits, merits
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.measure import check_integer
from error_analysis.measurement.report import Progress
from winograd import Algorithm, Transform, format_points, parse_number, parse_points, toom_cook
from winograd.points import Point


@dataclass(frozen=True)
class Exhibit:
    """One set of points, and where it comes from.

    Attributes
    ----------
    m, r : int
    name : str
    points : tuple
        Infinity included.
    source : str
    spoiled : tuple of (row, factor), optional
        A row of G, and the factor it is multiplied by; None for matrices as they should be.
    """

    m: int
    r: int
    name: str
    points: tuple[Point, ...]
    source: str
    spoiled: tuple[int, str] | None = None

    @property
    def size(self) -> str:
        """F(m, r)."""
        return f"F({self.m}, {self.r})"

    @property
    def transform(self) -> Transform:
        """The exact matrices; where spoiled, they are no convolution."""
        T = toom_cook(self.m, self.r, self.points)
        if self.spoiled is None:
            return T
        row, factor = self.spoiled
        G = T.G.as_mutable()
        G[row, :] = parse_number(factor) * G[row, :]
        return Transform(T.AT, G, T.BT)


@dataclass(frozen=True)
class GalleryRow:
    """An exhibit with what was found: the audit of its matrices in float32, and its merits where it is a convolution.

    Of spoiled matrices the repaired ones are measured.
    """

    exhibit: Exhibit
    audit: Audit
    merits: Merits

    @property
    def verdict(self) -> str:
        """"exact", or what is wrong."""
        if self.audit.is_convolution:
            return "exact"
        remedy = "" if self.audit.repair is None else f"; {self.audit.repair.change}"
        return self.audit.verdict + remedy


@dataclass(frozen=True)
class Ranking:
    """How well the condition number ranks the errors of algorithms for one F(m, r).

    Attributes
    ----------
    size : str
    tau : float
        Kendall's rank correlation of condition number and error: 1 if they rank alike, 0 if they have nothing to do
        with each other. Pairs whose errors the measurement cannot tell apart, or of equal condition, are left out.
    pairs : int
        Pairs counted.
    better, worse : str
        The clearest counterexample: `better` has the higher condition number and yet the smaller error.
    condition_ratio, error_ratio : float
        How much higher its condition number is, and how many times smaller its error. NaN where there is none.
    """

    size: str
    tau: float
    pairs: int
    better: str
    worse: str
    condition_ratio: float
    error_ratio: float

    def __str__(self) -> str:
        text = f"{self.size}: Kendall's tau of condition number and error is {self.tau:.2f} over {self.pairs} pairs"
        if not self.better:
            return text
        return (
            f"{text}; {self.better} has {self.condition_ratio:.1f} times the condition number of {self.worse} and "
            f"{self.error_ratio:.1f} times less error"
        )


@cache
def exhibits() -> tuple[Exhibit, ...]:
    """All sets of the gallery, by m.

    Source
    ------
    `auditing/gallery.json`, which names the source of each.

    Examples
    --------
    >>> [exhibit.name for exhibit in exhibits() if exhibit.m == 6]
    ['Lavin', 'Barabasz', 'NOVA', 'spoiled']
    """
    record = json.loads(files("error_analysis.auditing").joinpath("gallery.json").read_text(encoding="utf-8"))
    return tuple(
        Exhibit(
            row["m"], row["r"], row["name"], parse_points(row["points"]), row["source"],
            (row["spoiled"]["row"], row["spoiled"]["factor"]) if "spoiled" in row else None,
        )
        for row in record["rows"]
    )


def gallery(trials: int = 5000, seed: int = 0, progress: Progress | None = None) -> list[GalleryRow]:
    """Every exhibit: audited as a float32 kernel holds it, its two-dimensional error measured, bounded and predicted.

    Parameters
    ----------
    trials, seed : int
        As in `error_analysis.measure`. Rows of equal m see the same data.
    progress : callable, optional
        Called as progress(rows done, rows).

    Returns
    -------
    list of GalleryRow

    Raises
    ------
    ValueError, TypeError
        For trials below 2 or a negative seed.
    Interrupted
        At Ctrl-C, with the rows that were complete.

    Rounding
    --------
    As `error_analysis.auditing.merits.merits`; the audit rounds nothing.

    Examples
    --------
    >>> rows = gallery(trials=20)
    >>> [row.exhibit.name for row in rows if row.verdict != "exact"]
    ['spoiled']
    """
    check_integer("trials", trials, 2)
    check_integer("seed", seed, 0)
    rows: list[GalleryRow] = []
    for done, exhibit in enumerate(exhibits(), 1):
        T = exhibit.transform
        try:
            found = audit(*T.matrices("float32"), trials=0)
            sound = toom_cook(exhibit.m, exhibit.r, exhibit.points) if exhibit.spoiled else T
            rows.append(GalleryRow(exhibit, found, merits(Algorithm(sound, dims=2), trials, seed)))
        except KeyboardInterrupt:
            raise Interrupted(rows) from None
        if progress is not None:
            progress(done, len(exhibits()))
    return rows


def rankings(rows: Sequence[GalleryRow]) -> list[Ranking]:
    """For each size, how well the condition number of the Vandermonde matrix ranks the errors. It does not.

    Spoiled exhibits are left out: they have the points of another.

    Source
    ------
    Kendall, A new measure of rank correlation, Biometrika 30, 1938.

    Examples
    --------
    >>> ranking = rankings(gallery(trials=500))[0]
    >>> ranking.size, ranking.worse, ranking.error_ratio > 2
    ('F(4, 3)', 'NOVA', True)
    """
    found = []
    for size in dict.fromkeys(row.exhibit.size for row in rows):
        sound = [row for row in rows if row.exhibit.size == size and row.exhibit.spoiled is None]
        score, pairs = 0.0, 0
        counterexample: tuple[float, float, str, str] = (np.nan, np.nan, "", "")
        for pair in combinations(sound, 2):
            low, high = sorted(pair, key=lambda row: row.merits.error.value)
            told_apart = low.merits.error.high < high.merits.error.low
            conditions = _condition(low), _condition(high)
            if not told_apart or np.isclose(*conditions, rtol=1e-6):
                continue
            pairs += 1
            score += 1 if conditions[0] < conditions[1] else -1
            if conditions[0] > conditions[1]:
                ratio = conditions[0] / conditions[1]
                error_ratio = high.merits.error.value / low.merits.error.value
                if not min(ratio, error_ratio) <= min(counterexample[:2]):  # also where there is none yet, NaN
                    counterexample = (ratio, error_ratio, low.exhibit.name, high.exhibit.name)
        condition_ratio, error_ratio, better, worse = counterexample
        tau = score / pairs if pairs else np.nan
        found.append(Ranking(size, tau, pairs, better, worse, condition_ratio, error_ratio))
    return found


def gallery_json(rows: Sequence[GalleryRow]) -> str:
    """The rows and rankings as JSON text."""
    record = {
        "rows": [
            {
                "size": row.exhibit.size, "name": row.exhibit.name, "points": format_points(row.exhibit.points),
                "source": row.exhibit.source, "is_convolution": row.audit.is_convolution, "verdict": row.verdict,
                **asdict(row.merits),
            }
            for row in rows
        ],
        "rankings": [asdict(ranking) for ranking in rankings(rows)],
    }
    return json.dumps(record, indent=2)


def _condition(row: GalleryRow) -> float:
    return np.nan if row.merits.condition is None else row.merits.condition
