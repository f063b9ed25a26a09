"""The user's own arrays, checked at the door."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from error_analysis.emulation.conversion import convert
from winograd.rounding import format_of

NONFINITE = ("error", "measure")


def own_tiles(
    data: Any, tile: tuple[int, ...], r: tuple[int, ...], dtype: str, nonfinite: str = "error", rounded: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The pair (d, g), in the carrier of the format that its numbers must be of.

    Parameters
    ----------
    data : (d, g), array_like of shapes (trials, C, *tile) and (trials, C, *r)
        Real numbers.
    tile, r : tuple of int
    dtype : str
        The stored format.
    nonfinite : "error" or "measure"
        What becomes of NaN and infinities: they are refused, or let in.
    rounded : bool
        Round numbers that the format does not have, to nearest, instead of refusing them.

    Returns
    -------
    d, g : arrays of `format_of(dtype).carrier`

    Raises
    ------
    ValueError
        For shapes that do not fit, fewer than 2 trials, numbers that are not finite or not of the format.
    TypeError
        If data is no pair, or its arrays hold no real numbers.

    Rounding
    --------
    None unless asked for; then one for each number.

    Examples
    --------
    >>> d, g = own_tiles((np.ones((2, 1, 4)), np.full((2, 1, 3), 0.1)), (4,), (3,), "float16", rounded=True)
    >>> g[0, 0, 0]
    np.float64(0.0999755859375)
    """
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"data must be a name or a pair of arrays (d, g); got {type(data).__name__}.")
    arrays = [_numbers(name, array) for name, array in zip("dg", data, strict=True)]
    for name, array, tail in (("d", arrays[0], tile), ("g", arrays[1], r)):
        if array.ndim != len(tail) + 2 or array.shape[2:] != tail or array.shape[1] < 1:
            wanted = ", ".join(["trials", "C", *map(str, tail)])
            raise ValueError(f"{name} must have the shape ({wanted}) with C >= 1; got {array.shape}.")
    d, g = arrays
    if d.shape[:2] != g.shape[:2]:
        raise ValueError(f"d and g must have as many trials and channels; got {d.shape[:2]} and {g.shape[:2]}.")
    if len(d) < 2:
        raise ValueError(f"d and g must hold at least 2 trials; got {len(d)}.")
    return _of_format("d", d, dtype, nonfinite, rounded), _of_format("g", g, dtype, nonfinite, rounded)


def digest(d: np.ndarray, g: np.ndarray) -> str:
    """SHA-256 of the shapes and numbers of both arrays; the same for equal numbers in another dtype."""
    state = hashlib.sha256()
    for array in (d, g):
        state.update(repr(array.shape).encode())
        state.update((np.ascontiguousarray(array, dtype="<f8") + 0.0).tobytes())  # -0 + 0 is +0
    return state.hexdigest()


def _numbers(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values)
    # ml_dtypes' formats are of kind "V" for NumPy; float64 holds every number of all that is let in here.
    if array.dtype.kind not in "fiuV" or array.dtype.names or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers of at most 64 bits; got {array.dtype}.")
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold real numbers; got {array.dtype}.") from None
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and not (numbers.astype(array.dtype) == array).all():
        raise ValueError(f"{name} must hold numbers that float64 has; got integers beyond 2**53.")
    return numbers


def _of_format(name: str, numbers: np.ndarray, dtype: str, nonfinite: str, rounded: bool) -> np.ndarray:
    fmt = format_of(dtype)
    nearest = np.asarray(convert(numbers, fmt))
    if nonfinite == "error":
        _refuse(name, numbers, ~np.isfinite(numbers), 'be finite', 'nonfinite="measure" lets it in')
    if rounded:
        if nonfinite == "error":
            _refuse(name, numbers, ~np.isfinite(nearest), f"lie in the range of {fmt.name}", "scale it down")
    else:
        off = np.isfinite(numbers) & (nearest != numbers)
        _refuse(name, numbers, off, f"hold numbers of {fmt.name}", "round_data=True rounds them")
    return nearest.astype(fmt.carrier)


def _refuse(name: str, numbers: np.ndarray, wrong: np.ndarray, rule: str, remedy: str) -> None:
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f"{name} must {rule}; got {numbers[where]:.17g} at {where}: {remedy}.")
