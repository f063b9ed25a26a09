"""Real numbers as integers of few bits: real = scale (q - zero_point), with a scale for all or one for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kernels.compilation import load_module
from kernels.packed.arguments import as_axis, as_integers, check_bits
from kernels.packed.array import PackedArray
from kernels.packed.layout import lane_layout
from kernels.packed.numbers import Numbers
from kernels.packed.packing import Packing, real_numbers
from kernels.packed.staging import packed_words, word_header

__all__ = ["Affine", "as_floats", "dequantize", "quantize"]

_TEMPLATES = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True, eq=False)
class Affine:
    """How integers of few bits stand for real numbers: real = scale (q - zero_point).

    Parameters
    ----------
    bits : int
        1 to 16.
    signed : bool
    scale : float, or array of float with one for each channel; optional
        More than 0. None for layers that take the scale from each input.
    zero_point : int, or array of int with one for each channel
        The q that stands for 0: a value of the integers' range.
    bipolar : bool
        One bit for -scale and +scale: `signed` must be set, and the zero point 0.

    Raises
    ------
    TypeError, ValueError
        If a field is of the wrong kind or outside its range.

    Examples
    --------
    >>> unsigned = Affine(4, False, scale=0.5, zero_point=3)
    >>> dequantize(quantize(np.array([-1.5, 0.0, 1.2, 9.0]), unsigned), unsigned)
    array([-1.5,  0. ,  1. ,  6. ], dtype=float32)
    """

    bits: int
    signed: bool
    scale: Any = None
    zero_point: Any = 0
    bipolar: bool = False

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if self.bipolar and (self.bits, bool(self.signed)) != (1, True):
            raise ValueError(f"bipolar numbers must be signed and of 1 bit; got {self.bits}, signed={self.signed}.")
        if self.scale is not None:
            scales = np.array(self.scale, np.float64)
            if scales.ndim > 1 or not scales.size or not (np.isfinite(scales) & (scales > 0)).all():
                raise ValueError(f"scale must be a number above 0, or a list of them; got {self.scale!r}.")
        zeros = as_integers(self.zero_point, "zero_point")
        low, high = (0, 0) if self.bipolar else self.range
        if zeros.ndim > 1 or not zeros.size or zeros.min() < low or zeros.max() > high:
            raise ValueError(f"zero_point must lie in {low} to {high} for {self.kind}; got {self.zero_point!r}.")
        if self.scale is not None and zeros.ndim and zeros.shape != scales.shape:
            raise ValueError(f"zero_point must have one number for each scale; got {zeros.size} for {scales.size}.")

    @property
    def kind(self) -> Numbers:
        """The kind of the integers."""
        return Numbers(self.bits, bool(self.signed), bool(self.bipolar))

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest integer."""
        return self.kind.range

    @property
    def scales(self) -> np.ndarray:
        """The scale, or the scales of the channels, as float64."""
        if self.scale is None:
            raise ValueError(f"scale must be given here; got None in {self!r}.")
        return np.array(self.scale, np.float64)

    @property
    def zero_points(self) -> np.ndarray:
        """The zero point, or those of the channels, as int64."""
        return np.array(self.zero_point, np.int64)

    @property
    def per_channel(self) -> bool:
        """Whether channels have scales of their own."""
        return self.scale is not None and np.ndim(self.scale) == 1

    @classmethod
    def of(
        cls, x: Any, bits: int, signed: bool, *, channel_axis: int | None = None, symmetric: bool | None = None,
        bipolar: bool = False,
    ) -> Affine:
        """The Affine that just covers the numbers of an array, and 0.

        Parameters
        ----------
        x : ndarray of float32 or float64
            It has elements, all finite.
        bits, signed : int, bool
        channel_axis : int, optional
            The axis whose every index gets a scale of its own.
        symmetric : bool, optional
            Zero point 0, scale max|x| / q_max; the default for signed numbers. Else the smallest and the largest
            number, or 0, are at the ends of the range, up to the rounding of the zero point.
        bipolar : bool
            -scale and +scale, where scale is the mean of |x|, for which the squared error is least.

        Raises
        ------
        TypeError, ValueError
            If x is of another kind; if symmetric numbers are to have one bit.

        Examples
        --------
        >>> Affine.of(np.array([-1.0, 3.0]), 2, signed=False)
        Affine(bits=2, signed=False, scale=1.3333333333333333, zero_point=1, bipolar=False)
        """
        array = as_floats(x, "x")
        if not array.size or not np.isfinite(array).all():
            raise ValueError(f"x must have elements, all finite; got shape {array.shape}.")
        axes = None
        if channel_axis is not None:
            place = as_axis(channel_axis, array.ndim)
            axes = tuple(k for k in range(array.ndim) if k != place)
        zero: Any = 0
        scale: Any
        if bipolar:
            scale = np.abs(array, dtype=np.float64).mean(axes)
        else:
            q_low, q_high = Numbers(check_bits(bits), bool(signed)).range
            low = np.minimum(array.min(axes), 0).astype(np.float64)
            high = np.maximum(array.max(axes), 0).astype(np.float64)
            if signed if symmetric is None else symmetric:
                if q_high < 1 or not signed:
                    raise ValueError(f"symmetric numbers must be signed, of 2 bits or more; got {bits}, {signed=}.")
                scale = np.maximum(-low, high) / q_high
            else:
                scale = (high - low) / (q_high - q_low)
                zero = np.clip(np.rint(q_low - low / np.where(scale > 0, scale, 1)), q_low, q_high).astype(np.int64)
        scale = np.where(scale > 0, scale, 1.0)
        if axes is None:
            return cls(bits, signed, float(scale), int(zero), bipolar)
        return cls(bits, signed, scale, zero, bipolar)


def as_floats(x: Any, name: str) -> np.ndarray:
    """An array of float32 or float64 in native byte order, else TypeError."""
    array = np.asarray(x)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} must be float32 or float64; got {array.dtype}.")
    return array


@cache
def _module(target: str) -> ModuleType:
    rounded = (_TEMPLATES / "packed_rounding.py").read_text()
    text = (_TEMPLATES / "packed_quantising.py").read_text()
    return load_module(f"{word_header()}TARGET = np.{target}\n\n\n{rounded}\n\n{text}", f"packed quantising {target}")


def _split(shape: tuple[int, ...], affine: Affine, channel_axis: int | None) -> tuple[int, int, int]:
    """Elements outside of, along and inside of the axis of channels; all are inside where there is one scale."""
    if not affine.per_channel:
        if channel_axis is not None:
            raise ValueError(f"channel_axis must be None where there is one scale; got {channel_axis}.")
        return 1, 1, int(np.prod(shape))
    if channel_axis is None:
        raise ValueError(f"channel_axis must be given, for there are {affine.scales.size} scales; got None.")
    axis = as_axis(channel_axis, len(shape))
    if shape[axis] != affine.scales.size:
        raise ValueError(f"scale must have {shape[axis]} numbers, as axis {axis} has; got {affine.scales.size}.")
    return int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1 :]))


def quantize(x: Any, affine: Affine, axis: int = -1, *, channel_axis: int | None = None) -> PackedArray:
    """Real numbers as packed integers: q = clip(round(x / scale) + zero_point). Bipolar: +1 where x >= 0, else -1.

    Parameters
    ----------
    x : ndarray of float32 or float64
        Infinite numbers become the ends of the range.
    affine : Affine
    axis : int
        The packed axis.
    channel_axis : int, optional
        The axis of the scales, if there are several.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError, ValueError
        If x is of another dtype or has a NaN, or scales and axes do not fit.

    Rounding
    --------
    The quotient is rounded to float64, and that to the nearest integer, ties to the even one, before the zero point is
    added: as ONNX has it. (PyTorch adds first, so that an odd zero point sends its ties to the odd neighbour.)

    Examples
    --------
    >>> quantize(np.array([0.5, 1.5, -2.5, 99]), Affine(4, True, 1.0)).unpack()
    array([ 0,  2, -2,  7], dtype=int8)
    """
    array = np.ascontiguousarray(as_floats(x, "x"))
    place = as_axis(axis, array.ndim)
    outer, channels, inner = _split(array.shape, affine, channel_axis)
    kind, zeros = affine.kind, affine.zero_points
    if kind.bipolar or not (affine.per_channel or zeros.ndim):
        reals = real_numbers(1.0 if kind.bipolar else float(affine.scales), int(zeros.max()), kind)
        return _packing(array.shape, array.dtype, place, kind)(array, reals)
    numbers = np.empty(array.shape, "uint8" if kind.bits <= 8 else "uint16")
    zeros = np.broadcast_to(zeros, (channels,))
    low, high = kind.range
    missing = _module(numbers.dtype.name).quantise(
        array.reshape(-1), outer, channels, inner, *(
            np.ascontiguousarray(np.broadcast_to(v, (channels,)))
            for v in (affine.scales, (low - zeros).astype(np.float64), (high - zeros).astype(np.float64), zeros)
        ), numbers.reshape(-1),
    )
    if missing:
        raise ValueError(f"x must not hold NaN; got {missing} of them.")
    words, _ = packed_words(numbers, place, lane_layout(affine.bits, kind.signed), 0, 0, "wrap")
    return PackedArray(words, kind.bits, kind.signed, array.shape, place)


@lru_cache(maxsize=64)
def _packing(shape: tuple[int, ...], dtype: np.dtype, axis: int, kind: Numbers) -> Packing:
    return Packing(shape, dtype, axis, kind, 1)


def dequantize(
    a: PackedArray, affine: Affine, *, channel_axis: int | None = None, dtype: Any = np.float32
) -> np.ndarray:
    """The real numbers that packed integers stand for: scale (q - zero_point).

    Parameters
    ----------
    a : PackedArray
        Of the kind that `affine` says.
    affine : Affine
    channel_axis : int, optional
        The axis of the scales, if there are several.
    dtype : float32 or float64

    Returns
    -------
    ndarray of this dtype, of a's shape

    Raises
    ------
    TypeError, ValueError
        If a is of another kind, or scales and axes do not fit.

    Rounding
    --------
    The difference is exact; the product is rounded to float64, and that to the dtype. For a scale that float32 has,
    the product is exact.

    Examples
    --------
    >>> from kernels import packed
    >>> dequantize(packed.pack([[0, 1], [2, 3]], 2, False), Affine(2, False, [0.5, 2.0], [0, 1]), channel_axis=0)
    array([[0. , 0.5],
           [2. , 4. ]], dtype=float32)
    """
    if not isinstance(a, PackedArray):
        raise TypeError(f"a must be a PackedArray; got {type(a).__name__}.")
    if (a.bits, a.signed, a.bipolar) != tuple(affine.kind):
        raise ValueError(f"a must be of {affine.kind}, as affine says; got {a!r}.")
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float32 or float64; got {np.dtype(dtype)}.")
    outer, channels, inner = _split(a.shape, affine, channel_axis)
    numbers = a.unpack(np.int32).reshape(outer, channels, inner)
    column = (channels, 1)
    zeros = np.broadcast_to(affine.zero_points, (channels,)).reshape(column)
    real = (numbers - zeros) * np.broadcast_to(affine.scales, (channels,)).reshape(column)
    return real.astype(dtype).reshape(a.shape)
