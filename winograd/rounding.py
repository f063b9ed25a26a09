"""The one place where an exact number becomes a floating-point number, rounded once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from numpy.typing import DTypeLike

from winograd.exact import exact, require_number


@dataclass(frozen=True)
class BinaryFormat:
    """A binary floating-point format with gradual underflow.

    Parameters
    ----------
    name : str
    precision : int
        Bits of the significand, the leading one included; 2 to 53.
    smallest_exponent, largest_exponent : int
        Exponent e of the smallest and the largest normal number, value 1.f * 2**e; within those of float64.
    top : Fraction, optional
        The largest finite number, where it is not the one with all bits of the significand set.
    overflow : "infinity" or "nan"
        What a number too large becomes.

    Raises
    ------
    ValueError
        For a precision or exponents out of range.
    """

    name: str
    precision: int
    smallest_exponent: int
    largest_exponent: int
    top: Fraction | None = None
    overflow: str = "infinity"

    def __post_init__(self) -> None:
        if not 2 <= self.precision <= 53:
            raise ValueError(f"precision must be 2 to 53 bits; got {self.precision}.")
        if not -1022 <= self.smallest_exponent < self.largest_exponent <= 1023:
            raise ValueError(
                "exponents must satisfy -1022 <= smallest < largest <= 1023; "
                f"got {self.smallest_exponent} and {self.largest_exponent}."
            )

    @property
    def largest(self) -> Fraction:
        """The largest finite number."""
        if self.top is not None:
            return self.top
        return (2 - Fraction(1, 2 ** (self.precision - 1))) * Fraction(2) ** self.largest_exponent

    @property
    def smallest(self) -> Fraction:
        """The smallest positive number, a subnormal one; numbers below 2**smallest_exponent are its multiples."""
        return Fraction(2) ** (self.smallest_exponent - self.precision + 1)

    @property
    def u(self) -> Fraction:
        """The unit roundoff, 2**-precision: half the distance from 1 to the next number."""
        return Fraction(1, 2**self.precision)

    @property
    def carrier(self) -> np.dtype:
        """The NumPy dtype that holds its numbers: its own where NumPy computes in it exactly so, else float64."""
        return np.dtype(self.name if self.name in ("float32", "float64") else "float64")

    def nearest(self, value: Fraction) -> Fraction | None:
        """The number of this format nearest to `value`, ties to even; None where that overflows."""
        if value == 0:
            return Fraction(0)
        exponent = value.numerator.bit_length() - value.denominator.bit_length()
        if abs(value) < Fraction(2) ** exponent:
            exponent -= 1
        quantum = Fraction(2) ** (max(exponent, self.smallest_exponent) - self.precision + 1)
        rounded = round(value / quantum) * quantum  # Fraction rounds halves to even
        return rounded if abs(rounded) <= self.largest else None


FORMATS = {
    fmt.name: fmt
    for fmt in (
        BinaryFormat("float64", 53, -1022, 1023),
        BinaryFormat("float32", 24, -126, 127),
        BinaryFormat("tf32", 11, -126, 127),
        BinaryFormat("bfloat16", 8, -126, 127),
        BinaryFormat("float16", 11, -14, 15),
        # OCP 8-bit: e4m3 gives up infinity, and the NaN that is left takes the largest pattern, for one more binade.
        BinaryFormat("float8_e4m3fn", 4, -6, 8, top=Fraction(448), overflow="nan"),
        BinaryFormat("float8_e5m2", 3, -14, 15),
    )
}
"""Formats by name, as NumPy and ml_dtypes name them; tf32 is the one that matrix units read float32 in."""

_CUSTOM = re.compile(r"binary\(\s*(\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*\)")


def format_of(dtype: DTypeLike | BinaryFormat) -> BinaryFormat:
    """The format that a name or a dtype means.

    Parameters
    ----------
    dtype : str, dtype or BinaryFormat
        A name in `FORMATS`, a NumPy or ml_dtypes dtype of such a name, or "binary(precision, smallest exponent,
        largest exponent)" for any other format.

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> format_of(np.float32).u
    Fraction(1, 16777216)
    >>> format_of("binary(5, -6, 7)").largest
    Fraction(248, 1)
    """
    if isinstance(dtype, BinaryFormat):
        # Formats go by their names: in records, in Algorithms, in what NumPy computes natively.
        if format_of(dtype.name) != dtype:
            raise ValueError(f"a format must be what its name says; {dtype.name!r} is another: use binary(...).")
        return dtype
    if isinstance(dtype, str):
        if dtype in FORMATS:
            return FORMATS[dtype]
        if match := _CUSTOM.fullmatch(dtype.strip()):
            precision, smallest, largest = (int(number) for number in match.groups())
            return BinaryFormat(f"binary({precision}, {smallest}, {largest})", precision, smallest, largest)
    try:
        if dtype is None:  # NumPy reads None as float64
            raise TypeError
        return FORMATS[np.dtype(dtype).name]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f'dtype must be one of {", ".join(FORMATS)} or "binary(precision, smallest, largest exponent)"; '
            f"got {dtype!r}."
        ) from None


def round_exact(value: Any, dtype: DTypeLike | BinaryFormat) -> Any:
    """`value` rounded once to a format, to nearest, ties to even.

    Parameters
    ----------
    value : exact number, as in `winograd.exact`
    dtype : format, as in `format_of`

    Returns
    -------
    NumPy scalar: of that dtype for float16, float32 and float64; for other formats a float64 that holds the number.

    Raises
    ------
    OverflowError
        If the rounded value would not be finite.
    ValueError
        If the value holds a free symbol or the format is unknown.

    Rounding
    --------
    One, from the exact value: relative error at most the unit roundoff, absolute error at most half the
    smallest subnormal where the result is subnormal.

    Examples
    --------
    >>> round_exact("1/3", np.float32)
    np.float32(0.33333334)
    """
    target = format_of(dtype)
    number = exact(value)
    nearest = target.nearest(number) if isinstance(number, Fraction) else _nearest_irrational(number, target)
    if nearest is None:
        raise OverflowError(f"{number} exceeds the largest {target.name}, {float(target.largest):g}")
    # Exact: the number has at most 53 bits and lies in the range of float64.
    kind: Any = np.float16 if target.name == "float16" else target.carrier.type
    return kind(nearest.numerator / nearest.denominator)


@lru_cache(maxsize=4096)
def _nearest_irrational(value: sympy.Expr, target: BinaryFormat) -> Fraction | None:
    """Enclose the number ever tighter until both ends round alike; an irrational number is never a tie."""
    require_number(value)
    digits = 40
    while True:
        centre = Fraction(str(sympy.N(value, digits)))
        radius = abs(centre) * Fraction(1, 10 ** (digits - 3))
        low, high = target.nearest(centre - radius), target.nearest(centre + radius)
        if low == high:
            return low
        digits *= 2


def round_matrix(matrix: sympy.Matrix, dtype: DTypeLike, name: str) -> np.ndarray:
    """Every entry of an exact matrix rounded once; an entry that overflows is named.

    Raises
    ------
    OverflowError
        "AT[3, 5] = ... exceeds the largest float16 ...".
    """
    target = format_of(dtype)
    result = np.empty(matrix.shape, np.float16 if target.name == "float16" else target.carrier)
    for i in range(matrix.rows):
        for j in range(matrix.cols):
            try:
                result[i, j] = round_exact(matrix[i, j], target)
            except OverflowError as error:
                raise OverflowError(
                    f"{name}[{i}, {j}] = {error}; rescale with scaled(...) or use a wider format."
                ) from None
    return result
