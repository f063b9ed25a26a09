"""How work is cut into units for threads and caches, and the time it should then take: the cost model.

Times are in units of one vector operation: a fused multiply-add of whole vectors, at the rate at which the product
microkernel does them. What else there is to do is counted in the same unit, by the `Rates` of the machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kernels.host import Tile, host
from kernels.microkernel import row_counts, splits
from kernels.problem import Problem, Triple
from kernels.rates import Rates, rates
from winograd import Algorithm

__all__ = [
    "SET_BYTES", "DirectSchedule", "TiledSchedule", "depthwise_schedule", "direct_cost", "direct_schedule",
    "filter_cost", "forget_schedules", "is_pointwise", "padded_stride", "planes_schedule", "pointwise_schedule",
    "tile_counts", "tiled_schedule", "triple",
]

_BLOCK_BYTES = 768 * 1024
"""What V and one panel of M may take: most of a second-level cache of one MiB, common on servers."""

_MOST_ROWS = 8
"""Register tiles a block has at most; more reuse of U gains nothing."""

_STRIP_BYTES = 384 * 1024
"""What the input window of a direct block may take: with a panel of the filter it should stay in that cache."""

_DEPTHWISE_BYTES = 96 * 1024
"""What the window and the outputs of a block of one vector of channels may take."""

_THREAD_BYTES = 4 * 2**20
"""What a thread may take for all it works in."""

_SMALL_BYTES = 640 * 1024
"""What of that is kept for the small buffers of the fast kernels: all but V and M."""

_PRODUCT_ENDS = 4
"""What beginning and ending a product costs, as of so many channels more."""

_DEPTHWISE_ENDS = 5
"""The same for a vector of outputs of a depthwise convolution: as of so many taps more."""

SET_BYTES = 4096
"""Rows so far apart share a set of the first-level cache, which holds fewer of them than a register tile has rows."""


@dataclass(frozen=True)
class DirectSchedule:
    """Outputs of a block, parts of the filters (depthwise: of the channels) that are units of their own; time."""

    rows: int
    columns: int
    parts: int
    cost: float


@dataclass(frozen=True)
class TiledSchedule:
    """Tiles of a block, parts of the panels; distance of rows of V; time."""

    block: int
    parts: int
    v_stride: int
    cost: float


def triple(values: tuple[int, ...]) -> Triple:
    """One to three numbers as (z, 0, 1).

    Examples
    --------
    >>> triple((3, 5))
    (1, 3, 5)
    """
    z, first, second = (1, 1, *values)[-3:]
    return z, first, second


def padded_stride(numbers: int, tile: Tile, item: int) -> int:
    """The least whole vectors for so many numbers, one more where rows would fall onto each other's cache sets."""
    stride = -(-numbers // tile.length) * tile.length
    return stride + tile.length if stride * item % SET_BYTES == 0 else stride


def _makespan(units: int, threads: int, cost: float, rates: Rates) -> float:
    """Expected time until so many units of equal cost are done, by threads of which all but one come late."""
    threads = min(threads, units)
    uneven = (threads - 1) / threads if units % threads else 0.3 * (threads > 1)
    return (units * cost + (threads - 1) * rates.late) / threads + uneven * cost


@lru_cache(maxsize=4096)
def _product_cost(rows: int, tile: Tile) -> int:
    """Time of the product of so many rows with one panel, in rows: greater where no high microkernel fits."""
    heights = splits(row_counts(tile.rows))
    cost = 0
    while rows > 0:
        height = heights[min(rows, 2 * tile.rows)]
        cost += max(height, 4) + (height < tile.rows)
        rows -= height
    return cost


def _reading(vectors: float, total_bytes: float, rates: Rates) -> float:
    """Time to read so many vectors of filters that take total_bytes altogether."""
    return vectors * (rates.read_far if total_bytes > rates.cache_bytes else rates.read_near)


@lru_cache(maxsize=4096)
def direct_schedule(problem: Problem) -> DirectSchedule:
    """The schedule of least expected time for `direct`."""
    model, tile, item = rates(), host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    _, height, width = problem.out
    channels = -(-problem.channels // tile.length) * tile.length
    taps = math.prod(problem.taps)
    panels = -(-problem.filters // tile.columns)
    flat = problem.taps[1:] == (1, 1)
    planes = problem.images * problem.out[0] * problem.groups
    filter_bytes = problem.groups * panels * tile.columns * taps * problem.channels * item
    copied = problem.x_steps[1] != 1 or problem.pad != (0, 0, 0)
    best: DirectSchedule | None = None
    for columns in (width >> halvings for halvings in range(width.bit_length())):
        if columns < 14 and columns < width and best is not None:
            break
        for rows in range(1, height + 1):
            if rows > 1 and -(-height // rows) == -(-height // (rows - 1)):
                continue  # as many blocks as with a row less
            slices, down, across = problem.window(rows, columns)
            strip = slices * down * max(across, columns * problem.stride[2])
            taken = strip * (channels + tile.length) + rows * columns * tile.columns
            if taken * item > _THREAD_BYTES and rows * columns > 1:
                break
            if strip * channels * item > _STRIP_BYTES and rows > 1:
                break
            runs = _product_cost(rows * columns, tile) if flat else rows * _product_cost(columns, tile)
            blocks = planes * -(-height // rows) * -(-width // columns)
            for parts in sorted({1, min(panels, 2), min(panels, problem.threads), min(panels, 2 * problem.threads)}):
                share = -(-panels // parts)
                across = min(share * tile.vectors, -(-problem.filters // tile.length))  # vectors of filters
                vectors = across * taps * problem.channels
                cost = (
                    runs * vectors
                    + model.copy * strip * channels / tile.length * copied
                    + model.copy * rows * columns * across * (problem.y_steps[1] != 1)
                    + _reading(vectors, filter_bytes, model)
                    + model.unit
                )
                total = _makespan(blocks * parts, problem.threads, cost, model)
                if best is None or total < best.cost:
                    best = DirectSchedule(rows, columns, parts, total)
        if best is not None and best.rows > 1:
            break  # whole rows fit
    assert best is not None
    return best


def direct_cost(problem: Problem) -> float:
    """Expected time of `direct`, as planes or in vectors of filters, whichever is faster."""
    cost = direct_schedule(problem).cost
    return min(cost, pointwise_schedule(problem).cost) if is_pointwise(problem) else cost


def forget_schedules() -> None:
    """To be called when the rates have changed."""
    for cached in (direct_schedule, pointwise_schedule, tiled_schedule):
        cached.cache_clear()


def is_pointwise(problem: Problem) -> bool:
    """Whether filters of one tap meet planes whose pixels follow each other, in and out."""
    _, height, width = problem.size
    plane = (height * width, width, 1)
    follow = all(
        length == 1 or x_step == y_step == step
        for length, x_step, y_step, step in zip(
            problem.size, problem.x_steps[2:], problem.y_steps[2:], plane, strict=True
        )
    )
    return follow and problem.taps == problem.stride == (1, 1, 1) and problem.out == problem.size


@lru_cache(maxsize=4096)
def pointwise_schedule(problem: Problem) -> DirectSchedule:
    """The schedule of least expected time for them; its columns are pixels of a plane."""
    model, tile, item = rates(), host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    pixels = math.prod(problem.size)
    filter_bytes = problem.groups * problem.filters * problem.channels * item
    best: DirectSchedule | None = None
    for panels in range(1, min(_MOST_ROWS, -(-pixels // tile.columns)) + 1):
        columns = panels * tile.columns
        if panels > 1 and columns * problem.channels * item > _STRIP_BYTES:
            break
        blocks = -(-pixels // columns) * problem.images * problem.groups
        vectors = pixels / columns / -(-pixels // columns) * panels * tile.vectors
        for parts in sorted({1, min(problem.filters, problem.threads), min(problem.filters, 2 * problem.threads)}):
            filters = -(-problem.filters // parts)
            cost = (
                _product_cost(filters, tile) * vectors * problem.channels
                + 0.3 * model.copy * vectors * problem.channels  # without a transposition
                + _reading(panels * filters * problem.channels / tile.length, filter_bytes, model)
                + model.unit
            )
            total = _makespan(blocks * parts, problem.threads, cost, model)
            if best is None or total < best.cost:
                best = DirectSchedule(1, columns, parts, total)
    assert best is not None
    return best
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


def depthwise_schedule(problem: Problem, in_place: bool) -> DirectSchedule:
    """The schedule for groups of one channel, of which in_place says whether they are read where they lie."""
    length = host().tile(problem.dtype).length
    limit = _DEPTHWISE_BYTES // (length * np.dtype(problem.dtype).itemsize)
    chunks = -(-problem.groups // length)
    columns = problem.out[2]
    while math.prod(problem.window(1, columns)) > limit and columns > 1:
        columns = -(-columns // 2)
    rows = 1
    while rows < problem.out[1] and math.prod(problem.window(rows + 1, columns)) + (rows + 1) * columns <= limit:
        rows += 1
    parts = 1 if in_place else chunks
    vectors = problem.images * math.prod(problem.out) * chunks * problem.filters
    work = vectors * (math.prod(problem.taps) + (_DEPTHWISE_ENDS if in_place else 3 * _DEPTHWISE_ENDS))
    wanted = _units_wanted(work, problem.threads)
    if wanted > 1:
        wanted = -(-wanted // (problem.images * problem.out[0] * parts))
        rows = max(1, min(rows, problem.out[1] // wanted))
        if in_place and -(-problem.out[1] // rows) < wanted:
            parts = min(chunks, -(-wanted // -(-problem.out[1] // rows)))
    elif in_place and problem.groups % length == 0:  # one unit, if one plane: no strip is needed
        rows, columns = problem.out[1:]
    return DirectSchedule(rows, columns, parts, _makespan(wanted, problem.threads, work / wanted, rates()))


def planes_schedule(problem: Problem, down: int) -> DirectSchedule:
    """The same on planes, `down` rows of outputs at a time: rows of a block, and planes (parts) of a unit."""
    length = host().tile(problem.dtype).length
    planes = problem.images * problem.groups * problem.filters
    vectors = planes * problem.out[0] * problem.out[1] * -(-problem.out[2] // length)
    work = vectors * (math.prod(problem.taps) + 2 * _DEPTHWISE_ENDS)
    wanted = _units_wanted(work, problem.threads)
    units = max(1, min(wanted, planes * problem.out[0]))
    rows = problem.out[1]
    if units < wanted:  # few planes: blocks of whole tiles
        rows = min(rows, -(-rows // (-(-wanted // units)) // down + 1) * down)
    parts = max(1, planes * problem.out[0] // wanted)
    return DirectSchedule(rows, problem.out[2], parts, _makespan(wanted, problem.threads, work / wanted, rates()))


def _units_wanted(work: float, threads: int) -> int:
    """Some units for each thread, so that all end together; one if a second thread would come too late to gain."""
    return 4 * threads if threads > 1 and work > rates().late else 1


def tile_counts(problem: Problem, m: Triple) -> Triple:
    """Tiles of m outputs along each axis, of one phase of the dilation."""
    z, first, second = (
        math.ceil(math.ceil(out / dilation) / outputs)
        for out, dilation, outputs in zip(problem.out, problem.dilation, m, strict=True)
    )
    return z, first, second


@lru_cache(maxsize=4096)
def tiled_schedule(problem: Problem, algorithm: Algorithm) -> TiledSchedule:
    """The schedule of least expected time for a fast algorithm."""
    model, tile, item = rates(), host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    phases = math.prod(problem.stride)
    channels = problem.channels * phases
    # Each phase writes whole vectors, the last ones of which may be less than full.
    used = (phases - 1) * problem.channels + -(-problem.channels // tile.length) * tile.length
    v_stride = padded_stride(used, tile, item)
    products = math.prod(algorithm.n)
    m = triple(algorithm.m)
    tiles = problem.images * math.prod(problem.dilation) * math.prod(tile_counts(problem, m))
    panels = -(-problem.filters // tile.columns)
    filter_bytes = problem.groups * products * panels * tile.columns * channels * item
    per_row = products * item * (v_stride + tile.columns) * tile.rows
    most = max(1, min(_MOST_ROWS, _BLOCK_BYTES // per_row)) * tile.rows
    most = max(1, min(most, (_THREAD_BYTES - _SMALL_BYTES) * tile.rows // per_row))
    fewest = -(-tiles // most)
    taken = phases * -(-problem.channels // tile.length)  # vectors of channels, each phase's by themselves
    gathering = 0.0
    if max(problem.stride + problem.dilation) > 1:
        picked = problem.x_steps[4] == 1 and max(problem.stride[2], problem.dilation[2]) > 1
        gathering = (model.pick if picked else model.copy) * math.prod(triple(algorithm.tile)) * taken
    best: TiledSchedule | None = None
    for blocks in range(fewest, min(tiles, fewest + 4 * problem.threads) + 1):
        for whole in (tile.rows, 1):  # blocks of whole register tiles, or as equal as can be
            block = min(tiles, most, math.ceil(math.ceil(tiles / blocks) / whole) * whole)
            count, last = -(-tiles // block), tiles % block or block
            for parts in sorted({1, min(panels, problem.threads), min(panels, 2 * problem.threads)}):
                share = -(-panels // parts)
                vectors = products * share * tile.vectors * channels

                def cost(size: int, share: int = share, vectors: int = vectors) -> float:
                    return (
                        _product_cost(size, tile) * (vectors + _PRODUCT_ENDS * products * share * tile.vectors)
                        + model.transform * products * size * (taken + share * tile.vectors)
                        + gathering * size
                        + _reading(vectors, filter_bytes, model)
                        + model.unit
                    )

                mean = ((count - 1) * cost(block) + cost(last)) / count
                total = _makespan(count * problem.groups * parts, problem.threads, mean, model)
                if best is None or total < best.cost:
                    best = TiledSchedule(block, parts, v_stride, total)
    assert best is not None
    return best
