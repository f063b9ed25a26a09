"""What operations on packed arrays share: operands must match, their words broadcast, and padding stays zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.packed.arguments import as_integer
from kernels.packed.array import PackedArray
from kernels.packed.elementwise import lane_kernels, run_lanes
from kernels.packed.layout import LaneLayout

__all__ = ["applied", "check_packed", "check_pair", "clear_padding", "mapped", "operands", "scalar_word"]


_ZEROS_CHANGE = ("equal", "less_equal", "greater_equal")
"""Functions that give other than 0 for two zeros, so also for lanes that hold no element."""


def check_packed(a: Any, name: str) -> PackedArray:
    """Refuse what is not packed, or bipolar."""
    if not isinstance(a, PackedArray):
        raise TypeError(f"{name} must be a PackedArray; got {type(a).__name__}: pack it first.")
    if a.bipolar:
        raise ValueError(f"{name} must not be bipolar, one bit has no room for sums: widen it to 2 bits; got {a!r}.")
    return a


def check_pair(a: PackedArray, b: PackedArray) -> None:
    """Refuse arrays of different widths or packed axes."""
    mine = a.bits, a.signed, a.spacer, a.axis, a.shape
    if mine == (b.bits, b.signed, b.spacer, b.axis, b.shape):
        return  # the usual case, and quickly seen
    for field in ("bits", "signed", "spacer"):
        first, second = getattr(a, field), getattr(b, field)
        if first != second:
            raise ValueError(
                f"a and b must have one {field}; got {first} and {second}: make them alike with packed.widen."
            )
    if a.axis - a.ndim != b.axis - b.ndim:
        raise ValueError(
            f"a and b must be packed along one axis; got axis {a.axis} of {a.shape} and axis {b.axis} of {b.shape}."
        )
    if a.shape[a.axis] != b.shape[b.axis]:
        raise ValueError(
            "a and b must have one length along the packed axis, only the others broadcast; "
            f"got {a.shape[a.axis]} and {b.shape[b.axis]}."
        )


def scalar_word(value: Any, name: str, like: PackedArray) -> int:
    """The lowest lane's bits of an integer operand."""
    number = as_integer(value, name)
    low, high = like.range
    if not low <= number <= high:
        raise ValueError(f"{name} must lie in {low} to {high} beside {like!r}; got {number}.")
    return number % (1 << like.bits)


def operands(a: Any, b: Any) -> tuple[PackedArray, np.ndarray, np.ndarray]:
    """The operand whose fields the result has, and the words of both; an integer becomes one word of equal lanes."""
    if isinstance(a, PackedArray) and isinstance(b, PackedArray):
        check_pair(check_packed(a, "a"), check_packed(b, "b"))
        return (a if a.ndim >= b.ndim else b), a.words, b.words
    if isinstance(b, PackedArray):
        like, b_words, a_words = check_packed(b, "b"), b.words, _constant(a, "a", b)
        return like, a_words, b_words
    like = check_packed(a, "a")
    return like, like.words, _constant(b, "b", like)


def _constant(value: Any, name: str, like: PackedArray) -> np.ndarray:
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"{name} must be a PackedArray or an integer; got an ndarray: pack it first.")
    return np.full((1,) * like.ndim, scalar_word(value, name, like) * like.layout.ones, np.uint64)


def clear_padding(words: np.ndarray, axis: int, length: int, lane: LaneLayout) -> None:
    """Clear the lanes that hold no element, in place."""
    filled = length % lane.lanes
    if filled and words.size:
        last = (slice(None),) * axis + (-1,)
        words[last] &= np.uint64((1 << filled * lane.pitch) - 1)


def applied(name: str, a: Any, b: Any, in_place: bool = False, spaced: bool = False) -> PackedArray:
    """A lane function of two operands; in place, the first one is a PackedArray and takes the result.

    With `spaced`, the function has a shorter form for lanes with spacers.
    """
    like, a_words, b_words = operands(a, b)
    lane = like.layout
    shape, words_shape = like.shape, like.words.shape
    if a_words.shape != b_words.shape:
        shape = np.broadcast_shapes(*(x.shape for x in (a, b) if isinstance(x, PackedArray)))
        words_shape = np.broadcast_shapes(a_words.shape, b_words.shape)
    axis = like.axis - like.ndim + len(shape)
    if in_place and shape != a.shape:
        raise ValueError(f"a must have the result's shape {shape} to be changed in place; got {a.shape}.")
    out = a.words if in_place else np.empty(words_shape, np.uint64)
    run_lanes(f"{name}_spaced" if spaced and like.spacer else name, lane, (a_words, b_words), words_shape, out)
    if name in _ZEROS_CHANGE or not (isinstance(a, PackedArray) and isinstance(b, PackedArray)):
        clear_padding(out, axis, shape[axis], lane)
    return a if in_place else like.with_words(out, shape, axis)


def mapped(name: str, a: PackedArray, *count: int, in_place: bool = False) -> PackedArray:
    """A lane function of one operand, and perhaps of a number."""
    out = a.words if in_place else np.empty_like(a.words)
    numbers = [np.uint64(c) for c in count]
    getattr(lane_kernels(), f"run_{name}")(a.words.reshape(-1), *numbers, out.reshape(-1), a.layout.as_words())
    return a if in_place else a.with_words(out, a.shape, a.axis)
