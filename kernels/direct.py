"""Direct convolution: packed filters, and how the work is cut into units."""

from __future__ import annotations

import math

import numpy as np

from kernels.generation import depthwise_module, direct_module
from kernels.host import Tile, host
from kernels.microkernel import row_counts, splits
from kernels.problem import Plan, Problem, makespan

__all__ = ["DepthwiseFilter", "DirectFilter"]

_STRIP_BYTES = 384 * 1024
"""What the input window of a block may take: with a panel of the filter it should stay in the second-level cache."""

_DEPTHWISE_BYTES = 96 * 1024
"""What the window and the outputs of a block of one vector of channels may take."""

_SET_BYTES = 4096
"""Pixels so far apart share a set of the first-level cache, which holds fewer of them than a register tile has rows."""

_UNIT_COST = 600
"""What a unit costs beside its products, in the time of as many vector operations."""


class DirectFilter:
    """Filters packed for `direct`, which computes, in this order from +0 with one fma for each term::

        sum over filter slice, filter row, filter column, channel

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, RZ, R0, R1)
    groups : int
    """

    def __init__(self, w: np.ndarray, groups: int) -> None:
        self.tile = host().tile(w.dtype)
        self.module = direct_module(w.dtype.name, self.tile)
        filters, channels = w.shape[0] // groups, w.shape[1]
        taps = math.prod(w.shape[2:])
        each = -(-filters // self.tile.length) * self.tile.length * taps * channels
        self.packed = np.empty(groups * each, w.dtype)
        for group in range(groups):
            part = np.ascontiguousarray(w[group * filters : (group + 1) * filters]).reshape(-1)
            self.module.pack_filter(part, filters, channels, taps, self.packed[group * each : (group + 1) * each])

    def plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        """How a problem is run."""
        rows, columns, parts = direct_blocks(problem, self.tile)
        slices, down, across = problem.window(rows, columns)
        item = np.dtype(problem.dtype).itemsize
        pixel = problem.channels
        if pixel * item % _SET_BYTES == 0:
            pixel += self.tile.length
        in_place = problem.x_steps[1] == 1 and problem.stride[2] * problem.x_steps[4] * item % _SET_BYTES > 0
        fields = problem.fields() | problem.direct_fields() | {
            "PIXEL": pixel, "IN_PLACE": int(in_place), "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns, "PARTS": parts,
            "UNITS": (problem.images * problem.out[0] * problem.groups * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns) * parts),
        }
        across = max(across, columns * problem.stride[2])
        sizes = (slices * down * across * pixel + self.tile.length, rows * columns * self.tile.columns)
        return Plan.of(self.module.run_units, self.packed, bias, problem, fields, sizes, math.prod(problem.taps))


def direct_blocks(problem: Problem, tile: Tile) -> tuple[int, int, int]:
    """Rows and columns of outputs in a block, and parts of the panels, so that all threads end soon and together."""
    _, height, width = problem.out
    item = np.dtype(problem.dtype).itemsize
    channels = -(-problem.channels // tile.length) * tile.length
    taps = math.prod(problem.taps)
    panels = -(-problem.filters // tile.columns)
    flat = problem.taps[1:] == (1, 1)
    planes = max(1, problem.images) * problem.out[0] * problem.groups
    best: tuple[float, int, int, int] | None = None
    for columns in (width, *(width // pieces for pieces in (2, 4, 8, 16, 32, 64) if width >= 14 * pieces)):
        for rows in range(1, height + 1):
            if -(-height // rows) == -(-height // (rows - 1)) if rows > 1 else False:
                continue  # as many blocks as with a row less
            strip = math.prod(problem.window(rows, columns))
            if strip * channels * item > _STRIP_BYTES and rows > 1:
                break
            runs = product_cost(rows * columns, tile) if flat else rows * product_cost(columns, tile)
            blocks = planes * -(-height // rows) * -(-width // columns)
            for parts in sorted({1, min(panels, 2), min(panels, problem.threads), min(panels, 2 * problem.threads)}):
                product = runs * tile.vectors * taps * problem.channels * -(-panels // parts)
                cost = product + strip * channels / tile.length + _UNIT_COST
                # Each unit reads its share of the filters once more.
                cost += -(-panels // parts) * taps * problem.channels * tile.vectors
                total = makespan(blocks * parts, problem.threads, cost)
                if best is None or total < best[0]:
                    best = total, rows, columns, parts
        if best is not None and best[1] > 1:
            break  # whole rows fit
    assert best is not None
    return best[1:]


def product_cost(rows: int, tile: Tile) -> float:
    """Time of the product of so many rows with one panel, in rows: greater where no high microkernel fits."""
    heights = splits(row_counts(tile.rows))
    cost = 0
    while rows > 0:
        height = heights[min(rows, 2 * tile.rows)]
        cost += max(height, 4) + (height < tile.rows)
        rows -= height
    return cost


class DepthwiseFilter:
    """Filters packed for groups of one channel each; computes as `DirectFilter` says.

    Parameters
    ----------
    w : ndarray, shape (K, 1, RZ, R0, R1)
    groups, stride, dilation : int
        The last two along a row.
    """

    def __init__(self, w: np.ndarray, groups: int, stride: int, dilation: int) -> None:
        self.length = host().tile(w.dtype).length
        self.module = depthwise_module(w.dtype.name, self.length, w.shape[-1], stride, dilation)
        self.each = w.shape[0] // groups
        taps = math.prod(w.shape[2:])
        chunks = -(-groups // self.length)
        self.packed = np.empty(self.each * chunks * self.length * taps, w.dtype)
        self.module.pack_filter(np.ascontiguousarray(w).reshape(-1), groups, self.each, taps, self.packed)

    def plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        """How a problem is run."""
        chunks = -(-problem.groups // self.length)
        ordered = bias
        if problem.has_bias:  # [filter of the channel][channel]
            ordered = np.zeros((self.each, chunks * self.length), bias.dtype)
            ordered[:, : problem.groups] = bias[: problem.groups * self.each].reshape(problem.groups, self.each).T
            ordered = ordered.reshape(-1)
        in_place = problem.x_steps[1] == 1 and problem.y_steps[1] == 1 and self.each == 1
        rows, columns, parts = self._blocks(problem, chunks, in_place)
        slices, down, across = problem.window(rows, columns)
        fields = problem.fields() | problem.direct_fields() | {
            "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns, "PARTS": parts, "IN_PLACE": int(in_place),
            "UNITS": (problem.images * problem.out[0] * parts * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns)),
        }
        sizes = (slices * down * across * self.length, rows * columns * self.length)
        return Plan.of(self.module.run_units, self.packed, ordered, problem, fields, sizes,
                       2 * problem.taps[0] * problem.taps[1])

    def _blocks(self, problem: Problem, chunks: int, in_place: bool) -> tuple[int, int, int]:
        """Rows and columns of outputs in a block, and parts of the channels."""
        limit = _DEPTHWISE_BYTES // (self.length * np.dtype(problem.dtype).itemsize)
        columns = problem.out[2]
        while math.prod(problem.window(1, columns)) > limit and columns > 1:
            columns = -(-columns // 2)
        rows = 1
        while rows < problem.out[1] and math.prod(problem.window(rows + 1, columns)) + (rows + 1) * columns <= limit:
            rows += 1
        parts = 1 if in_place else chunks
        if problem.threads > 1:  # some units for each thread, so that all end together
            wanted = -(-4 * problem.threads // max(1, problem.images * problem.out[0] * parts))
            rows = max(1, min(rows, problem.out[1] // wanted))
            if in_place and -(-problem.out[1] // rows) < wanted:
                parts = min(chunks, -(-wanted // -(-problem.out[1] // rows)))
        return rows, columns, parts
