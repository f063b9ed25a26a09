"""`pack` and its special forms. The memory order is drawn in `kernels/packed/array.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.packed.arguments import as_axis, as_integers, check_bits, check_choice, check_range, value_range
from kernels.packed.array import PackedArray
from kernels.packed.layout import lane_layout
from kernels.packed.staging import packed_words

__all__ = ["pack", "pack_bipolar", "pack_ternary"]


def _packed(
    x: np.ndarray, bits: int, signed: bool, axis: int, spacer: bool, overflow: str, low: int, high: int, what: str
) -> PackedArray:
    words, inside = packed_words(x, axis, lane_layout(bits, signed, spacer), low, high, overflow)
    if not inside:
        check_range(x, low, high, what)
    return PackedArray(words, bits, signed, x.shape, axis, spacer)


def pack(x: Any, bits: int, signed: bool, axis: int = -1, spacer: bool = False, overflow: str = "error") -> PackedArray:
    """Integers packed into 64-bit words, the first of each word in its lowest bits.

    Parameters
    ----------
    x : array of any integer dtype, or of booleans
        At least one axis.
    bits : int
        Width of an element, 1 to 16.
    signed : bool
        Two's complement, -2**(bits-1) to 2**(bits-1) - 1; or 0 to 2**bits - 1.
    axis : int
        The axis whose neighbours share words.
    spacer : bool
        A permanent spare zero bit above each lane, so that additions need fewer instructions.
    overflow : str
        "error", "wrap" (the lowest bits are kept) or "saturate" (the nearest value is taken).

    Returns
    -------
    PackedArray
        Of the shape of x.

    Raises
    ------
    TypeError
        If x holds no integers, or bits or axis is none.
    ValueError
        If bits or the axis is outside its range, or a value is, with overflow="error": the first one and its place.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> a = pack([[0, 1, 2, 3], [3, 2, 1, 0]], bits=2, signed=False)
    >>> a
    PackedArray(uint2, shape=(2, 4), axis=1, 16 bytes)
    >>> f"{a.words[0, 0]:08b}"
    '11100100'
    >>> pack([5, -9], bits=4, signed=True)
    Traceback (most recent call last):
        ...
    ValueError: x must lie in -8 to 7 for int4; got -9 at [1] (overflow="wrap" or "saturate" takes it).
    """
    bits = check_bits(bits)
    check_choice(overflow, "overflow", ("error", "wrap", "saturate"))
    x = as_integers(x)
    place = as_axis(axis, x.ndim)
    what = f"{'int' if signed else 'uint'}{bits}"
    return _packed(x, bits, bool(signed), place, bool(spacer), overflow, *value_range(bits, signed), what)


def pack_ternary(x: Any, axis: int = -1, spacer: bool = False, overflow: str = "error") -> PackedArray:
    """Integers -1, 0 and 1 in two bits each: a signed array of 2 bits without its smallest value, -2.

    Parameters
    ----------
    x : array of integers
    axis : int
        The axis whose neighbours share words.
    spacer : bool
        A permanent spare zero bit above each lane.
    overflow : str
        "error", or "saturate": the sign is taken.

    Returns
    -------
    PackedArray
        2 bits, signed.

    Raises
    ------
    TypeError, ValueError
        As `pack`.

    Examples
    --------
    >>> pack_ternary([-1, 0, 1]).unpack()
    array([-1,  0,  1], dtype=int8)
    """
    check_choice(overflow, "overflow", ("error", "saturate"))
    x = as_integers(x)
    place = as_axis(axis, x.ndim)
    return _packed(x, 2, True, place, bool(spacer), overflow, -1, 1, "ternary values")


def pack_bipolar(x: Any, bits: int = 1, axis: int = -1, spacer: bool = False) -> PackedArray:
    """Integers -1 and +1, in one bit each or in two.

    In one bit, 1 stands for +1 and 0 for -1, and the product of two is the XNOR of their bits. Sums do not fit one bit:
    arithmetic asks for the two-bit form, which is an ordinary signed array; `widen` makes it.

    Parameters
    ----------
    x : array of integers
    bits : int
        1 or 2.
    axis : int
        The axis whose neighbours share words.
    spacer : bool
        A permanent spare zero bit above each lane.

    Returns
    -------
    PackedArray
        With `bipolar` set if bits is 1.

    Raises
    ------
    TypeError, ValueError
        As `pack`; the first value other than -1 and +1, and its place.

    Examples
    --------
    >>> a = pack_bipolar([1, -1, -1, 1])
    >>> a, f"{a.words[0]:04b}"
    (PackedArray(bipolar, shape=(4,), axis=0, 8 bytes), '1001')
    >>> a.unpack()
    array([ 1, -1, -1,  1], dtype=int8)
    """
    x = as_integers(x)
    place = as_axis(axis, x.ndim)
    if check_bits(bits) > 2:
        raise ValueError(f"bits must be 1 or 2 for bipolar values; got {bits}.")
    outside = (x != 1) & (x != -1)
    if outside.any():
        at = np.unravel_index(int(outside.argmax()), x.shape)
        raise ValueError(f"x must be -1 or +1; got {int(x[at])} at [{', '.join(str(int(k)) for k in at)}].")
    if bits == 2:
        return pack(x, 2, True, place, spacer)
    positive = pack(x > 0, 1, False, place, spacer)
    return PackedArray(positive.words, 1, True, x.shape, place, bool(spacer), bipolar=True)
