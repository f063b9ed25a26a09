"""A convolution's shapes and options, for one to three axes alike, and its plan: what is called, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernels.geometry import geometry_array
from kernels.sharing import Job
from kernels.workspace import workspace_bytes

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
    threads: int
    geometry: np.ndarray
    workspace_bytes: int
    _job: Job

    @classmethod
    def of(cls, run: Any, filter_: np.ndarray, bias: np.ndarray, problem: Problem, fields: dict[str, int],
           sizes: tuple[int, ...], integers: int = 0) -> Plan:
        """The plan with what follows from the rest worked out."""
        geometry = geometry_array(fields)
        job = Job(run, (filter_, bias, geometry), sizes, problem.dtype, integers, fields["UNITS"], problem.threads)
        return cls(run, filter_, bias, fields, sizes, integers, problem.threads, geometry,
                   workspace_bytes(sizes, problem.dtype, integers), job)

    def __str__(self) -> str:
        units = self.fields["UNITS"]
        return (f"{units} {'unit' if units == 1 else 'units'} of work for at most {self.threads} "
                f"{'thread' if self.threads == 1 else 'threads'}, {self.workspace_bytes / 2**20:.2f} MiB each")

    def __call__(self, x: np.ndarray, y: np.ndarray) -> None:
        """Convolve: both arrays one-dimensional, as `flat_memory` gives them."""
        self._job(x, y)


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
