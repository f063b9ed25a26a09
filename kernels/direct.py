"""Direct convolution: packed filters, and the plans of their kernels."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from kernels.generation import direct_module, pointwise_module
from kernels.host import host
from kernels.problem import Plan, Problem
from kernels.schedule import SET_BYTES, direct_schedule, is_pointwise, padded_stride, pointwise_schedule
from kernels.workspace import aligned_empty

__all__ = ["DirectFilter"]


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
        self._w = w
        filters, channels = w.shape[0] // groups, w.shape[1]
        taps = math.prod(w.shape[2:])
        each = -(-filters // self.tile.length) * self.tile.length * taps * channels
        self.packed = aligned_empty((groups * each,), w.dtype)
        for group in range(groups):
            part = np.ascontiguousarray(w[group * filters : (group + 1) * filters]).reshape(-1)
            self.module.pack_filter(part, filters, channels, taps, self.packed[group * each : (group + 1) * each])

    def plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        """How a problem is run."""
        if is_pointwise(problem) and pointwise_schedule(problem).cost < direct_schedule(problem).cost:
            return self._pointwise_plan(problem, bias)
        schedule = direct_schedule(problem)
        rows, columns = schedule.rows, schedule.columns
        slices, down, across = problem.window(rows, columns)
        item = np.dtype(problem.dtype).itemsize
        pixel = problem.channels
        if pixel * item % SET_BYTES == 0:
            pixel += self.tile.length
        in_place = problem.x_steps[1] == 1 and problem.stride[2] * problem.x_steps[4] * item % SET_BYTES > 0
        fields = problem.fields() | problem.direct_fields() | {
            "PIXEL": pixel, "IN_PLACE": int(in_place), "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns,
            "PARTS": schedule.parts,
            "UNITS": (problem.images * problem.out[0] * problem.groups * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns) * schedule.parts),
        }
        across = max(across, columns * problem.stride[2])
        sizes = (slices * down * across * pixel + self.tile.length, rows * columns * self.tile.columns)
        return Plan.of(self.module.run_units, self.packed, bias, problem, fields, sizes, math.prod(problem.taps))

    @cached_property
    def _rows(self) -> np.ndarray:
        """The matrix of filters of one tap, its rows as far apart as the pointwise kernel wants them."""
        filters, channels = self._w.shape[:2]
        rows = aligned_empty((filters, padded_stride(channels, self.tile, self._w.itemsize)), self._w.dtype)
        rows[:, :channels], rows[:, channels:] = self._w.reshape(filters, -1), 0
        return rows

    def _pointwise_plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        schedule = pointwise_schedule(problem)
        blocks = -(-math.prod(problem.size) // schedule.columns)
        fields = problem.fields() | {
            "BLOCK_COLUMNS": schedule.columns, "PARTS": schedule.parts, "W_STRIDE": self._rows.shape[1],
            "UNITS": problem.images * problem.groups * blocks * schedule.parts,
        }
        sizes = (schedule.columns * problem.channels, problem.filters * self.tile.columns)
        module = pointwise_module(problem.dtype, self.tile)
        return Plan.of(module.run_units, self._rows.reshape(-1), bias, problem, fields, sizes)
