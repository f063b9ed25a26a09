"""Checks of arguments at the door of the convolution functions: options become tuples, one entry for each axis."""

from __future__ import annotations

from typing import Any

import numpy as np

Pair = tuple[int, int]
Sizes = tuple[int, ...]
Sides = tuple[Pair, ...]

AXIS_NAMES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}


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


def as_numbers(value: Any, name: str, axes: int, smallest: int) -> Sizes:
    """An integer, or one for each axis, as a tuple.

    Raises
    ------
    ValueError
        For other values, and for any below the smallest allowed.

    Examples
    --------
    >>> as_numbers(2, "stride", 3, 1), as_numbers([1, 4], "dilation", 2, 1)
    ((2, 2, 2), (1, 4))
    """
    values = value if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes or not all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values):
        what = "an integer" if axes == 1 else f"an integer or {axes} of them"
        raise ValueError(f"{name} must be {what}; got {value!r}.")
    if min(values) < smallest:
        raise ValueError(f"{name} must be at least {smallest}; got {value!r}.")
    return tuple(int(v) for v in values)


def as_padding(value: Any, axes: int, taps: Sizes, stride: Sizes, dilation: Sizes) -> Sides:
    """Padding as (before, after) for each axis.

    Takes a number, one for each axis, a pair of sides for each axis, "valid" (none) or "same" (output as large as the
    input, for stride 1; of an odd total the smaller half comes first, as in PyTorch).

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> as_padding("same", 2, (3, 4), (1, 1), (1, 1)), as_padding([1, 0], 2, (3, 4), (1, 1), (1, 1))
    (((1, 1), (1, 2)), ((1, 1), (0, 0)))
    """
    if isinstance(value, str):
        if value == "valid":
            return ((0, 0),) * axes
        if value != "same":
            raise ValueError(f'padding must be numbers, "same" or "valid"; got {value!r}.')
        if set(stride) != {1}:
            raise ValueError(f'padding "same" needs stride 1; got stride {stride}.')
        totals = [d * (r - 1) for d, r in zip(dilation, taps, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(value, (tuple, list)) and len(value) == axes and all(isinstance(v, (tuple, list)) for v in value):
        return tuple((v[0], v[1]) for v in (as_numbers(sides, "padding", 2, 0) for sides in value))
    return tuple((p, p) for p in as_numbers(value, "padding", axes, 0))


def as_groups(value: Any, filters: int) -> int:
    """A positive divisor of the number of filters, else ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1 or filters % value:
        raise ValueError(f"groups must be a positive divisor of the {filters} filters; got {value!r}.")
    return int(value)


def output_size(length: int, taps: int, padding: Pair, stride: int, dilation: int, axis: str) -> int:
    """Outputs along one axis; refuses a filter larger than the padded input."""
    padded = length + sum(padding)
    extent = dilation * (taps - 1) + 1
    if extent > padded:
        raise ValueError(f"the filter must fit into the padded input; its {axis} is {extent}, the input's {padded}.")
    return (padded - extent) // stride + 1


def output_sizes(lengths: Sizes, taps: Sizes, stride: Sizes, padding: Sides, dilation: Sizes) -> Sizes:
    """Outputs along each axis; ValueError where the filter is larger than the padded input."""
    options = zip(lengths, taps, padding, stride, dilation, AXIS_NAMES[len(lengths)], strict=True)
    return tuple(output_size(*option) for option in options)


def input_lengths(outputs: int, taps: int, stride: int, padding: tuple[int, int], dilation: int) -> range:
    """The input lengths from which a convolution makes that many outputs along an axis: `stride` neighbours, or fewer.

    Examples
    --------
    >>> list(input_lengths(4, 3, 2, (1, 1), 1))
    [7, 8]
    """
    first = (outputs - 1) * stride + dilation * (taps - 1) + 1 - sum(padding)
    return range(max(1, first), max(1, first + stride))
