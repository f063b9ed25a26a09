"""The catalogue checked: rows measured again on other data, their figures computed again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from error_analysis.auditing.merits import growth
from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.measure import check_integer, measure
from error_analysis.prediction.bounds import bound
from winograd.catalogue.row import CatalogueRow

_SIGMAS = 4.0
_Z95 = 1.96


@dataclass(frozen=True)
class CheckedRow:
    """A row and what was found for it.

    Attributes
    ----------
    row : CatalogueRow
    error : Estimate
        Measured again, on other data.
    wrong : tuple of str
        The names of the figures that disagree: an error by more than four standard deviations of the difference, all
        else at all.
    """

    row: CatalogueRow
    error: Estimate
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        row = self.row
        verdict = f"disagrees in {', '.join(self.wrong)}" if self.wrong else "agrees"
        known = Estimate(row.error, row.error_low, row.error_high)
        return f"{row.size}, {row.dtype}, {row.model}, {row.objective}: {known}, again {self.error}: {verdict}"


def checked(
    rows: Sequence[CatalogueRow], count: int = 5, seed: int = 1, trials: int | None = None,
    told: Callable[[CheckedRow], None] | None = None,
) -> list[CheckedRow]:
    """A random sample of rows, each measured again on data of this seed, counted and bounded again.

    Parameters
    ----------
    rows : sequence of CatalogueRow
    count : int
        How many, at least 1; all where there are no more.
    seed : int
        Of the choice and of the data.
    trials : int, optional
        Of each measurement; by default as many as the row had.
    told : callable, optional
        Called with each row as it is done.

    Raises
    ------
    ValueError, TypeError
        For a count below 1, a negative seed, trials below 2, or no rows.

    Examples
    --------
    >>> from winograd import catalogue_rows
    >>> rows = [row for row in catalogue_rows() if row.n <= 6 and row.dtype == "float32"]
    >>> [check.wrong for check in checked(rows, 2, trials=500)]
    [(), ()]
    """
    check_integer("count", count, 1)
    check_integer("seed", seed, 0)
    if trials is not None:
        check_integer("trials", trials, 2)
    if not rows:
        raise ValueError("rows must not be empty: there is nothing to check.")
    generator = np.random.default_rng(seed)
    chosen = sorted(generator.choice(len(rows), min(count, len(rows)), replace=False))
    found = []
    for k in chosen:
        found.append(_checked(rows[int(k)], seed, trials))
        if told is not None:
            told(found[-1])
    return found


def _checked(row: CatalogueRow, seed: int, trials: int | None) -> CheckedRow:
    A = row.algorithm
    report = measure(A, trials or row.trials, seed, data=row.data)
    counts = A.counts()
    again = {
        "additions": counts.transforms.additions, "multiplications": counts.transforms.multiplications,
        "fmas": counts.transforms.fmas, "products": counts.products, "input_growth": growth(A, "BT"),
        "filter_growth": growth(A, "G"), "output_growth": growth(A, "AT"), "bound": float(bound(A).max),
    }
    wrong = [name for name, value in again.items() if not math.isclose(getattr(row, name), value, rel_tol=1e-9)]
    known = Estimate(row.error, row.error_low, row.error_high)
    deviation = math.hypot(known.half_width, report.mean_abs.half_width) / _Z95
    if not abs(known.value - report.mean_abs.value) <= _SIGMAS * deviation:
        wrong.append("error")
    if bool(row.nonfinite) and not report.nonfinite and not trials:
        wrong.append("nonfinite")
    return CheckedRow(row, report.mean_abs, tuple(wrong))
