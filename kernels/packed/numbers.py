"""What kind of numbers lanes hold, and how large a sum of their products can be."""

from __future__ import annotations

from typing import Any, NamedTuple

from kernels.packed.arguments import as_integer, value_range
from kernels.packed.array import PackedArray

__all__ = ["Numbers", "check_sum", "check_zero_point", "numbers_of", "sum_range"]

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


def sum_range(a: Numbers, w: Numbers, count: int, zero_point: int = 0) -> tuple[int, int]:
    """Smallest and largest sum of at most `count` products (a - zero_point) w.

    Examples
    --------
    >>> sum_range(Numbers(2, False), Numbers(2, True), 10)
    (-60, 30)
    >>> sum_range(Numbers(2, False), Numbers(2, True), 10, zero_point=2)
    (-20, 40)
    """
    corners = [(x - zero_point) * y for x in a.range for y in w.range]
    return min(0, count * min(corners)), max(0, count * max(corners))


def check_zero_point(a: Numbers, zero_point: Any) -> int:
    """A number that activations of this kind may have; 0 for bipolar ones."""
    value = as_integer(zero_point, "zero_point")
    low, high = (0, 0) if a.bipolar else a.range
    if not low <= value <= high:
        raise ValueError(f"zero_point must lie in {low} to {high} for {a}; got {value}.")
    return value


def check_sum(a: Numbers, w: Numbers, count: int, zero_point: int = 0, bias: tuple[int, int] = (0, 0)) -> None:
    """Refuse a sum that might not fit int32.

    Parameters
    ----------
    a, w : Numbers
    count : int
        Products in the sum.
    zero_point : int
        Taken from each a.
    bias : tuple of int
        Smallest and largest number added.

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
    one_low, one_high = sum_range(a, w, 1, zero_point)
    low, high = count * one_low + min(0, bias[0]), count * one_high + max(0, bias[1])
    if low < _INT32[0] or high > _INT32[1]:
        room = _INT32[0] - min(0, bias[0]), _INT32[1] - max(0, bias[1])
        most = min((limit // extreme for limit, extreme in zip(room, (one_low, one_high), strict=True) if extreme),
                   default=0)
        about = f" with zero point {zero_point}" if zero_point else ""
        about += f" and a bias of {bias[0]} to {bias[1]}" if any(bias) else ""
        raise ValueError(
            f"the sum of {count} products of {a} and {w}{about} must fit int32; it may be {low} to {high}: "
            f"the most is {max(0, most)}."
        )
