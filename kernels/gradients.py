"""Gradients of the convolutions: with respect to the input, and with respect to the filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.arguments import (
    AXIS_NAMES,
    LAYOUTS,
    Sides,
    Sizes,
    as_groups,
    as_numbers,
    as_padding,
    check_array,
    input_lengths,
)
from kernels.arguments import output_sizes as forward_sizes
from kernels.conv import conv1d, conv2d, conv3d
from kernels.filter_gradient import filter_gradient
from kernels.filter_gradient_fast import default_transforms, fast_filter_gradient, pays
from kernels.input_gradient import input_gradient
from kernels.team import thread_count
from winograd import Algorithm, Transform

_FORWARD: dict[int, Callable[..., np.ndarray]] = {1: conv1d, 2: conv2d, 3: conv3d}
"""The forward convolutions by axes."""


def conv2d_backward_input(
    dy: np.ndarray,
    w: np.ndarray,
    input_size: tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCHW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """The gradient of a scalar with respect to x, from dy, its gradient with respect to y = conv2d(x, w).

    ::

        dx[n, c, s, t] = sum over k, a, b of dy[n, k, i, j] w[k, c, a, b]    where i*stride + a*dilation - top = s, ...

    It is the adjoint of the convolution: <conv2d(x, w), dy> = <x, dx>. With stride 1 it is one convolution of dy with
    the transposed filter, with stride s it is s^2 of them, each with every s-th tap.

    Parameters
    ----------
    dy : ndarray, shape (N, K, H', W'), or (N, H', W', K) with layout "NHWC"; float32 or float64
    w : ndarray, shape (K, C / groups, R, S), same dtype
    input_size : (int, int)
        H and W of x: with a stride several sizes lead to the same output.
    stride, padding, dilation, groups, layout, threads
        Those of the forward convolution, as in `Conv2d`.
    algorithm : Algorithm, or a name that `Conv2d` takes
        For the convolutions of dy. An Algorithm needs stride 1.

    Returns
    -------
    ndarray, shape (N, C, H, W) or (N, H, W, C), same dtype
        Zero where no output reads the input.

    Raises
    ------
    ValueError, TypeError
        If shapes, dtypes or options do not fit together; see the message.

    Rounding
    --------
    As the algorithm says, for a convolution with K / groups channels; "direct" sums at most K / groups * R * S terms.

    Source
    ------
    Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, chapter 4 (arXiv:1603.07285).

    Examples
    --------
    >>> conv2d_backward_input(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), (4, 3), stride=(2, 1), algorithm="direct")
    array([[[[1., 2., 1.],
             [1., 2., 1.],
             [1., 2., 1.],
             [1., 2., 1.]]]])
    """
    return _backward_input(2, dy, w, input_size, stride, padding, dilation, groups, layout, algorithm, threads)


def conv1d_backward_input(
    dy: np.ndarray,
    w: np.ndarray,
    input_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """The gradient with respect to the input of `conv1d`; as `conv2d_backward_input`, for one axis.

    Parameters
    ----------
    dy : ndarray, shape (N, K, W'), or (N, W', K) with layout "NWC"; float32 or float64
    w : ndarray, shape (K, C / groups, S), same dtype
    input_size : int
        W of x.
    stride, padding, dilation, groups, layout, algorithm, threads
        As in `conv2d_backward_input`, for one axis.

    Returns
    -------
    ndarray, shape (N, C, W) or (N, W, C), same dtype

    Raises
    ------
    ValueError, TypeError
        As `conv2d_backward_input`.

    Rounding
    --------
    As the algorithm says.

    Examples
    --------
    >>> conv1d_backward_input(np.array([[[1.0, 10.0]]]), np.array([[[1.0, 2.0, 3.0]]]), 5, stride=2)
    array([[[ 1.,  2., 13., 20., 30.]]])
    """
    return _backward_input(1, dy, w, input_size, stride, padding, dilation, groups, layout, algorithm, threads)


def conv3d_backward_input(
    dy: np.ndarray,
    w: np.ndarray,
    input_size: tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCDHW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """The gradient with respect to the input of `conv3d`; as `conv2d_backward_input`, for three axes.

    Parameters
    ----------
    dy : ndarray, shape (N, K, D', H', W'), or (N, D', H', W', K) with layout "NDHWC"; float32 or float64
    w : ndarray, shape (K, C / groups, Q, R, S), same dtype
    input_size : (int, int, int)
        D, H and W of x.
    stride, padding, dilation, groups, layout, algorithm, threads
        As in `conv2d_backward_input`, for three axes.

    Returns
    -------
    ndarray, shape (N, C, D, H, W) or (N, D, H, W, C), same dtype

    Raises
    ------
    ValueError, TypeError
        As `conv2d_backward_input`.

    Rounding
    --------
    As the algorithm says.

    Examples
    --------
    >>> conv3d_backward_input(np.ones((1, 1, 1, 1, 1)), np.ones((1, 1, 2, 1, 1)), (2, 1, 1), algorithm="direct").ravel()
    array([1., 1.])
    """
    return _backward_input(3, dy, w, input_size, stride, padding, dilation, groups, layout, algorithm, threads)


def conv2d_backward_filter(
    x: np.ndarray,
    dy: np.ndarray,
    taps: int | tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCHW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """The gradient of a scalar with respect to w, from dy, its gradient with respect to y = conv2d(x, w).

    ::

        dw[k, c, a, b] = sum over n, i, j of dy[n, k, i, j] x[n, c, i*stride + a*dilation - top, ...]

    It is a correlation with R x S outputs and H' x W' taps: algorithms F(r, m) compute r outputs from m taps of dy at
    a time, where F(m, r) of the same points serves the forward pass.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), or (N, H, W, C) with layout "NHWC"; float32 or float64
    dy : ndarray, shape (N, K, H', W') or (N, H', W', K), same dtype
    taps : int or (int, int)
        R and S of w: with a stride several sizes lead to the same output.
    stride, padding, dilation, groups, layout
        Those of the forward convolution, as in `Conv2d`.
    algorithm : "auto", "direct", "winograd" or Algorithm
        "direct": products through the BLAS, for any option. "winograd", for stride, dilation and groups of 1: F(r, m)
        of standard points; or an Algorithm whose outputs m are the taps of w, such as
        `Algorithm(toom_cook(3, 4, points), dims=2)` for 3 x 3 taps and the points of F(4, 3). "auto" takes what is
        expected to be faster.
    threads : int, optional
        Checked only: all work is done by the BLAS, as many threads as it is set to.

    Returns
    -------
    ndarray, shape (K, C / groups, R, S), same dtype

    Raises
    ------
    ValueError, TypeError
        If shapes, dtypes or options do not fit together; see the message.

    Rounding
    --------
    "direct": a sum of N * H' * W' terms, in the order of the BLAS. F(r, m): its matrices, rounded to the dtype, in the
    order of the BLAS; evaluation order and passes of an Algorithm have no part in it. With F(r, m) a NaN or an infinity
    in x or dy makes all taps of its channel or filter NaN.

    Source
    ------
    Lavin and Gray, CVPR 2016 (arXiv:1509.09308), section 4.1: F(3x3, 2x2) computes the gradient for the filter.

    Examples
    --------
    >>> conv2d_backward_filter(np.ones((1, 1, 4, 4)), np.ones((1, 1, 4, 4)), 3, padding=1)
    array([[[[ 9., 12.,  9.],
             [12., 16., 12.],
             [ 9., 12.,  9.]]]])
    """
    return _backward_filter(2, x, dy, taps, stride, padding, dilation, groups, layout, algorithm, threads)


def conv1d_backward_filter(
    x: np.ndarray,
    dy: np.ndarray,
    taps: int | tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """The gradient with respect to the filter of `conv1d`; as `conv2d_backward_filter`, for one axis.

    Parameters
    ----------
    x : ndarray, shape (N, C, W), or (N, W, C) with layout "NWC"; float32 or float64
    dy : ndarray, shape (N, K, W') or (N, W', K), same dtype
    taps : int
        S of w.
    stride, padding, dilation, groups, layout, algorithm, threads
        As in `conv2d_backward_filter`, for one axis.

    Returns
    -------
    ndarray, shape (K, C / groups, S), same dtype

    Raises
    ------
    ValueError, TypeError
        As `conv2d_backward_filter`.

    Rounding
    --------
    As in `conv2d_backward_filter`.

    Examples
    --------
    >>> conv1d_backward_filter(np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.array([[[1.0, 10.0]]]), 3)
    array([[[21., 32., 43.]]])
    """
    return _backward_filter(1, x, dy, taps, stride, padding, dilation, groups, layout, algorithm, threads)


def conv3d_backward_filter(
    x: np.ndarray,
    dy: np.ndarray,
    taps: int | tuple[int, ...],
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCDHW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
) -> np.ndarray:
    """The gradient with respect to the filter of a three-dimensional convolution; as `conv2d_backward_filter`.

    Parameters
    ----------
    x : ndarray, shape (N, C, D, H, W), or (N, D, H, W, C) with layout "NDHWC"; float32 or float64
    dy : ndarray, shape (N, K, D', H', W') or (N, D', H', W', K), same dtype
    taps : int or (int, int, int)
        Q, R and S of w.
    stride, padding, dilation, groups, layout, algorithm, threads
        As in `conv2d_backward_filter`, for three axes.

    Returns
    -------
    ndarray, shape (K, C / groups, Q, R, S), same dtype

    Raises
    ------
    ValueError, TypeError
        As `conv2d_backward_filter`.

    Rounding
    --------
    As in `conv2d_backward_filter`.

    Examples
    --------
    >>> conv3d_backward_filter(np.ones((1, 1, 2, 3, 3)), np.ones((1, 1, 2, 2, 2)), (1, 2, 2))
    array([[[[[8., 8.],
              [8., 8.]]]]])
    """
    return _backward_filter(3, x, dy, taps, stride, padding, dilation, groups, layout, algorithm, threads)


def _backward_input(
    axes: int, dy: Any, w: Any, input_size: Any, stride: Any, padding: Any, dilation: Any, groups: Any, layout: Any,
    algorithm: Any, threads: Any,
) -> np.ndarray:
    channels_last = _channels_last(layout, axes)
    check_array(dy, "dy", axes + 2, f"({', '.join(layout)})")
    check_array(w, "w", axes + 2, f"(K, C / groups, {', '.join('QRS'[3 - axes :])})")
    dtype = _one_dtype(w, dy, "w", "dy")
    if 0 in w.shape:
        raise ValueError(f"w must not be empty; got shape {w.shape}.")
    taps, strides, sides, dilations = _options(axes, w.shape[2:], stride, padding, dilation)
    groups = as_groups(groups, w.shape[0])
    filters, outputs = _channels_and_size(dy, channels_last)
    if filters != w.shape[0]:
        raise ValueError(f"dy must have {w.shape[0]} channels, one for each filter of w; got {filters}.")
    lengths = as_numbers(input_size, "input_size", axes, 1)
    for name, length, *option in zip(AXIS_NAMES[axes], lengths, outputs, taps, strides, sides, dilations, strict=True):
        possible = input_lengths(*option)
        if not possible:
            raise ValueError(f"dy must be the size of an output; no input has {option[0]} along its {name}.")
        if length not in possible:
            which = f"{possible[0]}" if len(possible) == 1 else f"{possible[0]} to {possible[-1]}"
            raise ValueError(f"input_size must have the {name} {which} for {option[0]} outputs; got {length}.")
    if isinstance(algorithm, Algorithm) and set(strides) != {1}:
        raise ValueError(f"algorithm must be given by name where stride is not 1; got {algorithm} for {strides}.")
    thread_count(threads)

    def forward(part: np.ndarray, filters: np.ndarray, sides: Sides, dilations: Sizes) -> np.ndarray:
        # A phase of single taps is a plain product, whatever the others are.
        name = "auto" if algorithm == "winograd" and max(filters.shape[2:]) == 1 else algorithm
        return _FORWARD[axes](part, filters, None, 1, sides, dilations, groups, layout, name, threads)

    dy, w = np.asarray(dy, dtype), np.asarray(w, dtype)
    return input_gradient(dy, w, lengths, strides, sides, dilations, groups, channels_last, forward)


def _backward_filter(
    axes: int, x: Any, dy: Any, taps: Any, stride: Any, padding: Any, dilation: Any, groups: Any, layout: Any,
    algorithm: Any, threads: Any,
) -> np.ndarray:
    channels_last = _channels_last(layout, axes)
    for value, name in ((x, "x"), (dy, "dy")):
        check_array(value, name, axes + 2, f"({', '.join(layout)})")
    dtype = _one_dtype(x, dy, "x", "dy")
    taps, strides, sides, dilations = _options(axes, as_numbers(taps, "taps", axes, 1), stride, padding, dilation)
    channels, lengths = _channels_and_size(x, channels_last)
    filters, outputs = _channels_and_size(dy, channels_last)
    groups = as_groups(groups, filters)
    if 0 in (channels, filters) or channels % groups:
        raise ValueError(f"x and dy must have channels that groups = {groups} divides; got {channels} and {filters}.")
    if x.shape[0] != dy.shape[0]:
        raise ValueError(f"x and dy must have one number of images; got {x.shape[0]} and {dy.shape[0]}.")
    expected = forward_sizes(lengths, taps, strides, sides, dilations)
    if outputs != expected:
        raise ValueError(f"dy must have the size {expected} that x, taps and the options give; got {outputs}.")
    thread_count(threads)
    plain = {*strides, *dilations, groups} == {1}
    transforms = _transforms(algorithm, taps, dtype, plain)
    if algorithm == "auto" and plain and pays(x.shape[0], channels, filters, outputs, taps):
        transforms = default_transforms(taps)
    x, dy = np.asarray(x, dtype), np.asarray(dy, dtype)
    if channels_last:
        x, dy = np.moveaxis(x, -1, 1), np.moveaxis(dy, -1, 1)
    if transforms:
        return fast_filter_gradient(x, dy, sides, transforms)
    return filter_gradient(x, dy, taps, strides, sides, dilations, groups)


def _transforms(algorithm: Any, taps: Sizes, dtype: np.dtype, plain: bool) -> tuple[Transform, ...]:
    """The transforms that were asked for, none for "direct" and "auto"; refuses what does not fit."""
    if isinstance(algorithm, str) and algorithm in ("auto", "direct"):
        return ()
    if algorithm != "winograd" and not isinstance(algorithm, Algorithm):
        raise ValueError(f'algorithm must be an Algorithm, "direct", "winograd" or "auto"; got {algorithm!r}.')
    if not plain:
        raise ValueError('stride, dilation and groups must be 1 for a fast algorithm; use "direct" or "auto" instead.')
    if not isinstance(algorithm, Algorithm):
        return default_transforms(taps)
    if algorithm.m != taps:
        raise ValueError(f"algorithm must be F(r, m) with r the taps {taps} as its outputs; got {algorithm.size}.")
    if set(algorithm.stage_dtypes.values()) != {dtype.name}:
        raise ValueError(f"algorithm must work in the arrays' dtype {dtype} in every stage; got {algorithm}.")
    if algorithm.rounding != "nearest" or algorithm.channel_sum != "linear":
        raise ValueError(f"algorithm must round to nearest and sum linearly for a gradient; got {algorithm}.")
    return algorithm.transforms


def _channels_last(layout: Any, axes: int) -> bool:
    if layout not in LAYOUTS[axes]:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS[axes])}; got {layout!r}.")
    return bool(layout == LAYOUTS[axes][1])


def _channels_and_size(value: np.ndarray, channels_last: bool) -> tuple[int, Sizes]:
    return (value.shape[-1], value.shape[1:-1]) if channels_last else (value.shape[1], value.shape[2:])


def _one_dtype(first: np.ndarray, second: np.ndarray, name: str, other: str) -> np.dtype:
    """The dtype of both in the machine's byte order, else TypeError."""
    dtype: np.dtype = first.dtype.newbyteorder("=")
    if second.dtype.newbyteorder("=") != dtype:
        raise TypeError(
            f"{name} and {other} must have one dtype; got {first.dtype} and {second.dtype}: convert one with astype."
        )
    return dtype


def _options(axes: int, taps: Sizes, stride: Any, padding: Any, dilation: Any) -> tuple[Sizes, Sizes, Sides, Sizes]:
    strides, dilations = as_numbers(stride, "stride", axes, 1), as_numbers(dilation, "dilation", axes, 1)
    return taps, strides, as_padding(padding, axes, taps, strides, dilations), dilations
