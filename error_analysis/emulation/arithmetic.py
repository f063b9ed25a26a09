"""Floating-point arithmetic on NumPy arrays, one rounding per operation, for `winograd.evaluate`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.emulation.conversion import check_rounding, convert, rounded_fraction
from error_analysis.emulation.error_free import Array, in_range, product_sum, sum_to_odd, two_sum
from winograd.rounding import BinaryFormat, format_of, round_exact


class Emulated:
    """The arithmetic of one format: `winograd.evaluate` with it does what a processor does, operation by operation.

    Values are arrays of `dtype`: float32 and float64 in themselves; numbers of any other format are held in float64.

    Parameters
    ----------
    dtype : format, as in `winograd.format_of`
    rounding : "nearest", "toward_zero" or "stochastic"
    generator : numpy.random.Generator, optional
        Of the random numbers of stochastic rounding; by default one with seed 0.

    Attributes
    ----------
    format : winograd.BinaryFormat
    dtype : numpy.dtype
        Of the values.

    Raises
    ------
    ValueError
        For an unknown format or rounding.

    Rounding
    --------
    Each constant once from its exact value, to nearest; each operation once from its exact result, fma included.
    Overflow and underflow as the format defines them, see `error_analysis.emulation.conversion.convert`.

    float32 and float64 to nearest are what NumPy computes. Otherwise the exact result is held as an unevaluated sum of
    two float64, its rounded value and the error of that, and rounded once from there. Where float64 itself underflows
    or overflows, which takes a format of nearly its range, exact fractions do it, one by one.

    Source
    ------
    Sums to nearest by way of float64: Figueroa, When is double rounding innocuous?, SIGNUM Newsletter 30(3), 1995.
    fma: Boldo and Melquiond, see `fma`.

    Examples
    --------
    >>> from winograd import INF, evaluate, toom_cook
    >>> G = toom_cook(2, 3, [0, 1, -1, INF]).program("G")
    >>> evaluate(G, [np.float32(0.1)] * 3, Emulated("float32"))[1]
    np.float32(0.15)
    >>> half = Emulated("float16")
    >>> half.add(np.float64(2048), np.float64(1)), half.add(np.float64(60000), np.float64(60000))
    (np.float64(2048.0), np.float64(inf))
    """

    def __init__(
        self,
        dtype: DTypeLike | BinaryFormat,
        rounding: str = "nearest",
        generator: np.random.Generator | None = None,
    ) -> None:
        check_rounding(rounding)
        self.format = format_of(dtype)
        self.dtype = self.format.carrier
        self.rounding = rounding
        self._generator = generator or np.random.default_rng(0)
        low = self.format.smallest_exponent - self.format.precision + 1
        high = self.format.largest_exponent + 1
        self._native = rounding == "nearest" and self.format.name in ("float32", "float64")
        # Products fit into the 53 bits and the range of float64.
        self._exact_products = 2 * self.format.precision <= 53 and 2 * low >= -1074 and 2 * high <= 1023
        # A sum rounded to 53 >= 2 p + 1 bits, then to nearest in p, is rounded as if once (Figueroa).
        self._plain_sums = rounding == "nearest" and self.format.precision <= 25 and high <= 1000
        self._small_sums = high <= 1000

    def constant(self, value: Any) -> Any:
        """The constant rounded once to the format, to nearest; OverflowError where it has no such number."""
        return self.dtype.type(round_exact(value, self.format))

    def rounded(self, values: Array) -> Array:
        """Numbers of float32 or float64 as they enter the format, rounded once; as an array of `dtype`."""
        if self._native:
            with np.errstate(all="ignore"):
                return np.asarray(values).astype(self.dtype, copy=False)
        return self._converted(np.asarray(values, np.float64), None)

    def add(self, a: Array, b: Array) -> Array:
        """a + b, rounded."""
        if self._native:
            return a + b
        x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
        if self._plain_sums:
            return self._converted(np.asarray(x + y), None)
        with np.errstate(all="ignore"):
            s, e = two_sum(x, y)
        proved = True if self._small_sums else np.abs(s) <= 2.0**1020
        return self._exactly(s, e, proved, x, np.float64(1), y)

    def sub(self, a: Array, b: Array) -> Array:
        """a - b, rounded."""
        return a - b if self._native else self.add(a, -b)

    def mul(self, a: Array, c: Array) -> Array:
        """a * c, rounded."""
        if self._native:
            return a * c
        x, y = np.asarray(a, np.float64), np.asarray(c, np.float64)
        with np.errstate(all="ignore"):
            if self._exact_products:
                return self._converted(np.asarray(x * y), None)
            zero = np.float64(0)
            s, e = product_sum(x, y, zero)
            # A product of zero has the sign that multiplication gives it, and the sum with +0 loses.
            plain = (x == 0) | (y == 0) | ~np.isfinite(x) | ~np.isfinite(y)
            s, e = np.where(plain, x * y, s), np.where(plain, 0, e)
            return self._exactly(s, e, plain | in_range(x, y, zero), x, y, zero)

    def neg(self, a: Array) -> Array:
        """-a, exact."""
        return -a

    def fma(self, a: Array, c: Array, b: Array) -> Array:
        """a * c + b, rounded once."""
        if self._native:
            return fma(*(np.asarray(x, self.dtype)[()] for x in (a, c, b)))
        x, y, z = (np.asarray(v, np.float64) for v in (a, c, b))
        with np.errstate(all="ignore"):
            if self._exact_products:
                s, e = two_sum(x * y, z)
                return self._converted(np.asarray(s), e)
            s, e = product_sum(x, y, z)
            finite = np.isfinite(x) & np.isfinite(y)
            plain = (x == 0) | (y == 0) | ~finite | ~np.isfinite(z)
            # A finite product does not count beside an infinity, though float64 may overflow on it.
            ieee = np.where(finite & ~np.isfinite(z), z, x * y + z)
            s, e = np.where(plain, ieee, s), np.where(plain, 0, e)
            return self._exactly(s, e, plain | in_range(x, y, z), x, y, z)

    def _converted(self, s: np.ndarray, e: Array) -> Array:
        random = self._generator.random(s.shape) if self.rounding == "stochastic" else None
        y = convert(s, self.format, self.rounding, error=e, random=random)
        return y.astype(self.dtype, copy=False)

    def _exactly(self, s: Array, e: Array, proved: Array, a: Array, c: Array, b: Array) -> Array:
        """s + e rounded where that is proved to be a * c + b; elsewhere the same by fractions."""
        s = np.asarray(s)
        random = self._generator.random(s.shape) if self.rounding == "stochastic" else None
        result = np.asarray(convert(s, self.format, self.rounding, error=e, random=random))
        if not np.all(proved):
            draws = np.zeros(s.shape) if random is None else random
            proved, a, c, b = np.broadcast_arrays(proved, a, c, b)
            for index in map(tuple, np.argwhere(~proved)):
                operands = a[index], c[index], b[index]
                if np.isfinite(operands).all():
                    value = Fraction(float(operands[0])) * Fraction(float(operands[1])) + Fraction(float(operands[2]))
                    result[index] = rounded_fraction(value, self.format, self.rounding, float(draws[index]))
        return result.astype(self.dtype, copy=False)[()]


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
    transformations, where those are proved: away from the ends of the range (see `error_free.in_range`), or with a
    factor zero. Elements beyond are computed one by one with exact fractions, which is slow and right.

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
    return sum_to_odd(product, np.asarray(b, np.float64)).astype(np.float32)[()]


def _fma_double(a: Array, c: Array, b: Array) -> Array:
    result = np.asarray(product_sum(a, c, b)[0])
    proved = in_range(a, c, b)
    if not np.all(proved):
        zero = (a == 0) | (c == 0)  # nothing to fuse: the plain sum is right, signs of zeros included
        result = np.where(zero, a * c + b, result)
        A, C, B = np.broadcast_arrays(a, c, b)
        for index in map(tuple, np.argwhere(~(proved | zero))):
            result[index] = fma_one(A[index], C[index], B[index])
    return result[()]


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
    return type(b)(rounded_fraction(exact, format_of(type(b)), "nearest"))
