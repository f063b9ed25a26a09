"""Convolution as a matrix product: each window of the input becomes a column. A comparison, not a fast path.

::

    columns[(c, a, b), (i, j)] = x[c, i*stride + a*dilation - top, j*stride + b*dilation - left]
    y[k, (i, j)] = sum over (c, a, b) of w[k, (c, a, b)] columns[(c, a, b), (i, j)]
"""

from __future__ import annotations

import math

import numpy as np

from kernels.arguments import Sides, Sizes, output_sizes


def run(
    x: np.ndarray, filters: np.ndarray, stride: Sizes, padding: Sides, dilation: Sizes, groups: int = 1
) -> np.ndarray:
    """The convolution of a batch, one BLAS product for each image and group.

    Memory beside x and y: one padded image, and the columns of one group of one image, which are as large as that
    group's outputs times its taps.

    Parameters
    ----------
    x : ndarray, shape (N, C, *lengths), one to three lengths, any strides
    filters : ndarray, shape (K, C / groups, *taps), same dtype
    stride, dilation : tuple of int, one for each axis
    padding : tuple of (before, after), one for each axis
    groups : int

    Returns
    -------
    ndarray, shape (N, K, *outputs), same dtype, C-contiguous

    Raises
    ------
    ValueError
        If the filter is larger than the padded input. Nothing else is checked here.

    Rounding
    --------
    A sum of C / groups * product of taps terms, in the order of the BLAS: within (terms + 2) u times the same sum
    over absolute values.

    Source
    ------
    Chellapilla, Puri, Simard, High Performance Convolutional Neural Networks for Document Processing, 2006.

    Examples
    --------
    >>> run(np.arange(5.0).reshape(1, 1, 5), np.array([[[1.0, 0.0, -1.0]]]), (2,), ((1, 1),), (1,))
    array([[[-1., -2.,  3.]]])
    """
    lengths, taps = x.shape[2:], filters.shape[2:]
    axes = len(lengths)
    outputs = output_sizes(lengths, taps, stride, padding, dilation)
    per_group = filters.shape[1]
    rows = np.ascontiguousarray(filters).reshape(groups, filters.shape[0] // groups, per_group * math.prod(taps))
    y = np.empty((x.shape[0], *rows.shape[:2], math.prod(outputs)), x.dtype)
    padded = np.zeros((x.shape[1], *(n + sum(sides) for n, sides in zip(lengths, padding, strict=True))), x.dtype)
    inside = padded[:, *(slice(p, p + n) for n, (p, _) in zip(lengths, padding, strict=True))]
    windows = _windows(padded, taps, stride, dilation)
    # (C, *outputs, *taps) -> (C, *taps, *outputs): a view of the padded image, which is filled anew for each image.
    windows = windows.transpose(0, *range(1 + axes, 1 + 2 * axes), *range(1, 1 + axes))
    columns = np.empty((per_group, *taps, *outputs), x.dtype)
    for image, result in zip(x, y, strict=True):
        inside[...] = image
        for group in range(groups):
            columns[...] = windows[group * per_group : (group + 1) * per_group]
            np.matmul(rows[group], columns.reshape(rows.shape[2], -1), out=result[group])
    return y.reshape(x.shape[0], filters.shape[0], *outputs)


def _windows(padded: np.ndarray, taps: Sizes, stride: Sizes, dilation: Sizes) -> np.ndarray:
    """A view of shape (C, *outputs, *taps)."""
    axes = tuple(range(1, padded.ndim))
    extents = tuple(d * (r - 1) + 1 for d, r in zip(dilation, taps, strict=True))
    dense = np.lib.stride_tricks.sliding_window_view(padded, extents, axes)
    return dense[:, *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation)]
