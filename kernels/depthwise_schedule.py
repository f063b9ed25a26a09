"""How depthwise convolution is cut into units for threads and caches, and the time it should then take."""

from __future__ import annotations

import math

import numpy as np

from kernels.cost import makespan, units_wanted
from kernels.direct_schedule import DirectSchedule
from kernels.host import host
from kernels.problem import Problem
from kernels.rates import rates

__all__ = ["depthwise_pixels_schedule", "depthwise_planes_schedule"]

_BLOCK_BYTES = 96 * 1024
"""What the window and the outputs of a block of one vector of channels may take."""

_SUM_ENDS = 5
"""What beginning and ending a vector of outputs costs, as of so many taps more."""


def depthwise_pixels_schedule(problem: Problem, in_place: bool) -> DirectSchedule:
    """The schedule for groups of one channel, of which in_place says whether they are read where they lie."""
    length = host().tile(problem.dtype).length
    limit = _BLOCK_BYTES // (length * np.dtype(problem.dtype).itemsize)
    chunks = -(-problem.groups // length)
    columns = problem.out[2]
    while math.prod(problem.window(1, columns)) > limit and columns > 1:
        columns = -(-columns // 2)
    rows = 1
    while rows < problem.out[1] and math.prod(problem.window(rows + 1, columns)) + (rows + 1) * columns <= limit:
        rows += 1
    parts = 1 if in_place else chunks
    vectors = problem.images * math.prod(problem.out) * chunks * problem.filters
    work = vectors * (math.prod(problem.taps) + (_SUM_ENDS if in_place else 3 * _SUM_ENDS))
    wanted = units_wanted(work, problem.threads)
    if wanted > 1:
        wanted = -(-wanted // (problem.images * problem.out[0] * parts))
        rows = max(1, min(rows, problem.out[1] // wanted))
        if in_place and -(-problem.out[1] // rows) < wanted:
            parts = min(chunks, -(-wanted // -(-problem.out[1] // rows)))
    elif in_place and problem.groups % length == 0:  # one unit, if one plane: no strip is needed
        rows, columns = problem.out[1:]
    return DirectSchedule(rows, columns, parts, makespan(wanted, problem.threads, work / wanted, rates()))


def depthwise_planes_schedule(problem: Problem, down: int) -> DirectSchedule:
    """The same on planes, `down` rows of outputs at a time: rows of a block, and planes (parts) of a unit."""
    length = host().tile(problem.dtype).length
    planes = problem.images * problem.groups * problem.filters
    vectors = planes * problem.out[0] * problem.out[1] * -(-problem.out[2] // length)
    work = vectors * (math.prod(problem.taps) + 2 * _SUM_ENDS)
    wanted = units_wanted(work, problem.threads)
    units = max(1, min(wanted, planes * problem.out[0]))
    rows = problem.out[1]
    if units < wanted:  # few planes: blocks of whole tiles
        rows = min(rows, -(-rows // (-(-wanted // units)) // down + 1) * down)
    parts = max(1, planes * problem.out[0] // wanted)
    return DirectSchedule(rows, problem.out[2], parts, makespan(wanted, problem.threads, work / wanted, rates()))
