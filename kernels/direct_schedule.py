"""How direct convolution is cut into units for threads and caches, and the time it should then take.

It has two kernels. One holds vectors of filters, and reads pixels whose channels follow each other; planes are
transposed for it, on the way in and out. The other holds vectors of columns, and runs on planes only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kernels.cost import (
    PRODUCT_ENDS,
    SET_BYTES,
    THREAD_BYTES,
    makespan,
    padded_stride,
    product_cost,
    reading,
    remembered,
)
from kernels.host import Tile, host
from kernels.microkernel import AHEAD
from kernels.problem import Problem
from kernels.rates import Rates, rates
from kernels.workspace import workspace_bytes

__all__ = [
    "DirectSchedule", "direct_cost", "flattened", "has_planes", "is_read_in_place", "near_filters", "pixels_schedule",
    "pixels_window", "planes_buffers", "planes_pitch", "planes_schedule",
]

_STRIP_BYTES = 384 * 1024
"""What the input window of a block may take: with a panel of the filter it should stay in a second-level cache."""

_NEAR_BYTES = 128 * 1024
"""Filters that the kernel on planes passes over a block before it turns to the next ones: they stay in a cache."""

_BROADCASTS = 3.0
"""How much longer than vectors it takes to read as many numbers one by one, many rows of them at a time."""


@dataclass(frozen=True)
class DirectSchedule:
    """Outputs of a block, parts of the filters (depthwise: of the channels) that are units of their own; time."""

    rows: int
    columns: int
    parts: int
    cost: float


def direct_cost(problem: Problem) -> float:
    """Expected time of `direct`, in vectors of filters or on planes, whichever is faster."""
    problem = flattened(problem)
    cost = pixels_schedule(problem).cost
    return min(cost, planes_schedule(problem).cost) if has_planes(problem) else cost


def flattened(problem: Problem) -> Problem:
    """The same as one row of outputs, as far as memory allows, where each output needs one pixel only.

    Examples
    --------
    >>> one = Problem(images=2, channels=3, filters=4, groups=1, size=(1, 5, 6), out=(1, 5, 6), taps=(1, 1, 1),
    ...               stride=(1, 1, 1), dilation=(1, 1, 1), pad=(0, 0, 0), x_steps=(90, 30, 30, 6, 1),
    ...               y_steps=(120, 30, 30, 6, 1), dtype="float32", threads=1, has_bias=False, relu=False)
    >>> flattened(one).out
    (1, 1, 30)
    """
    if problem.taps != (1, 1, 1) or problem.stride != (1, 1, 1) or problem.out != problem.size:
        return problem
    sizes, x_steps, y_steps = [problem.images, *problem.out], list(problem.x_steps), list(problem.y_steps)
    del x_steps[1], y_steps[1]
    for axis in (2, 1, 0):  # into the columns: rows, planes, images, until one does not follow
        follows = all(steps[axis] == sizes[3] * steps[3] for steps in (x_steps, y_steps))
        if not follows and sizes[axis] > 1:
            break
        sizes[axis], sizes[3] = 1, sizes[axis] * sizes[3]
    space = (sizes[1], sizes[2], sizes[3])
    return replace(problem, images=sizes[0], size=space, out=space, dilation=(1, 1, 1))


def _blocks(
    problem: Problem, step: int, window: Callable[[Problem, int, int], int], output_bytes: int = 0
) -> Iterator[tuple[int, int]]:
    """Rows and columns of the blocks worth trying: whole rows, if more than one of them fit into the caches.

    Parameters
    ----------
    step : int
        Outputs of a register tile.
    window : callable
        What the window of a block takes, in bytes.
    output_bytes : int
        What an output takes besides.
    """
    _, height, width = problem.out
    if height == 1 and problem.taps[1:] == (1, 1):  # whole register tiles
        tiles = -(-width // step)
        for size in sorted({-(-tiles // count) for count in range(1, tiles + 1)}):
            columns = min(width, size * step)
            if size > 1 and window(problem, 1, columns) > _STRIP_BYTES:
                return
            yield 1, columns
        return
    most = 0
    for columns in (width >> halvings for halvings in range(width.bit_length())):
        if most > 1 or (most == 1 and columns < step):
            return
        for rows in range(1, height + 1):
            if rows > 1 and -(-height // rows) == -(-height // (rows - 1)):
                continue  # as many blocks as with a row less
            if rows > 1 and window(problem, rows, columns) > _STRIP_BYTES:
                break
            if rows * columns > 1 and window(problem, rows, columns) + rows * columns * output_bytes > THREAD_BYTES:
                break
            most = rows
            yield rows, columns


def pixels_window(problem: Problem, rows: int, columns: int) -> tuple[int, int, int]:
    """Size of the strip of pixels that a block of so many outputs needs: slices, rows, columns."""
    slices, down, across = problem.window(rows, columns)
    if problem.taps[1] == 1:
        down = rows
    if problem.taps[2] == 1:  # planes are read by whole vectors, whatever the stride
        across = columns * (problem.stride[2] if problem.x_steps[4] == 1 else 1)
    return slices, down, across


def _pixels_bytes(problem: Problem, rows: int, columns: int) -> int:
    tile, item = host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    channels = -(-problem.channels // tile.length) * tile.length
    return math.prod(pixels_window(problem, rows, columns)) * (channels + tile.length) * item


def _planes_bytes(problem: Problem, rows: int, columns: int) -> int:
    sizes, integers = planes_buffers(problem, host().tile(problem.dtype), rows, columns)
    return workspace_bytes(sizes, problem.dtype, integers)


@remembered
def pixels_schedule(problem: Problem) -> DirectSchedule:
    """The schedule of least expected time in vectors of filters."""
    model, tile, item = rates(), host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    channels = -(-problem.channels // tile.length) * tile.length
    taps = math.prod(problem.taps)
    panels = -(-problem.filters // tile.columns)
    flat = problem.taps[1:] == (1, 1)
    filter_bytes = problem.groups * panels * tile.columns * taps * problem.channels * item
    copied = problem.x_steps[1] != 1 or problem.pad != (0, 0, 0)
    best: DirectSchedule | None = None
    for rows, columns in _blocks(problem, tile.rows, _pixels_bytes, tile.columns * item):
        strip = math.prod(pixels_window(problem, rows, columns))
        runs = product_cost(rows * columns, tile) if flat else rows * product_cost(columns, tile)
        for parts in _parts(panels, problem.threads):
            share = -(-panels // parts)
            vectors = min(share * tile.vectors, -(-problem.filters // tile.length))  # of filters
            cost = (
                runs * vectors * (taps * problem.channels + PRODUCT_ENDS)
                + model.copy * strip * channels / tile.length * copied
                + model.copy * rows * columns * vectors * (problem.y_steps[1] != 1)
                + reading(vectors * taps * problem.channels, filter_bytes, model)
                + model.unit
            )
            best = _better(best, problem, rows, columns, parts, cost, model)
    assert best is not None
    return best


def has_planes(problem: Problem) -> bool:
    """Whether columns lie side by side, in and out."""
    return problem.x_steps[4] == problem.y_steps[4] == 1


def is_read_in_place(problem: Problem) -> bool:
    """Whether the kernel on planes reads the image itself, all but its very end, instead of a strip.

    A panel takes a few columns of each channel: that far apart, memory that is in no cache is slow to come.
    """
    numbers = problem.images * problem.groups * problem.channels * math.prod(problem.size)
    is_near = 2 * numbers * np.dtype(problem.dtype).itemsize <= rates().cache_bytes
    return is_near and problem.is_inside() and problem.stride[2] == 1


def planes_pitch(problem: Problem, tile: Tile, rows: int, columns: int) -> int:
    """Distance of the channels of the strip that a block of so many outputs needs, in elements."""
    slices, down, _ = problem.window(rows, columns)
    if problem.taps[1] == 1:
        down = rows
    pitch = columns + (problem.taps[2] - 1) * problem.dilation[2] // problem.stride[2]
    phases = 1 if problem.taps[2] == 1 else problem.stride[2]
    if phases > 1:
        pitch = -(-pitch // tile.length) * tile.length
    whole = slices * down * phases * pitch
    return whole + tile.length if whole * np.dtype(problem.dtype).itemsize % SET_BYTES == 0 else whole


def near_filters(problem: Problem, tile: Tile) -> int:
    """How many filters the kernel on planes passes over all outputs of a block before it turns to the next."""
    item = np.dtype(problem.dtype).itemsize
    row = padded_stride(math.prod(problem.taps) * problem.channels, tile, item)
    return min(problem.filters, max(1, _NEAR_BYTES // (row * item * tile.rows)) * tile.rows)


def planes_buffers(problem: Problem, tile: Tile, rows: int, columns: int) -> tuple[tuple[int, int], int]:
    """What a block on planes needs: numbers in the strip and in M, and places in the table of shifts."""
    strip = problem.channels * planes_pitch(problem, tile, rows, columns) + 2 * tile.columns
    terms = math.prod(problem.taps) * problem.channels
    return (strip, near_filters(problem, tile) * tile.columns), terms + AHEAD


@remembered
def planes_schedule(problem: Problem) -> DirectSchedule:
    """The schedule of least expected time on planes."""
    model, tile, item = rates(), host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    terms = math.prod(problem.taps) * problem.channels
    filter_bytes = problem.groups * problem.filters * terms * item
    copy = model.pick if problem.stride[2] > 2 else 0.3 * model.copy * problem.stride[2]
    if is_read_in_place(problem):
        copy = 0.0
    best: DirectSchedule | None = None
    for rows, columns in _blocks(problem, tile.columns, _planes_bytes):
        strip = problem.channels * planes_pitch(problem, tile, rows, columns)
        runs, run = (1, rows * columns) if problem.taps[1:] == (1, 1) else (rows, columns)
        vectors = runs * -(-run // tile.length)
        rest = run % tile.columns
        if tile.length < rest:  # both vectors are computed
            vectors = runs * -(-run // tile.columns) * tile.vectors
        partial = runs * -(-rest // tile.length) * (rest % tile.length > 0)
        for parts in _parts(problem.filters, problem.threads):
            filters = -(-problem.filters // parts)
            cost = (
                product_cost(filters, tile) * vectors * (terms + PRODUCT_ENDS)
                + copy * strip / tile.length
                + 0.3 * model.copy * partial * filters
                + _BROADCASTS * reading(filters * terms / tile.length, filter_bytes, model)
                + model.unit
            )
            best = _better(best, problem, rows, columns, parts, cost, model)
    assert best is not None
    return best


def _parts(whole: int, threads: int) -> list[int]:
    return sorted({1, min(whole, 2), min(whole, threads), min(whole, 2 * threads)})


def _better(best: DirectSchedule | None, problem: Problem, rows: int, columns: int, parts: int, cost: float,
            model: Rates) -> DirectSchedule:
    """The best so far or, if less time is expected of it, this one."""
    blocks = problem.images * problem.out[0] * problem.groups * -(-problem.out[1] // rows)
    total = makespan(blocks * -(-problem.out[2] // columns) * parts, problem.threads, cost, model)
    return DirectSchedule(rows, columns, parts, total) if best is None or total < best.cost else best
