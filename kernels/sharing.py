"""A kernel run by several threads at once, each in a workspace of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.calling import TOLD, machine_code, told
from kernels.team import team
from kernels.workspace import given_back, taken, workspace_bytes

__all__ = ["Job", "share"]

_NOTHING = np.zeros(0, np.int64)
_known: dict[tuple[Any, ...], int] = {}


class Job:
    """A kernel `function(x, y, shared, *others, *buffers)` with all but x and y, for any number of calls.

    It may be called from several threads at a time. It runs here and on workers, as `kernels.team.Team.run` does.

    Parameters
    ----------
    function : kernel
        It claims units from the counters `shared`; see `kernels.atomic.claimed_unit`.
    others : tuple of ndarray
        One-dimensional, contiguous.
    sizes, dtype, integers
        The buffers that each thread needs; see `kernels.workspace.Workspace.buffers`.
    units, threads : int
        No more threads work than there are units.
    """

    def __init__(
        self, function: Any, others: tuple[np.ndarray, ...], sizes: tuple[int, ...], dtype: str, integers: int,
        units: int, threads: int,
    ) -> None:
        self._function, self._others = function, others
        self._buffers = sizes, dtype, integers
        self._nbytes = workspace_bytes(sizes, dtype, integers)
        self._crew = crew = max(1, min(threads, units))
        self._arrays = arrays = 3 + len(others) + len(sizes) + (integers > 0)
        # What tells of the arrays of each thread, as far as it is known; and zeros to count from.
        self._words = np.zeros(crew * arrays * TOLD + 3 + crew, np.int64)
        known = told((_NOTHING,) * 3 + others)
        for thread in range(crew):
            self._words[thread * arrays * TOLD :][: len(known)] = known
        self._code = 0

    def __call__(self, x: np.ndarray, y: np.ndarray, last: tuple[np.ndarray, ...] = ()) -> None:
        """Run it on x and y, one-dimensional, contiguous, and of the same dtypes in all calls.

        Parameters
        ----------
        x, y : ndarray
        last : tuple of ndarray
            What takes the place of the last ones of the others, this time.
        """
        spaces = [taken(self._nbytes) for _ in range(self._crew)]
        if not self._code:
            self._code = self._machine_code(x, y, spaces[0].buffers(*self._buffers))
        words, end = self._words.copy(), 0
        for space in spaces:
            end += self._arrays * TOLD
            own = space.told(*self._buffers)
            begin = end - len(own)
            words[begin:end] = own
            if last:
                changed = told(last)
                words[begin - len(changed) : begin] = changed
        team().run(self._code, self._arrays, words, self._crew, x, y)
        for space in spaces:
            given_back(space)

    def _machine_code(self, x: np.ndarray, y: np.ndarray, buffers: tuple[np.ndarray, ...]) -> int:
        passed = (x, y, _NOTHING, *self._others, *buffers)
        key = (self._function, *((array.dtype, array.flags.writeable) for array in passed))
        if key not in _known:
            _known[key] = machine_code(self._function, passed)
        return _known[key]


def share(
    function: Any, arrays: tuple[np.ndarray, ...], sizes: tuple[int, ...], dtype: str, integers: int, units: int,
    threads: int,
) -> None:
    """Run a `Job` once: `arrays` are x, y and the others."""
    x, y, *others = arrays
    Job(function, tuple(others), sizes, dtype, integers, units, threads)(x, y)
