"""What a sweep gives back: the curve, its gaps and minima, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.tabular import csv_text, data_frame
from error_analysis.sweeping.specialisation import Members
from winograd import Algorithm, family, parse_number
from winograd.exact import Exact, exact, to_sympy


@dataclass(frozen=True)
class CurvePoint:
    """The error at one value of c.

    Attributes
    ----------
    c : tuple of str
        The parameters, exact, as `winograd.parse_number` reads them.
    error : Estimate
        Mean |computed - exact| over trials and outputs.
    ratio : Estimate
        error over that of the reference `Sweep.against`, with the interval of the paired trials.
    nonfinite : int
        Outputs without a finite error, which the mean leaves out.
    """

    c: tuple[str, ...]
    error: Estimate
    ratio: Estimate
    nonfinite: int = 0


@dataclass(frozen=True)
class Gap:
    """A value of c that has no algorithm, and why."""

    c: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Minimum:
    """A local minimum of the curve, looked at more closely.

    Attributes
    ----------
    grid : tuple of str
        The c of the curve that is the minimum.
    c : tuple of str
        The best c found near it, on the data of the sweep.
    error : Estimate
        Its mean error on the data of the sweep, which it was chosen on: too low by what chance favoured it.
    fresh : Estimate
        Its mean error on data that the sweep never saw; this is the one to quote.
    ratio : Estimate
        fresh over the error of `Sweep.against`, on that data.
    """

    grid: tuple[str, ...]
    c: tuple[str, ...]
    error: Estimate
    fresh: Estimate
    ratio: Estimate


@dataclass(frozen=True, eq=False)
class Sweep:
    """The error of a family of points against its parameter.

    Attributes
    ----------
    family : str
    m, r : int
    recipe : str
        The fields of the Algorithm beside its transform, as JSON.
    data : str
    trials, seed, channels : int
    points : tuple of CurvePoint
        In the order of the values asked for.
    gaps : tuple of Gap
        Where the family has no algorithm: equal points, or an entry that exceeds its format.
    minima : tuple of Minimum
        Refined, lowest first on the data of the sweep.
    references : mapping of str to Estimate
        On the same data: "direct", direct convolution in the same formats; and "published", the points of the
        literature, for r = 3, or "fractions", those of the family of that name.
    against : str
        The reference that ratios are of.
    ended : "complete" or "interrupted"
    provenance : mapping of str to str
        Versions and processor. Neither this nor `ended` is compared.
    """

    family: str
    m: int
    r: int
    recipe: str = field(repr=False)
    data: str
    trials: int
    seed: int
    channels: int
    points: tuple[CurvePoint, ...] = field(repr=False)
    gaps: tuple[Gap, ...] = field(repr=False)
    minima: tuple[Minimum, ...]
    references: Mapping[str, Estimate]
    against: str
    ended: str
    provenance: Mapping[str, str] = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether all values were measured, and the minima refined."""
        return self.ended == "complete"

    @property
    def best(self) -> CurvePoint | Minimum | None:
        """The refined minimum, or else the point of the curve, with the least error on the data of the sweep."""
        whole = (p for p in self.points if not p.nonfinite and p.error.value == p.error.value)
        found: list[CurvePoint | Minimum] = [*self.minima, *whole]
        return min(found, key=lambda p: p.error.value, default=None)

    @property
    def curve(self) -> list[tuple[Exact, Estimate]]:
        """(c, error) by c; of several parameters the one that varies, or the first of those.

        Without the points that have no finite mean.
        """
        axis = self.axis
        known = [(exact(p.c[axis]), p.error) for p in self.points if p.error.value == p.error.value]
        return sorted(known, key=lambda pair: float(to_sympy(pair[0])))

    @property
    def axis(self) -> int:
        """Which parameter varies first."""
        seen = [*(p.c for p in self.points), *(gap.c for gap in self.gaps)]
        return varying(seen)[0] if seen else 0

    @property
    def dims(self) -> int:
        """Axes."""
        return int(json.loads(self.recipe)["dims"])

    @property
    def dtype(self) -> str:
        """The working format."""
        return str(json.loads(self.recipe)["dtype"])

    def algorithm(self, c: Any) -> Algorithm:
        """The Algorithm at c: a number, or a tuple of as many as the family has parameters.

        Raises
        ------
        ValueError
            If the family is not one of `winograd.FAMILIES`, or has no algorithm there.
        """
        values = tuple(exact(value) for value in (c if isinstance(c, tuple) else (c,)))
        return Members(family(self.family), self.m, self.r, json.loads(self.recipe)).algorithm(values)

    def __str__(self) -> str:
        lines = [f"{self.family} F({self.m}, {self.r}), {self.trials} trials, seed {self.seed}"
                 + ("" if self.complete else ", interrupted"),
                 f"  {len(self.points)} values, {len(self.gaps)} gap{'s' * (len(self.gaps) != 1)}"]
        lines += [f"  {name:12}{error}" for name, error in self.references.items()]
        lines += [f"  minimum near c = {', '.join(low.grid)}: {low.fresh} at c = {', '.join(low.c)}, "
                  f"{low.ratio.formatted('.3f')} of {self.against}" for low in self.minima]
        return "\n".join(lines)

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if isinstance(other, Sweep) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> str:
        """What is compared, as text: NaN is equal to NaN there."""
        return repr({name: value for name, value in asdict(self).items() if name not in ("provenance", "ended")})

    def to_json(self) -> str:
        """The sweep as strict JSON text, NaN as null; `from_json` reads it back equal."""
        record = {**asdict(self), "recipe": json.loads(self.recipe)}
        return json.dumps(_to_strict(record), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Sweep:
        """The sweep that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            record = dict(json.loads(text))
            record["points"] = tuple(_point(p) for p in record["points"])
            record["gaps"] = tuple(Gap(tuple(g["c"]), g["reason"]) for g in record["gaps"])
            record["minima"] = tuple(_minimum(low) for low in record["minima"])
            record["references"] = {name: _estimate(e) for name, e in record["references"].items()}
            record["recipe"] = json.dumps(record["recipe"])
            return cls(**record)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"text must be a Sweep record as JSON; {error!r}.") from None

    def rows(self) -> list[dict[str, Any]]:
        """Points, gaps and minima as rows of a table, by kind, each with what it was measured with."""
        common = {"family": self.family, "m": self.m, "r": self.r, "trials": self.trials, "seed": self.seed,
                  "channels": self.channels, "data": self.data, **json.loads(self.recipe)}
        rows: list[dict[str, Any]] = []
        for p in self.points:
            rows.append({"kind": "point", **_named(p.c), **_columns("error", p.error), **_columns("ratio", p.ratio),
                         "nonfinite": p.nonfinite})
        for gap in self.gaps:
            rows.append({"kind": "gap", **_named(gap.c), "reason": gap.reason})
        for low in self.minima:
            rows.append({"kind": "minimum", **_named(low.c), **_columns("error", low.error),
                         **_columns("fresh", low.fresh), **_columns("ratio", low.ratio)})
        for name, error in self.references.items():
            rows.append({"kind": name, **_columns("error", error)})
        return [{**row, **common} for row in rows]

    def plot(self, ax: Any = None) -> Any:
        """The picture, on the Axes given or on new ones; see `error_analysis.sweeping.picture.sweep_picture`."""
        from error_analysis.sweeping.picture import sweep_picture

        return sweep_picture(self, ax)

    def to_frame(self) -> Any:
        """`rows` as a pandas DataFrame; raises ImportError without pandas."""
        return data_frame(self.rows())

    def to_csv(self, path: str | Path | None = None) -> str:
        """`rows` as CSV, one line each below the names; also written to path where one is given."""
        return csv_text(self.rows(), path)


def varying(values: list[tuple[Any, ...]]) -> list[int]:
    """Which parameters take more than one value; the first, where none does."""
    return [k for k, column in enumerate(zip(*values, strict=True)) if len(set(column)) > 1] or [0]


def _named(c: tuple[str, ...]) -> dict[str, Any]:
    numbers = {f"c{k}" if len(c) > 1 else "c": text for k, text in enumerate(c, 1)}
    return {**numbers, **{f"{name}_float": float(parse_number(text)) for name, text in numbers.items()}}


def _columns(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _to_strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_strict(item) for item in value]
    return None if value != value else value


def _estimate(record: dict[str, float | None]) -> Estimate:
    return Estimate(**{name: float("nan") if number is None else number for name, number in record.items()})


def _point(record: dict[str, Any]) -> CurvePoint:
    return CurvePoint(tuple(record["c"]), _estimate(record["error"]), _estimate(record["ratio"]), record["nonfinite"])


def _minimum(record: dict[str, Any]) -> Minimum:
    estimates = (_estimate(record[name]) for name in ("error", "fresh", "ratio"))
    return Minimum(tuple(record["grid"]), tuple(record["c"]), *estimates)
