"""Memory that a thread works in: one block each, used by all layers in turn."""

from __future__ import annotations

import ctypes
import math

import numpy as np

from kernels.calling import told

__all__ = ["Workspace", "aligned_empty", "given_back", "taken", "workspace_bytes"]

_LINE = 64
"""Bytes of a cache line: every buffer begins at one."""

_spare: list[Workspace] = []


class Workspace:
    """Aligned memory, seen as the buffers that a kernel takes."""

    def __init__(self, nbytes: int) -> None:
        memory = np.empty(nbytes + _LINE, np.uint8)
        start = -memory.ctypes.data % _LINE
        self._memory = memory[start : start + nbytes]
        self._views: dict[tuple[tuple[int, ...], str, int], tuple[np.ndarray, ...]] = {}
        self._told: dict[tuple[tuple[int, ...], str, int], np.ndarray] = {}

    @property
    def nbytes(self) -> int:
        """Its size."""
        return self._memory.nbytes

    def buffers(self, sizes: tuple[int, ...], dtype: str, integers: int = 0) -> tuple[np.ndarray, ...]:
        """Arrays of this dtype and so many elements each, and then, if asked for, one of so many int64."""
        key = sizes, dtype, integers
        if key not in self._views:
            if len(self._views) >= 64:
                self._views.clear()
                self._told.clear()
            views, start = [], 0
            for size, kind in [*((size, dtype) for size in sizes), *([(integers, "int64")] if integers else [])]:
                length = size * np.dtype(kind).itemsize
                views.append(self._memory[start : start + length].view(kind))
                start += _whole_lines(length)
            self._views[key] = tuple(views)
        return self._views[key]

    def told(self, sizes: tuple[int, ...], dtype: str, integers: int = 0) -> np.ndarray:
        """What `kernels.calling.told` says of these buffers."""
        key = sizes, dtype, integers
        if key not in self._told:
            self._told[key] = told(self.buffers(*key))
        return self._told[key]


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A new array, not filled, that begins at a cache line: vectors of it then lie in one line, not across two.

    Examples
    --------
    >>> aligned_empty((3, 5), np.dtype("float32")).ctypes.data % 64
    0
    """
    count = math.prod(shape)
    memory = np.empty(count + _LINE // dtype.itemsize, dtype)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory.data))  # in a third of the time of memory.ctypes.data
    start = -address % _LINE // dtype.itemsize
    return memory[start : start + count].reshape(shape)


def _whole_lines(nbytes: int) -> int:
    return -(-nbytes // _LINE) * _LINE


def workspace_bytes(sizes: tuple[int, ...], dtype: str, integers: int = 0) -> int:
    """Bytes that buffers of these sizes take.

    Examples
    --------
    >>> workspace_bytes((10, 20), "float32")
    192
    """
    item = np.dtype(dtype).itemsize
    return sum(_whole_lines(size * item) for size in sizes) + _whole_lines(8 * integers)


def taken(nbytes: int) -> Workspace:
    """A workspace that no other thread holds, of at least this size: a spare one, or a new one."""
    while _spare:
        try:
            space = _spare.pop()
        except IndexError:  # another thread was faster
            break
        if space.nbytes >= nbytes:
            return space  # smaller ones are dropped
    return Workspace(nbytes)


def given_back(space: Workspace) -> None:
    """To be used by whoever is next."""
    _spare.append(space)
