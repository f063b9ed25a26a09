"""Convolution as functions; for repeated calls with the same filters, the layers transform them once."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.layer import Conv1d, Conv2d, Conv3d
from winograd import Algorithm


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCHW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
    relu: bool = False,
    max_error: float | None = None,
    explain: bool = False,
) -> np.ndarray:
    """Two-dimensional convolution of a batch, as `Conv2d`.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), or (N, H, W, C) with layout "NHWC"; float32 or float64
    w : ndarray, shape (K, C / groups, R, S), same dtype
    bias, stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error
        As in `Conv2d`. What "auto" expects of an algorithm includes the time to transform the filters, which is done at
        every call.
    explain : bool
        Print one line: which algorithm was picked, and why.

    Returns
    -------
    ndarray, shape (N, K, H', W') or (N, H', W', K), same dtype

    Raises
    ------
    ValueError, TypeError, ImportError
        As `Conv2d`.

    Rounding
    --------
    As the Algorithm says.

    Examples
    --------
    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), padding="same")[0, 0]
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]])
    """
    options = (stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error)
    layer = Conv2d(w, bias, *options, one_shot=True)
    return _called(layer, x, explain)


def conv1d(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
    relu: bool = False,
    max_error: float | None = None,
    explain: bool = False,
) -> np.ndarray:
    """One-dimensional convolution of a batch, as `Conv1d`.

    Parameters
    ----------
    x : ndarray, shape (N, C, W), or (N, W, C) with layout "NWC"; float32 or float64
    w : ndarray, shape (K, C / groups, S), same dtype
    bias, stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error, explain
        As in `conv2d`, for one axis.

    Returns
    -------
    ndarray, shape (N, K, W') or (N, W', K), same dtype

    Raises
    ------
    ValueError, TypeError, ImportError
        As `Conv2d`.

    Rounding
    --------
    As the Algorithm says.

    Examples
    --------
    >>> conv1d(np.arange(5.0).reshape(1, 1, 5), np.array([[[1.0, 0.0, -1.0]]]))
    array([[[-2., -2., -2.]]])
    """
    options = (stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error)
    layer = Conv1d(w, bias, *options, one_shot=True)
    return _called(layer, x, explain)


def conv3d(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    layout: str = "NCDHW",
    algorithm: Algorithm | str = "auto",
    threads: int | None = None,
    relu: bool = False,
    max_error: float | None = None,
    explain: bool = False,
) -> np.ndarray:
    """Three-dimensional convolution of a batch, as `Conv3d`.

    Parameters
    ----------
    x : ndarray, shape (N, C, D, H, W), or (N, D, H, W, C) with layout "NDHWC"; float32 or float64
    w : ndarray, shape (K, C / groups, Q, R, S), same dtype
    bias, stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error, explain
        As in `conv2d`, for three axes.

    Returns
    -------
    ndarray, shape (N, K, D', H', W') or (N, D', H', W', K), same dtype

    Raises
    ------
    ValueError, TypeError, ImportError
        As `Conv2d`.

    Rounding
    --------
    As the Algorithm says.

    Examples
    --------
    >>> conv3d(np.ones((1, 1, 2, 2, 2)), np.ones((1, 1, 2, 2, 2))).ravel()
    array([8.])
    """
    options = (stride, padding, dilation, groups, layout, algorithm, threads, relu, max_error)
    layer = Conv3d(w, bias, *options, one_shot=True)
    return _called(layer, x, explain)


def _called(layer: Conv1d | Conv2d | Conv3d, x: np.ndarray, explain: bool) -> np.ndarray:
    y = layer(x)
    if explain:
        print(layer.plan)
    return y
