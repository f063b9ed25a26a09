"""Floating-point arithmetic on NumPy arrays, one rounding per operation, for `winograd.evaluate`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from winograd.rounding import format_of, round_exact

Array = Any
"""A NumPy array or scalar; operations broadcast."""

_SPLITTER = np.float64(2**27 + 1)

# Where the float64 path of `fma` is proved; see there.
_LARGEST_FACTOR = np.float64(2.0**995)
_LARGEST_TERM = np.float64(2.0**1020)
_SMALLEST_PRODUCT = np.float64(2.0**-900)


class Emulated:
    """The arithmetic of one format: `winograd.evaluate` with it does what a processor does, operation by operation.

    Parameters
    ----------
    dtype : float32 or float64
        The values must be arrays of this dtype; NumPy then rounds every operation once.

    Raises
    ------
    ValueError
        For another dtype.

    Rounding
    --------
    Each constant once from its exact value; each operation once, to nearest even, fma included. Overflow gives an
    infinity and underflow is gradual, as in IEEE 754.

    Examples
    --------
    >>> from winograd import INF, evaluate, toom_cook
    >>> G = toom_cook(2, 3, [0, 1, -1, INF]).program("G")
    >>> evaluate(G, [np.float32(0.1)] * 3, Emulated("float32"))[1]
    np.float32(0.15)
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = emulated_dtype(dtype)

    def constant(self, value: Any) -> Any:
        """The constant rounded once to the format."""
        return round_exact(value, self.dtype)

    def add(self, a: Array, b: Array) -> Array:
        """a + b, rounded."""
        return a + b

    def sub(self, a: Array, b: Array) -> Array:
        """a - b, rounded."""
        return a - b

    def mul(self, a: Array, c: Array) -> Array:
        """a * c, rounded."""
        return a * c

    def neg(self, a: Array) -> Array:
        """-a, exact."""
        return -a

    def fma(self, a: Array, c: Array, b: Array) -> Array:
        """a * c + b, rounded once."""
        return fma(a, c, b)


def emulated_dtype(dtype: DTypeLike) -> np.dtype:
    """The dtype, or ValueError where this package does not emulate it."""
    if format_of(dtype).name not in ("float32", "float64"):
        raise ValueError(f"dtype must be float32 or float64; got {np.dtype(dtype).name}.")
    return np.dtype(dtype)


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


def fma(a: Array, c: Array, b: Array) -> Array:
    """a * c + b with one rounding, elementwise: the global that the Python text of a fused Program calls.

    Parameters
    ----------
    a, c, b : float32 or float64 arrays or scalars of one dtype
        They broadcast.

    Returns
    -------
    Array of that dtype.

    Raises
    ------
    TypeError
        If the dtypes differ or are neither float32 nor float64.

    Rounding
    --------
    One, to nearest even, for all values: subnormal, infinite and NaN ones too, and with the sign of a zero as in
    IEEE 754.

    float32 is computed in float64: the product is exact there, the sum is rounded to odd, and rounding a sum of 53
    bits to odd before rounding it to 24 gives the rounding of the exact value. float64 is computed by error-free
    transformations, the two lower terms added with rounding to odd; that is proved away from the ends of the range
    (|a|, |c| <= 2^995, |a * c| and |b| <= 2^1020, |a * c| >= 2^-900 or a factor zero). Elements beyond are computed
    one by one with exact fractions, which is slow and right.

    Source
    ------
    Boldo and Melquiond, Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd,
    IEEE Trans. Computers 57(4), 2008.

    Examples
    --------
    >>> x = np.float32(1 + 2.0**-12)
    >>> fma(x, x, -(x * x)), x * x - x * x
    (np.float32(5.9604645e-08), np.float32(0.0))
    """
    kinds = [np.asarray(x).dtype for x in (a, c, b)]
    if kinds[0] not in (np.float32, np.float64) or len(set(kinds)) > 1:
        raise TypeError(
            f"fma needs three operands of one dtype, float32 or float64; got {', '.join(map(str, kinds))}."
        )
    with np.errstate(all="ignore"):
        return _fma_single(a, c, b) if kinds[0] == np.float32 else _fma_double(a, c, b)


def _fma_single(a: Array, c: Array, b: Array) -> Array:
    # 24 + 24 bits, and exponents far inside those of float64: exact.
    product = np.multiply(a, c, dtype=np.float64)
    return _sum_to_odd(product, np.asarray(b, np.float64)).astype(np.float32)[()]


def _fma_double(a: Array, c: Array, b: Array) -> Array:
    high, low = two_prod(a, c)
    middle, last = two_sum(b, low)
    first, rest = two_sum(high, middle)
    result = np.asarray(first + _sum_to_odd(last, rest))
    size = np.abs(high)
    proved = (
        (np.abs(a) <= _LARGEST_FACTOR)
        & (np.abs(c) <= _LARGEST_FACTOR)
        & (np.abs(b) <= _LARGEST_TERM)
        & (size >= _SMALLEST_PRODUCT)
        & (size <= _LARGEST_TERM)
    )
    if not np.all(proved):
        zero = (a == 0) | (c == 0)  # nothing to fuse: the plain sum is right, signs of zeros included
        result = np.where(zero, high + b, result)
        A, C, B = np.broadcast_arrays(a, c, b)
        for index in map(tuple, np.argwhere(~(proved | zero))):
            result[index] = fma_one(A[index], C[index], B[index])
    return result[()]


def _sum_to_odd(a: Array, b: Array) -> np.ndarray:
    """a + b in float64, rounded to odd: exact, or else the neighbour whose last bit is 1."""
    s, e = (np.asarray(x) for x in two_sum(a, b))
    bits = s.view(np.int64)
    # Where the sum was inexact and came out even, the odd neighbour lies on the side of the error; adding 1 to the
    # bits steps away from zero. An infinite sum has a NaN error: no step.
    inexact = ((bits & 1) == 0) & ((e > 0) | (e < 0))
    step = np.where((e > 0) == (s > 0), 1, -1)
    return np.where(inexact, bits + step, bits).view(np.float64)


def fma_one(a: Any, c: Any, b: Any) -> Any:
    """a * c + b of three NumPy scalars of one dtype, by exact fractions; the dull definition of `fma`.

    Examples
    --------
    >>> fma_one(np.float64(2.0**-600), np.float64(2.0**-600), np.float64(5e-324))
    np.float64(5e-324)
    """
    with np.errstate(all="ignore"):
        plain = a * c + b
        if not (np.isfinite(a) and np.isfinite(c)):
            return plain
        if not np.isfinite(b):
            return b
    if a == 0 or c == 0:
        return plain
    exact = Fraction(float(a)) * Fraction(float(c)) + Fraction(float(b))
    if exact == 0:
        return type(b)(0)
    nearest = format_of(type(b)).nearest(exact)
    size = np.inf if nearest is None else abs(nearest.numerator / nearest.denominator)
    return type(b)(size if exact > 0 else -size)
