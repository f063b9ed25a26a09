"""The gradient with respect to the filter, as matrix products over all positions of the output.

::

    dw[k, c, a, b] = sum over n, i, j of dy[n, k, i, j] x[n, c, i*s0 + a*d0 - top, j*s1 + b*d1 - left]

A row of the first matrix is a filter's dy, a row of the second what one tap of one channel meets. Positions go through
in blocks: the second matrix, in all as many times the input as there are taps, stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from kernels.arguments import Sides, Sizes

_BLOCK_BYTES = 4 * 1024 * 1024
"""What the windows of a block may take; below that, blocks are as large as they can be, for each adds to all of dw."""


def blocks(images: int, rows: int, row_bytes: int, most_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Slices of images and of rows of an image: several whole images, or some rows of one, as many as the bytes allow.

    Examples
    --------
    >>> [(n.start, n.stop, i.start, i.stop) for n, i in blocks(2, 5, row_bytes=10, most_bytes=30)]
    [(0, 1, 0, 3), (0, 1, 3, 5), (1, 2, 0, 3), (1, 2, 3, 5)]
    >>> [(n.start, n.stop) for n, _ in blocks(5, 2, row_bytes=10, most_bytes=50)]
    [(0, 2), (2, 4), (4, 5)]
    """
    at_once = max(1, most_bytes // row_bytes)
    image_step, row_step = max(1, at_once // rows), min(rows, at_once)
    for image in range(0, images, image_step):
        for row in range(0, rows, row_step):
            yield slice(image, min(images, image + image_step)), slice(row, min(rows, row + row_step))


def filter_gradient(
    x: np.ndarray, dy: np.ndarray, taps: Sizes, stride: Sizes, padding: Sides, dilation: Sizes, groups: int
) -> np.ndarray:
    """dw by BLAS products; the arguments are checked already.

    Parameters
    ----------
    x : ndarray, shape (N, C, *lengths), any strides
    dy : ndarray, shape (N, K, *outputs), same dtype, any strides
    taps, stride, dilation : tuple of int, one for each axis
    padding : tuple of (before, after), one for each axis
    groups : int

    Returns
    -------
    ndarray, shape (K, C / groups, *taps), same dtype
    """
    filters, per_group, outputs = dy.shape[1] // groups, x.shape[1] // groups, dy.shape[2:]
    axes, columns = len(taps), per_group * math.prod(taps)
    dw = np.zeros((groups, filters, columns), x.dtype)
    row_bytes = columns * math.prod(outputs[1:]) * x.itemsize
    # As many groups side by side as have room, each with a whole image.
    together = min(groups, max(1, _BLOCK_BYTES // (row_bytes * outputs[0])))
    store = np.empty(0, x.dtype)
    for image, row in blocks(x.shape[0], outputs[0], row_bytes * together, _BLOCK_BYTES):
        windows = _windows(x[image], taps, outputs, stride, padding, dilation, row)
        # (N, C, *outputs, *taps) -> (C, *taps, N, *outputs)
        windows = windows.transpose(1, *range(2 + axes, 2 + 2 * axes), 0, *range(2, 2 + axes))
        results = dy[image, :, row].swapaxes(0, 1)
        for first in range(0, groups, together):
            stop = min(groups, first + together)
            left = results[first * filters : stop * filters].reshape(stop - first, filters, -1)
            spread = windows[first * per_group : stop * per_group]
            if store.size < spread.size:
                store = np.empty(spread.size, x.dtype)
            right = filled(store, spread).reshape(stop - first, columns, -1)
            dw[first:stop] += left @ right.swapaxes(1, 2)
    return dw.reshape(groups * filters, per_group, *taps)


def _windows(
    x: np.ndarray, taps: Sizes, outputs: Sizes, stride: Sizes, padding: Sides, dilation: Sizes, rows: slice
) -> np.ndarray:
    """The windows of these rows of outputs, a view of padded images; shape (N, C, *outputs, *taps)."""
    counts = (rows.stop - rows.start, *outputs[1:])
    starts = [-p for p, _ in padding]
    starts[0] += rows.start * stride[0]
    extents = tuple(d * (r - 1) + 1 for d, r in zip(dilation, taps, strict=True))
    sizes = [(c - 1) * s + e for c, s, e in zip(counts, stride, extents, strict=True)]
    padded = zero_padded(x, starts, sizes)
    dense = np.lib.stride_tricks.sliding_window_view(padded, extents, tuple(range(2, x.ndim)))
    return dense[:, :, *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation)]


def filled(store: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values, copied to the start of a store of the same dtype: memory that is touched again costs no page faults.

    Examples
    --------
    >>> filled(np.zeros(6), np.eye(2)[::-1])
    array([[0., 1.],
           [1., 0.]])
    """
    held = store[: values.size].reshape(values.shape)
    held[...] = values
    return held


def zero_padded(x: np.ndarray, starts: list[int], sizes: list[int], channels_last: bool = False) -> np.ndarray:
    """The box of these sizes, from these positions on, of images (N, C, *lengths) that go on as zeros.

    Examples
    --------
    >>> zero_padded(np.arange(1.0, 5.0).reshape(1, 1, 4), [-1], [4])
    array([[[0., 1., 2., 3.]]])
    """
    if channels_last:
        x = np.moveaxis(x, 1, -1)
    at = 1 if channels_last else 2
    lengths = x.shape[at : at + len(sizes)]
    shape = list(x.shape)
    shape[at : at + len(sizes)] = sizes
    read = [slice(max(0, s), max(0, min(n, s + size))) for s, n, size in zip(starts, lengths, sizes, strict=True)]
    if any(r.start >= r.stop for r in read):
        return np.zeros(shape, x.dtype)
    box = np.empty(shape, x.dtype)
    written = [slice(r.start - s, r.stop - s) for r, s in zip(read, starts, strict=True)]
    for axis, (inner, size) in enumerate(zip(written, sizes, strict=True)):
        before = (slice(None),) * (at + axis)
        box[*before, : inner.start] = 0
        box[*before, inner.stop : size] = 0
    every = (slice(None),) * at
    box[*every, *written] = x[*every, *read]
    return box
