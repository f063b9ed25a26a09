"""A convolution's shapes and options, for one to three axes alike, and its plan: what is called, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kernels.calling import TOLD, machine_code, told
from kernels.geometry import geometry_array
from kernels.team import team
from kernels.workspace import given_back, taken, workspace_bytes

__all__ = ["Plan", "Problem", "Triple", "flat_memory", "triple"]

Triple = tuple[int, int, int]


def triple(values: tuple[int, ...]) -> Triple:
    """One to three numbers as (z, 0, 1).

    Examples
    --------
    >>> triple((3, 5))
    (1, 3, 5)
    """
    z, first, second = (1, 1, *values)[-3:]
    return z, first, second


@dataclass(frozen=True)
class Problem:
    """One call of a layer. Triples are (z, 0, 1): depth, height, width; axes that are not there have length 1.

    Attributes
    ----------
    images, channels, filters, groups : int
        Channels and filters of one group.
    size, out, taps, stride, dilation : (int, int, int)
    pad : (int, int, int)
        Zeros before the first element of each axis.
    x_steps, y_steps : tuple of five int
        Distances in memory, in elements: image, channel (or filter), z, row, column.
    dtype : str
    threads : int
    has_bias, relu : bool
    """

    images: int
    channels: int
    filters: int
    groups: int
    size: Triple
    out: Triple
    taps: Triple
    stride: Triple
    dilation: Triple
    pad: Triple
    x_steps: tuple[int, ...]
    y_steps: tuple[int, ...]
    dtype: str
    threads: int
    has_bias: bool
    relu: bool

    def fields(self) -> dict[str, int]:
        """The fields of the kernel's geometry that any algorithm has."""
        named: dict[str, int] = {
            "CHANNELS": self.channels, "FILTERS": self.filters, "GROUPS": self.groups,
            "HAS_BIAS": int(self.has_bias), "RELU": int(self.relu),
        }
        names = ("IMAGE", "CHANNEL", "Z", "ROW", "COLUMN")
        named |= dict(zip((f"X_{name}" for name in names), self.x_steps, strict=True))
        named |= dict(zip((f"Y_{name}".replace("CHANNEL", "FILTER") for name in names), self.y_steps, strict=True))
        named |= dict(zip(("DEPTH", "HEIGHT", "WIDTH"), self.size, strict=True))
        named |= dict(zip(("OUT_DEPTH", "OUT_HEIGHT", "OUT_WIDTH"), self.out, strict=True))
        named |= dict(zip(("PAD_Z", "PAD_0", "PAD_1"), self.pad, strict=True))
        return named

    def direct_fields(self) -> dict[str, int]:
        """Those of the direct kernels besides."""
        named: dict[str, int] = {}
        for name, triple in (("TAPS", self.taps), ("STRIDE", self.stride), ("DILATION", self.dilation)):
            named |= dict(zip((f"{name}_Z", f"{name}_0", f"{name}_1"), triple, strict=True))
        return named

    def is_inside(self) -> bool:
        """Whether no output needs a pixel that the image does not have."""
        axes = zip(self.pad, self.out, self.stride, self.taps, self.dilation, self.size, strict=True)
        return all(pad == 0 and (out - 1) * stride + (taps - 1) * dilation < size
                   for pad, out, stride, taps, dilation, size in axes)

    def window(self, rows: int, columns: int) -> tuple[int, int, int]:
        """Size of the input window that rows x columns outputs of one plane need."""
        down = (rows - 1) * self.stride[1] + (self.taps[1] - 1) * self.dilation[1] + 1
        across = (columns - 1) * self.stride[2] + (self.taps[2] - 1) * self.dilation[2] + 1
        return self.taps[0], down, across


@dataclass(frozen=True)
class Plan:
    """A compiled function and all its arguments but the data, for one Problem.

    Attributes
    ----------
    run : callable
        `run(x, y, shared, filter, bias, geometry, *buffers)`
    fields : dict
        The geometry, by name.
    sizes, integers : tuple of int, int
        Of the buffers that each thread needs.
    """

    run: Callable[..., None]
    filter: np.ndarray
    bias: np.ndarray
    fields: dict[str, int]
    sizes: tuple[int, ...]
    integers: int
    dtype: str
    threads: int
    geometry: np.ndarray
    workspace_bytes: int
    _code: int = 0

    @classmethod
    def of(cls, run: Any, filter_: np.ndarray, bias: np.ndarray, problem: Problem, fields: dict[str, int],
           sizes: tuple[int, ...], integers: int = 0) -> Plan:
        """The plan with what follows from the rest worked out."""
        return cls(run, filter_, bias, fields, sizes, integers, problem.dtype, problem.threads, geometry_array(fields),
                   workspace_bytes(sizes, problem.dtype, integers))

    def __str__(self) -> str:
        units = self.fields["UNITS"]
        return (f"{units} {'unit' if units == 1 else 'units'} of work for at most {self.threads} "
                f"{'thread' if self.threads == 1 else 'threads'}, {self.workspace_bytes / 2**20:.2f} MiB each")

    @cached_property
    def _crew(self) -> int:
        """Threads that can be of use."""
        return max(1, min(self.threads, self.fields["UNITS"]))

    @cached_property
    def _arrays(self) -> int:
        """How many arrays the function takes."""
        return 6 + len(self.sizes) + (self.integers > 0)

    @cached_property
    def _words(self) -> np.ndarray:
        """What tells of the arrays of all threads, as far as it is the same in every call; and zeros to count from."""
        known = told((self.geometry,) * 3 + (self.filter, self.bias, self.geometry))
        words = np.zeros(self._crew * self._arrays * TOLD + 3 + self._crew, np.int64)
        for thread in range(self._crew):
            words[thread * self._arrays * TOLD :][: len(known)] = known
        return words

    def __call__(self, x: np.ndarray, y: np.ndarray) -> None:
        """Convolve: both arrays one-dimensional, as `flat_memory` gives them."""
        spaces = [taken(self.workspace_bytes) for _ in range(self._crew)]
        code = self._code
        if not code:
            code = machine_code(self.run, (x, y, self.geometry, self.filter, self.bias, self.geometry,
                                           *spaces[0].buffers(self.sizes, self.dtype, self.integers)))
            object.__setattr__(self, "_code", code)
        words, end = self._words.copy(), 0
        for space in spaces:
            end += self._arrays * TOLD
            own = space.told(self.sizes, self.dtype, self.integers)
            words[end - len(own) : end] = own
        team().run(code, self._arrays, words, self._crew, x, y)
        for space in spaces:
            given_back(space)


def flat_memory(array: np.ndarray) -> np.ndarray:
    """All memory from an array's first element to its last, as a one-dimensional array that compiled code takes.

    Strides must not be negative. It counts as writable, as compiled code is made for one kind of array; nothing
    writes to the input of a convolution.

    Examples
    --------
    >>> flat_memory(np.arange(12).reshape(3, 4)[:, 1:3])
    array([ 1,  2,  3,  4,  5,  6,  7,  8,  9, 10])
    """
    if array.flags.c_contiguous and array.flags.writeable:
        return array.reshape(-1)
    if array.size == 0:
        return np.empty(0, array.dtype)
    span = 1 + sum((n - 1) * stride // array.itemsize for n, stride in zip(array.shape, array.strides, strict=True))
    return np.asarray(_Memory(array, span))


class _Memory:
    def __init__(self, array: np.ndarray, span: int) -> None:
        self._array = array  # kept alive by the array that is made from this object
        interface = array.__array_interface__
        self.__array_interface__ = {
            "version": 3, "typestr": interface["typestr"], "data": (interface["data"][0], False), "shape": (span,),
        }
