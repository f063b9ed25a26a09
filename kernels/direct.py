"""Direct convolution: packed filters, and the plans of their kernels."""

from __future__ import annotations

import math

import numpy as np

from kernels.generation import depthwise_module, direct_module, pointwise_module
from kernels.host import host
from kernels.problem import Plan, Problem
from kernels.schedule import (
    SET_BYTES,
    depthwise_schedule,
    direct_schedule,
    is_pointwise,
    padded_stride,
    pointwise_schedule,
)

__all__ = ["DepthwiseFilter", "DirectFilter"]

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
        self.packed = np.empty(groups * each, w.dtype)
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


    def _pointwise_plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        schedule = pointwise_schedule(problem)
        stride = padded_stride(problem.channels, self.tile, self._w.itemsize)
        rows = np.zeros((self._w.shape[0], stride), self._w.dtype)
        rows[:, : problem.channels] = self._w.reshape(len(rows), -1)
        blocks = -(-math.prod(problem.size) // schedule.columns)
        fields = problem.fields() | {
            "BLOCK_COLUMNS": schedule.columns, "PARTS": schedule.parts, "W_STRIDE": stride,
            "UNITS": problem.images * problem.groups * blocks * schedule.parts,
        }
        sizes = (schedule.columns * problem.channels, problem.filters * self.tile.columns)
        module = pointwise_module(problem.dtype, self.tile)
        return Plan.of(module.run_units, rows.reshape(-1), bias, problem, fields, sizes)


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
        schedule = depthwise_schedule(problem, in_place)
        rows, columns = schedule.rows, schedule.columns
        slices, down, across = problem.window(rows, columns)
        fields = problem.fields() | problem.direct_fields() | {
            "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns, "PARTS": schedule.parts, "IN_PLACE": int(in_place),
            "UNITS": (problem.images * problem.out[0] * schedule.parts * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns)),
        }
        sizes = (slices * down * across * self.length, rows * columns * self.length)
        return Plan.of(self.module.run_units, self.packed, ordered, problem, fields, sizes,
                       2 * problem.taps[0] * problem.taps[1])
