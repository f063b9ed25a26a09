"""What an audit found: the record, as text and as JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from error_analysis.auditing.merits import Merits
from error_analysis.auditing.reading import Reading
from error_analysis.auditing.recognition import Repair, Scaling, distinct_points
from error_analysis.measurement.interval import Estimate
from winograd import Transform
from winograd.exact import Exact, exact, to_sympy
from winograd.points import Point
from winograd.transform import MATRIX_NAMES

_SHOWN = 6


@dataclass(frozen=True)
class WrongCoefficient:
    """A coefficient of g[tap] d[input] in y[output] that is not what a convolution has there."""

    output: int
    tap: int
    input: int
    value: Exact
    target: int

    @property
    def off(self) -> Exact:
        """By how much it is off."""
        return exact(to_sympy(self.value) - self.target)

    def __str__(self) -> str:
        return (
            f"the coefficient of g[{self.tap}]*d[{self.input}] in y[{self.output}] is {_number(self.value)}, must be "
            f"{self.target}, off by {_number(self.off)}"
        )


@dataclass(frozen=True)
class Audit:
    """What was found about three matrices.

    Attributes
    ----------
    transform : Transform
        The matrices as they were read, exact.
    readings : mapping of matrix name to rows of Reading
        How each entry was read.
    notes : tuple of str
        What had to be assumed: a matrix given transposed, entries read with the help of the points.
    wrong : tuple of WrongCoefficient
        Empty if the matrices are a convolution.
    repair : Repair or None
        The one change that would make them a convolution.
    points : tuple
        The point of each product; None for a product that evaluates at no point.
    scaling : Scaling or None
        How the matrices differ from `toom_cook(m, r, points)`; None if not by diagonal factors only.
    merits : Merits or None
        Of these matrices, or of the repaired ones; None if there is neither, or nothing was measured.
    best : Merits or None
        Of the best published points for this m and r, on the same data.
    ratio : Estimate or None
        Error over that of the best published points; trials are paired.
    """

    transform: Transform
    readings: dict[str, tuple[tuple[Reading, ...], ...]] = field(repr=False)
    notes: tuple[str, ...]
    wrong: tuple[WrongCoefficient, ...]
    repair: Repair | None
    points: tuple[Point | None, ...]
    scaling: Scaling | None
    merits: Merits | None
    best: Merits | None
    ratio: Estimate | None

    @property
    def is_convolution(self) -> bool:
        """Whether every coefficient is right, exactly."""
        return not self.wrong

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Entries whose reading is one of several that would do."""
        return tuple(
            f"{name}[{i}, {j}] = {reading}"
            for name, rows in self.readings.items()
            for i, row in enumerate(rows)
            for j, reading in enumerate(row)
            if not reading.clear
        )

    @property
    def verdict(self) -> str:
        """One line."""
        name = self.transform.name
        if self.is_convolution:
            return f"{name}, exactly: all {self._coefficients} coefficients are right"
        worst = max(abs(float(to_sympy(w.off))) for w in self.wrong)
        return f"not {name}: {len(self.wrong)} of {self._coefficients} coefficients are wrong, by up to {worst:.3g}"

    @property
    def _coefficients(self) -> int:
        return int(self.transform.AT.rows * self.transform.r * self.transform.BT.cols)

    def __str__(self) -> str:
        lines = [self.verdict, *self._reading_lines(), *(f"  note      {note}" for note in self.notes)]
        for position, coefficient in enumerate(self.wrong[:_SHOWN]):
            lines.append(f"  {'wrong' if position == 0 else '':9} {coefficient}")
        if len(self.wrong) > _SHOWN:
            lines.append(f"            and {len(self.wrong) - _SHOWN} more")
        if self.wrong:
            change = "no single entry and no scaling would mend it" if self.repair is None else self.repair.change
            lines.append(f"  repair    {change}")
        lines.append(f"  points    {self.points_text}")
        lines.append(f"  made as   {self.origin}")
        for title, found in (("error", self.merits), ("published", self.best)):
            if found is not None:
                lines += _merit_lines(title, found)
        if self.ratio is not None:
            lines.append(f"  ratio     {self.ratio.formatted('.2f')} times the error of the best published points")
        return "\n".join(lines)

    def _reading_lines(self) -> list[str]:
        every = [reading for rows in self.readings.values() for row in rows for reading in row]
        how = Counter(reading.how for reading in every)
        counted = ", ".join(f"{count} {'exact' if kind == 'exact' else f'rounded to {kind}'}"
                            for kind, count in how.most_common())
        lines = [f"  read      {len(every)} entries: {counted}"]
        distinct = list(dict.fromkeys(str(reading) for reading in every if reading.how != "exact" and reading.clear))
        if distinct:
            more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
            lines.append(f"            {'; '.join(distinct[:_SHOWN])}{more}")
        if self.doubtful:
            more = f" and {len(self.doubtful) - _SHOWN} more" if len(self.doubtful) > _SHOWN else ""
            lines.append(f"  in doubt  {'; '.join(self.doubtful[:_SHOWN])}{more}")
        return lines

    @property
    def points_text(self) -> str:
        """The points, a question mark for a product without one."""
        return ", ".join("?" if point is None else str(point) for point in self.points)

    @property
    def origin(self) -> str:
        """How the matrices relate to Toom-Cook on their points."""
        distinct = distinct_points(self.points)
        if distinct is None:
            return "not Toom-Cook: " + ("a product evaluates at no point" if None in self.points else "points coincide")
        call = f"toom_cook({self.transform.m}, {self.transform.r}, [{self.points_text}])"
        if self.scaling is None:
            return f"like {call}, but entries differ by more than a scaling"
        scaled = [
            f"{name} scaled by {', '.join(str(factor) for factor in factors)}"
            for name, factors in (("AT", self.scaling.AT), ("G", self.scaling.G), ("BT", self.scaling.BT))
            if any(factor != 1 for factor in factors)
        ]
        return call + ("" if not scaled else "; " + "; ".join(scaled))

    def to_json(self) -> str:
        """The audit as JSON text, exact numbers as strings."""
        record: dict[str, Any] = {
            "verdict": self.verdict,
            "is_convolution": self.is_convolution,
            "transform": json.loads(self.transform.to_json()),
            "readings": {
                name: [[_reading_record(reading) for reading in row] for row in rows]
                for name, rows in self.readings.items()
            },
            "notes": list(self.notes),
            "wrong": [
                {"output": w.output, "tap": w.tap, "input": w.input, "value": str(w.value), "target": w.target,
                 "off": str(w.off)}
                for w in self.wrong
            ],
            "repair": None if self.repair is None else {
                "kind": self.repair.kind, "change": self.repair.change,
                "transform": json.loads(self.repair.transform.to_json()),
            },
            "points": [None if point is None else str(point) for point in self.points],
            "scaling": None if self.scaling is None else {
                name: [str(factor) for factor in getattr(self.scaling, name)] for name in MATRIX_NAMES
            },
            "merits": None if self.merits is None else asdict(self.merits),
            "best_published": None if self.best is None else asdict(self.best),
            "ratio": None if self.ratio is None else asdict(self.ratio),
        }
        return json.dumps(record, indent=2)


def _number(value: Exact) -> str:
    """A number short enough to read: exact where that is short."""
    text = str(value)
    return text if len(text) <= 20 else f"{float(to_sympy(value)):.8g}"


def _merit_lines(title: str, found: Merits) -> list[str]:
    growth = ", ".join(f"{name} {value:.4g}" for name, value in (
        ("input", found.input_growth), ("filter", found.filter_growth), ("output", found.output_growth)))
    return [
        f"  {title:9} {found.algorithm}",
        f"            mean |error| {found.error}, {found.to_direct.formatted('.2f')} times direct convolution",
        f"            predicted {found.predicted:.2e}, never above {found.bound:.2e}",
        f"            growth: {growth}; one tile: {found.counts}, {found.products} products",
    ]


def _reading_record(reading: Reading) -> dict[str, Any]:
    margin = reading.margin if math.isfinite(reading.margin) else None
    return {"given": reading.given, "value": str(reading.value), "how": reading.how, "clear": reading.clear,
            "margin": margin}
