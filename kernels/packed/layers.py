"""Quantised layers: packed weights held ready, real or packed numbers in, sums, real or packed numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.packed.affine import Affine, as_floats
from kernels.packed.arguments import as_axis
from kernels.packed.array import PackedArray
from kernels.packed.convolution import Convolution
from kernels.packed.matrices import Product
from kernels.packed.numbers import Numbers, numbers_of
from kernels.packed.output import Stage
from kernels.packed.packing import Packing, real_numbers
from kernels.team import thread_count

__all__ = ["Conv2d", "Linear"]

_MOST_PLANS = 64


class _Layer:
    """What both layers do around their product."""

    def __init__(
        self, w: PackedArray, w_scale: Any, bias: Any, input: Affine, output: Any, relu: bool, axis: int,
        threads: int | None,
    ) -> None:
        self.input, self.output, self.relu, self.threads = input, output, bool(relu), threads
        self._axis = axis
        self._filters = filters = w.shape[0]
        self._w_scales = np.array(w_scale, np.float64)
        if self._w_scales.shape not in ((), (filters,)) or not (
            np.isfinite(self._w_scales).all() and (self._w_scales > 0).all()
        ):
            raise ValueError(
                f"w_scale must be above 0: one number, or one for each of {filters} filters; got {w_scale!r}."
            )
        if not isinstance(input, Affine):
            raise TypeError(f"input must be an Affine; got {type(input).__name__}.")
        if input.per_channel or input.zero_points.ndim:
            raise ValueError(f"input must have one scale and one zero point; got {input!r}.")
        if isinstance(output, Affine):
            if output.scale is None or output.per_channel or output.zero_points.ndim:
                raise ValueError(f"output must have one scale and one zero point; got {output!r}.")
        elif output not in ("float32", "int32"):
            raise ValueError(f'output must be "float32", "int32" or an Affine; got {output!r}.')
        self._additions = np.zeros(filters)
        self.integer_bias = None
        if bias is not None:
            values = np.asarray(bias)
            if values.shape != (filters,):
                raise ValueError(f"bias must have shape ({filters},), one number for each filter; got {values.shape}.")
            if values.dtype.kind in "iu":
                self.integer_bias = values
            elif values.dtype.kind != "f" or not np.isfinite(values).all():
                raise ValueError(f"bias must hold finite numbers, or integers; got {values.dtype}.")
            elif output == "int32":
                raise ValueError(
                    "bias must be integers, in units of input scale * w_scale, where the output is int32; "
                    f"got {values.dtype}."
                )
            else:
                self._additions = values.astype(np.float64)
        self._stage = None if output == "int32" else Stage(
            np.broadcast_to(self._w_scales, (filters,)), self._additions, self.relu,
            output if isinstance(output, Affine) else None,
        )
        self._kind = input.kind
        self._known: tuple[float, int, np.ndarray] | None = None
        if input.scale is not None:
            scale, zero = float(input.scales), int(input.zero_points)
            self._known = scale, zero, real_numbers(scale, zero, input.kind)
        if isinstance(output, Affine):
            made = output.kind
            self._like = PackedArray(np.empty(0, np.uint64), made.bits, made.signed, (0,), 0, bipolar=made.bipolar)
        self._packings: dict[tuple[Any, ...], Packing] = {}

    def _numbers(self, x: Any) -> tuple[PackedArray, float, int]:
        """The packed input, its scale and its zero point."""
        if isinstance(x, PackedArray):
            if (x.bits, x.signed, x.bipolar) != self._kind:
                raise ValueError(f"x must be of {self.input.kind}, as input says; got {x!r}.")
            if self._known is None and self.output != "int32":
                raise ValueError("x must be real numbers where input has no scale; got a PackedArray.")
            return x, *(self._known[:2] if self._known else (1.0, int(self.input.zero_points)))
        real = as_floats(x, "x")
        if self._known is None:
            affine = Affine.of(real, self._kind.bits, self._kind.signed, bipolar=self._kind.bipolar)
            scale, zero = float(affine.scales), int(affine.zero_points)
            reals = real_numbers(scale, zero, self._kind)
        else:
            scale, zero, reals = self._known
        packing = self._packing(real.shape, real.dtype, as_axis(self._axis, real.ndim), self._kind)
        return packing(np.ascontiguousarray(real), reals), scale, zero

    def _packing(self, shape: tuple[int, ...], dtype: np.dtype, axis: int, kind: Numbers) -> Packing:
        key = shape, dtype, thread_count(self.threads)
        packing = self._packings.get(key)
        if packing is None:
            if len(self._packings) >= _MOST_PLANS:
                self._packings.clear()
            packing = self._packings[key] = Packing(shape, dtype, axis, kind, key[2])
        return packing

    def _applied(self, product: Any, x: Any) -> Any:
        a, scale, zero = self._numbers(x)
        y = product(a, self.threads, zero, self._stage, scale)
        if self._stage is None:
            return np.maximum(y, 0, out=y) if self.relu else y
        if not isinstance(self.output, Affine):
            return y
        axis = self._axis % y.ndim
        if y.dtype != np.uint64:
            return self._packing(y.shape, y.dtype, axis, self.output.kind)(y)
        return self._like.with_words(y, (*y.shape[:axis], self._filters, *y.shape[axis + 1 :]), axis)


class Conv2d(_Layer):
    """A two-dimensional convolution layer of few bits: real or packed numbers in; sums, real or packed numbers out.

    ::

        sum[n, k, i, j] = sum over c, r, s of (a[n, c, i * stride + r * dilation - padding, ...] - z) w[k, c, r, s]
        y               = input scale * w_scale[k] * sum + bias[k],   quantised if output is an Affine

    Parameters
    ----------
    w : PackedArray, shape (K, C / groups, R, S)
        Packed along axis 1. Zero stands for zero.
    w_scale : float, or array of shape (K,)
    bias : array, shape (K,), optional
        Integers count in units of input scale * w_scale and are added to the sums, exactly; floats are in y's units.
    input : Affine
        What packed inputs are, and what real ones become. With no scale, it is taken from each real input:
        `Affine.of(x, bits, signed)`.
    output : "float32", "int32" or Affine
        Real numbers; the sums; or packed along axis 1.
    stride, padding, dilation, groups, scheme
        As for `kernels.packed.Convolution`. Padding stands for 0.
    relu : bool
        Whether what is negative becomes 0; for packed output, the zero point.
    threads : int, optional

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or shapes do not fit; from a call, also if a sum might not fit int32.

    Rounding
    --------
    Real inputs: as `quantize`. The sums are exact. Then, in float64, factors scale * w_scale (/ output scale) and
    bias (/ output scale), their product with the sum, and the sum of both are rounded once each; the result is rounded
    once, to float32 or to the nearest integer, ties to the even one, before the zero point is added.

    Examples
    --------
    >>> from kernels import packed
    >>> w = packed.pack(np.ones((1, 2, 2, 2), int), 2, True, axis=1)
    >>> layer = Conv2d(w, 0.5, input=packed.Affine(4, False, 0.25, zero_point=3), padding=1)
    >>> layer(np.full((1, 2, 1, 1), 1.0, np.float32))[0, 0]
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """

    def __init__(
        self, w: PackedArray, w_scale: Any = 1.0, bias: Any = None, *, input: Affine, output: Any = "float32",
        stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1, relu: bool = False, scheme: str = "auto",
        threads: int | None = None,
    ) -> None:
        if not isinstance(w, PackedArray) or w.ndim != 4:
            raise TypeError(f"w must be a PackedArray of 4 dimensions (K, C / groups, R, S); got {w!r}.")
        super().__init__(w, w_scale, bias, input, output, relu, 1, threads)
        self._convolution = Convolution(w, stride, padding, dilation, groups, scheme, self.integer_bias)

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held."""
        return self._convolution.nbytes

    def explain(self, x: PackedArray) -> str:
        """Which scheme this input takes, and why."""
        return self._convolution.explain(x)

    def __call__(self, x: Any) -> Any:
        """The layer's output.

        Parameters
        ----------
        x : ndarray of float32 or float64, or PackedArray along axis 1; shape (N, C, H, W)

        Returns
        -------
        ndarray of float32 or int32, or PackedArray along axis 1; shape (N, K, H', W')
        """
        return self._applied(self._convolution.finished, x)


class Linear(_Layer):
    """A fully connected layer of few bits.

    ::

        y[..., k] = input scale * w_scale[k] * (sum over c of (a[..., c] - z) w[k, c]) + bias[k]

    For few rows each weight is read from memory once, in exactly its bits.

    Parameters
    ----------
    w : PackedArray, shape (K, C)
        Packed along its last axis. Zero stands for zero.
    w_scale, bias, input, output, relu, scheme, threads
        As for `Conv2d`; packed inputs and outputs are packed along their last axis.

    Raises
    ------
    TypeError, ValueError
        As `Conv2d`.

    Rounding
    --------
    As `Conv2d`.

    Examples
    --------
    >>> from kernels import packed
    >>> layer = Linear(packed.pack([[1, -2, 1]], 2, True), 0.5, [1], input=packed.Affine(2, False, 1.0), output="int32")
    >>> layer(packed.pack([[3, 1, 0]], 2, False))
    array([[2]], dtype=int32)
    """

    def __init__(
        self, w: PackedArray, w_scale: Any = 1.0, bias: Any = None, *, input: Affine, output: Any = "float32",
        relu: bool = False, scheme: str = "auto", threads: int | None = None,
    ) -> None:
        if not isinstance(w, PackedArray) or w.ndim != 2 or w.axis != 1:
            raise TypeError(f"w must be a PackedArray of 2 dimensions (K, C), packed along the last; got {w!r}.")
        if min(w.shape) < 1:
            raise ValueError(f"w must have elements; got shape {w.shape}.")
        super().__init__(w, w_scale, bias, input, output, relu, -1, threads)
        self._product = Product(w.unpack(), numbers_of(w), scheme, self.integer_bias)

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held."""
        return self._product.nbytes

    def explain(self, x: PackedArray) -> str:
        """Which scheme this input takes, and why."""
        return self._product.explain(x)

    def __call__(self, x: Any) -> Any:
        """The layer's output.

        Parameters
        ----------
        x : ndarray of float32 or float64, or PackedArray along its last axis; shape (..., C)

        Returns
        -------
        ndarray of float32 or int32, or PackedArray along its last axis; shape (..., K)
        """
        return self._applied(self._product, x)
