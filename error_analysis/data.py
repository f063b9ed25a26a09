"""The data that errors are measured on."""

from __future__ import annotations

import math

import numpy as np

from error_analysis.arithmetic import emulated_dtype


def uniform_tiles(
    generator: np.random.Generator, trials: int, channels: int, tile: tuple[int, ...], r: tuple[int, ...], dtype: str
) -> tuple[np.ndarray, np.ndarray]:
    """Data tiles and filters, i.i.d. uniform on [-1, 1], drawn in the working format.

    A number is ``x = 2 u - 1``, computed in the format, with u uniform on [0, 1] rounded to the format. That is what
    C++'s ``std::uniform_real_distribution<float>(-1, 1)`` does. It makes x a multiple of 2^-p, with p the bits of the
    significand, so that the sums of two such numbers are often exact. Uniform doubles rounded to float32 have lower
    bits near zero, and F(2, 3) has about 14 % more error on them, F(3, 3) 5 %; from m = 4 on the two agree within
    3 %. How the published errors were drawn is not said; drawn like this, all come out within 10 %, and on rounded
    doubles all but that of F(2, 3).

    Each trial draws its data tile, then its filter, so that the numbers of a trial do not depend on how many trials
    are drawn at once.

    Parameters
    ----------
    generator : numpy.random.Generator
    trials, channels : int
    tile, r : tuple of int
        Length of the data tile and taps of the filter, by axis.
    dtype : str
        "float32" or "float64".

    Returns
    -------
    d, g : arrays, shapes (trials, channels, *tile) and (trials, channels, *r)

    Rounding
    --------
    As described; the numbers drawn are the exact inputs of everything that follows.

    Examples
    --------
    >>> d, g = uniform_tiles(np.random.Generator(np.random.PCG64(0)), 5, 2, (6, 6), (3, 3), "float32")
    >>> d.shape, g.shape, d.dtype
    ((5, 2, 6, 6), (5, 2, 3, 3), dtype('float32'))
    """
    kind = emulated_dtype(dtype)
    split = channels * math.prod(tile)
    unit = generator.random((trials, split + channels * math.prod(r))).astype(kind, copy=False)
    numbers = unit * kind.type(2) - kind.type(1)
    d = numbers[:, :split].reshape(trials, channels, *tile)
    return d, numbers[:, split:].reshape(trials, channels, *r)
