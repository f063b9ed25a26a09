"""Direct convolution with one channel a group: filters made ready, and the plans of its kernels."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np

from kernels.depthwise_schedule import depthwise_pixels_schedule, depthwise_planes_schedule
from kernels.generation import depthwise_module
from kernels.host import host
from kernels.problem import Plan, Problem
from kernels.workspace import aligned_empty

__all__ = ["DepthwiseFilter"]


class DepthwiseFilter:
    """Filters for groups of one channel each; computes as `kernels.direct.DirectFilter` says.

    Parameters
    ----------
    w : ndarray, shape (K, 1, RZ, R0, R1)
    groups : int
    """

    def __init__(self, w: np.ndarray, groups: int) -> None:
        self.tile = host().tile(w.dtype)
        self.each = w.shape[0] // groups
        self._w = np.ascontiguousarray(w).reshape(-1)
        self._packed: np.ndarray | None = None

    def plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        """How a problem is run."""
        if problem.x_steps[4] == problem.y_steps[4] == 1 and problem.stride[2] <= 2:
            return self._planes_plan(problem, bias)
        return self._pixels_plan(problem, bias)

    def _planes_plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        module = depthwise_module(problem.dtype, self.tile, True, *_pairs(problem))
        planes = problem.images * problem.groups * self.each
        schedule = depthwise_planes_schedule(problem, module.DOWN)
        units = -(-planes // schedule.parts) * problem.out[0] * -(-problem.out[1] // schedule.rows)
        fields = problem.fields() | problem.direct_fields() | {
            "BLOCK": schedule.parts, "BLOCK_ROWS": schedule.rows, "TILES": planes, "UNITS": units,
        }
        return Plan.of(module.run_units, self._w, bias, problem, fields, (),
                       -(-schedule.rows // module.DOWN) * _lines(problem, module))

    def _pixels_plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        module = depthwise_module(problem.dtype, self.tile, False, *_pairs(problem))
        length, groups = self.tile.length, problem.groups
        chunks = -(-groups // length)
        if self._packed is None:
            taps = math.prod(problem.taps)
            packed = aligned_empty((self.each * chunks * length * taps,), np.dtype(problem.dtype))
            module.pack_filter(self._w, groups, self.each, taps, packed)
            self._packed = packed
        ordered = bias
        if problem.has_bias:  # [filter of the channel][channel]
            ordered = np.zeros((self.each, chunks * length), bias.dtype)
            ordered[:, :groups] = bias[: groups * self.each].reshape(groups, self.each).T
            ordered = ordered.reshape(-1)
        in_place = problem.x_steps[1] == 1 and problem.y_steps[1] == 1 and self.each == 1
        schedule = depthwise_pixels_schedule(problem, in_place)
        rows, columns = schedule.rows, schedule.columns
        slices, down, across = problem.window(rows, columns)
        fields = problem.fields() | problem.direct_fields() | {
            "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns, "PARTS": schedule.parts, "IN_PLACE": int(in_place),
            "UNITS": (problem.images * problem.out[0] * schedule.parts * -(-problem.out[1] // rows)
                      * -(-problem.out[2] // columns)),
        }
        strips = (slices * down * across * length, rows * columns * length)
        sizes = (0, 0) if in_place and groups % length == 0 else strips
        return Plan.of(module.run_units, self._packed, ordered, problem, fields, sizes, _lines(problem, module))


def _pairs(problem: Problem) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Taps, stride and dilation of the rows and columns of a plane."""
    return problem.taps[1:], problem.stride[1:], problem.dilation[1:]


def _lines(problem: Problem, module: ModuleType) -> int:
    """Places that `find_lines` writes for a tile."""
    return problem.taps[0] * problem.taps[1] * len(module.LINES)
