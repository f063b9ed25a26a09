"""Fitting the cost model to this machine: a few layers are timed, then the rates that predict them best are kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from statistics import median

import numpy as np

from kernels.choice import candidates
from kernels.cost import filter_cost, forget_schedules
from kernels.direct_schedule import direct_cost
from kernels.layer import Conv2d
from kernels.problem import Problem
from kernels.rates import Rates, keep_rates, rates, use_rates
from kernels.team import thread_count
from kernels.tiled_schedule import tiled_schedule
from winograd import Algorithm

__all__ = ["Timing", "fitted", "mean_misfit", "timings", "tune"]

_LAYERS = (  # channels, filters, size, taps, stride
    (64, 64, 56, 3, 1), (128, 128, 28, 3, 1), (256, 256, 14, 3, 1), (512, 512, 7, 3, 1), (32, 32, 112, 3, 1),
    (64, 256, 28, 1, 1), (16, 16, 56, 3, 1), (128, 128, 28, 3, 2), (512, 512, 14, 3, 1),
)
_FITTED = ("fmas_per_s", "transform", "copy", "pick", "read_near", "read_far", "unit", "late", "filter", "pack")
_CALLS, _FILTER_CALLS = 7, 3


@dataclass(frozen=True)
class Timing:
    """A layer, an algorithm, and the seconds it took; or only what it took to make the filters ready."""

    problem: Problem
    algorithm: Algorithm | str
    seconds: float
    only_filter: bool = False

    def expected(self, model: Rates) -> float:
        """Seconds that the cost model expects."""
        use_rates(model)
        forget_schedules()
        try:
            if self.only_filter:
                cost = filter_cost(self.problem, self.algorithm)
            elif isinstance(self.algorithm, str):
                cost = direct_cost(self.problem)
            else:
                cost = tiled_schedule(self.problem, self.algorithm).cost
        finally:
            use_rates(None)
            forget_schedules()
        return cost / model.fmas_per_s


def timings(progress: Callable[[str], None] = lambda line: None) -> Iterator[Timing]:
    """Time direct and the square fast algorithms on a few layers, with one thread and with all."""
    generator = np.random.default_rng(0)
    for channels, filters, size, taps, stride in _LAYERS:
        x = generator.uniform(-1, 1, (1, channels, size, size)).astype(np.float32)
        w = generator.uniform(-1, 1, (filters, channels, taps, taps)).astype(np.float32)
        fast = candidates(2, (taps, taps), (stride, stride), (1, 1), "float32")
        timed: list[Algorithm | str] = ["direct", *(A for A in fast if A.m[0] == A.m[1])]
        for algorithm in timed:
            for threads in sorted({1, thread_count(None)}):
                layer = Conv2d(w, None, stride, taps // 2, algorithm=algorithm, threads=threads)
                yield Timing(layer.problem_for(x.shape), algorithm, _seconds(partial(layer, x), _CALLS))
            made = partial(Conv2d, w, None, stride, taps // 2, algorithm=algorithm)
            yield Timing(layer.problem_for(x.shape), algorithm, _seconds(made, _FILTER_CALLS), only_filter=True)
        progress(f"{channels} to {filters} channels, {size} x {size}, {taps} x {taps} taps, stride {stride}")


def _seconds(call: Callable[[], object], calls: int) -> float:
    """The median of so many calls after one more."""
    call()
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return median(taken)


def mean_misfit(measured: list[Timing], model: Rates) -> float:
    """The mean of |log(expected / measured)|."""
    return sum(abs(math.log(t.expected(model) / t.seconds)) for t in measured) / len(measured)


def fitted(measured: list[Timing], start: Rates) -> Rates:
    """The rates near `start` that predict the timings best: one after the other, by smaller and smaller factors."""
    best, misfit = start, mean_misfit(measured, start)
    for factor in (1.5, 1.2, 1.08, 1.03):
        improved = True
        while improved:
            improved = False
            for name in _FITTED:
                for step in (factor, 1 / factor):
                    tried = replace(best, **{name: getattr(best, name) * step})
                    error = mean_misfit(measured, tried)
                    if error < misfit * 0.999:
                        best, misfit, improved = tried, error, True
    return best


def tune(progress: Callable[[str], None] = lambda line: None) -> tuple[Rates, float, float]:
    """Time this machine, fit the rates and keep them.

    Returns
    -------
    (Rates, float, float)
        The rates; by what factor the expected times were off on average before, and after.
    """
    assert {field.name for field in fields(Rates)} >= set(_FITTED)
    measured = list(timings(progress))
    before = rates()
    after = fitted(measured, Rates())
    keep_rates(after)
    return after, math.exp(mean_misfit(measured, before)), math.exp(mean_misfit(measured, after))
