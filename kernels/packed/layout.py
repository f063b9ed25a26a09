"""Where the lanes of one word lie, as the masks that lane arithmetic works with."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

__all__ = ["WORD_BITS", "LaneLayout", "lane_layout"]

WORD_BITS = 64


class LaneLayout(NamedTuple):
    """The lanes of a word, in Python integers; compiled code has the same fields in uint64.

    With `bits` = 3, unsigned or signed, and a spacer (s) above each lane, the lowest 12 bits of the masks are:

                 lane 2   lane 1   lane 0
        word    s v v v  s v v v  s v v v
        ones    . . . 1  . . . 1  . . . 1
        tops    . 1 . .  . 1 . .  . 1 . .
        low     . . 1 1  . . 1 1  . . 1 1
        values  . 1 1 1  . 1 1 1  . 1 1 1
        spacers 1 . . .  1 . . .  1 . . .     0 where there is no spacer
        signs   . 1 . .  . 1 . .  . 1 . .     0 where lanes are unsigned
        even    . 1 1 1  . . . .  . 1 1 1

    Attributes
    ----------
    bits : int
        Bits of a value.
    top : int
        bits - 1.
    pitch : int
        Bits from one lane to the next: bits, and one more for a spacer.
    lanes : int
        Lanes in a word.
    ones, tops, low, values, spacers, signs, even : int
        The masks above.
    """

    bits: int
    top: int
    pitch: int
    lanes: int
    ones: int
    tops: int
    low: int
    values: int
    spacers: int
    signs: int
    even: int

    def as_words(self) -> np.ndarray:
        """The fields in this order, as uint64; not to be written to."""
        return _as_words(self.bits, self.signs != 0, self.spacers != 0)


@cache
def _as_words(bits: int, signed: bool, spacer: bool) -> np.ndarray:
    # Of three small keys: a layout itself would take longer to look up than a short row to add.
    return np.array(lane_layout(bits, signed, spacer), np.uint64)


@cache
def lane_layout(bits: int, signed: bool = False, spacer: bool = False) -> LaneLayout:
    """The layout of `64 // (bits + spacer)` lanes from bit 0 up; bits beyond the last lane stay empty.

    Parameters
    ----------
    bits : int
        1 to 32; `PackedArray` has up to 16, wider lanes occur inside of operations.
    signed, spacer : bool

    Returns
    -------
    LaneLayout

    Examples
    --------
    >>> lane = lane_layout(3, signed=True)
    >>> lane.lanes, f"{lane.tops & 0xFFF:012b}"
    (21, '100100100100')
    """
    pitch = bits + spacer
    count = WORD_BITS // pitch
    ones = sum(1 << pitch * k for k in range(count))
    values = ones * ((1 << bits) - 1)
    tops = ones << (bits - 1)
    return LaneLayout(
        bits=bits,
        top=bits - 1,
        pitch=pitch,
        lanes=count,
        ones=ones,
        tops=tops,
        low=values ^ tops,
        values=values,
        spacers=ones << bits if spacer else 0,
        signs=tops if signed else 0,
        even=sum(((1 << bits) - 1) << 2 * pitch * k for k in range(-(-count // 2))),
    )
