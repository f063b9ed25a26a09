"""The worst case of the channel sum: products and additions in the order of the Algorithm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from error_analysis.prediction.partial_sums import combined, leaves
from error_analysis.prediction.rounding_bound import RoundingBound
from winograd import Algorithm, format_of

_Sum = tuple[np.ndarray, np.ndarray]
"""(bound on the errors of the additions so far, bound on the computed sum)"""


def channel_sum_errors(
    A: Algorithm, channels: int, term: np.ndarray, fmt: RoundingBound
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the roundings between V, U and M can add up to.

    Parameters
    ----------
    A : Algorithm
    channels : int
    term : array
        Bound on |V U| of one channel, as computed but for the rounding of the product.
    fmt : RoundingBound
        Of A.sum_dtype.

    Returns
    -------
    products, sums, total : arrays like term
        Bounds on the errors of the products, on those of the additions, fused ones included, and on |M| as computed.

    Rounding
    --------
    float64, not yet enlarged.
    """
    held, working = format_of(A.product_dtype), format_of(A.sum_dtype)
    # V and U have this many bits and are multiples of this number: their product may just fit.
    bits, lowest = min(held.precision, working.precision), max(held.smallest, working.smallest)
    normal, subnormal = 2 * bits > working.precision, lowest**2 < working.smallest
    product = fmt.error(term, normal, subnormal)
    none = np.zeros_like(term)
    if A.fma:
        # The product is not rounded: what would underflow in it may do so in the sum.
        def rounded(size: np.ndarray) -> np.ndarray:
            return fmt.error(size, True, subnormal)

        sums, total = _kahan(channels, term, product, rounded, fmt) if A.channel_sum == "kahan" else _tree(
            A, channels, term, product, rounded, fmt
        )
        return none, sums, total
    held_term = term + product
    if A.channel_sum == "kahan":
        sums, total = _kahan(channels, held_term, none, fmt.error, fmt)
    else:
        sums, total = _tree(A, channels, held_term, none, fmt.error, fmt)
    return channels * product, sums, total


def _tree(
    A: Algorithm,
    channels: int,
    term: np.ndarray,
    first: np.ndarray,
    step: Callable[[np.ndarray], np.ndarray],
    fmt: RoundingBound,
) -> _Sum:
    """Linear, blocked, pairwise. The first term of a leaf is added to zero, which rounds no more than its product."""

    def leaf(length: int) -> _Sum:
        error, total = first, term + first
        for _ in range(length - 1):
            delta = step(total + term)
            error, total = error + delta, total + term + delta
        return error, total

    def added(a: _Sum, b: _Sum) -> _Sum:
        delta = fmt.error(a[1] + b[1])
        return a[0] + b[0] + delta, a[1] + b[1] + delta

    sums = {length: leaf(length) for length in {len(part) for part in leaves(A, channels)}}
    return combined(A, [sums[len(part)] for part in leaves(A, channels)], added)


def _kahan(
    channels: int,
    term: np.ndarray,
    first: np.ndarray,
    step: Callable[[np.ndarray], np.ndarray],
    fmt: RoundingBound,
) -> _Sum:
    """Kahan's sum. With t = x - lost + d1, s' = s + t + d2, lost' = ((s' - s) + d3 - t) + d4, the exact

        s' - lost' = s - lost + x + d1 - d3 - d4,

    so that only d1, d3 and d4 of each step remain, and the last lost.
    """
    error, computed, lost = np.zeros_like(term), np.zeros_like(term), np.zeros_like(term)
    for channel in range(channels):
        # Adding to zero is exact, and so is all that follows from it.
        d1 = step(term + lost) if channel else first
        t = term + lost + d1
        d2 = fmt.error(computed + t, normal=channel > 0)
        d3 = fmt.error(t + d2, normal=channel > 0)
        d4 = fmt.error(d2 + d3, normal=channel > 0)
        error = error + d1 + d3 + d4
        lost = d2 + d3 + d4
        computed = (channel + 1) * term + error + lost
    return error + lost, computed
