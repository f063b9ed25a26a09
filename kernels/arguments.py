"""Checks of arguments at the door of the convolution functions."""

from __future__ import annotations

from typing import Any

import numpy as np

Pair = tuple[int, int]


def check_array(value: Any, name: str, ndim: int, layout: str) -> np.ndarray:
    """A float32 or float64 array of this many dimensions, else TypeError or ValueError."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array; got {type(value).__name__}.")
    if value.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions {layout}; got shape {value.shape}.")
    check_float(value, name)
    return value


def check_float(value: np.ndarray, name: str) -> None:
    """Refuse arrays other than float32 and float64."""
    if value.dtype.newbyteorder("=") not in (np.float32, np.float64):
        raise TypeError(f"{name} must be float32 or float64; got {value.dtype}: convert it with astype.")


def as_numbers(value: Any, name: str, axes: int, smallest: int) -> tuple[int, ...]:
    """An integer, or one for each axis, as one for each axis."""
    values = value if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes or not all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values):
        raise ValueError(f"{name} must be an integer or {axes} of them; got {value!r}.")
    if min(values) < smallest:
        raise ValueError(f"{name} must be at least {smallest}; got {value!r}.")
    return tuple(int(v) for v in values)


def as_padding(
    value: Any, axes: int, taps: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[Pair, ...]:
    """Padding as (before, after) for each axis.

    Takes a number, one for each axis, a pair of sides for each axis, "valid" (none) or "same" (output as large as the
    input, for stride 1; of an odd total the smaller half comes first, as in PyTorch).
    """
    if isinstance(value, str):
        if value == "valid":
            return ((0, 0),) * axes
        if value != "same":
            raise ValueError(f'padding must be numbers, "same" or "valid"; got {value!r}.')
        if max(stride) > 1:
            raise ValueError(f'padding "same" needs stride 1; got stride {stride}.')
        totals = [d * (r - 1) for d, r in zip(dilation, taps, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(value, (tuple, list)) and len(value) == axes and all(isinstance(v, (tuple, list)) for v in value):
        pairs = [as_numbers(v, "padding", 2, 0) for v in value]
        return tuple((before, after) for before, after in pairs)
    return tuple((side, side) for side in as_numbers(value, "padding", axes, 0))


def output_size(length: int, taps: int, padding: Pair, stride: int, dilation: int, axis: str) -> int:
    """Outputs along one axis; refuses a filter larger than the padded input."""
    padded = length + sum(padding)
    extent = dilation * (taps - 1) + 1
    if extent > padded:
        raise ValueError(f"the filter must fit into the padded input; its {axis} is {extent}, the input's {padded}.")
    return (padded - extent) // stride + 1
