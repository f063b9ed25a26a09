"""Comparison and choice, lane by lane. Operands match as in `kernels.packed.operations`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from kernels.packed.array import PackedArray
from kernels.packed.elementwise import lane_kernels
from kernels.packed.operands import applied, check_packed, check_pair, clear_padding, mapped, operands
from kernels.packed.widths import narrow, widen

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "maximum",
    "minimum",
    "not_equal",
    "relu",
    "select",
]


def _compared(name: str, a: Any, b: Any, spaced: bool = False) -> PackedArray:
    """1 where it holds, else 0, in one bit each."""
    result = applied(name, a, b, spaced=spaced)
    # All bits of a lane are set where it holds, so the top bit of an unsigned lane says it.
    truth = mapped("shift_right", replace(result, signed=False), result.bits - 1)
    return narrow(truth, 1)


def equal(a: Any, b: Any) -> PackedArray:
    """a == b, as an unsigned array of one bit; so the other comparisons.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([3, -4], bits=3, signed=True)
    >>> equal(a, 3), less(a, 0).unpack()
    (PackedArray(uint1, shape=(2,), axis=0, 8 bytes), array([0, 1], dtype=uint8))
    """
    return _compared("equal", a, b)


def not_equal(a: Any, b: Any) -> PackedArray:
    """a != b."""
    return _compared("not_equal", a, b)


def less(a: Any, b: Any) -> PackedArray:
    """a < b."""
    return _compared("less", a, b, spaced=True)


def less_equal(a: Any, b: Any) -> PackedArray:
    """a <= b."""
    return _compared("less_equal", a, b)


def greater(a: Any, b: Any) -> PackedArray:
    """a > b."""
    return _compared("greater", a, b)


def greater_equal(a: Any, b: Any) -> PackedArray:
    """a >= b."""
    return _compared("greater_equal", a, b)


def minimum(a: Any, b: Any) -> PackedArray:
    """The smaller of a and b, lane by lane."""
    return applied("minimum", a, b)


def maximum(a: Any, b: Any) -> PackedArray:
    """The larger of a and b, lane by lane."""
    return applied("maximum", a, b)


def select(condition: Any, a: Any, b: Any) -> PackedArray:
    """a where the condition is 1, else b; `numpy.where`.

    Parameters
    ----------
    condition : PackedArray
        Unsigned, of one bit, as comparisons give it, packed along the axis of a and b.
    a, b : PackedArray, or one of them an int
        Of one width.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError, ValueError
        If the operands do not match.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([3, -4], bits=3, signed=True)
    >>> select(a < 0, 0, a).unpack()
    array([3, 0], dtype=int8)
    """
    condition = check_packed(condition, "condition")
    if (condition.bits, condition.signed) != (1, False):
        raise ValueError(f"condition must be unsigned and of one bit; got {condition!r}.")
    like, a_words, b_words = operands(a, b)
    lane = like.layout
    mask = replace(widen(condition, like.bits, False, like.spacer), signed=like.signed)
    check_pair(mask, like)
    shapes = [x.shape for x in (condition, a, b) if isinstance(x, PackedArray)]
    shape = np.broadcast_shapes(*shapes)
    words_shape = np.broadcast_shapes(mask.words.shape, a_words.shape, b_words.shape)
    flat = [np.ascontiguousarray(np.broadcast_to(x, words_shape)).reshape(-1) for x in (mask.words, a_words, b_words)]
    out = np.empty(words_shape, np.uint64)
    lane_kernels().run_select(*flat, out.reshape(-1), lane.as_words())
    axis = like.axis - like.ndim + len(shape)
    clear_padding(out, axis, shape[axis], lane)
    return replace(like, words=out, shape=shape, axis=axis)


def relu(a: Any) -> PackedArray:
    """max(a, 0).

    Examples
    --------
    >>> from kernels.packed import pack
    >>> relu(pack([3, -4], bits=3, signed=True)).unpack()
    array([3, 0], dtype=int8)
    """
    return mapped("relu", check_packed(a, "a"))
