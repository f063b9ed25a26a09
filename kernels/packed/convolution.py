"""Convolution of packed numbers, exact in int32: channels inside of words, taps outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernels.arguments import as_groups, as_numbers, as_padding, output_sizes
from kernels.packed.array import PackedArray
from kernels.packed.joined import weights_for
from kernels.packed.numbers import numbers_of
from kernels.packed.output import Stage
from kernels.packed.prepared import Prepared, group_words
from kernels.packed.running import Call

__all__ = ["Convolution", "conv1d", "conv2d"]


def _check_operand(value: Any, name: str, ndim: int, layout: str) -> PackedArray:
    if not isinstance(value, PackedArray):
        raise TypeError(f"{name} must be a PackedArray; got {type(value).__name__}: pack it first, along axis 1.")
    if value.ndim != ndim or value.axis != 1:
        raise ValueError(f"{name} must have {ndim} dimensions {layout} and be packed along axis 1; got {value!r}.")
    return value


class Convolution:
    """A convolution with its weights made ready, for activations of any kind.

    y[n, k, i, j] = bias[k] + sum over c, r, s of (a[n, c, i * stride + r * dilation - padding, ...] - z) w[k, c, r, s]

    Parameters
    ----------
    w : PackedArray, shape (K, C / groups, R, S) or (K, C / groups, S)
        Packed along axis 1. It may be changed afterwards: its values are copied.
    stride, dilation : int, or one for each axis
    padding : int, one for each axis, a pair for each axis, "valid" or "same"
        What lies there counts as the zero point z: it adds nothing, to sums of bipolar activations either.
    groups : int
    scheme : str
        "planes": bit planes with AND (XOR for bipolar numbers) and population count; "tables": sums of four activations
        looked up by four bits of the weights; "fields": weights become bytes, for the CPU's dot products, only in its
        registers; "int8": unpacked to bytes, or to 16 bits where need be, for the same; "packed": several products in
        one wide multiplication, see `lanes_for`; "auto": the fastest one. The result is the same.
    bias : array of integers, shape (K,), optional

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind.

    Rounding
    --------
    None: exact. A sum that might not fit int32 is refused before anything is computed.

    Examples
    --------
    >>> from kernels import packed
    >>> layer = Convolution(packed.pack(np.ones((1, 2, 3), int), 1, False, axis=1), padding=1)
    >>> layer(packed.pack(np.arange(8).reshape(1, 2, 4), 3, False, axis=1))
    array([[[10, 18, 24, 18]]], dtype=int32)
    """

    def __init__(
        self, w: PackedArray, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1,
        scheme: str = "auto", bias: Any = None,
    ) -> None:
        axes = w.ndim - 2 if isinstance(w, PackedArray) else 2
        if axes not in (1, 2):
            raise ValueError(f"w must have 3 or 4 dimensions; got {w!r}.")
        self._axes = axes
        self._layout = "NCHW" if axes == 2 else "NCW"
        _check_operand(w, "w", axes + 2, "(K, C / groups, R, S)" if axes == 2 else "(K, C / groups, S)")
        if min(w.shape) < 1:
            raise ValueError(f"w must have elements; got shape {w.shape}.")
        self._taps = w.shape[2:]
        self._stride = as_numbers(stride, "stride", axes, 1)
        self._dilation = as_numbers(dilation, "dilation", axes, 1)
        self._padding = as_padding(padding, axes, self._taps, self._stride, self._dilation)
        self.groups = as_groups(groups, w.shape[0])
        self.filters, self.channels = w.shape[0], w.shape[1] * self.groups
        self.kind = numbers_of(w)
        weights = weights_for(w.unpack(), self.kind, self.groups, scheme)
        self._prepared = Prepared(weights, scheme, bias, any(any(sides) for sides in self._padding))

    def explain(self, a: PackedArray) -> str:
        """Which scheme such activations take, and why."""
        return self._prepared.explain(a, math.prod(self._sizes(a)))

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held: bit planes, and bytes where the CPU's dot products took them."""
        return self._prepared.nbytes

    def _sizes(self, a: PackedArray) -> tuple[int, ...]:
        return output_sizes(a.shape[2:], self._taps, self._stride, self._padding, self._dilation)

    def __call__(self, a: PackedArray, threads: int | None = None, zero_point: int = 0) -> np.ndarray:
        """The convolution of activations, packed along axis 1.

        Parameters
        ----------
        a : PackedArray, shape (N, C, H, W) or (N, C, W)
        threads : int, optional
            By default as many as Numba has.
        zero_point : int
            z, taken from each activation: a number that they may have.

        Returns
        -------
        ndarray of int32, shape (N, K, H', W') or (N, K, W')
        """
        return self._prepared(self._frame, a, threads, zero_point)

    def finished(
        self, a: PackedArray, threads: int | None, zero_point: int, stage: Stage | None, scale: float
    ) -> np.ndarray:
        """The same after an output stage, for activations of a scale: int32, float32, or words of packed integers."""
        return self._prepared(self._frame, a, threads, zero_point, stage, scale)

    def _frame(self, a: PackedArray, threads: int) -> tuple[Call, tuple[int, ...], int]:
        _check_operand(a, "a", self._axes + 2, self._layout)
        if a.shape[1] != self.channels:
            raise ValueError(f"a must have {self.channels} channels, as the filters do; got {a.shape[1]}.")
        out = self._sizes(a)
        size, pixels = _pair(a.shape[2:], 1), _pair(out, 1)
        plane = size[0] * size[1]
        call = Call(
            images=a.shape[0] * self.groups, size=size, out=pixels, taps=_pair(self._taps, 1),
            stride=_pair(self._stride, 1), dilation=_pair(self._dilation, 1),
            pad=_pair(tuple(before for before, _ in self._padding), 0),
            x_steps=(group_words(a, self.groups) * plane, plane, size[1], 1),
            y_filter=pixels[0] * pixels[1], threads=threads,
        )
        return call, (a.shape[0], self.filters, *out), 1


def _pair(values: tuple[int, ...], first: int) -> tuple[int, int]:
    return (values[0], values[1]) if len(values) == 2 else (first, values[0])


def conv2d(
    a: PackedArray, w: PackedArray, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1, *,
    zero_point: int = 0, scheme: str = "auto", threads: int | None = None, explain: bool = False,
) -> Any:
    """Two-dimensional convolution of packed numbers; for many calls with the same weights, `Convolution` is faster.

    Parameters
    ----------
    a : PackedArray, shape (N, C, H, W)
        Packed along axis 1.
    w : PackedArray, shape (K, C / groups, R, S)
        Packed along axis 1, of any width and signedness.
    stride, padding, dilation, groups, scheme
        As for `Convolution`.
    zero_point : int
        Taken from each activation; padding counts as it.
    threads : int, optional
    explain : bool
        Give a pair instead: the result, and a sentence that says which scheme was taken and why.

    Returns
    -------
    ndarray of int32, shape (N, K, H', W')

    Raises
    ------
    TypeError, ValueError
        If operands are not packed so, shapes do not fit, or the sums might not fit int32.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> from kernels import packed
    >>> a = packed.pack(np.arange(16).reshape(1, 1, 4, 4), 4, False, axis=1)
    >>> w = packed.pack_bipolar(np.array([[[[1, -1]]]]), axis=1)
    >>> conv2d(a, w)[0, 0, 0]
    array([-1, -1, -1], dtype=int32)
    """
    _check_operand(w, "w", 4, "(K, C / groups, R, S)")
    _check_operand(a, "a", 4, "NCHW")
    layer = Convolution(w, stride, padding, dilation, groups, scheme)
    y = layer(a, threads, zero_point)
    return (y, layer.explain(a)) if explain else y


def conv1d(
    a: PackedArray, w: PackedArray, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1, *,
    zero_point: int = 0, scheme: str = "auto", threads: int | None = None, explain: bool = False,
) -> Any:
    """One-dimensional convolution of packed numbers: as `conv2d`, for (N, C, W) and (K, C / groups, S).

    Examples
    --------
    >>> from kernels import packed
    >>> a = packed.pack([[[1, 2, 3]]], 3, False, axis=1)
    >>> conv1d(a, packed.pack([[[1, -2]]], 2, True, axis=1))
    array([[[-3, -4]]], dtype=int32)
    """
    _check_operand(w, "w", 3, "(K, C / groups, S)")
    _check_operand(a, "a", 3, "NCW")
    layer = Convolution(w, stride, padding, dilation, groups, scheme)
    y = layer(a, threads, zero_point)
    return (y, layer.explain(a)) if explain else y
