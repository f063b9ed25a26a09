"""Successive halving: many candidates on little data, the better ones on more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from error_analysis.searching.candidate import Candidate
from error_analysis.searching.measuring import Figures, Task
from error_analysis.searching.pareto import pareto_front
from error_analysis.searching.setting import Setting
from error_analysis.searching.store import Store
from error_analysis.searching.workers import Workers, measured

SearchProgress = Callable[[int, int, float], None]
"""Called as progress(measurements done, measurements expected, lowest error so far)."""

# A tile of two axes has more outputs, so its mean error varies less from trial to trial.
_FIRST_TRIALS = {1: 1000, 2: 250}
_GROWTH = 4  # of trials from rung to rung, and of how many drop out
_LEAST_KEPT = 4
_VARIED = 3
_LONGEST_FRONT = 12
_SMALL = 8


@dataclass
class Halving:
    """One search's measurements: all on the same data, so that candidates are compared pair by pair.

    Attributes
    ----------
    setting : Setting
    workers, store : where measurements are made and kept
    seed : int
        Of the search; the data of the choosing and the fresh data have seeds derived from it.
    objectives : tuple of str
    progress : callable, optional
    latest : dict
        Figures of each candidate on the most data so far.
    """

    setting: Setting
    workers: Workers
    store: Store
    seed: int
    objectives: tuple[str, ...]
    progress: SearchProgress | None = None
    latest: dict[Candidate, Figures] = field(default_factory=dict)
    done: int = 0
    expected: int = 0

    def run(self, candidates: Sequence[Candidate], vary: Callable[[Candidate], Sequence[Candidate]]) -> list[Candidate]:
        """The front of the candidates, and of the variants of the best of them; `latest` has what chose it."""
        trials = _FIRST_TRIALS[self.setting.dims]
        data = derived_seed(self.seed, 1)
        varied = _VARIED * len(vary(candidates[0]))
        self.expected = len(candidates) + len(candidates) // _GROWTH + varied + 4 * _LEAST_KEPT
        kept = list(dict.fromkeys(candidates))
        self._measure(kept, trials, data)
        for last in (False, True):
            trials *= _GROWTH
            kept = self._better(kept)
            if last:
                kept = list(dict.fromkeys([*kept, *(v for c in kept[:_VARIED] for v in vary(c))]))
                self._measure(kept, trials // _GROWTH, data)
                kept = self._better(kept)
            self._measure(kept, trials, data)
        return self.front(kept)

    def fresh(self, candidates: Sequence[Candidate]) -> list[Figures]:
        """Figures on data that chose nothing."""
        trials = final_trials(self.setting)
        return self._figures(candidates, trials, derived_seed(self.seed, 2), keep=False, bounded=True)

    def front(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that are best in some balance of the objectives, on the most data they share; lowest error first."""
        rows = [self._row(c) for c in candidates]
        chosen = sorted((candidates[i] for i in pareto_front(rows)), key=self._order)
        if len(chosen) <= _LONGEST_FRONT:
            return chosen
        # Of a long front, what is best in an objective, and then what errs least.
        best = [min(chosen, key=lambda c: self.latest[c].objective(name)) for name in self.objectives]
        kept = list(dict.fromkeys([*best, *chosen]))[:_LONGEST_FRONT]
        return [c for c in chosen if c in kept]

    def _better(self, candidates: list[Candidate]) -> list[Candidate]:
        """A part of the candidates, those of lowest error, and with them the front in all objectives."""
        ranked = sorted(candidates, key=self._order)
        kept = ranked[: max(_LEAST_KEPT, len(ranked) // _GROWTH)]
        return list(dict.fromkeys([*kept, *self.front(candidates)]))

    def _order(self, candidate: Candidate) -> tuple[float, str]:
        return self.latest[candidate].objective("error"), candidate.to_json()

    def _row(self, candidate: Candidate) -> list[float]:
        return [self.latest[candidate].objective(name) for name in self.objectives]

    def _measure(self, candidates: Sequence[Candidate], trials: int, seed: int) -> None:
        self._figures(candidates, trials, seed, keep=True, bounded="bound" in self.objectives)

    def _figures(
        self, candidates: Sequence[Candidate], trials: int, seed: int, keep: bool, bounded: bool
    ) -> list[Figures]:
        def arrived(task: Task, found: Figures) -> None:
            if keep:
                self.latest[task.candidate] = found
            self.done += 1
            if self.progress is not None:
                lowest = min((f.objective("error") for f in self.latest.values()), default=float("nan"))
                self.progress(self.done, max(self.expected, self.done), lowest)

        tasks = [Task(c, self.setting, trials, seed, bounded) for c in candidates]
        return measured(tasks, self.workers, self.store, arrived)


def final_trials(setting: Setting) -> int:
    """Trials of the last measurement: enough for an interval of 1 % to each side, fewer for large tiles, which cost."""
    if setting.dims == 1:
        return 40_000
    return 32_000 if setting.n <= _SMALL else 12_000


def derived_seed(seed: int, stream: int) -> int:
    """A seed of its own for each use of a search's seed."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])
