"""The most that one rounding can change a number of bounded size."""

from __future__ import annotations

from typing import Any

import numpy as np

from winograd import format_of

SLACK = 1 + 1e-10
"""Makes an upper bound of what was computed in float64 from sums of products of non-negative numbers.

Each operation has a relative error of at most 2^-53, and a number here is at the end of chains of fewer than 10^5 of
them, together below 2e-11.
"""


class RoundingBound:
    """A format and a way of rounding, as the bound sees them.

    Parameters
    ----------
    dtype : format, as in `winograd.format_of`
    rounding : "nearest", "toward_zero" or "stochastic"

    Attributes
    ----------
    u : float
        The unit roundoff; twice that unless rounding to nearest.
    h : float
        Half the smallest number, or all of it.
    largest : float

    Examples
    --------
    >>> RoundingBound("float32", "nearest").error(3.0) == 2.0**-23  # half the spacing of numbers in [2, 4)
    np.True_
    """

    def __init__(self, dtype: str, rounding: str) -> None:
        fmt, wider = format_of(dtype), 1 if rounding == "nearest" else 2
        self.name = fmt.name
        self.u = float(fmt.u) * wider
        # Half of float64's smallest number is none of its own; any larger h is as right.
        self.h = max(float(fmt.smallest) * wider / 2, 5e-324)
        self.largest = float(fmt.largest)
        # Rounding up from just below what float64 can tell apart is for stochastic rounding to fear only.
        self._room = SLACK if rounding == "stochastic" else 1.0

    def error(self, size: Any, normal: bool = True, subnormal: bool = False) -> np.ndarray:
        """The most that rounding a value of at most this size can change it: u times the power of two below it.

        Parameters
        ----------
        size : array
        normal, subnormal : bool
            Whether it rounds where the result is normal, and where it is subnormal, at all.
        """
        top = np.asarray(size, float) * SLACK
        _, exponent = np.frexp(top)  # top < 2**exponent
        delta = np.ldexp(self.u, exponent - 1) if normal else np.zeros_like(top)
        if subnormal:
            delta = np.maximum(delta, self.h)
        return np.where(top > 0, delta, 0.0)

    def holds(self, size: Any) -> bool:
        """Whether numbers of at most this size cannot overflow."""
        return bool(np.all(np.asarray(size) * self._room <= self.largest))
