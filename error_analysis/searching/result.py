"""What a search gives back: candidates with their figures on data it never chose by, and which are best in what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from error_analysis.searching.candidate import Candidate
from error_analysis.searching.measuring import OBJECTIVES, PRODUCTS, Figures
from error_analysis.searching.setting import Setting
from winograd import Algorithm


@dataclass(frozen=True)
class Found:
    """A candidate that a search ended with.

    Attributes
    ----------
    candidate : Candidate
    setting : Setting
    figures : Figures
        On fresh data: the search did not see it, so that the error is not that of a lucky winner.
    chosen_by : Figures
        On the data that it was chosen by.
    """

    candidate: Candidate
    setting: Setting
    figures: Figures
    chosen_by: Figures

    @property
    def algorithm(self) -> Algorithm:
        """The Algorithm."""
        return self.candidate.algorithm(self.setting)

    def __str__(self) -> str:
        c, f = self.candidate, self.figures
        how = "+".join((c.order, *c.passes)) + ("; fma" if c.fma else "")
        scaled = "; scaled" if c.scale_a or c.scale_b else ""
        return (
            f"{'moduli' if c.superlinear else 'points'} {c.points}{scaled}; {how}: error {f.error}, {f.products} "
            f"products, {f.additions + f.fmas} additions, range {f.objective('range'):.3g}, bound {f.bound:.3g}"
        )


@dataclass(frozen=True)
class SearchResult:
    """The Pareto front of a search.

    Attributes
    ----------
    setting : Setting
    front : tuple of Found
        No other result of the search is better in all `objectives`; by the error they were chosen by, lowest first.
    objectives : tuple of str
    budget, seed : int
    estimated, measured : int
        Point sets whose error was estimated, and candidates whose error was measured.
    ended : "complete" or "interrupted"
        Interrupted, the figures are those that the candidates were chosen by.
    """

    setting: Setting
    front: tuple[Found, ...]
    objectives: tuple[str, ...]
    budget: int
    seed: int
    estimated: int
    measured: int
    ended: str = "complete"

    def best(self, objective: str = "error") -> Found:
        """The result that is lowest in one objective; of equal ones the one with the lowest error.

        Raises
        ------
        ValueError
            For an objective that was not searched by, or if the search was interrupted before its first result.
        """
        if not self.front:
            raise ValueError("front must not be empty: the search was interrupted before its first result.")
        if objective not in self.objectives:
            raise ValueError(f"objective must be one of {', '.join(self.objectives)}; got {objective!r}.")
        return min(self.front, key=lambda f: (f.chosen_by.objective(objective), f.chosen_by.objective("error")))

    def __str__(self) -> str:
        head = f"{self.setting.name}: {self.estimated} point sets estimated, {self.measured} candidates measured"
        ended = "" if self.ended == "complete" else f"; {self.ended}"
        return "\n".join([head + ended, *(f"  {found}" for found in self.front)])

    def to_json(self) -> str:
        """The result as JSON text; `from_json` reads it back equal."""
        front = [
            {"candidate": {**vars(f.candidate), "passes": list(f.candidate.passes)},
             "figures": f.figures.to_record(), "chosen_by": f.chosen_by.to_record()}
            for f in self.front
        ]
        plain = {name: getattr(self, name) for name in ("budget", "seed", "estimated", "measured", "ended")}
        record = {"setting": vars(self.setting), "objectives": list(self.objectives), **plain, "front": front}
        return json.dumps(record, indent=2)

    @classmethod
    def from_json(cls, text: str) -> SearchResult:
        """The result that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            record: dict[str, Any] = json.loads(text)
            setting = Setting.from_record(record["setting"])
            front = tuple(
                Found(Candidate.from_record(f["candidate"]), setting, Figures.from_record(f["figures"]),
                      Figures.from_record(f["chosen_by"]))
                for f in record["front"]
            )
            plain = {name: record[name] for name in ("budget", "seed", "estimated", "measured", "ended")}
            return cls(setting, front, tuple(record["objectives"]), **plain)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"text must be a SearchResult record as JSON; {error!r}.") from None


def check_objectives(objectives: tuple[str, ...]) -> None:
    """Refuse unknown objectives, none, or one twice."""
    if not objectives or len(set(objectives)) < len(objectives):
        raise ValueError(f"objectives must be one or more, each once; got {objectives!r}.")
    for name in objectives:
        if name not in (*OBJECTIVES, PRODUCTS):
            raise ValueError(f"objectives must be among {', '.join((*OBJECTIVES, PRODUCTS))}; got {name!r}.")
