from concurrent.futures import Future
from typing import Any

from error_analysis.measurement.interval import Estimate
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.halving import Halving, derived_seed, final_trials
from error_analysis.searching.measuring import Figures, Task
from error_analysis.searching.setting import Setting
from error_analysis.searching.store import Store
from error_analysis.searching.workers import Here, Workers

SETTING = Setting(2, 3, 1)


class Recording(Here):
    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        self.tasks.append(args[0])
        return super().submit(fn, *args)


def with_figures(error: float, additions: int) -> Figures:
    return Figures(Estimate(error, error, error), additions, 0, 0, 1.0, 1.0, 1.0, 1.0, 0, 100, 0, 4)


def test_candidates_are_compared_on_the_same_data_and_fresh_data_is_other() -> None:
    executor = Recording()
    candidates = [Candidate("0, 1, -1, inf", order=order) for order in ("left", "huffman", "sorted", "pairwise")]
    candidates += [Candidate("0, 1, -1, inf", scale_b=f"{k}, 1, 1, 1") for k in (2, 3, 5, 7)]
    with Store(":memory:") as store:
        halving = Halving(SETTING, Workers(executor), store, 3, ("error",))
        front = halving.run(candidates, lambda c: [c])
        chosen_on = {task.seed for task in executor.tasks}
        halving.fresh(front)
    assert chosen_on == {derived_seed(3, 1)}
    fresh = executor.tasks[-len(front) :]
    assert {(task.seed, task.trials) for task in fresh} == {(derived_seed(3, 2), final_trials(SETTING))}
    by_trials = {task.trials: 0 for task in executor.tasks}
    for task in executor.tasks:
        by_trials[task.trials] += 1
    counts = [by_trials[trials] for trials in sorted(by_trials)]
    assert counts[0] == len(candidates)
    assert counts == sorted(counts, reverse=True)
    # The winner is the lowest of those that were measured on the most data.
    errors = {c: f.error.value for c, f in halving.latest.items() if f.trials == max(list(by_trials)[:-1])}
    assert halving.latest[front[0]].error.value == min(errors.values())


def test_a_long_front_keeps_what_is_best_in_each_objective() -> None:
    with Store(":memory:") as store:
        halving = Halving(SETTING, Workers(Here()), store, 0, ("error", "additions"))
        candidates = [Candidate(f"0, {k}, -{k}, inf") for k in range(1, 31)]
        halving.latest = {c: with_figures(1e-8 * k, 100 - k) for k, c in enumerate(candidates, 1)}
        front = halving.front(candidates)
    assert 2 < len(front) < 30
    assert (front[0], front[-1]) == (candidates[0], candidates[-1])


def test_seeds_of_streams_differ() -> None:
    assert len({derived_seed(seed, stream) for seed in range(20) for stream in (1, 2)}) == 40
