"""Direct convolution: packed filters, and the plans of their kernels."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from kernels.cost import SET_BYTES, padded_stride
from kernels.direct_schedule import (
    DirectSchedule,
    flattened,
    has_planes,
    is_read_in_place,
    near_filters,
    pixels_schedule,
    pixels_window,
    planes_buffers,
    planes_pitch,
    planes_schedule,
)
from kernels.generation import direct_module, planes_module
from kernels.host import host
from kernels.problem import Plan, Problem
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
        problem = flattened(problem)
        schedule = pixels_schedule(problem)
        if has_planes(problem):
            planes = planes_schedule(problem)
            if planes.cost < schedule.cost:
                return self._planes_plan(problem, planes, bias)
        rows, columns = schedule.rows, schedule.columns
        item = np.dtype(problem.dtype).itemsize
        pixel = problem.channels
        # Outputs that follow each other need pixels so far apart.
        if problem.stride[2] * pixel * item % SET_BYTES == 0:
            pixel += self.tile.length
        in_place = problem.x_steps[1] == 1 and problem.stride[2] * problem.x_steps[4] * item % SET_BYTES > 0
        fields = problem.fields() | problem.direct_fields() | {
            "PIXEL": pixel, "IN_PLACE": int(in_place), "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns,
            "PARTS": schedule.parts,
            "UNITS": (problem.images * problem.out[0] * problem.groups * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns) * schedule.parts),
        }
        strip = 0
        if not (in_place and problem.is_inside()):
            strip = math.prod(pixels_window(problem, rows, columns)) * pixel + self.tile.length
        sizes = (strip, rows * columns * self.tile.columns)
        return Plan.of(self.module.run_units, self.packed, bias, problem, fields, sizes, math.prod(problem.taps))

    @cached_property
    def _rows(self) -> np.ndarray:
        """The matrix of filters: [filter][tap][channel], its rows as far apart as the kernel on planes wants them."""
        filters, channels = self._w.shape[:2]
        terms = math.prod(self._w.shape[1:])
        rows = aligned_empty((filters, padded_stride(terms, self.tile, self._w.itemsize)), self._w.dtype)
        rows[:, :terms] = self._w.reshape(filters, channels, -1).transpose(0, 2, 1).reshape(filters, terms)
        rows[:, terms:] = 0
        return rows

    def _planes_plan(self, problem: Problem, schedule: DirectSchedule, bias: np.ndarray) -> Plan:
        rows, columns = schedule.rows, schedule.columns
        fields = problem.fields() | problem.direct_fields() | {
            "PIXEL": planes_pitch(problem, self.tile, rows, columns), "W_STRIDE": self._rows.shape[1],
            "IN_PLACE": int(is_read_in_place(problem)), "BLOCK": near_filters(problem, self.tile),
            "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns, "PARTS": schedule.parts,
            "UNITS": (problem.images * problem.out[0] * problem.groups * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns) * schedule.parts),
        }
        sizes, integers = planes_buffers(problem, self.tile, rows, columns)
        module = planes_module(problem.dtype, self.tile)
        return Plan.of(module.run_units, self._rows.reshape(-1), bias, problem, fields, sizes, integers)
