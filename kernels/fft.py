"""Convolution through the FFT, for large filters: overlap-save tiles, channels summed at each frequency.

Along each axis a tile of L inputs gives the outputs whose window lies in it; SciPy transforms the tiles, and a cyclic
correlation does no harm, for only wrapped outputs would be wrong and they are not taken::

    V[f, tile, c] = FFT of the tile        U[f, c, k] = conj(FFT of the dilated filter, with zeros up to L)
    M[f, tile, k] = sum over c of V U      y = inverse FFT of M, every stride-th output that no wrap reaches
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from kernels.arguments import Sides, Sizes, output_sizes

_BLOCK_BYTES = 32 * 1024 * 1024
"""What the spectra of the images that go through together may take, if it is more than one image."""

_STREAMED_TILES = 10
"""Reading U from memory takes as long as the products of this many tiles with it."""

_FFT_COST = 20
"""An FFT of P numbers takes as long as this times P log2 P operations of a matrix product (5 / 2 of its own)."""


def scipy_fft() -> ModuleType:
    """The module scipy.fft; ImportError says how to get it."""
    try:
        import scipy.fft
    except ImportError as error:
        raise ImportError('algorithm "fft" needs SciPy; install it with: pip install "winograd[fft]".') from error
    return scipy.fft


@dataclass(frozen=True, eq=False)
class TransformedFilters:
    """Filters in the frequency domain, for inputs of one size; call it with a batch. Made by `transformed`.

    Attributes
    ----------
    lengths, outputs, stride : tuple of int, one for each axis
        Of the input, of the result, and between outputs.
    padding : tuple of (before, after), one for each axis
    tile, per_tile : tuple of int
        Inputs and outputs of a tile along each axis.
    U : ndarray, shape (frequencies, groups, C / groups, K / groups), complex
    """

    lengths: Sizes
    outputs: Sizes
    stride: Sizes
    padding: Sides
    tile: Sizes
    per_tile: Sizes
    U: np.ndarray

    def __call__(self, x: np.ndarray, threads: int = 1) -> np.ndarray:
        """The convolution of a batch.

        Parameters
        ----------
        x : ndarray, shape (N, C, *lengths), the dtype of the filters, any strides
        threads : int
            For the FFTs; the products follow the setting of the BLAS.

        Returns
        -------
        ndarray, shape (N, K, *outputs), same dtype, C-contiguous

        Raises
        ------
        ValueError
            If x has another size than the filters were transformed for.
        """
        _, groups, per_group, filters = self.U.shape
        size = (groups * per_group, *self.lengths)
        if x.shape[1:] != size:
            raise ValueError(
                f"x must have the shape (N, {', '.join(map(str, size))}) that the filters were transformed for; "
                f"got {x.shape}."
            )
        y = np.empty((x.shape[0], groups * filters, *self.outputs), x.dtype)
        spectrum = groups * (per_group + filters) * self.U.shape[0] * self.U.itemsize
        images = max(1, _BLOCK_BYTES // (spectrum * math.prod(self._tiles)))
        for first in range(0, x.shape[0], images):
            self._run_block(x[first : first + images], y[first : first + images], threads)
        return y

    @property
    def _tiles(self) -> Sizes:
        return tuple(-(-outputs // q) for outputs, q in zip(self.outputs, self.per_tile, strict=True))

    def _run_block(self, x: np.ndarray, y: np.ndarray, workers: int) -> None:
        fft, axes = scipy_fft(), len(self.lengths)
        spatial = tuple(range(axes))
        frequencies, groups, per_group, _ = self.U.shape
        windows = self._windows(x).transpose(*range(2 + axes, 2 + 2 * axes), 0, *range(2, 2 + axes), 1)
        spectra = fft.rfftn(windows, axes=spatial, workers=workers)
        V = spectra.reshape(frequencies, -1, groups, per_group)
        M = self._products(V).reshape(*spectra.shape[:-1], y.shape[1])
        results = fft.irfftn(M, s=self.tile, axes=spatial, workers=workers, overwrite_x=True)
        kept = results[*(slice(0, (q - 1) * s + 1, s) for q, s in zip(self.per_tile, self.stride, strict=True))]
        # (*per_tile, N, *tiles, K) -> (N, K, tiles, per_tile, tiles, per_tile, ...)
        order = [axes, 2 * axes + 1]
        for axis in spatial:
            order += [axes + 1 + axis, axis]
        whole = kept.transpose(order).reshape(
            *y.shape[:2], *(t * q for t, q in zip(self._tiles, self.per_tile, strict=True))
        )
        y[...] = whole[:, :, *(slice(outputs) for outputs in self.outputs)]

    def _windows(self, x: np.ndarray) -> np.ndarray:
        """The overlapping tiles of the padded input, a view of shape (N, C, *tiles, *tile)."""
        steps = [q * s for q, s in zip(self.per_tile, self.stride, strict=True)]
        room = [(t - 1) * step + L for t, step, L in zip(self._tiles, steps, self.tile, strict=True)]
        padded = np.zeros((*x.shape[:2], *room), x.dtype)
        taken = [min(n, size - p) for n, size, (p, _) in zip(self.lengths, room, self.padding, strict=True)]
        if min(taken) > 0:
            inside = (slice(p, p + n) for n, (p, _) in zip(taken, self.padding, strict=True))
            padded[:, :, *inside] = x[:, :, *(slice(n) for n in taken)]
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.tile, tuple(range(2, x.ndim)))
        return windows[:, :, *(slice(None, None, step) for step in steps)]

    def _products(self, V: np.ndarray) -> np.ndarray:
        """The sums over the channels of each group, shape (frequencies, N * tiles, groups, K / groups)."""
        if V.shape[3] == 1:
            return np.multiply(V, self.U[:, np.newaxis, :, 0])
        M = np.empty((*V.shape[:3], self.U.shape[3]), V.dtype)
        np.matmul(V.swapaxes(1, 2), self.U, out=M.swapaxes(1, 2))
        return M


def transformed(
    filters: np.ndarray, lengths: Sizes, stride: Sizes, padding: Sides, dilation: Sizes, groups: int = 1
) -> TransformedFilters:
    """Filters for calls with inputs of one size.

    Parameters
    ----------
    filters : ndarray, shape (K, C / groups, *taps), float32 or float64
    lengths : tuple of int
        The spatial size of the inputs, one to three axes.
    stride, dilation : tuple of int, one for each axis
    padding : tuple of (before, after), one for each axis
    groups : int

    Raises
    ------
    ValueError
        If the filter is larger than the padded input. Nothing else is checked here.
    ImportError
        If SciPy is not installed.

    Rounding
    --------
    In the dtype of the filters; see `run`.

    Examples
    --------
    >>> layer = transformed(np.array([[[1.0, 2.0]]]), (3,), (1,), ((0, 0),), (1,))
    >>> layer(np.array([[[1.0, 1.0, 1.0]]])).round(6)
    array([[[3., 3.]]])
    """
    fft, axes, taps = scipy_fft(), len(lengths), filters.shape[2:]
    outputs = output_sizes(lengths, taps, stride, padding, dilation)
    extents = tuple(d * (r - 1) + 1 for d, r in zip(dilation, taps, strict=True))
    tile, per_tile = _chosen_tile(outputs, extents, stride, filters.shape[1] * groups, filters.shape[0], groups)
    per_group = filters.shape[1]
    spread = np.zeros((*tile, groups, filters.shape[0] // groups), filters.dtype)
    at_taps = spread[*(slice(0, extent, d) for extent, d in zip(extents, dilation, strict=True))]
    U = np.empty((*tile[:-1], tile[-1] // 2 + 1, groups, per_group, spread.shape[-1]), np.result_type(filters, 1j))
    for channel in range(per_group):  # one at a time: no second array as large as U
        at_taps[...] = np.moveaxis(filters[:, channel], 0, -1).reshape(at_taps.shape)
        np.conjugate(fft.rfftn(spread, axes=tuple(range(axes))), out=U[..., channel, :])
    return TransformedFilters(
        lengths, outputs, stride, padding, tile, per_tile, U.reshape(-1, groups, per_group, spread.shape[-1])
    )


def _chosen_tile(
    outputs: Sizes, extents: Sizes, stride: Sizes, channels: int, filters: int, groups: int
) -> tuple[Sizes, Sizes]:
    """Inputs and outputs of the tile that makes the fewest operations for one image, along each axis."""
    fft = scipy_fft()
    options = []
    for count, extent, s in zip(outputs, extents, stride, strict=True):
        splits = sorted({min(count, round(2 ** (half / 2))) for half in range(2 * count.bit_length() + 1)})
        inputs = sorted({fft.next_fast_len((-(-count // t) - 1) * s + extent, real=True) for t in splits})
        options.append([(L, min(count, (L - extent) // s + 1)) for L in inputs])
    tile = np.ones((1,) * len(outputs))
    tiles = tile.copy()
    for axis, choices in enumerate(options):
        shape = [-1 if other == axis else 1 for other in range(len(outputs))]
        tile = tile * np.reshape([L for L, _ in choices], shape)
        tiles = tiles * np.reshape([-(-outputs[axis] // q) for _, q in choices], shape)
    transforms = tiles * (channels + filters) * _FFT_COST * tile * np.log2(tile + 1)
    # Half the frequencies of a real signal, and 8 operations for each complex product.
    products = 4 * tile * (channels * filters / groups) * (tiles + _STREAMED_TILES)
    best = np.unravel_index(int(np.argmin(transforms + products)), tile.shape)
    chosen = [choices[int(at)] for choices, at in zip(options, best, strict=True)]
    return tuple(L for L, _ in chosen), tuple(q for _, q in chosen)


def run(
    x: np.ndarray, filters: np.ndarray, stride: Sizes, padding: Sides, dilation: Sizes, groups: int = 1,
    threads: int = 1,
) -> np.ndarray:
    """The convolution of a batch; for repeated calls with the same filters, `transformed` keeps their spectra.

    Parameters
    ----------
    x : ndarray, shape (N, C, *lengths), one to three lengths, any strides, float32 or float64
    filters : ndarray, shape (K, C / groups, *taps), same dtype
    stride, dilation : tuple of int, one for each axis
    padding : tuple of (before, after), one for each axis
    groups, threads : int

    Returns
    -------
    ndarray, shape (N, K, *outputs), same dtype, C-contiguous

    Raises
    ------
    ValueError
        If the filter is larger than the padded input. Nothing else is checked here.
    ImportError
        If SciPy is not installed.

    Rounding
    --------
    Norm-wise, not by the size of each term: with P the product of the tile's lengths, an output errs by at most
    about c log2(P) u times the sum over channels of ||x|| ||w||, Euclidean norms over one channel's tile and filter,
    and c a small constant that depends on the prime factors of P; add C / groups for the sum over channels. A NaN or
    an infinity makes every output of its tile NaN.

    Source
    ------
    Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., chapter 24 (one FFT); Percival, Math. Comp.
    72(241), 2003, 387-395 (convolution by three of them).

    Examples
    --------
    >>> run(np.arange(5.0).reshape(1, 1, 5), np.array([[[1.0, 0.0, -1.0]]]), (2,), ((1, 1),), (1,)).round(6)
    array([[[-1., -2.,  3.]]])
    """
    return transformed(filters, x.shape[2:], stride, padding, dilation, groups)(x, threads)
