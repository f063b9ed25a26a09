"""Error-free transformations of float64: a sum or a product as its rounded value and what the rounding lost."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
"""A NumPy array or scalar; operations broadcast."""

_SPLITTER = np.float64(2**27 + 1)

# Where `product_sum` is proved; see `in_range`.
_LARGEST_FACTOR = np.float64(2.0**995)
_LARGEST_TERM = np.float64(2.0**1020)
_SMALLEST_PRODUCT = np.float64(2.0**-900)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """(s, e) with s = a + b rounded and s + e = a + b exactly, barring overflow.

    Source
    ------
    Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B; the addition of two floating-point numbers
    never underflows inexactly.

    Examples
    --------
    >>> two_sum(np.float64(1), np.float64(2.0**-60)) == (1.0, 2.0**-60)
    True
    """
    s = a + b
    shadow = s - a
    return s, (a - (s - shadow)) + (b - shadow)


def two_prod(a: Array, b: Array) -> tuple[Array, Array]:
    """(p, e) with p = a * b rounded and p + e = a * b exactly, for float64.

    Exact where |a|, |b| <= 2^995, |a * b| <= 2^1021 and the product is zero or at least 2^-969, so that neither the
    splitting overflows nor the error underflows.

    Source
    ------
    Dekker, A floating-point technique for extending the available precision, Numer. Math. 18, 1971.

    Examples
    --------
    >>> two_prod(np.float64(1 + 2.0**-52), np.float64(1 + 2.0**-52)) == (1 + 2.0**-51, 2.0**-104)
    True
    """
    p = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return p, a_low * b_low - (((p - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Array) -> tuple[Array, Array]:
    """A 53-bit number as the sum of two of at most 26 bits (Veltkamp)."""
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def product_sum(a: Array, c: Array, b: Array) -> tuple[Array, Array]:
    """(s, e) with s = a * c + b rounded once and e its error, rounded to odd: zero only where s is exact.

    Proved where `in_range` holds.

    Source
    ------
    Boldo and Melquiond, Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd,
    IEEE Trans. Computers 57(4), 2008.

    Examples
    --------
    >>> x = np.float64(1 + 2.0**-52)
    >>> product_sum(x, x, -(x * x)) == (2.0**-104, 0)
    True
    """
    high, low = two_prod(a, c)
    middle, last = two_sum(b, low)
    first, rest = two_sum(high, middle)
    return two_sum(first, sum_to_odd(last, rest))


def in_range(a: Array, c: Array, b: Array) -> Array:
    """Where `product_sum` is proved: away from the ends of the range of float64.

    |a|, |c| <= 2^995, |a * c| and |b| <= 2^1020, |a * c| >= 2^-900.
    """
    size = np.abs(a * c)
    return (
        (np.abs(a) <= _LARGEST_FACTOR)
        & (np.abs(c) <= _LARGEST_FACTOR)
        & (np.abs(b) <= _LARGEST_TERM)
        & (size >= _SMALLEST_PRODUCT)
        & (size <= _LARGEST_TERM)
    )


def sum_to_odd(a: Array, b: Array) -> np.ndarray:
    """a + b in float64, rounded to odd: exact, or else the neighbour whose last bit is 1."""
    s, e = (np.asarray(x) for x in two_sum(a, b))
    bits = s.view(np.int64)
    # Where the sum was inexact and came out even, the odd neighbour lies on the side of the error; adding 1 to the
    # bits steps away from zero. An infinite sum has a NaN error: no step.
    inexact = ((bits & 1) == 0) & ((e > 0) | (e < 0))
    step = np.where((e > 0) == (s > 0), 1, -1)
    return np.where(inexact, bits + step, bits).view(np.float64)


def sum_toward_zero(s: Array, e: Array) -> np.ndarray:
    """s + e in float64, cut off toward zero, where s is s + e to nearest.

    Examples
    --------
    >>> float(sum_toward_zero(1.0, -2.0**-80)) == 1 - 2.0**-53
    True
    """
    x = np.asarray(s, np.float64)
    # One step down in the bits is one step toward zero.
    beyond = ((e < 0) & (x > 0)) | ((e > 0) & (x < 0))
    return (x.view(np.int64) - beyond).view(np.float64)
