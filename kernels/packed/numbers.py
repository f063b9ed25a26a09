"""What kind of numbers lanes hold, and how large a sum of their products can be."""

from __future__ import annotations

from typing import NamedTuple

from kernels.packed.arguments import value_range
from kernels.packed.array import PackedArray

__all__ = ["Numbers", "check_sum", "numbers_of", "sum_range"]

_INT32 = (-(1 << 31), (1 << 31) - 1)


class Numbers(NamedTuple):
    """Width and signedness of packed numbers."""

    bits: int
    signed: bool
    bipolar: bool = False

    @property
    def negative_top(self) -> bool:
        """Whether the top bit counts negatively, as in two's complement."""
        return self.signed and not self.bipolar

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value."""
        return (-1, 1) if self.bipolar else value_range(self.bits, self.signed)

    def __str__(self) -> str:
        return "bipolar" if self.bipolar else f"{'int' if self.signed else 'uint'}{self.bits}"


def numbers_of(a: PackedArray) -> Numbers:
    """The kind of an array's elements."""
    return Numbers(a.bits, a.signed, a.bipolar)


def sum_range(a: Numbers, w: Numbers, count: int) -> tuple[int, int]:
    """Smallest and largest sum of at most `count` products.

    Examples
    --------
    >>> sum_range(Numbers(2, False), Numbers(2, True), 10)
    (-60, 30)
    """
    corners = [x * y for x in a.range for y in w.range]
    return min(0, count * min(corners)), max(0, count * max(corners))


def check_sum(a: Numbers, w: Numbers, count: int) -> None:
    """Refuse a sum that might not fit int32.

    Raises
    ------
    ValueError
        With the numbers.

    Examples
    --------
    >>> check_sum(Numbers(8, False), Numbers(8, True), 65_800)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: the sum of 65800 products of uint8 and int8 must fit int32; it may be -2147712000 to 2130933000: ...
    """
    low, high = sum_range(a, w, count)
    if low < _INT32[0] or high > _INT32[1]:
        one_low, one_high = sum_range(a, w, 1)
        most = min(limit // extreme for limit, extreme in zip(_INT32, (one_low, one_high), strict=True) if extreme)
        raise ValueError(
            f"the sum of {count} products of {a} and {w} must fit int32; it may be {low} to {high}: the most is {most}."
        )
