"""A kernel run by several threads at once, each in a workspace of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.calling import machine_code, told
from kernels.team import counters, team
from kernels.workspace import given_back, taken, workspace_bytes

__all__ = ["share"]

_known: dict[tuple[Any, ...], int] = {}


def share(
    function: Any, arrays: tuple[np.ndarray, ...], sizes: tuple[int, ...], dtype: str, integers: int, units: int,
    threads: int,
) -> None:
    """Call `function(x, y, shared, *others, *buffers)` here and from workers, as `kernels.team.Team.run` does.

    Parameters
    ----------
    function : kernel
        It claims units from the counters `shared`; see `kernels.atomic.claimed_unit`.
    arrays : (x, y, *others)
        One-dimensional, contiguous.
    sizes, dtype, integers
        The buffers that each thread needs; see `kernels.workspace.Workspace.buffers`.
    units, threads : int
        No more threads work than there are units.
    """
    crew = max(1, min(threads, units))
    shared = counters(crew)
    spaces = [taken(workspace_bytes(sizes, dtype, integers)) for _ in range(crew)]
    buffers = [space.buffers(sizes, dtype, integers) for space in spaces]
    x, y, *others = arrays
    if crew == 1:
        function(x, y, shared, *others, *buffers[0])
    else:
        passed = (x, y, shared, *others, *buffers[0])
        key = (function, *((array.dtype, array.flags.writeable) for array in passed))
        if key not in _known:
            _known[key] = machine_code(function, passed)
        common = told(passed[: 3 + len(others)])
        each = [part for space in spaces for part in (common, space.told(sizes, dtype, integers))]
        team().run(_known[key], len(passed), np.concatenate([*each, shared]), crew, x, y)
    for space in spaces:
        given_back(space)
