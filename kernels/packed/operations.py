"""Lane arithmetic on whole arrays. They follow NumPy: element by element, broadcasting over the unpacked axes.

Two arrays must have one width, one signedness and one packed axis of one length; `widen` makes them equal. An operand
may be an integer in the other's range. `overflow` says what becomes of results that do not fit:

- "wrap": their lowest bits, as NumPy's integers do and as the operators do;
- "saturate": the nearest value;
- "widen": the result has as many bits as the largest one needs, up to 16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from kernels.packed.arguments import as_axis, as_integer, check_choice
from kernels.packed.array import PackedArray
from kernels.packed.operands import applied, check_packed, mapped, operands, scalar_word
from kernels.packed.storage import pack
from kernels.packed.widths import narrow, widen

__all__ = [
    "absolute",
    "add",
    "changed_in_place",
    "multiply",
    "negate",
    "shift_left",
    "shift_right",
    "subtract",
    "total",
]

_OVERFLOWS = ("wrap", "saturate", "widen")


# ---- wrapping at the width, in place or not ----------------------------------------------------------------


def _sum(a: Any, b: Any, in_place: bool) -> PackedArray:
    return applied("add", a, b, in_place, spaced=True)


def _difference(a: Any, b: Any, in_place: bool) -> PackedArray:
    return applied("subtract", a, b, in_place, spaced=True)


def _product(a: Any, b: Any, in_place: bool) -> PackedArray:
    if isinstance(a, PackedArray) and isinstance(b, PackedArray):
        return applied("multiply", a, b, in_place)
    like, _, _ = operands(a, b)
    name, factor = ("b", b) if isinstance(a, PackedArray) else ("a", a)
    return mapped("multiply_scalar", like, scalar_word(factor, name, like), in_place=in_place)


def _shifted(name: str, a: Any, count: Any, in_place: bool) -> PackedArray:
    a = check_packed(a, "a")
    if isinstance(count, (PackedArray, np.ndarray)):
        raise TypeError(f"count must be one integer for all lanes; got {type(count).__name__}.")
    number = as_integer(count, "count")
    if number < 0:
        raise ValueError(f"count must not be negative; got {number}.")
    return mapped(name, a, min(number, a.bits), in_place=in_place)


_IN_PLACE: dict[str, Callable[..., PackedArray]] = {
    "add": _sum,
    "subtract": _difference,
    "multiply": _product,
    "shift_left": partial(_shifted, "shift_left"),
    "shift_right": partial(_shifted, "shift_right"),
}


def changed_in_place(name: str, a: PackedArray, b: Any) -> PackedArray:
    """The operator of this name, its result in the words of a: what `+=` and its like do."""
    return _IN_PLACE[name](a, b, True)


def _alike_widened(a: Any, b: Any, bits: int, signed: bool) -> tuple[Any, Any]:
    return tuple(widen(x, bits, signed) if isinstance(x, PackedArray) else x for x in (a, b))  # type: ignore[return-value]


# ---- arithmetic -------------------------------------------------------------------------------------------


def add(a: Any, b: Any, overflow: str = "wrap") -> PackedArray:
    """a + b.

    Parameters
    ----------
    a, b : PackedArray, or one of them an int
        Of one width.
    overflow : str
        "wrap", "saturate", or "widen": one bit more.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError, ValueError
        If the operands do not match, or no wider width is left.

    Rounding
    --------
    None: exact modulo 2**bits, or saturated.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([3, -4, 1], bits=3, signed=True)
    >>> add(a, a).unpack(), add(a, a, "saturate").unpack(), add(a, a, "widen").unpack()
    (array([-2,  0,  2], dtype=int8), array([ 3, -4,  2], dtype=int8), array([ 6, -8,  2], dtype=int8))
    """
    check_choice(overflow, "overflow", _OVERFLOWS)
    if overflow == "widen":
        like, _, _ = operands(a, b)
        return add(*_alike_widened(a, b, like.bits + 1, like.signed))
    return applied("add_saturating", a, b) if overflow == "saturate" else _sum(a, b, False)


def subtract(a: Any, b: Any, overflow: str = "wrap") -> PackedArray:
    """a - b. As `add`; with "widen", one bit more, and signed.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([0, 3], bits=2, signed=False)
    >>> subtract(a, 1).unpack(), subtract(a, 1, "saturate").unpack(), subtract(a, 1, "widen").unpack()
    (array([3, 2], dtype=uint8), array([0, 2], dtype=uint8), array([-1,  2], dtype=int8))
    """
    check_choice(overflow, "overflow", _OVERFLOWS)
    if overflow == "widen":
        like, _, _ = operands(a, b)
        return subtract(*_alike_widened(a, b, like.bits + 1, True))
    return applied("subtract_saturating", a, b) if overflow == "saturate" else _difference(a, b, False)


def multiply(a: Any, b: Any, overflow: str = "wrap") -> PackedArray:
    """a * b, lane by lane or by a number. As `add`; with "widen", twice the bits.

    Saturating goes through products of twice the width where that is at most 16 bits, else through int64.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([3, -4, 1], bits=3, signed=True)
    >>> multiply(a, a).unpack(), multiply(a, -2, "saturate").unpack(), multiply(a, a, "widen").unpack()
    (array([1, 0, 1], dtype=int8), array([-4,  3, -2], dtype=int8), array([ 9, 16,  1], dtype=int8))
    """
    check_choice(overflow, "overflow", _OVERFLOWS)
    if overflow == "wrap":
        return _product(a, b, False)
    like, _, _ = operands(a, b)
    if overflow == "widen" or (overflow == "saturate" and 2 * like.bits <= 16):
        product = multiply(*_alike_widened(a, b, 2 * like.bits, like.signed))
        return product if overflow == "widen" else narrow(product, like.bits, overflow="saturate")
    return _saturated_product(a, b, like)


def _saturated_product(a: Any, b: Any, like: PackedArray) -> PackedArray:
    x, y = (v.unpack(np.int64) if isinstance(v, PackedArray) else v for v in (a, b))
    product = x * y
    axis = like.axis - like.ndim + product.ndim
    return pack(product, like.bits, like.signed, axis, like.spacer, overflow="saturate")


def negate(a: Any, overflow: str = "wrap") -> PackedArray:
    """-a. As `add`; with "widen", one bit more, and signed; saturated, unsigned values become 0.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([3, -4], bits=3, signed=True)
    >>> negate(a).unpack(), negate(a, "saturate").unpack(), negate(a, "widen").unpack()
    (array([-3, -4], dtype=int8), array([-3,  3], dtype=int8), array([-3,  4], dtype=int8))
    """
    check_choice(overflow, "overflow", _OVERFLOWS)
    a = check_packed(a, "a")
    if overflow == "widen":
        return negate(widen(a, a.bits + 1, True))
    return mapped("negate_saturating" if overflow == "saturate" else "negate", a)


def absolute(a: Any, overflow: str = "wrap") -> PackedArray:
    """|a|. As `add`; with "widen" the result is unsigned and as wide, which is room enough.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([3, -4], bits=3, signed=True)
    >>> absolute(a).unpack(), absolute(a, "saturate").unpack(), absolute(a, "widen").unpack()
    (array([ 3, -4], dtype=int8), array([3, 3], dtype=int8), array([3, 4], dtype=uint8))
    """
    check_choice(overflow, "overflow", _OVERFLOWS)
    result = mapped("absolute_saturating" if overflow == "saturate" else "absolute", check_packed(a, "a"))
    return replace(result, signed=False) if overflow == "widen" else result


def shift_left(a: Any, count: int) -> PackedArray:
    """a * 2**count, wrapping.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> shift_left(pack([3, 1], bits=3, signed=True), 1).unpack()
    array([-2,  2], dtype=int8)
    """
    return _shifted("shift_left", a, count, False)


def shift_right(a: Any, count: int) -> PackedArray:
    """a // 2**count, rounding down.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> shift_right(pack([3, -3], bits=3, signed=True), 1).unpack()
    array([ 1, -2], dtype=int8)
    """
    return _shifted("shift_right", a, count, False)


def total(a: Any, axis: int | None = None) -> Any:
    """The sum of all elements, or along one axis, as int64.

    Parameters
    ----------
    a : PackedArray
    axis : int, optional
        Along the packed axis, or over all, the lanes of a word are summed at once; another axis is unpacked.

    Returns
    -------
    int, or ndarray of int64

    Raises
    ------
    TypeError, ValueError
        If a is not packed, or has no such axis.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> a = pack([[3, -4], [1, 1]], bits=3, signed=True)
    >>> total(a), total(a, axis=1)
    (1, array([-1,  2]))
    """
    a = check_packed(a, "a")
    along = None if axis is None else as_axis(axis, a.ndim)
    if along not in (None, a.axis):
        return a.unpack().sum(along, dtype=np.int64)
    sums = mapped("lane_sum", a).words.view(np.int64)
    raised = (1 << a.layout.top if a.signed else 0) * a.layout.lanes
    if along is None:
        return int(sums.sum()) - raised * a.words.size
    return sums.sum(along) - raised * a.words.shape[along]
