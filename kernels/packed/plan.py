"""How many lanes of activations and weights one wide multiplication takes, and the proof that nothing overflows.

What the multiplication does is told in `kernels/packed/products.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernels.packed.arguments import as_integer, check_bits, value_range
from kernels.packed.layout import WORD_BITS

__all__ = ["DotPlan", "LanePlan", "dot_lanes_for", "lanes_for"]


@dataclass(frozen=True)
class LanePlan:
    """How a multiplication of two words is divided into lanes; made by `lanes_for`.

    Attributes
    ----------
    a_bits, w_bits : int
        Width of activations and weights.
    a_signed, w_signed : bool
        Their signedness.
    lane_bits : int
        S, from one lane to the next, in both factors and in the product.
    a_lanes, w_lanes : int
        N and K.
    product_bits : int
        Bits of the product that the multiplier gives.
    """

    a_bits: int
    w_bits: int
    a_signed: bool
    w_signed: bool
    lane_bits: int
    a_lanes: int
    w_lanes: int
    product_bits: int

    @property
    def outputs(self) -> int:
        """Elements of the convolution in one product: N + K - 1."""
        return self.a_lanes + self.w_lanes - 1

    @property
    def products(self) -> int:
        """Products a[i] w[k] in one multiplication: N K."""
        return self.a_lanes * self.w_lanes

    @property
    def additions(self) -> int:
        """Additions in one multiplication, of N K products to N + K - 1 sums: (N - 1) (K - 1)."""
        return self.products - self.outputs

    @property
    def operations(self) -> int:
        """Products and additions of one multiplication."""
        return self.products + self.additions

    @property
    def accumulated_operations(self) -> int:
        """The same where the product is added to a running sum, N + K - 1 additions more: 2 N K."""
        return 2 * self.products

    @property
    def product_range(self) -> tuple[int, int]:
        """Smallest and largest a[i] w[k]."""
        return _product_range(self.a_bits, self.w_bits, self.a_signed, self.w_signed)

    @property
    def most_products(self) -> int:
        """How many products a[i] w[k] may be added up in one lane, whatever their values, before it must be widened."""
        return _most_products(self.product_range, self.lane_bits)

    @property
    def most_words(self) -> int:
        """How many words A W may be added up before their lanes must be read or widened.

        The fullest lane of each holds min(N, K) products, the topmost one holds a single product, but may be shorter.
        """
        top_bits = self.product_bits - self.lane_bits * (self.outputs - 1)
        inside = self.most_products // min(self.a_lanes, self.w_lanes)
        at_top = _most_products(self.product_range, top_bits)
        return min(inside, at_top) if self.outputs > 1 else at_top


def _product_range(a_bits: int, w_bits: int, a_signed: bool, w_signed: bool) -> tuple[int, int]:
    corners = [x * y for x in value_range(a_bits, a_signed) for y in value_range(w_bits, w_signed)]
    return min(corners), max(corners)


def _most_products(extremes: tuple[int, int], bits: int) -> int:
    """How many products with these extremes a lane of so many bits holds: signed if one of them is negative."""
    low, high = extremes
    if low == 0:
        return ((1 << bits) - 1) // high
    if bits < 1:
        return 0
    at_bottom = (1 << bits - 1) // -low
    return min(at_bottom, ((1 << bits - 1) - 1) // high) if high > 0 else at_bottom


def _fits_operand(bits: int, signed: bool, lanes: int, lane_bits: int, word_bits: int, product_bits: int) -> bool:
    """Whether the sum of lanes is a number that the multiplier takes.

    A multiplier that gives as many bits as it takes works modulo 2**word_bits, and so may the operand.
    """
    if word_bits >= product_bits:
        return True
    low, high = value_range(bits, signed)
    ones = sum(1 << lane_bits * k for k in range(lanes))
    least, most = value_range(word_bits, signed)
    return low * ones >= least and high * ones <= most


def lanes_for(
    a_bits: int,
    w_bits: int,
    taps: int,
    accumulate: int = 1,
    *,
    a_signed: bool = False,
    w_signed: bool = False,
    a_word_bits: int = WORD_BITS,
    w_word_bits: int = WORD_BITS,
    product_bits: int = WORD_BITS,
) -> LanePlan:
    """How to divide words so that one multiplication does the most of a convolution with `taps` taps.

    Of all N and K <= taps for which the result is exact, those with the most activations per multiplication,
    N / ceil(taps / K); of equal ones, those with fewer weight lanes. S is then as large as it can be, so that the lanes
    hold as many sums as possible.

    Proof of exactness. Add up m = `accumulate` words A W. Lane j then holds s[j], a sum of at most m t products, with
    t = min(N, K), for i + k = j has at most t solutions. Let every product lie in [p, q].

    - p = 0. Then 0 <= s[j] <= m t q. If m t q < 2**S, the s[j] are the digits of the sum in base 2**S: they are unique,
      and no lane carries into the next.
    - p < 0. Then m t p <= s[j] <= m t q. If this lies in [-2**(S-1), 2**(S-1)), add 2**(S-1) to every lane: the
      s[j] + 2**(S-1) lie in [0, 2**S), and are digits again. Reading subtracts what was added.

    The topmost lane, j = N + K - 2, holds m products only, one from each word, and may be shorter than S: it needs the
    same of `product_bits` - S (N + K - 2) bits. The whole sum, with what was added, then lies in [0, 2**product_bits),
    so that it may be computed modulo 2**product_bits; in particular negative operands may enter in two's complement.

    Parameters
    ----------
    a_bits, w_bits : int
        Width of activations and weights, 1 to 16.
    taps : int
        Weights of the filter along the convolved axis.
    accumulate : int
        Words A W to be added up before their lanes are read, such as one for each channel.
    a_signed, w_signed : bool
        Signedness, one for each operand.
    a_word_bits, w_word_bits, product_bits : int
        Bits of the multiplier's operands, and of the product it gives. The default is the lower half of a product of
        64-bit words; 32, 32 and 64 describe one 32-bit multiplication; 27, 18 and 45 a multiplier of an FPGA.

    Returns
    -------
    LanePlan

    Raises
    ------
    TypeError
        If a number is no integer.
    ValueError
        If a number is outside its range, or not even single lanes can hold the sums.

    Rounding
    --------
    None: exact.

    Source
    ------
    Liu, Chen, Ganesh, Pan, Xiong, Chen: HiKonv, ASP-DAC 2022, arXiv:2112.13972, whose lanes are a sum of widths:
    S = a_bits + w_bits + ceil(log2(t)). The bound above is the exact one, and sometimes a bit less: a lane of
    3 bits holds 7 products of 1-bit values, so that 7 taps and 11 activations go through one 32-bit multiplication.

    Examples
    --------
    >>> plan = lanes_for(4, 4, taps=3, a_word_bits=32, w_word_bits=32)
    >>> plan.a_lanes, plan.w_lanes, plan.operations
    (3, 3, 13)
    >>> plan = lanes_for(2, 1, taps=3, accumulate=8, w_signed=True)
    >>> plan.lane_bits, plan.a_lanes, plan.w_lanes, plan.most_words
    (8, 6, 3, 14)
    """
    a_bits, w_bits = check_bits(a_bits, "a_bits"), check_bits(w_bits, "w_bits")
    sizes = {"taps": taps, "accumulate": accumulate, "a_word_bits": a_word_bits, "w_word_bits": w_word_bits}
    for name, value in (sizes | {"product_bits": product_bits}).items():
        if as_integer(value, name) < 1:
            raise ValueError(f"{name} must be at least 1; got {value}.")
    extremes = _product_range(a_bits, w_bits, a_signed, w_signed)
    best: tuple[tuple[float, int], LanePlan] | None = None
    for w_lanes in range(1, min(taps, product_bits) + 1):
        for a_lanes in range(1, product_bits - w_lanes + 2):
            widest = product_bits // max(1, a_lanes + w_lanes - 2)
            for lane_bits in range(widest, 0, -1):
                if _most_products(extremes, lane_bits) < accumulate * min(a_lanes, w_lanes) and a_lanes + w_lanes > 2:
                    lane_bits = 0  # a narrower lane holds no more
                    break
                plan = LanePlan(a_bits, w_bits, a_signed, w_signed, lane_bits, a_lanes, w_lanes, product_bits)
                if (
                    plan.most_words >= accumulate
                    and _fits_operand(a_bits, a_signed, a_lanes, lane_bits, a_word_bits, product_bits)
                    and _fits_operand(w_bits, w_signed, w_lanes, lane_bits, w_word_bits, product_bits)
                ):
                    rate = a_lanes / -(-taps // w_lanes)
                    if best is None or (rate, -w_lanes) > best[0]:
                        best = (rate, -w_lanes), plan
                    break
            else:
                lane_bits = 0
            if not lane_bits:
                break  # more activations fit even less
    if best is None:
        raise ValueError(
            f"a lane must hold {accumulate} products from {extremes[0]} to {extremes[1]} in {product_bits} bits, of "
            f"operands of {a_word_bits} and {w_word_bits}; none does: accumulate fewer."
        )
    return best[1]


@dataclass(frozen=True)
class DotPlan:
    """How words are divided into lanes for an inner product of words; made by `dot_lanes_for`.

    Attributes
    ----------
    product_range : (int, int)
        Smallest and largest a[i] w[i].
    lane_bits : int
        S, from one lane to the next.
    lanes : int
        N, in both words.
    """

    product_range: tuple[int, int]
    lane_bits: int
    lanes: int

    @property
    def most_words(self) -> int:
        """How many products of words may be added up before lane N - 1 must be read."""
        return _most_products(self.product_range, self.lane_bits) // self.lanes


def dot_lanes_for(
    a_bits: int, w_bits: int, length: int, *, a_signed: bool = False, w_signed: bool = False
) -> DotPlan:
    """How to divide 64-bit words for inner products of `length` numbers, by the lower half of a product.

    With the lanes of one word in the reverse order, lane N - 1 of A W is the inner product of the words' numbers.

    Proof of exactness. Lanes 0 to N - 1 of the sum of m words A W hold at most m N products each, and m N of them fit
    a lane of S bits, as for `lanes_for`: so these lanes, raised by 2**(S-1) if they may be negative, are the digits of
    the sum modulo 2**(S N). The lanes above N - 1 may overflow: they are multiples of 2**(S N), which is at most 2**64.

    Parameters
    ----------
    a_bits, w_bits : int
        Width of the operands, 1 to 16.
    length : int
        Of the vectors.
    a_signed, w_signed : bool

    Returns
    -------
    DotPlan
        Of N = 1, 2, ... and S = 64 // N the one whose multiplications and reading of lanes cost least, if reading
        a lane costs four multiplications.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer, or outside its range.

    Examples
    --------
    >>> plan = dot_lanes_for(2, 2, 1000)
    >>> plan.lanes, plan.lane_bits, plan.most_words
    (6, 10, 18)
    """
    a_bits, w_bits = check_bits(a_bits, "a_bits"), check_bits(w_bits, "w_bits")
    if as_integer(length, "length") < 1:
        raise ValueError(f"length must be at least 1; got {length}.")
    extremes = _product_range(a_bits, w_bits, a_signed, w_signed)
    plans = [DotPlan(extremes, WORD_BITS // n, n) for n in range(1, WORD_BITS + 1)]

    def cost(plan: DotPlan) -> float:
        words = -(-length // plan.lanes)
        return words * (1 + 4 / min(words, plan.most_words))

    return min((plan for plan in plans if plan.most_words), key=cost)
