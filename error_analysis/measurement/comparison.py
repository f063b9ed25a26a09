"""Two algorithms measured on the same data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from error_analysis.emulation.oracle import Oracle
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import Estimate, ratio_estimate
from error_analysis.measurement.measure import Subject, check_algorithm, data_record, measured
from error_analysis.measurement.report import Progress, Report
from error_analysis.measurement.tabular import csv_text, data_frame
from winograd import Algorithm
from winograd.rounding import format_of


@dataclass(frozen=True)
class Comparison:
    """Two reports on the same data, and the ratio of their mean errors.

    Attributes
    ----------
    a, b : Report
    ratio : Estimate
        Mean error of a over that of b. Trials are paired, so what both share, by being measured on the same data,
        narrows the interval.
    """

    a: Report
    b: Report
    ratio: Estimate

    def __str__(self) -> str:
        return f"{self.a}\n{self.b}\nmean error of the first / second: {self.ratio.formatted('.3f')}"

    def to_json(self) -> str:
        """The comparison as JSON text; `from_json` reads it back equal."""
        ratio = {name: None if number != number else number for name, number in vars(self.ratio).items()}
        record = {"ratio": ratio, "a": json.loads(self.a.to_json()), "b": json.loads(self.b.to_json())}
        return json.dumps(record, indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """The comparison that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            record = json.loads(text)
            numbers = {name: float("nan") if number is None else number for name, number in record["ratio"].items()}
            return cls(Report.from_record(record["a"]), Report.from_record(record["b"]), Estimate(**numbers))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"text must be a Comparison record as JSON; {error!r}.") from None

    def to_frame(self) -> Any:
        """Both reports as a pandas DataFrame of two rows; raises ImportError without pandas."""
        return data_frame([self.a.flat(), self.b.flat()])

    def to_csv(self, path: str | Path | None = None) -> str:
        """Both reports as CSV, one line each below the names; also written to path where one is given."""
        return csv_text([self.a.flat(), self.b.flat()], path)


def compare(
    A: Algorithm,
    B: Algorithm,
    trials: int | Literal["auto"] = 5000,
    seed: int = 0,
    channels: int = 1,
    subject: Subject = "emulation",
    oracle: Oracle = "auto",
    data: Any = "uniform",
    *,
    width: float = 0.02,
    max_trials: int = 1_000_000,
    nonfinite: Literal["error", "measure"] = "error",
    round_data: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """The mean error of A over that of B, both measured on the same data.

    The algorithms may differ in anything but dims and taps. Where their tiles differ, data tiles of the larger length
    of each axis are drawn, and each algorithm reads the leading part. Where their stored formats differ, numbers of
    the narrower one are drawn, which the other must hold.

    Parameters
    ----------
    A, B : Algorithm
    trials, seed, channels, subject, oracle, data, width, max_trials, nonfinite, round_data, progress
        As in `measure`. With trials "auto", the intervals of both means are as narrow as `width`. Of the user's own
        arrays, d must have the larger length of each axis.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        As `measure`; and for dims or taps that differ, stored formats of which neither holds the other, and for
        adversarial data, which is another for every algorithm.
    Interrupted
        At Ctrl-C, with the Comparison of the trials measured until then.

    Rounding
    --------
    As `measure`.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A, B = (Algorithm(toom_cook(4, 3, [0, 1, -1, *pair, INF]), dims=2) for pair in (["1/2", -2], [2, -2]))
    >>> compare(A, B, trials=2000).ratio.high < 0.9
    True
    """
    check_algorithm("A", A)
    check_algorithm("B", B)
    if A.r != B.r:
        raise ValueError(f"A and B must have the same dims and taps; got {A.size} and {B.size}.")
    tile = tuple(max(lengths) for lengths in zip(A.tile, B.tile, strict=True))
    dtype = _narrower(A.stored_dtype, B.stored_dtype)
    record, arrays = data_record(data, dtype, tile, nonfinite, round_data)
    if record.kind == "adversarial":
        raise ValueError(
            "data must be the same for A and B, and adversarial data differs with the algorithm: measure each, or give "
            "arrays."
        )
    reports, samples = measured([A, B], record, arrays, trials if arrays is None else None, seed, channels, subject,
                                oracle, width, max_trials, progress)
    above, below = (of_one.over_trials("error") for of_one in samples)
    comparison = Comparison(reports[0], reports[1], ratio_estimate(above, below))
    if comparison.a.ended == "interrupted":
        raise Interrupted(comparison)
    return comparison


def _narrower(first: str, second: str) -> str:
    """The one of two formats whose numbers the other has too."""
    for name, other in ((first, second), (second, first)):
        narrow, wide = format_of(name), format_of(other)
        if narrow.precision <= wide.precision and narrow.largest <= wide.largest and narrow.smallest >= wide.smallest:
            return name
    raise ValueError(f"stored formats must hold one another's numbers to be compared; got {first} and {second}.")
