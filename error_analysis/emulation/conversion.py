"""Rounding of float64 values to any binary format: to nearest, toward zero or stochastically, all at once."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.emulation.error_free import sum_toward_zero
from winograd.algorithm import ROUNDINGS
from winograd.rounding import BinaryFormat, format_of

_EXPONENT = np.int64(0x7FF << 52)


def convert(
    values: Any,
    dtype: DTypeLike | BinaryFormat,
    rounding: str = "nearest",
    *,
    error: Any = None,
    random: Any = None,
) -> Any:
    """Numbers of float64 rounded once to a format.

    A number between two multiples of its quantum q = 2^(max(exponent, smallest exponent) - precision + 1) becomes one
    of the two: the nearer one, and of two as near the even one; the one toward zero; or, stochastically, the one away
    from zero with probability (distance from the one toward zero) / q.

    Parameters
    ----------
    values : array_like
    dtype : format, as in `winograd.format_of`
    rounding : "nearest", "toward_zero" or "stochastic"
    error : array, optional
        What is still missing from the values, at most half an ulp of float64 each: the number rounded is
        value + error, as `two_sum` and `two_prod` give it.
    random : array, optional
        For "stochastic": uniform on [0, 1), one for each value. The probability is right to 2^-52.

    Returns
    -------
    float64 array of the shape of the values, or scalar, whatever the format; exact, since float64 holds all of it.

    Raises
    ------
    ValueError
        For an unknown format or rounding, or a stochastic one without random numbers.

    Rounding
    --------
    One, of the exact value + error. Gradual underflow; a number that is rounded beyond the largest one overflows to
    what the format says, infinity or NaN, and toward zero to the largest number. Zeros keep their sign, NaN stays NaN,
    and infinity stays, or is NaN in a format without it.

    Examples
    --------
    >>> convert([1 / 3, 65519.9, 65520, 1e-8], "float16")
    array([3.33251953e-01, 6.55040000e+04,            inf, 0.00000000e+00])
    >>> convert([1 / 3, 65519.9, 65520, 1e-7], "float16", "toward_zero")
    array([3.33251953e-01, 6.55040000e+04, 6.55040000e+04, 5.96046448e-08])
    >>> convert(500.0, "float8_e4m3fn"), convert(5.0, "float8_e5m2", "stochastic", random=0.25)
    (np.float64(nan), np.float64(5.0))
    """
    target = format_of(dtype)
    check_rounding(rounding)
    x = np.asarray(values, np.float64)
    with np.errstate(all="ignore"):
        if rounding == "nearest":
            y = _nearest(x, target, error)
        elif rounding == "toward_zero":
            cut = x if error is None else sum_toward_zero(x, error)
            q = quantum(cut, target)
            y = np.trunc(cut / q) * q
        elif random is None:
            raise ValueError("stochastic rounding needs random numbers; got none.")
        else:
            y = _stochastic(x, target, error, random)
        if not (np.abs(y) <= float(target.largest)).all():
            y = _overflowed(x, y, target, rounding)
    return y[()]


def check_rounding(rounding: str) -> None:
    """Refuse an unknown rounding."""
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be one of {', '.join(ROUNDINGS)}; got {rounding!r}.")


def quantum(x: np.ndarray, target: BinaryFormat) -> np.ndarray:
    """The distance of neighbours around x: 2^(max(exponent, smallest exponent) - precision + 1), exact."""
    binade = (x.view(np.int64) & _EXPONENT).view(np.float64)  # the significand cut off: 2^exponent
    return np.maximum(binade, 2.0**target.smallest_exponent) * 2.0 ** (1 - target.precision)


def _nearest(x: np.ndarray, target: BinaryFormat, error: Any) -> np.ndarray:
    q = quantum(x, target)
    steps = x / q
    whole = np.rint(steps)
    if error is not None:
        # The error is less than a step of float64, so it decides only where float64 sees a tie.
        tie = (np.abs(steps - whole) == 0.5) & (error != 0)
        if tie.any():
            whole = np.where(tie, np.where(error > 0, np.ceil(steps), np.floor(steps)), whole)
    return np.asarray(whole * q)


def _stochastic(x: np.ndarray, target: BinaryFormat, error: Any, random: Any) -> np.ndarray:
    cut = x if error is None else sum_toward_zero(x, error)
    q = quantum(cut, target)
    whole = np.trunc(cut / q)
    rest = x / q - whole if error is None else (x / q - whole) + error / q
    away = random < np.abs(rest)
    return np.asarray((whole + np.copysign(away, x)) * q)


def _overflowed(x: np.ndarray, y: np.ndarray, target: BinaryFormat, rounding: str) -> np.ndarray:
    """y with infinities and NaN as the format has them."""
    limit = float(target.largest) if rounding == "toward_zero" else np.inf
    y = np.where(np.abs(y) > float(target.largest), np.copysign(limit, x), y)
    y = np.where(np.isinf(x), x, y)
    return np.where(np.isinf(y), np.nan, y) if target.overflow == "nan" else y


def rounded_fraction(value: Fraction, target: BinaryFormat, rounding: str, random: float = 0.0) -> float:
    """`convert` of one exact number, by exact fractions: its dull definition, and what is left to it.

    Examples
    --------
    >>> rounded_fraction(Fraction(1, 3), format_of("float16"), "nearest")
    0.333251953125
    """
    size, sign = abs(value), -1.0 if value < 0 else 1.0
    if size == 0:
        return 0.0
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    q = Fraction(2) ** (max(exponent, target.smallest_exponent) - target.precision + 1)
    steps = size / q
    whole = round(steps) if rounding == "nearest" else math.floor(steps)
    if rounding == "stochastic":
        whole += Fraction(random) < steps - whole
    rounded = whole * q
    if rounded > target.largest:
        if rounding != "toward_zero":
            return math.nan if target.overflow == "nan" else sign * math.inf
        rounded = target.largest
    return sign * (rounded.numerator / rounded.denominator)
