"""The gradient with respect to the filter by F(r, m): r taps are the outputs, m positions of dy the "filter".

With tiles of m positions of dy and n = m + r - 1 of x, summed over tiles and images before the output transform::

    V[p, tile, c] = BT x_tile        D[p, tile, k] = G dy_tile
    M[p, k, c] = sum over tiles of D[p, tile, k] V[p, tile, c]        dw[k, c] = AT M[:, k, c]

n^2 products for each m^2 r^2 of the plain way; the same points serve as in the forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, reduce

import numpy as np

from kernels.arguments import Sides, Sizes
from kernels.filter_gradient import blocks, filled, zero_padded
from winograd import INF, Transform, toom_cook

_POINTS = (0, -1, 1, "1/2", -2, "-1/2", 2)
_PRODUCTS = {1: 1, 2: 6, 3: 6, 4: 6, 5: 8, 6: 8}
"""Products n along an axis by taps: as in the forward pass, so that float32 errs little more than the plain way."""

_BLOCK_BYTES = 4 * 1024 * 1024
"""What D and V of a block may take, or twice what M takes where that is more, for each block adds to all of M."""


def pays(images: int, channels: int, filters: int, outputs: Sizes, taps: Sizes) -> bool:
    """Whether the default F(r, m) takes less time than the plain way, by the measurements this rule was drawn from.

    Each tile saves products, once M is written and transformed: with 64 tiles of two axes it breaks even. A tile's
    transforms cost as many operations for each channel as n^2 / 2 filters do, two axes taken. One axis saves half of
    the products at most, which the transforms use up.
    """
    if any(r not in _PRODUCTS for r in taps) or sum(r > 1 for r in taps) < 2:
        return False
    n, m = zip(*((_PRODUCTS[r], _PRODUCTS[r] + 1 - r) for r in taps), strict=True)
    tiles = images * math.prod(-(-count // size) for count, size in zip(outputs, m, strict=True))
    return tiles >= 64 and 2 * min(channels, filters) >= math.prod(n)


def default_transforms(taps: Sizes) -> tuple[Transform, ...]:
    """F(r, m) for each axis; ValueError for more taps than there are points for."""
    if any(r not in _PRODUCTS for r in taps):
        raise ValueError(
            f'algorithm "winograd" needs at most {max(_PRODUCTS)} taps along an axis; got {taps}: give an Algorithm of '
            'F(r, m), or use "direct".'
        )
    return tuple(_transform(r) for r in taps)


@cache
def _transform(taps: int) -> Transform:
    n = _PRODUCTS[taps]
    return toom_cook(taps, n + 1 - taps, [*_POINTS[: n - 1], INF])


def fast_filter_gradient(
    x: np.ndarray, dy: np.ndarray, padding: Sides, transforms: Sequence[Transform]
) -> np.ndarray:
    """dw for stride, dilation and groups of 1; the arguments are checked already.

    Parameters
    ----------
    x : ndarray, shape (N, C, *lengths), any strides
    dy : ndarray, shape (N, K, *outputs), same dtype, any strides
    padding : tuple of (before, after), one for each axis
    transforms : sequence of Transform
        F(r, m) for each axis, r the filter's taps.

    Returns
    -------
    ndarray, shape (K, C, *taps), same dtype
    """
    m = tuple(t.r for t in transforms)
    AT, G, BT = _whole_matrices(tuple(transforms), x.dtype)
    tiles = tuple(-(-outputs // size) for outputs, size in zip(dy.shape[2:], m, strict=True))
    M = np.zeros((len(G), dy.shape[1], x.shape[1]), x.dtype)
    product = M  # the first block's products are M, those of others are added
    row_bytes = len(G) * (x.shape[1] + dy.shape[1]) * math.prod(tiles[1:]) * x.itemsize
    results = _TileTransform(G, dy, (0,) * len(m), m, m)
    inputs = _TileTransform(BT, x, tuple(-p for p, _ in padding), m, tuple(t.tile for t in transforms))
    for image, row in blocks(x.shape[0], tiles[0], row_bytes, max(_BLOCK_BYTES, 2 * M.nbytes)):
        counts = (row.stop - row.start, *tiles[1:])
        D, V = results(image, row.start, counts), inputs(image, row.start, counts)
        if image.start == row.start == 0:
            np.matmul(D.swapaxes(1, 2), V, out=M)
        else:
            product = np.empty_like(M) if product is M else product
            M += np.matmul(D.swapaxes(1, 2), V, out=product)
    dw = AT @ M.reshape(len(G), -1)
    return np.ascontiguousarray(dw.T).reshape(dy.shape[1], x.shape[1], *(t.m for t in transforms))


@cache
def _whole_matrices(transforms: tuple[Transform, ...], dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """AT, G and BT for all axes at once: Kronecker products in float64, then rounded to the dtype."""
    by_axis = zip(*(t.matrices(np.float64) for t in transforms), strict=True)
    return tuple(reduce(np.kron, matrices).astype(dtype) for matrices in by_axis)


class _TileTransform:
    """matrix @ tile for tiles of images (N, C, *lengths), ``steps`` apart, of ``sizes``, with zeros beyond the image.

    Tile 0 begins at ``starts``. Its buffers serve one block after the other.
    """

    def __init__(self, matrix: np.ndarray, x: np.ndarray, starts: Sizes, steps: Sizes, sizes: Sizes) -> None:
        self._matrix, self._x, self._starts, self._steps, self._sizes = matrix, x, starts, steps, sizes
        self._tiles = self._results = np.empty(0, x.dtype)

    def __call__(self, image: slice, row: int, counts: Sizes) -> np.ndarray:
        """Shape (products, N * tiles, C), for ``counts`` tiles along each axis from this row of tiles on."""
        starts = [self._starts[0] + row * self._steps[0], *self._starts[1:]]
        room = [(t - 1) * step + size for t, step, size in zip(counts, self._steps, self._sizes, strict=True)]
        axes = len(counts)
        padded = zero_padded(self._x[image], starts, room, channels_last=True)
        windows = np.lib.stride_tricks.sliding_window_view(padded, self._sizes, tuple(range(1, 1 + axes)))
        # (N, *counts, C, *sizes) -> (*sizes, N, *counts, C): whole runs of channels are copied.
        taken = windows[:, *(slice(None, None, step) for step in self._steps)]
        taken = taken.transpose(*range(2 + axes, 2 + 2 * axes), *range(2 + axes))
        width = taken.size // self._matrix.shape[1]
        if self._tiles.size < taken.size:
            self._tiles = np.empty(taken.size, taken.dtype)
            self._results = np.empty(len(self._matrix) * width, taken.dtype)
        tiles = filled(self._tiles, taken).reshape(-1, width)
        results = self._results[: len(self._matrix) * width].reshape(-1, width)
        return np.matmul(self._matrix, tiles, out=results).reshape(len(self._matrix), -1, self._x.shape[1])
