"""The cost model: what the time of a schedule is made of, in the unit that all schedules are compared in.

Times are in units of one vector operation: a fused multiply-add of whole vectors, at the rate at which the product
microkernel does them. What else there is to do is counted in the same unit, by the `Rates` of the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from kernels.host import Tile, host
from kernels.microkernel import row_counts, splits
from kernels.problem import Problem
from kernels.rates import Rates, rates
from winograd import Algorithm

__all__ = [
    "PRODUCT_ENDS", "SET_BYTES", "THREAD_BYTES", "filter_cost", "forget_schedules", "makespan", "padded_stride",
    "product_cost", "reading", "remembered", "units_wanted",
]

F = TypeVar("F", bound=Callable[..., Any])

THREAD_BYTES = 4 * 2**20
"""What a thread may take for all it works in."""

PRODUCT_ENDS = 4
"""What beginning and ending a product costs, as of so many channels more."""

SET_BYTES = 4096
"""Rows so far apart share a set of the first-level cache, which holds fewer of them than a register tile has rows."""

_remembered: list[Any] = []


def remembered(function: F) -> F:
    """The function with a memory of what it found, until the rates change."""
    cached = lru_cache(maxsize=4096)(function)
    _remembered.append(cached)
    return cached  # type: ignore[return-value]


def forget_schedules() -> None:
    """To be called when the rates have changed."""
    for cached in _remembered:
        cached.cache_clear()


def padded_stride(numbers: int, tile: Tile, item: int) -> int:
    """The least whole vectors for so many numbers, one more where rows would fall onto each other's cache sets."""
    stride = -(-numbers // tile.length) * tile.length
    return stride + tile.length if stride * item % SET_BYTES == 0 else stride


def makespan(units: int, threads: int, cost: float, rates: Rates) -> float:
    """Expected time until so many units of equal cost are done, by threads of which all but one come late."""
    threads = min(threads, units)
    uneven = (threads - 1) / threads if units % threads else 0.3 * (threads > 1)
    return (units * cost + (threads - 1) * rates.late) / threads + uneven * cost


@lru_cache(maxsize=4096)
def product_cost(rows: int, tile: Tile) -> int:
    """Time of the product of so many rows with one panel, in rows: greater where no high microkernel fits."""
    heights = splits(row_counts(tile.rows))
    cost = 0
    while rows > 0:
        height = heights[min(rows, 2 * tile.rows)]
        cost += max(height, 4) + (height < tile.rows)
        rows -= height
    return cost


def reading(vectors: float, total_bytes: float, rates: Rates) -> float:
    """Time to read so many vectors of filters that take total_bytes altogether."""
    return vectors * (rates.read_far if total_bytes > rates.cache_bytes else rates.read_near)


def filter_cost(problem: Problem, algorithm: Algorithm | str) -> float:
    """Time to make the filters ready, which a layer does once, and a function at every call.

    Parameters
    ----------
    problem : Problem
    algorithm : Algorithm or "direct"
    """
    tile, pairs = host().tile(problem.dtype), problem.groups * problem.channels
    if isinstance(algorithm, str):
        filters = -(-problem.filters // tile.length) * tile.length
        return rates().pack * pairs * filters * math.prod(problem.taps)
    filters = -(-problem.filters // tile.columns) * tile.columns
    return rates().filter * pairs * filters * math.prod(problem.stride) * math.prod(algorithm.n)


def units_wanted(work: float, threads: int) -> int:
    """Some units for each thread, so that all end together; one if a second thread would come too late to gain."""
    return 4 * threads if threads > 1 and work > rates().late else 1
