"""Arithmetic on all lanes of a word at once, one plain function each.

Every function takes words and the `LaneLayout` of their lanes and gives a word of lanes. The same text runs on Python
integers, on NumPy arrays of uint64, and, compiled, on single words and vectors of them (`kernels.packed.elementwise`
reads it from this file). No step needs a bit above bit 63, save where a mask cuts it off again, and no difference is
negative, so all of these agree.

A carry must not leave its lane. Temporary spacers see to that: each lane's top bit is masked off, so that it is free to
receive the carry of the bits below; its own value is put right afterwards by exclusive or. With permanent spacers the
functions that end in `_spaced` do the same in fewer steps. Words come and go with zeros in spacers and between lanes.

The bit tricks are those of Anderson and Gregg, and of Warren, Hacker's Delight, 2-18 (multibyte add and subtract).

Source
------
Anderson, Gregg: Scalar Arithmetic Multiple Data, ARITH 2019, arXiv:1809.10572, section IV.
"""

from __future__ import annotations

from typing import Any

from kernels.packed.layout import LaneLayout
from kernels.packed.words import popcount

Word = Any

# In compiled code an integer literal is signed, and mixing it with words would give floats: constants come from the
# layout. `x ^ values` stands for the complement, which in Python would be negative.


def spread(tops: Word, lane: LaneLayout) -> Word:
    """All bits of a lane set where its top bit is: t | (t - (t >> top)), for 2**top - 1 are the bits below it."""
    return tops | (tops - (tops >> lane.top))


def filled(ones: Word, lane: LaneLayout) -> Word:
    """All bits of a lane set where the lane is 1, none where it is 0."""
    return spread(ones << lane.top, lane)


# ---- addition and what follows from it --------------------------------------------------------------------


def add(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a + b, wrapping. The low bits add up without leaving the lane; the top bit is a ^ b ^ the carry into it."""
    return ((a & lane.low) + (b & lane.low)) ^ ((a ^ b) & lane.tops)


def subtract(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a - b, wrapping. A one lent to each top bit pays the borrow; the top bit is a ^ b ^ the borrow out of it."""
    return ((a | lane.tops) - (b & lane.low)) ^ ((a ^ b ^ lane.tops) & lane.tops)


def negate(a: Word, lane: LaneLayout) -> Word:
    """-a, wrapping: 0 - a as `subtract` has it."""
    return (lane.tops - (a & lane.low)) ^ ((a ^ lane.tops) & lane.tops)


def add_spaced(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a + b, wrapping; the spacer takes the carry."""
    return (a + b) & lane.values


def subtract_spaced(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a - b, wrapping; the spacer lends the borrow."""
    return ((a | lane.spacers) - b) & lane.values


def absolute(a: Word, lane: LaneLayout) -> Word:
    """|a|, wrapping: the smallest value stays itself. With s = -1 where a < 0, else 0, it is (a ^ s) + (s & 1)."""
    sign = spread(a & lane.signs, lane)
    return add(a ^ sign, sign & lane.ones, lane)


def multiply_scalar(a: Word, factor: Word, lane: LaneLayout) -> Word:
    """a * factor, wrapping, for 0 <= factor < 2**bits.

    The even lanes alone have room for products of twice their width; so have the odd ones, moved down by one lane. Of a
    product the lowest bits are kept, which are the same for signed and unsigned lanes. A negative factor enters as its
    two's complement.
    """
    even = ((a & lane.even) * factor) & lane.even
    odd = (((a >> lane.pitch) & lane.even) * factor) & lane.even
    return even | (odd << lane.pitch)


def multiply(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a * b lane by lane, wrapping: the sum over i of a * 2**i where bit i of b is set, modulo 2**bits."""
    total = a ^ a
    for i in range(lane.bits):
        chosen = filled((b >> i) & lane.ones, lane)
        total = add(total, a & chosen, lane)
        a = (a & lane.low) << 1
    return total


# ---- shifts -----------------------------------------------------------------------------------------------


def shift_left(a: Word, count: Word, lane: LaneLayout) -> Word:
    """a * 2**count, wrapping, for 0 <= count <= bits: the bits that would leave their lane are masked off before."""
    kept = (lane.ones << (lane.bits - count)) - lane.ones
    return (a & kept) << count


def shift_right(a: Word, count: Word, lane: LaneLayout) -> Word:
    """a // 2**count, rounding down, for 0 <= count <= bits: what came from the lane above is replaced by the sign."""
    kept = (lane.ones << (lane.bits - count)) - lane.ones
    return ((a >> count) & kept) | (spread(a & lane.signs, lane) & (kept ^ lane.values))


# ---- comparison: all bits of a lane set where it holds ------------------------------------------------------


def not_equal(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a != b. x = a ^ b is not 0 where x + (2**top - 1) reaches the top bit, or x has it."""
    x = a ^ b
    return spread((((x & lane.low) + lane.low) | x) & lane.tops, lane)


def equal(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a == b."""
    return not_equal(a, b, lane) ^ lane.values


def less(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a < b. Unsigned: the borrow out of a - b. Signed: the same after both sign bits are flipped, which adds 2**top.

    With d the difference of the low bits, its top bit set where they lend nothing, the borrow leaves the lane where b
    has the top bit and a has not, or where both agree in it and d has none.
    """
    a = a ^ lane.signs
    b = b ^ lane.signs
    difference = (a | lane.tops) - (b & lane.low)
    lends = (b & (a ^ lane.values)) | (((a ^ b) ^ lane.values) & (difference ^ lane.values))
    return spread(lends & lane.tops, lane)


def less_equal(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a <= b: not b < a."""
    return less(b, a, lane) ^ lane.values


def greater(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a > b: b < a."""
    return less(b, a, lane)


def greater_equal(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a >= b: not a < b."""
    return less(a, b, lane) ^ lane.values


def less_spaced(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a < b: the spacer, set before a - b, is gone where it lent."""
    lent = (((a ^ lane.signs) | lane.spacers) - (b ^ lane.signs)) & lane.spacers
    lent = lent ^ lane.spacers
    return lent - (lent >> lane.bits)


# ---- choice -----------------------------------------------------------------------------------------------


def select(mask: Word, a: Word, b: Word, lane: LaneLayout) -> Word:
    """A lane of a where all bits of the mask's lane are set, of b where none is: b ^ ((a ^ b) & mask)."""
    return b ^ ((a ^ b) & mask)


def minimum(a: Word, b: Word, lane: LaneLayout) -> Word:
    """The smaller of a and b."""
    return select(less(a, b, lane), a, b, lane)


def maximum(a: Word, b: Word, lane: LaneLayout) -> Word:
    """The larger of a and b."""
    return select(less(a, b, lane), b, a, lane)


def relu(a: Word, lane: LaneLayout) -> Word:
    """max(a, 0): lanes with the sign set become 0."""
    return a & (spread(a & lane.signs, lane) ^ lane.values)


# ---- saturation -------------------------------------------------------------------------------------------


def bounded(a: Word, lane: LaneLayout) -> Word:
    """Signed lanes: the largest value, or where a < 0 the smallest. They are low and low + 1 = tops."""
    return lane.low + ((a & lane.tops) >> lane.top)


def add_saturating(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a + b, or the nearest value that there is.

    Unsigned, the sum s is too large where a carry leaves the lane: a and b have the top bit, or one of them and not s.
    Signed, where a and b have one sign and s the other; the result then lies on the side of a.
    """
    s = add(a, b, lane)
    carry = ((a & b) | ((a | b) & (s ^ lane.values))) & (lane.tops ^ lane.signs)
    crossed = (a ^ s) & (b ^ s) & lane.signs
    return select(spread(crossed, lane), bounded(a, lane), s | spread(carry, lane), lane)


def subtract_saturating(a: Word, b: Word, lane: LaneLayout) -> Word:
    """a - b, or the nearest value that there is.

    Unsigned, a borrow leaves the lane where b has the top bit and a has not, or one of these and the difference d has
    it. Signed, d is wrong where a and b have different signs and d not that of a; the result then lies on a's side.
    """
    d = subtract(a, b, lane)
    not_a = a ^ lane.values
    borrow = ((not_a & b) | ((not_a | b) & d)) & (lane.tops ^ lane.signs)
    crossed = (a ^ b) & (a ^ d) & lane.signs
    return select(spread(crossed, lane), bounded(a, lane), d & (spread(borrow, lane) ^ lane.values), lane)


def negate_saturating(a: Word, lane: LaneLayout) -> Word:
    """-a, or the nearest value that there is: the largest for the smallest, 0 for what is unsigned."""
    return subtract_saturating(a ^ a, a, lane)


def absolute_saturating(a: Word, lane: LaneLayout) -> Word:
    """|a|, the largest value for the smallest: that one alone is still negative, and one too many."""
    size = absolute(a, lane)
    return size - ((size & lane.signs) >> lane.top)


# ---- whole words ------------------------------------------------------------------------------------------


def lane_sum(a: Word, lane: LaneLayout) -> Word:
    """The sum of all lanes of a word, each signed one raised by 2**top: bit i of all lanes counts popcount * 2**i.

    Raised lanes are not negative, so the sum is an ordinary word. Empty lanes count too.
    """
    raised = a ^ lane.signs
    total = a ^ a
    for i in range(lane.bits):
        total = total + (popcount((raised >> i) & lane.ones) << i)
    return total


def widened_even(a: Word, lane: LaneLayout, wide: LaneLayout) -> Word:
    """Lanes 0, 2, 4, ... as lanes of twice the pitch; `wide` is their layout, with as many bits as twice the pitch.

    The sign reaches the new bits by (x ^ s) - s with s the old sign bit; the new top bit is lent and taken back, so
    that nothing is borrowed from the neighbour. A lane whose room would end beyond the word is lost.
    """
    sign = lane.signs & wide.values & lane.even
    return ((((a & lane.even) & wide.values) ^ sign) + (wide.tops - sign)) ^ wide.tops


def widened_odd(a: Word, lane: LaneLayout, wide: LaneLayout) -> Word:
    """Lanes 1, 3, 5, ... as lanes of twice the pitch: the even ones of the word moved down by one lane."""
    return widened_even(a >> lane.pitch, lane, wide)


def narrowed(even: Word, odd: Word, lane: LaneLayout) -> Word:
    """The lanes of two widened words beside each other again, each cut to its lowest bits."""
    return (even & lane.even) | ((odd & lane.even) << lane.pitch)
