"""Errors of many algorithms of one size on the same data: all that a curve needs, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from error_analysis.emulation.emulate import direct_like, emulate
from error_analysis.emulation.oracle import exact_correlation
from error_analysis.measurement.data import random_tiles
from error_analysis.measurement.sampling import chunks, error_of, finite_trials, mean_over_outputs, seed_of
from winograd import Algorithm


class Draw(NamedTuple):
    """All that determines the data: equal draws are equal numbers, in whichever process."""

    kind: str
    trials: int
    seed: int
    channels: int


class Errors(NamedTuple):
    """Mean |computed - exact| of each trial, and how many outputs had no finite error."""

    by_trial: np.ndarray
    nonfinite: int


class PairedData:
    """Tiles of one size with their exact results, drawn once for all algorithms that read them."""

    def __init__(self, tile: tuple[int, ...], r: tuple[int, ...], stored_dtype: str, draw: Draw) -> None:
        """For every algorithm of this tile, these taps and this stored format."""
        self.chunks = []
        generator = np.random.Generator(np.random.PCG64(draw.seed))
        for start, stop in chunks(draw.trials, draw.channels, tile):
            d, g = random_tiles(draw.kind, generator, stop - start, draw.channels, tile, r, stored_dtype)
            self.chunks.append((seed_of(draw.seed, start), d, g, *exact_correlation(d, g)))

    def errors(self, A: Algorithm) -> Errors:
        """Of the emulated algorithm, the numbers that `error_analysis.measure` has."""
        return self._gathered((emulate(A, d, g, seed=seed), high, low) for seed, d, g, high, low in self.chunks)

    def direct_errors(self, A: Algorithm) -> Errors:
        """Of direct convolution in the formats of the algorithm."""
        return self._gathered((direct_like(A, d, g, seed + 1), high, low) for seed, d, g, high, low in self.chunks)

    def _gathered(self, parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Errors:
        means, nonfinite = [], 0
        for e in _each_error(parts):
            means.append(mean_over_outputs(e))
            nonfinite += int(np.isnan(e).sum())
        return Errors(np.concatenate(means), nonfinite)


@lru_cache(maxsize=1)
def paired_data(tile: tuple[int, ...], r: tuple[int, ...], stored_dtype: str, draw: Draw) -> PairedData:
    """The data, kept for whoever asks next; `paired_data.cache_clear()` lets go of it."""
    return PairedData(tile, r, stored_dtype, draw)


def _each_error(parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
    for y, high, low in parts:
        with np.errstate(all="ignore"):  # overflow is a result
            yield error_of(y, high, low, finite_trials(high))
