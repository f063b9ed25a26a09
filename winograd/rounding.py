"""The one place where an exact number becomes a floating-point number, rounded once."""

from __future__ import annotations

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
    precision : int
        Bits of the significand, the leading one included.
    smallest_exponent, largest_exponent : int
        Exponent e of the smallest and the largest normal number, value 1.f * 2**e.
    """

    name: str
    precision: int
    smallest_exponent: int
    largest_exponent: int

    @property
    def largest(self) -> Fraction:
        """The largest finite number."""
        return (2 - Fraction(1, 2 ** (self.precision - 1))) * Fraction(2) ** self.largest_exponent

    @property
    def u(self) -> Fraction:
        """The unit roundoff, 2**-precision: half the distance from 1 to the next number."""
        return Fraction(1, 2**self.precision)

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
    "float16": BinaryFormat("float16", 11, -14, 15),
    "float32": BinaryFormat("float32", 24, -126, 127),
    "float64": BinaryFormat("float64", 53, -1022, 1023),
}
"""The formats that NumPy holds, by name."""


def format_of(dtype: DTypeLike) -> BinaryFormat:
    """The format of a NumPy dtype, or ValueError.

    Examples
    --------
    >>> format_of(np.float32).u
    Fraction(1, 16777216)
    """
    try:
        return FORMATS[np.dtype(dtype).name]
    except (KeyError, TypeError):
        raise ValueError(f"dtype must be one of {', '.join(FORMATS)}; got {dtype!r}.") from None


def round_exact(value: Any, dtype: DTypeLike) -> Any:
    """`value` rounded once to `dtype`, to nearest, ties to even.

    Parameters
    ----------
    value : exact number, as in `winograd.exact`
    dtype : float16, float32 or float64

    Returns
    -------
    NumPy scalar of that dtype.

    Raises
    ------
    OverflowError
        If the rounded value would be infinite.
    ValueError
        If the value holds a free symbol or the dtype is unknown.

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
    kind: Any = np.dtype(dtype).type
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
    result = np.empty(matrix.shape, dtype)
    for i in range(matrix.rows):
        for j in range(matrix.cols):
            try:
                result[i, j] = round_exact(matrix[i, j], dtype)
            except OverflowError as error:
                raise OverflowError(
                    f"{name}[{i}, {j}] = {error}; rescale with scaled(...) or use a wider format."
                ) from None
    return result
