"""What a measurement gives back: numbers with their intervals, and where they come from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from error_analysis.measurement.data import DataRecord
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import Estimate, mean_estimate, ratio_estimate, root_ratio_estimate
from error_analysis.measurement.provenance import provenance
from error_analysis.measurement.ranges import StageRange
from error_analysis.measurement.tabular import csv_text, data_frame
from winograd import Algorithm

if TYPE_CHECKING:
    from error_analysis.measurement.sampling import Samples

QUANTILES = (0.5, 0.9, 0.99, 0.999)

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

_CUT = {"max_trials": "stopped at max_trials", "interrupted": "interrupted"}
_ESTIMATES = ("mean_abs", "direct", "ratio", "rounded", "ratio_rounded", "relative_l1", "relative_l2", "ulps")
_NOT_COMPARED = ("provenance", "ended")

Ended = Literal["complete", "max_trials", "interrupted"]


@dataclass(frozen=True, eq=False)
class Report:
    """The measured error of an algorithm. NaN stands for what has no value, as a mean where everything overflowed.

    Attributes
    ----------
    algorithm : str
        Its name, `str(A)`.
    subject : "emulation" or "kernel"
        What was measured: the emulated Programs, or the compiled kernel.
    mean_abs : Estimate
        Mean over trials and outputs of |computed - exact|; the interval is over trials. As all figures of error, over
        the outputs whose error is finite; `nonfinite` counts the others.
    max_abs : float
        The largest |computed - exact|.
    direct : Estimate
        The same mean for direct convolution, in the same formats and on the same data.
    direct_max_abs : float
    ratio : Estimate
        mean_abs / direct, with the interval of the paired trials.
    rounded : Estimate
        The same mean for the exact result rounded to nearest in the stored format: no algorithm can do better.
    ratio_rounded : Estimate
        mean_abs / rounded, paired.
    relative_l1, relative_l2 : Estimate
        sum |e| / sum |y| over all trials, and the square root of sum e^2 / sum y^2. The latter, of squares, needs some
        thousand trials for its interval to be one of 95 %; at 200 it is one of 90 %.
    normwise : float
        max |e| / max |y|.
    ulps : Estimate
        sum |e| / sum ulp(y): the mean error in units of the mean ulp of the exact results in the stored format.
    ulps_mean, ulps_max : float
        Mean and maximum of |e| / ulp(y), without the outputs whose exact value is 0. No interval: y may be near 0, so
        that this quotient has no variance, and its mean hardly settles. The quantiles do.
    quantiles, ulps_quantiles : tuple of float
        50, 90, 99 and 99.9 % of the outputs have at most this |e|, this |e| / ulp(y); of the first four million
        outputs, where there are more.
    by_output : tuple of float
        Mean |e| at each position of the output tile, in C order; `per_output` is the array.
    m : tuple of int
        Shape of the output tile.
    ranges : tuple of StageRange
        Largest magnitudes, overflows, underflows and NaNs of each stage; of y only, for a kernel.
    nonfinite : int
        Outputs without a finite error.
    trials, seed, channels : int
    oracle : "auto" or "mpmath"
    data : DataRecord
        What the data was.
    recipe : str
        The Algorithm as JSON, `winograd.Algorithm.from_json` reads it; with the above, `rerun` repeats the measurement.
    ended : "complete", "max_trials" or "interrupted"
        How: with all that was asked for, or before, at the limit of "auto" or by Ctrl-C; `complete` is True or False.
    provenance : mapping of str to str
        Versions and processor. Neither this nor `ended` is compared: two reports are equal if what they measured is.
    """

    algorithm: str
    subject: str
    mean_abs: Estimate
    max_abs: float
    direct: Estimate
    direct_max_abs: float
    ratio: Estimate
    rounded: Estimate
    ratio_rounded: Estimate
    relative_l1: Estimate
    relative_l2: Estimate
    normwise: float
    ulps: Estimate
    ulps_mean: float
    ulps_max: float
    quantiles: tuple[float, ...]
    ulps_quantiles: tuple[float, ...]
    by_output: tuple[float, ...] = field(repr=False)
    m: tuple[int, ...]
    ranges: tuple[StageRange, ...] = field(repr=False)
    nonfinite: int
    trials: int
    seed: int
    channels: int
    oracle: str
    data: DataRecord
    recipe: str = field(repr=False)
    ended: str
    provenance: Mapping[str, str] = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether all trials that were asked for were measured."""
        return self.ended == "complete"

    @property
    def per_output(self) -> np.ndarray:
        """Mean |e| at each position of the output tile, shape m."""
        return np.array(self.by_output).reshape(self.m)

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if isinstance(other, Report) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> str:
        """What is compared, as text: NaN is equal to NaN there."""
        return repr({name: value for name, value in asdict(self).items() if name not in _NOT_COMPARED})

    def __str__(self) -> str:
        channels = "1 channel" if self.channels == 1 else f"{self.channels} channels"
        kind = "own" if self.data.kind == "arrays" else self.data.kind
        data = "" if kind == "uniform" else f"{kind} data, "
        cut = "" if self.complete else f", {_CUT[self.ended]}"
        lines = [
            f"{self.algorithm} ({self.subject}, {data}{channels}, {self.trials} trials, seed {self.seed}{cut})",
            f"  mean |error|    {self.mean_abs}",
            f"  max |error|     {self.max_abs:.2e}",
            f"  direct, mean    {self.direct}",
            f"  direct, max     {self.direct_max_abs:.2e}",
            f"  mean / direct   {self.ratio.formatted('.2f')}",
            f"  mean / rounded  {self.ratio_rounded.formatted('.2f')}",
            f"  relative        L1 {self.relative_l1.value:.2e}, L2 {self.relative_l2.value:.2e}, "
            f"normwise {self.normwise:.2e}",
            f"  quantiles       {_listed(self.quantiles, '.2e')}",
            f"  in ulps         {_listed(self.ulps_quantiles, '.3g')}",
        ]
        if self.nonfinite:
            lines.append(f"  not finite      {self.nonfinite} of {self.trials * math.prod(self.m)} outputs, left out")
        lines += [f"  range of        {seen}" for seen in self.ranges if seen.eventful]
        return "\n".join(lines)

    def to_json(self) -> str:
        """The report as strict JSON text, NaN as null; `from_json` reads it back equal."""
        record = {**asdict(self), "recipe": json.loads(self.recipe), "provenance": dict(self.provenance)}
        return json.dumps(_to_strict(record), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            return cls.from_record(json.loads(text))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"text must be a Report record as JSON; {error!r}.") from None

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Report:
        """The report from the parsed JSON object; raises KeyError or TypeError for any other."""
        read = dict(_from_strict(record))
        for name in _ESTIMATES:
            read[name] = Estimate(**read[name])
        for name in ("quantiles", "ulps_quantiles", "by_output", "m"):
            read[name] = tuple(read[name])
        read["ranges"] = tuple(StageRange(**seen) for seen in read["ranges"])
        read["data"] = DataRecord(**{**read["data"], "tile": tuple(read["data"]["tile"])})
        read["recipe"] = json.dumps(record["recipe"])
        return cls(**read)

    def rerun(self, arrays: Any = None, progress: Progress | None = None) -> Report:
        """The same measurement again: the same numbers, with the provenance of now.

        Parameters
        ----------
        arrays : (d, g), optional
            The arrays that were measured, where the data was the user's own.
        progress : callable, optional

        Raises
        ------
        ValueError
            If arrays are missing, or are others than those measured.
        Interrupted
            At Ctrl-C, as `measure`.
        """
        from error_analysis.measurement.measure import measured

        if (arrays is not None) != (self.data.kind == "arrays"):
            needed = "must be given again: the record holds" if arrays is None else "must not be given: the record has"
            raise ValueError(f"arrays {needed} {'only their digest' if arrays is None else 'the kind of data'}.")
        A = Algorithm.from_json(self.recipe)
        oracle: Any = self.oracle
        again = measured([A], self.data, arrays, self.trials, self.seed, self.channels, self.subject, oracle,
                         progress=progress)[0][0]
        if again.data.digest != self.data.digest:
            raise ValueError("arrays must be those that were measured; their numbers differ.")
        if again.ended == "interrupted":
            raise Interrupted(again)
        return again

    def flat(self) -> dict[str, Any]:
        """Every figure by a name of its own, as one row of a table; an interval takes three columns."""
        row: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in _ESTIMATES:
                row |= {f.name: value.value, f"{f.name}_low": value.low, f"{f.name}_high": value.high}
            elif f.name in ("quantiles", "ulps_quantiles"):
                row |= {f"{f.name.removesuffix('quantiles')}q{100 * q:g}": v
                        for q, v in zip(QUANTILES, value, strict=True)}
            elif f.name == "by_output":
                row |= {f"y_{'_'.join(map(str, index))}": float(v) for index, v in np.ndenumerate(self.per_output)}
            elif f.name == "ranges":
                row |= {f"{seen.stage}_{name}": number for seen in value for name, number in asdict(seen).items()
                        if name not in ("stage", "dtype", "values")}
            elif f.name == "data":
                row |= {"data": value.kind, "data_dtype": value.dtype, "data_digest": value.digest}
            elif f.name == "provenance":
                row |= dict(value)
            elif f.name == "m":
                row["m"] = "x".join(map(str, value))
            else:
                row[f.name] = value
        return row

    def to_frame(self) -> Any:
        """The report as a pandas DataFrame of one row, so that several can be put below each other.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return data_frame([self.flat()])

    def to_csv(self, path: str | Path | None = None) -> str:
        """The report as CSV, a line of names and a line of values; also written to path where one is given."""
        return csv_text([self.flat()], path)


def report_of(A: Algorithm, samples: Samples, subject: str, seed: int, channels: int, oracle: str, data: DataRecord,
              ended: Ended) -> Report:
    """The report of the samples of an algorithm."""
    error, direct, rounded = (samples.over_trials(name) for name in ("error", "direct", "rounded"))
    sums = {name: samples.over_trials(name) for name in ("sum_e", "sum_y", "sum_ulp", "sum_e2", "sum_y2")}
    largest = samples.largest
    assert samples.position_sums is not None and samples.position_counts is not None
    with np.errstate(invalid="ignore"):
        by_output = samples.position_sums / samples.position_counts
    return Report(
        algorithm=str(A),
        subject=subject,
        mean_abs=mean_estimate(error),
        max_abs=largest["error"],
        direct=mean_estimate(direct),
        direct_max_abs=largest["direct"],
        ratio=ratio_estimate(error, direct),
        rounded=mean_estimate(rounded),
        ratio_rounded=ratio_estimate(error, rounded),
        relative_l1=ratio_estimate(sums["sum_e"], sums["sum_y"]),
        relative_l2=root_ratio_estimate(sums["sum_e2"], sums["sum_y2"]),
        normwise=largest["error"] / largest["y"] if largest["y"] else math.nan,
        ulps=ratio_estimate(sums["sum_e"], sums["sum_ulp"]),
        ulps_mean=mean_estimate(samples.over_trials("ulps")).value,
        ulps_max=largest["ulps"],
        quantiles=_quantiles(samples.errors),
        ulps_quantiles=_quantiles(samples.ulps),
        by_output=tuple(float(mean) for mean in by_output),
        m=A.m,
        ranges=tuple(samples.ranges.values()),
        nonfinite=samples.nonfinite,
        trials=samples.trials,
        seed=seed,
        channels=channels,
        oracle=oracle,
        data=data,
        recipe=A.to_json(),
        ended=ended,
        provenance=provenance(),
    )


def _quantiles(parts: list[np.ndarray]) -> tuple[float, ...]:
    values = np.concatenate(parts)
    if not values.size:
        return (math.nan,) * len(QUANTILES)
    return tuple(float(q) for q in np.quantile(values, QUANTILES))


def _listed(quantiles: tuple[float, ...], number: str) -> str:
    return ", ".join(f"{100 * q:g} % {value:{number}}" for q, value in zip(QUANTILES, quantiles, strict=True))


def _to_strict(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else value
    if isinstance(value, dict):
        return {key: _to_strict(item) for key, item in value.items()}
    return [_to_strict(item) for item in value] if isinstance(value, list | tuple) else value


def _from_strict(value: Any) -> Any:
    if value is None:
        return math.nan
    if value in ("inf", "-inf"):
        return float(value)
    if isinstance(value, dict):
        return {key: _from_strict(item) for key, item in value.items()}
    return [_from_strict(item) for item in value] if isinstance(value, list) else value
