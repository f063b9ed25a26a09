"""The data that errors are measured on: drawn at random in the stored format, or the user's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.emulation.conversion import convert
from winograd.rounding import BinaryFormat, format_of

KINDS = ("uniform", "normal", "relu", "constant", "adversarial")


@dataclass(frozen=True)
class DataRecord:
    """All that determines the data of a measurement, beside seed and channels.

    Attributes
    ----------
    kind : str
        One of `KINDS`, or "arrays" for the user's own.
    dtype : str
        The format the numbers are of.
    tile : tuple of int
        Length of the data tiles drawn, by axis; an algorithm with a smaller tile reads the leading part.
    digest : str
        SHA-256 of the user's own arrays, by which they are known again.
    nonfinite : "error" or "measure"
    rounded : bool
        Whether the user's own numbers were to be rounded to the format.
    """

    kind: str
    dtype: str
    tile: tuple[int, ...]
    digest: str = ""
    nonfinite: str = "error"
    rounded: bool = False


def random_tiles(
    kind: str,
    generator: np.random.Generator,
    trials: int,
    channels: int,
    tile: tuple[int, ...],
    r: tuple[int, ...],
    dtype: DTypeLike,
    signs: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Data tiles and filters of independent random numbers, each a number of the format.

    - "uniform": on [-1, 1], see `uniform_tiles`.
    - "normal": standard normal doubles, each rounded to the format; to its largest number where they exceed that.
    - "relu": the same, and negative data zero: what a layer finds behind a ReLU. Filters stay normal.
    - "constant": every number of a data tile of one channel is the same, uniform as above: a flat part of a picture.
      Filters are uniform.
    - "adversarial": uniform on [1/2, 1], each double rounded to the format, with the signs that make the terms inside
      the algorithm largest (`error_analysis.measurement.adversary.worst_signs`), the same for all trials and channels.

    Each trial draws its data tile, then its filter, so that the numbers of a trial do not depend on how many trials
    are drawn at once.

    Parameters
    ----------
    kind : str
    generator : numpy.random.Generator
    trials, channels : int
    tile, r : tuple of int
        Length of the data tile and taps of the filter, by axis.
    dtype : format, as in `winograd.format_of`
    signs : pair of arrays, shapes tile and r, optional
        For "adversarial".

    Returns
    -------
    d, g : arrays, shapes (trials, channels, *tile) and (trials, channels, *r)
        Of the format's carrier: float32 or float64.

    Raises
    ------
    ValueError
        For an unknown kind or format, or adversarial data without signs.

    Rounding
    --------
    As described; the numbers drawn are the exact inputs of everything that follows.

    Examples
    --------
    >>> generator = np.random.Generator(np.random.PCG64(0))
    >>> d, g = random_tiles("relu", generator, 5, 2, (6, 6), (3, 3), "float16")
    >>> d.shape, g.shape, d.dtype, d.min()
    ((5, 2, 6, 6), (5, 2, 3, 3), dtype('float64'), np.float64(0.0))
    """
    target = format_of(dtype)
    shapes = (trials, channels, *tile), (trials, channels, *r)
    if kind == "normal":
        return _split(_rounded(generator.standard_normal, target), shapes)
    if kind == "relu":
        d, g = _split(_rounded(generator.standard_normal, target), shapes)
        return np.maximum(d, 0), g
    if kind == "uniform":
        return _split(_uniform(generator, target), shapes)
    if kind == "constant":
        d, g = _split(_uniform(generator, target), ((trials, channels, *(1 for _ in tile)), shapes[1]))
        return np.broadcast_to(d, shapes[0]).copy(), g
    if kind != "adversarial":
        raise ValueError(f"data must be one of {', '.join(KINDS)}, or a pair of arrays; got {kind!r}.")
    if signs is None:
        raise ValueError("adversarial data needs signs: error_analysis.worst_signs(A) gives them.")
    d, g = _split(_rounded(lambda shape: (1 + generator.random(shape)) / 2, target), shapes)
    return d * signs[0].astype(d.dtype), g * signs[1].astype(g.dtype)


def uniform_tiles(
    generator: np.random.Generator, trials: int, channels: int, tile: tuple[int, ...], r: tuple[int, ...],
    dtype: DTypeLike,
) -> tuple[np.ndarray, np.ndarray]:
    """`random_tiles` of kind "uniform": data tiles and filters, i.i.d. uniform on [-1, 1].

    A number is ``x = 2 u - 1``, computed in the format, with u uniform on [0, 1] rounded to the format. That is what
    C++'s ``std::uniform_real_distribution<float>(-1, 1)`` does. It makes x a multiple of 2^-p, with p the bits of the
    significand, so that the sums of two such numbers are often exact. Uniform doubles rounded to float32 have lower
    bits near zero, and F(2, 3) has about 14 % more error on them, F(3, 3) 5 %; from m = 4 on the two agree within
    3 %. How the published errors were drawn is not said; drawn like this, all come out within 10 %, and on rounded
    doubles all but that of F(2, 3).

    Rounding
    --------
    As described; the numbers drawn are the exact inputs of everything that follows.

    Examples
    --------
    >>> d, g = uniform_tiles(np.random.Generator(np.random.PCG64(0)), 5, 2, (6, 6), (3, 3), "float32")
    >>> d.shape, g.shape, d.dtype
    ((5, 2, 6, 6), (5, 2, 3, 3), dtype('float32'))
    """
    return random_tiles("uniform", generator, trials, channels, tile, r, dtype)


_Draw = Callable[[tuple[int, int]], np.ndarray]


def _split(draw: _Draw, shapes: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """One row of numbers for each trial, data first, as arrays of two shapes."""
    trials, split = shapes[0][0], math.prod(shapes[0][1:])
    numbers = draw((trials, split + math.prod(shapes[1][1:])))
    return numbers[:, :split].reshape(shapes[0]), numbers[:, split:].reshape(shapes[1])


def _rounded(draw: _Draw, target: BinaryFormat) -> _Draw:
    """Doubles rounded once to the format; those beyond its range to its largest number."""
    limit = float(target.largest)
    return lambda shape: _carried(np.clip(draw(shape), -limit, limit), target)


def _uniform(generator: np.random.Generator, target: BinaryFormat) -> _Draw:
    def draw(shape: tuple[int, int]) -> np.ndarray:
        unit = _carried(generator.random(shape), target)
        return _carried(unit * unit.dtype.type(2) - unit.dtype.type(1), target)

    return draw


def _carried(x: np.ndarray, target: BinaryFormat) -> np.ndarray:
    """x rounded to the format, in its carrier. NumPy rounds alike in its own formats, and faster."""
    if target.name in ("float32", "float64"):
        return x.astype(target.carrier, copy=False)
    return np.asarray(convert(x, target))
