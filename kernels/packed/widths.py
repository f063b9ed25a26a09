"""Between widths: `widen`, which keeps every value, and `narrow`, which says what becomes of those that do not fit."""

from __future__ import annotations

from typing import Any

from kernels.packed.arguments import check_bits, check_choice, check_range, value_range
from kernels.packed.array import PackedArray
from kernels.packed.storage import pack

__all__ = ["narrow", "widen"]


def _check_packed(a: Any) -> PackedArray:
    if not isinstance(a, PackedArray):
        raise TypeError(f"a must be a PackedArray; got {type(a).__name__}: pack it first.")
    return a


def widen(a: Any, bits: int, signed: bool | None = None, spacer: bool | None = None) -> PackedArray:
    """The same values in lanes of another width that holds all of them.

    Parameters
    ----------
    a : PackedArray
        A bipolar one becomes an ordinary signed one of 2 bits or more.
    bits : int
        The new width.
    signed, spacer : bool, optional
        As in a, if not given.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError
        If a is not packed.
    ValueError
        If the width is outside 1 to 16, or does not hold every value that a may have: `narrow` looks at those it has.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> a = pack([3, 0], bits=2, signed=False)
    >>> widen(a, 3, signed=True)
    PackedArray(int3, shape=(2,), axis=0, 8 bytes)
    """
    a = _check_packed(a)
    bits = check_bits(bits)
    sign = a.signed if signed is None else bool(signed)
    low, high = value_range(bits, sign)
    if a.range[0] < low or a.range[1] > high:
        name = f"{'int' if sign else 'uint'}{bits}"
        raise ValueError(f"the new width must hold {a.range[0]} to {a.range[1]}; got {name}, {low} to {high}.")
    return pack(a.unpack(), bits, sign, a.axis, a.spacer if spacer is None else spacer, overflow="wrap")


def narrow(
    a: Any, bits: int, signed: bool | None = None, spacer: bool | None = None, overflow: str = "error"
) -> PackedArray:
    """The values in lanes of another width.

    Parameters
    ----------
    a : PackedArray
    bits : int
        The new width.
    signed, spacer : bool, optional
        As in a, if not given.
    overflow : str
        "error", "wrap" or "saturate", as in `pack`.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError
        If a is not packed.
    ValueError
        If the width is outside 1 to 16, or with overflow="error" a value does not fit: the first one and its place.

    Examples
    --------
    >>> a = pack([3, 12], bits=4, signed=False)
    >>> narrow(a, 2, overflow="saturate").unpack()
    array([3, 3], dtype=uint8)
    """
    a = _check_packed(a)
    bits = check_bits(bits)
    check_choice(overflow, "overflow", ("error", "wrap", "saturate"))
    sign = a.signed if signed is None else bool(signed)
    x = a.unpack()
    if overflow == "error":
        check_range(x, *value_range(bits, sign), f"{'int' if sign else 'uint'}{bits}", "a")
        overflow = "wrap"
    return pack(x, bits, sign, a.axis, a.spacer if spacer is None else spacer, overflow)
