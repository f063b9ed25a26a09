"""Trials, one chunk after the other: tiles computed by one or several algorithms, and what is kept of their errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from error_analysis.emulation.conversion import convert, quantum
from error_analysis.emulation.emulate import direct_like, emulate
from error_analysis.emulation.oracle import Oracle, exact_correlation
from error_analysis.measurement.ranges import RangeObserver, StageRange
from winograd import Algorithm
from winograd.rounding import format_of

Computed = Callable[[Algorithm, np.ndarray, np.ndarray, int, RangeObserver], np.ndarray]
"""(A, d, g, seed of stochastic rounding, observer) -> y."""

# Numbers of data per chunk: few enough to stay in a cache of some megabytes, enough to make NumPy's overhead small.
_CHUNK_SIZE = 2**17
# With many channels each operation of the channel sum still has this many trials to work on.
_LEAST_TRIALS = 32
_MOST_TRIALS = 1024
# Errors kept one by one for the quantiles; those of later trials only enter the means, counts and maxima.
_KEPT = 2**22


@dataclass
class Samples:
    """What is kept of the trials of one algorithm.

    `by_trial` holds one number for each trial, NaN where no output of it has a finite error: means over its outputs
    of the absolute error, of that of direct convolution, of the correctly rounded result and of the error in ulps,
    and sums over its outputs of |e|, |y|, ulp(y), e^2 and y^2. `largest` holds maxima over all outputs.
    """

    by_trial: dict[str, list[np.ndarray]] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    errors: list[np.ndarray] = field(default_factory=list)
    ulps: list[np.ndarray] = field(default_factory=list)
    position_sums: np.ndarray | None = None
    position_counts: np.ndarray | None = None
    ranges: dict[str, StageRange] = field(default_factory=dict)
    nonfinite: int = 0
    trials: int = 0

    def over_trials(self, name: str) -> np.ndarray:
        """The numbers of all trials."""
        return np.concatenate(self.by_trial[name])

    def grown(
        self, e: np.ndarray, others: dict[str, np.ndarray], exact: np.ndarray, unit: np.ndarray,
        ranges: dict[str, StageRange],
    ) -> Samples:
        """These samples and one chunk more; a new object, so that an interruption finds a whole one.

        e, each of the others, the exact outputs and the ulps at them are (trials, outputs); errors that are not
        finite are NaN.
        """
        known = ~np.isnan(e)
        whole = bool(known.all())
        y = np.abs(exact) if whole else np.where(known, np.abs(exact), 0)
        kept_e = e if whole else np.where(known, e, 0)
        counts = np.full(len(e), e.shape[1]) if whole else known.sum(axis=1)
        with np.errstate(all="ignore"):  # 0 / 0 is NaN where a trial has no output to average over
            sums = {
                "sum_e": kept_e.sum(axis=1), "sum_y": y.sum(axis=1),
                "sum_ulp": (unit if whole else np.where(known, unit, 0)).sum(axis=1),
                "sum_e2": (kept_e * kept_e).sum(axis=1), "sum_y2": (y * y).sum(axis=1),
            }
            new = {name: mean_over_outputs(values) for name, values in {"error": e, **others}.items()}
            new |= {name: np.where(counts, total, np.nan) for name, total in sums.items()}
        largest = {"error": e, "y": y, **others}
        # One trial after the other, whatever the chunks are, so that chunks change no bit.
        sums_before = np.zeros(e.shape[1]) if self.position_sums is None else self.position_sums
        counts_before = np.zeros(e.shape[1], int) if self.position_counts is None else self.position_counts
        keep = sum(part.size for part in self.errors) < _KEPT
        return Samples(
            {name: [*self.by_trial.get(name, []), values] for name, values in new.items()},
            {name: max(self.largest.get(name, math.nan), _largest(values), key=_nan_last)
             for name, values in largest.items()},
            [*self.errors, e[known]] if keep else self.errors,
            [*self.ulps, others["ulps"][~np.isnan(others["ulps"])]] if keep else self.ulps,
            np.cumsum(np.vstack([sums_before, kept_e]), axis=0)[-1],
            counts_before + known.sum(axis=0),
            {stage: self.ranges[stage] + seen if stage in self.ranges else seen for stage, seen in ranges.items()},
            self.nonfinite + int(e.size - known.sum()),
            self.trials + len(e),
        )


def mean_over_outputs(e: np.ndarray) -> np.ndarray:
    """Means of the known errors of each trial, NaN where none is; e is (trials, outputs)."""
    known = ~np.isnan(e)
    if known.all():
        return np.asarray(e.mean(axis=1))
    with np.errstate(invalid="ignore"):  # 0 / 0
        return np.asarray(np.where(known, e, 0).sum(axis=1) / known.sum(axis=1))


def seed_of(seed: int, start: int) -> int:
    """The seed of stochastic rounding in the chunk that starts at a trial: each chunk has random numbers of its own."""
    return int(np.random.SeedSequence([seed, start]).generate_state(1, np.uint64)[0])


def _largest(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else math.nan


def _nan_last(value: float) -> tuple[bool, float]:
    return not math.isnan(value), value


def chunks(trials: int, channels: int, tile: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """(start, stop) of each chunk. All but the last are as long, however many trials there are."""
    size = max(_LEAST_TRIALS, min(_MOST_TRIALS, _CHUNK_SIZE // (channels * math.prod(tile))))
    for start in range(0, trials, size):
        yield start, min(start + size, trials)


def sampled(
    algorithms: Sequence[Algorithm], before: Sequence[Samples], d: np.ndarray, g: np.ndarray, seed: int,
    computed: Computed, oracle: Oracle,
) -> list[Samples]:
    """Samples of each algorithm after one more chunk of trials, all on the same data.

    An algorithm whose tile is smaller than that of the data reads its leading part. Trials whose data is not finite
    have no exact result: they are computed, so that their range is seen, and all their errors count as not finite.
    """
    finite = finite_trials(d) & finite_trials(g)
    after = []
    for A, samples in zip(algorithms, before, strict=True):
        carrier = format_of(A.stored_dtype).carrier
        x = d[(slice(None), slice(None), *(slice(length) for length in A.tile))].astype(carrier, copy=False)
        w = g.astype(carrier, copy=False)
        observer = RangeObserver(A)
        y = computed(A, x, w, seed, observer)
        if not finite.all():
            x, w = x.copy(), w.copy()
            x[~finite] = w[~finite] = 0
        high, low = exact_correlation(x, w, oracle)
        with np.errstate(all="ignore"):
            error = error_of(y, high, low, finite)
            unit = np.ascontiguousarray(quantum(high, format_of(A.stored_dtype))).reshape(error.shape)
            exact = np.ascontiguousarray(high).reshape(error.shape)
            others = {
                "direct": error_of(direct_like(A, x, w, seed + 1), high, low, finite),
                "rounded": error_of(convert(high, A.stored_dtype, error=low), high, low, finite),
                "ulps": np.where(exact == 0, np.nan, error / unit),
            }
        after.append(samples.grown(error, others, exact, unit, observer.ranges))
    return after


def finite_trials(array: np.ndarray) -> np.ndarray:
    """Which trials hold finite numbers only."""
    return np.asarray(np.isfinite(array).reshape(len(array), -1).all(axis=1))


def error_of(y: np.ndarray, high: np.ndarray, low: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """|y - exact| as (trials, outputs), NaN where it is not finite.

    The first difference is exact where y has the leading bit right.
    """
    # Contiguous: the order of NumPy's sums depends on the layout.
    error = np.ascontiguousarray(np.abs((np.asarray(y, np.float64) - high) - low)).reshape(len(y), -1)
    if not (finite.all() and np.isfinite(error).all()):
        error = np.where(np.isfinite(error) & finite[:, np.newaxis], error, np.nan)
    return error


def emulated(A: Algorithm, d: np.ndarray, g: np.ndarray, seed: int, observer: RangeObserver) -> np.ndarray:
    """The Programs run operation by operation."""
    return emulate(A, d, g, seed=seed, observe=observer)


def compiled(A: Algorithm, d: np.ndarray, g: np.ndarray, seed: int, observer: RangeObserver) -> np.ndarray:
    """The compiled convolution on single tiles: one call for each trial, since every trial has its own filter."""
    import kernels

    convolution = (kernels.conv1d, kernels.conv2d, kernels.conv3d)[A.dims - 1]
    tiles = [convolution(x[np.newaxis], w[np.newaxis], algorithm=A)[0, 0] for x, w in zip(d, g, strict=True)]
    y = np.stack(tiles)
    observer("y", y)
    return y
