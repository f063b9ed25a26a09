"""Convolution layers: filters prepared once, held for many calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from kernels import fft, im2col
from kernels.arguments import LAYOUTS, as_groups, as_numbers, as_padding, check_array, output_sizes
from kernels.choice import Choice, Demand, check_algorithm, checked_error, chosen
from kernels.depthwise import DepthwiseFilter
from kernels.direct import DirectFilter
from kernels.host import host
from kernels.problem import Plan, Problem, flat_memory, triple
from kernels.team import thread_count
from kernels.tiled import TransformedFilter
from kernels.workspace import aligned_empty
from winograd import Algorithm

_MOST_PLANS = 64

Prepared = TransformedFilter | DirectFilter | DepthwiseFilter


@dataclass(frozen=True)
class _Call:
    """What a layer does with one shape of input."""

    choice: Choice
    plan: Plan | None
    library: Callable[[np.ndarray], np.ndarray] | None  # instead of a plan: batch of planes to batch of planes
    shape: tuple[int, ...]
    straight: bool  # whether the input's memory can be read as it lies


class _Layer:
    """What the layers of one to three axes share; `Conv2d` says what there is to know."""

    _axes = 2
    _layouts = LAYOUTS[2]

    def __init__(
        self,
        w: np.ndarray,
        bias: np.ndarray | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: Any = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        layout: str | None = None,
        algorithm: Algorithm | str = "auto",
        threads: int | None = None,
        relu: bool = False,
        max_error: float | None = None,
        one_shot: bool = False,
    ) -> None:
        axes = self._axes
        if layout is not None and layout not in self._layouts:
            raise ValueError(f"layout must be one of {', '.join(self._layouts)}; got {layout!r}.")
        self.layout = layout or self._layouts[0]
        check_array(w, "w", axes + 2, f"(K, C / groups, {', '.join('DRS'[-axes:])})")
        if 0 in w.shape:
            raise ValueError(f"w must not be empty; got shape {w.shape}.")
        self.dtype = np.dtype(w.dtype.newbyteorder("="))
        self.filters, per_group = w.shape[:2]
        self.taps = tuple(w.shape[2:])
        self.stride = as_numbers(stride, "stride", axes, 1)
        self.dilation = as_numbers(dilation, "dilation", axes, 1)
        self.padding = as_padding(padding, axes, self.taps, self.stride, self.dilation)
        self.groups = as_groups(groups, self.filters)
        self.channels = per_group * self.groups
        self.relu = bool(relu)
        self.bias = self._checked_bias(bias)
        self._biased = bias is not None
        self.threads = None if threads is None else thread_count(threads)
        self.max_error = checked_error(max_error, algorithm)
        check_algorithm(algorithm, axes, self.taps, self.stride, self.dilation, self.dtype.name)
        if isinstance(algorithm, str) and self.max_error is not None:
            Demand(algorithm, per_group, self.taps, self.stride, self.dilation, self.dtype.name,
                   per_group == 1 < self.groups, self.max_error).check()
        self.algorithm = algorithm
        self.one_shot = bool(one_shot)
        self._w = np.array(w, self.dtype, order="C")  # a copy of its own
        self._prepared: dict[Algorithm | str, Prepared] = {}
        self._calls: dict[tuple[Any, ...], _Call] = {}
        self._lock = threading.RLock()
        if isinstance(algorithm, Algorithm) or algorithm == "direct":
            self._prepare(algorithm)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The layer applied to a batch.

        Parameters
        ----------
        x : ndarray, shape (N, C, H, W) or as the layout says, the dtype of the filters
            N may be 0. It is read where it lies if its channels or its columns are next to each other in memory and no
            stride is negative, and copied first if not.

        Returns
        -------
        ndarray, shape (N, K, H', W') or as the layout says, same dtype
        """
        try:
            call = self._calls.get((x.shape, x.strides, x.dtype, thread_count(self.threads)))
        except AttributeError:
            call = None
        if call is None:
            call = self._called(x)
        if call.plan is None:
            return self._by_library(x, call)
        y = aligned_empty(call.shape, self.dtype)
        if y.size:
            source = x if call.straight else np.ascontiguousarray(x, self.dtype)
            call.plan(flat_memory(source), y.reshape(-1))
        return y

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.channels} -> {self.filters}, taps {self.taps}, {self.dtype}, "
            f"{self.algorithm})"
        )

    @property
    def workspace_bytes(self) -> int:
        """Bytes that each thread works in, beside filter, input and output: the most of the shapes seen so far."""
        return max((call.plan.workspace_bytes for call in self._calls.values() if call.plan), default=0)

    @property
    def plan(self) -> str:
        """What the layer does with each shape of input seen so far, and why: one line for each.

        What was picked, the time to expect, that of the next slower ones, and what is faster but excluded by max_error.
        """
        return "\n".join(
            f"x {key[0]}: {call.choice}" + (f"; {call.plan}" if call.plan else "") for key, call in self._calls.items()
        ) or "no input seen yet"

    def prepared_for(self, shape: tuple[int, ...]) -> Self:
        """The layer itself, its filters made ready for inputs of this shape, as else the first call does."""
        choice = self._chosen(self.problem_for(shape))
        if choice.algorithm not in ("im2col", "fft"):
            self._prepare(choice.algorithm)
        return self

    def problem_for(self, shape: tuple[int, ...]) -> Problem:
        """What an input of this shape, C-contiguous in the layer's layout, asks for."""
        steps = np.cumprod([1, *shape[:0:-1]])[::-1] * self.dtype.itemsize
        return self._problem(np.lib.stride_tricks.as_strided(np.zeros(1, self.dtype), shape, tuple(map(int, steps))))

    def algorithm_for(self, shape: tuple[int, ...]) -> Algorithm | str:
        """The algorithm that such an input is convolved with."""
        return self._chosen(self.problem_for(shape)).algorithm

    def _called(self, x: np.ndarray) -> _Call:
        """The call for inputs like x, checked and planned."""
        check_array(x, "x", self._axes + 2, f"({', '.join(self.layout)})")
        if x.dtype.newbyteorder("=") != self.dtype:
            raise TypeError(f"x and w must have one dtype; got {x.dtype} and {self.dtype}: convert one with astype.")
        place = self.layout.index("C")
        if x.shape[place] != self.channels:
            raise ValueError(f"x must have {self.channels} channels (w's channels times groups); got {x.shape[place]}.")
        straight = self._readable(x)
        problem = self._problem(x if straight else np.empty(x.shape, self.dtype))
        space = problem.out[-self._axes :]
        shape = (len(x), self.filters, *space) if place == 1 else (len(x), *space, self.filters)
        with self._lock:
            choice = self._chosen(problem)
            options = (self.stride, self.padding, self.dilation, self.groups)
            if choice.algorithm == "im2col":
                call = _Call(choice, None, lambda planes: im2col.run(planes, self._w, *options), shape, False)
            elif choice.algorithm == "fft":
                spectrum = fft.transformed(self._w, problem.size[-self._axes :], *options)
                call = _Call(choice, None, lambda planes: spectrum(planes, problem.threads), shape, False)
            else:
                plan = self._prepare(choice.algorithm).plan(problem, self.bias)
                call = _Call(choice, plan, None, shape, straight)
            if len(self._calls) >= _MOST_PLANS:
                self._calls.clear()
            self._calls[x.shape, x.strides, x.dtype, problem.threads] = call
        return call

    def _readable(self, x: np.ndarray) -> bool:
        """Whether kernels can read x where it lies."""
        item = x.itemsize
        steps = x.strides
        return (
            x.dtype == self.dtype
            and all(step >= 0 and step % item == 0 for step in steps)
            and x.flags.aligned
            and item in (steps[self.layout.index("C")], steps[self.layout.index("W")])
        )

    def _problem(self, x: np.ndarray) -> Problem:
        axes = self._axes
        item = x.itemsize
        last = self.layout.index("C") != 1
        size = x.shape[1:-1] if last else x.shape[2:]
        out = output_sizes(size, self.taps, self.stride, self.padding, self.dilation)
        steps = [step // item for step in x.strides]
        if last:
            steps = [steps[0], steps[-1], *steps[1:-1]]
            y_sizes = (*out, self.filters)
        else:
            y_sizes = (self.filters, *out)
        y_steps = [int(np.prod(y_sizes[i:], dtype=np.int64)) for i in range(len(y_sizes) + 1)]
        if last:
            y_steps = [y_steps[0], y_steps[-1], *y_steps[1:-1]]
        missing = [0] * (3 - axes)
        return Problem(
            images=max(1, len(x)), channels=self.channels // self.groups, filters=self.filters // self.groups,
            groups=self.groups, size=triple(size), out=triple(out), taps=triple(self.taps),
            stride=triple(self.stride), dilation=triple(self.dilation),
            pad=triple_of_padding(self.padding),
            x_steps=(*steps[:2], *missing, *steps[2:]), y_steps=(*y_steps[:2], *missing, *y_steps[2:]),
            dtype=self.dtype.name, threads=thread_count(self.threads), has_bias=self._biased, relu=self.relu,
        )

    def _chosen(self, problem: Problem) -> Choice:
        return chosen(self.algorithm, self._axes, problem, self.max_error, self.one_shot)

    def _by_library(self, x: np.ndarray, call: _Call) -> np.ndarray:
        assert call.library is not None
        last = self.layout.index("C") != 1
        planes = np.asarray(np.moveaxis(x, -1, 1) if last else x, self.dtype)
        space = call.shape[1:-1] if last else call.shape[2:]
        y = call.library(planes) if planes.size else np.zeros((len(x), self.filters, *space), self.dtype)
        if self._biased:
            y += self.bias[: self.filters].reshape(-1, *(1,) * self._axes)
        if self.relu:
            np.maximum(y, 0, out=y)
        return np.ascontiguousarray(np.moveaxis(y, 1, -1)) if last else y

    def _prepare(self, algorithm: Algorithm | str) -> Prepared:
        with self._lock:
            if algorithm not in self._prepared:
                w = self._w.reshape(*self._w.shape[:2], *triple(self.taps))
                if isinstance(algorithm, Algorithm):
                    self._prepared[algorithm] = TransformedFilter(w, self.groups, algorithm, triple(self.stride))
                elif w.shape[1] == 1 and self.groups > 1:
                    self._prepared[algorithm] = DepthwiseFilter(w, self.groups)
                else:
                    self._prepared[algorithm] = DirectFilter(w, self.groups)
            return self._prepared[algorithm]

    def _checked_bias(self, bias: np.ndarray | None) -> np.ndarray:
        # Padded with zeros, so that kernels may load whole vectors of it.
        if bias is not None:
            check_array(bias, "bias", 1, "(K,)")
            if bias.dtype.newbyteorder("=") != self.dtype or bias.shape != (self.filters,):
                raise ValueError(
                    f"bias must be {self.dtype} of shape ({self.filters},), one number for each filter; "
                    f"got {bias.dtype} of shape {bias.shape}."
                )
        padded = np.zeros(self.filters + host().tile(self.dtype).columns, self.dtype)
        if bias is not None:
            padded[: self.filters] = bias
        return padded


def triple_of_padding(padding: tuple[tuple[int, int], ...]) -> tuple[int, int, int]:
    """Zeros before the first element of each axis; an axis that is not there has none."""
    z, first, second = (0, 0, *(before for before, _ in padding))[-3:]
    return z, first, second


class Conv2d(_Layer):
    """A two-dimensional convolution layer with fixed filters (a correlation, as in DNN layers).

    ::

        y[n, k, i, j] = bias[k] + sum over c, a, b of x[n, c, i + a, j + b] w[k, c, a, b]

    The filters are transformed once, here. A layer may be called from several threads at a time. The result does not
    depend on the number of threads, nor on how tiles fall into blocks.

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, R, S), float32 or float64
        Filters.
    bias : ndarray, shape (K,), same dtype, optional
    stride, dilation : int or (int, int)
        A fast algorithm splits the input into the phases of either; "direct" takes both at once.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid"
        Zeros around the input.
    groups : int
        Groups of channels that are convolved apart; as many as channels: depthwise.
    layout : "NCHW" or "NHWC", optional
        Where the channels of data and results are; filters keep their layout.
    algorithm : Algorithm, "auto", "winograd", "direct", "im2col" or "fft"
        An Algorithm's taps are the filter's (divided by the stride, rounded up: those of a phase). "direct" sums filter
        row by filter row, in it column by column, in it channel by channel, one fma each. "auto" takes what should be
        the fastest for the shape of the input.
    threads : int, optional
        At most so many; by default what Numba is set to.
    relu : bool
        Whether what is negative becomes zero, after the bias.
    max_error : float, optional
        With "auto" and "winograd": never take an algorithm of which a larger error is to be expected, as
        `error_analysis.expected_error` does: the mean |error| of an output, for data and filters i.i.d. uniform on
        [-1, 1], without bias. Larger tiles are then considered too. For data up to X and filters up to W, divide the
        error that may be by X W.
    one_shot : bool
        Whether "auto" and "winograd" count the time to transform the filters, for a layer that is called but once.

    Raises
    ------
    ValueError, TypeError
        If shapes, dtypes or options do not fit together, or nothing satisfies max_error; see the message.
    ImportError
        If max_error is given and error_analysis is neither installed nor imported.

    Rounding
    --------
    As the Algorithm says, in its order, then one rounding for the bias. Taps that reach beyond the image meet zeros.
    What is not finite in x makes the outputs whose receptive field holds it not finite, before relu; with "direct" and
    "im2col" no others, with a fast algorithm or "fft" perhaps others of their tiles. All the rest is as without it.

    Examples
    --------
    >>> x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    >>> layer = Conv2d(np.ones((1, 1, 3, 3), np.float32))
    >>> layer(x).round(3)
    array([[[[45., 54.],
             [81., 90.]]]], dtype=float32)
    """


class Conv1d(_Layer):
    """A one-dimensional convolution layer with fixed filters; as `Conv2d`, without the height.

    ::

        y[n, k, j] = bias[k] + sum over c, b of x[n, c, j + b] w[k, c, b]

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, S), float32 or float64
    bias, stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error, one_shot
        As in `Conv2d`, for one axis: layout is "NCW" or "NWC", padding of two sides ((left, right),).

    Examples
    --------
    >>> Conv1d(np.ones((1, 1, 3)))(np.arange(6.0).reshape(1, 1, 6))
    array([[[ 3.,  6.,  9., 12.]]])
    """

    _axes = 1
    _layouts = LAYOUTS[1]


class Conv3d(_Layer):
    """A three-dimensional convolution layer with fixed filters; as `Conv2d`, with a depth before the height.

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, D, R, S), float32 or float64
    bias, stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error, one_shot
        As in `Conv2d`, for three axes: layout is "NCDHW" or "NDHWC".

    Examples
    --------
    >>> Conv3d(np.ones((1, 1, 2, 2, 2)), algorithm="direct")(np.ones((1, 1, 3, 2, 2))).ravel()
    array([8., 8.])
    """

    _axes = 3
    _layouts = LAYOUTS[3]
