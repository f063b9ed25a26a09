"""Means and ratios of means, each with its 95 % confidence interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % confidence interval.

    Examples
    --------
    >>> print(Estimate(3.3e-7, 3.2e-7, 3.4e-7))
    3.30e-07 [3.20e-07, 3.40e-07]
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.formatted(".2e")

    def formatted(self, number: str) -> str:
        """value [low, high], each in the given format."""
        return f"{self.value:{number}} [{self.low:{number}}, {self.high:{number}}]"

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


UNKNOWN = Estimate(np.nan, np.nan, np.nan)
"""The mean of nothing."""

# The 97.5 % point of the normal distribution. Trials are many, so the t distribution is not needed.
_Z95 = 1.959963984540054


def mean_estimate(values: np.ndarray) -> Estimate:
    """The mean of independent values, with the interval of the normal approximation; NaNs are left out.

    Examples
    --------
    >>> mean_estimate(np.array([1.0, np.nan, 3.0])).value
    2.0
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return UNKNOWN
    mean = float(np.mean(known))
    if known.size < 2 or not np.isfinite(mean):  # no spread, so no interval
        return Estimate(mean, np.nan, np.nan)
    return _around(mean, _deviation(known) / known.size**0.5)


def ratio_estimate(above: np.ndarray, below: np.ndarray) -> Estimate:
    """The ratio of the means of paired values, by the delta method; pairs that hold a NaN are left out.

    With R the ratio, the variance of R is that of (above - R below) / mean(below), over the number of pairs: what the
    two share, by being measured on the same data, cancels.

    Examples
    --------
    >>> ratio_estimate(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    Estimate(value=2.0, low=2.0, high=2.0)
    """
    known = np.isfinite(above) & np.isfinite(below)
    above, below = above[known], below[known]
    mean = float(np.mean(below)) if below.size else 0.0
    if mean == 0:  # nothing to divide by: direct convolution was exact, or all pairs overflowed
        return UNKNOWN
    ratio = float(np.mean(above)) / mean
    if below.size < 2:
        return Estimate(ratio, np.nan, np.nan)
    return _around(ratio, _deviation(above - ratio * below) / (mean * below.size**0.5))


def root_ratio_estimate(above: np.ndarray, below: np.ndarray) -> Estimate:
    """The square root of `ratio_estimate`, its interval carried through the root.

    Examples
    --------
    >>> root_ratio_estimate(np.array([8.0, 16.0]), np.array([2.0, 4.0]))
    Estimate(value=2.0, low=2.0, high=2.0)
    """
    square = ratio_estimate(above, below)
    value, low, high = (max(number, 0.0) ** 0.5 if number == number else number
                        for number in (square.value, square.low, square.high))
    return Estimate(value, low, high)


def _deviation(values: np.ndarray) -> float:
    """The standard deviation; scaled by a power of two, so that no square leaves the range of float64."""
    largest = float(np.max(np.abs(values)))
    if not 0 < largest < np.inf:
        return largest
    exponent = int(np.frexp(largest)[1])
    return float(np.ldexp(np.std(np.ldexp(values, -exponent), ddof=1), exponent))


def _around(value: float, standard_error: float) -> Estimate:
    return Estimate(value, value - _Z95 * standard_error, value + _Z95 * standard_error)
