"""Checks of arguments at the door of the packed functions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

__all__ = [
    "MOST_BITS",
    "as_axis",
    "as_bias",
    "as_integer",
    "as_integers",
    "check_bits",
    "check_choice",
    "check_range",
    "value_range",
]

MOST_BITS = 16


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """One of a few words, else ValueError."""
    if value not in choices:
        raise ValueError(f"{name} must be {', '.join(repr(c) for c in choices)}; got {value!r}.")
    return str(value)


def as_integer(value: Any, name: str) -> int:
    """A Python integer, else TypeError. Booleans are none."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer; got {value!r}.")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer; got {value!r}.") from None


def check_bits(bits: Any, name: str = "bits") -> int:
    """A lane's width, 1 to 16, else TypeError or ValueError."""
    width = as_integer(bits, name)
    if not 1 <= width <= MOST_BITS:
        raise ValueError(f"{name} must be 1 to {MOST_BITS}; got {width}.")
    return width


def as_axis(axis: Any, ndim: int) -> int:
    """An axis counted from the front, else TypeError or ValueError."""
    number = as_integer(axis, "axis")
    if not -ndim <= number < ndim:
        raise ValueError(f"axis must be one of the {ndim} that the array has; got {number}.")
    return number % ndim


def as_integers(x: Any, name: str = "x") -> np.ndarray:
    """An array of integers in native byte order, else TypeError; booleans become 0 and 1."""
    array = np.asarray(x)
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    if array.dtype.kind not in "iu":
        advice = ": quantize or round it first" if array.dtype.kind == "f" else ""
        raise TypeError(f"{name} must hold integers; got {array.dtype}{advice}.")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def value_range(bits: int, signed: bool) -> tuple[int, int]:
    """Smallest and largest value of a lane.

    Examples
    --------
    >>> value_range(3, signed=True)
    (-4, 3)
    """
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def check_range(x: np.ndarray, low: int, high: int, what: str, name: str = "x") -> None:
    """Refuse an array with the first value, in C order, outside [low, high]; say where it is."""
    outside = (x < low) | (x > high)
    if outside.any():
        place = np.unravel_index(int(outside.argmax()), x.shape)
        where = ", ".join(str(int(k)) for k in place)
        raise ValueError(
            f"{name} must lie in {low} to {high} for {what}; got {int(x[place])} at [{where}] "
            '(overflow="wrap" or "saturate" takes it).'
        )


def as_bias(value: Any, filters: int) -> tuple[np.ndarray | None, tuple[int, int]]:
    """Integers, one for each filter, as int64; and the smallest and largest of them."""
    if value is None:
        return None, (0, 0)
    bias = as_integers(value, "bias")
    if bias.shape != (filters,):
        raise ValueError(f"bias must have shape ({filters},), one number for each filter; got {bias.shape}.")
    low, high = int(bias.min()), int(bias.max())
    if low < -(1 << 31) or high >= 1 << 31:
        raise ValueError(f"bias must fit int32; got {low} to {high}.")
    return bias.astype(np.int64), (low, high)
