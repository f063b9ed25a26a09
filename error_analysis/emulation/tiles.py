"""Tiles of data and filters as emulation and oracle take them: what they must be, and how they lie in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.emulation.arithmetic import Emulated
from winograd import Algorithm
from winograd.rounding import BinaryFormat, format_of


def trials_last(tiles: np.ndarray) -> np.ndarray:
    """(trials, C, *tile) as (*tile, C, trials): one value of a Program is then one contiguous array."""
    return np.ascontiguousarray(np.moveaxis(tiles, (0, 1), (-1, -2)))


def output_shape(d: np.ndarray, g: np.ndarray) -> tuple[int, ...]:
    """Outputs by axis: tile - r + 1."""
    return tuple(t - k + 1 for t, k in zip(d.shape[2:], g.shape[2:], strict=True))


def stored(name: str, array: np.ndarray, dtype: DTypeLike | BinaryFormat) -> np.ndarray:
    """The array in the carrier of a format, once it is known to hold numbers of that format."""
    fmt = format_of(dtype)
    if fmt.name in ("float32", "float64"):
        if array.dtype != fmt.carrier:
            raise TypeError(f"{name} must have the dtype {fmt.name}; got {array.dtype}.")
        return array
    if not is_floating(array.dtype):
        raise TypeError(f"{name} must have a floating dtype, float64 at most; got {array.dtype}.")
    with np.errstate(all="ignore"):
        values = np.asarray(array, np.float64)
        wrong = ~((Emulated(fmt).rounded(values) == values) | np.isnan(values))
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"{name} must hold numbers of {fmt.name}; got {float(values[index])!r} at {name}{list(index)}: "
            "error_analysis.convert rounds to it."
        )
    return values


def is_floating(dtype: np.dtype) -> bool:
    """Whether float64 holds this dtype's floating-point numbers; those of ml_dtypes are of kind "V" to NumPy."""
    if dtype.kind == "f":
        return dtype.itemsize <= 8
    try:
        format_of(dtype)
    except ValueError:
        return False
    return True


def check_algorithm(A: Algorithm) -> None:
    """Refuse what is no Algorithm."""
    if not isinstance(A, Algorithm):
        raise TypeError(f"A must be an Algorithm; got {type(A).__name__}: wrap a Transform in winograd.Algorithm.")


def check_tiles(
    d: np.ndarray, g: np.ndarray, tile: tuple[int, ...] | None = None, r: tuple[int, ...] | None = None
) -> None:
    """Refuse data and filters that are no arrays (trials, C, *tile) and (trials, C, *r) of one another."""
    for name, array, wanted in (("d", d, tile), ("g", g, r)):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} must be a NumPy array; got {type(array).__name__}.")
        if array.ndim not in (3, 4, 5) or (wanted is not None and array.shape[2:] != wanted):
            shape = "trials, C, " + ("one to three axes" if wanted is None else ", ".join(map(str, wanted)))
            raise ValueError(f"{name} must have the shape ({shape}); got {array.shape}.")
    if d.shape[:2] != g.shape[:2] or d.ndim != g.ndim:
        raise ValueError(f"d and g must have the same trials, channels and axes; got {d.shape} and {g.shape}.")
    if d.shape[1] < 1:
        raise ValueError(f"channels must be at least 1; got {d.shape[1]}.")
    if min(output_shape(d, g)) < 1:
        raise ValueError(f"the filter must fit into the tile; got {g.shape[2:]} and {d.shape[2:]}.")
