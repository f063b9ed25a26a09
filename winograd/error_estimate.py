"""Where code that must not import error_analysis finds its estimate of errors."""

from __future__ import annotations

from collections.abc import Callable

from winograd.algorithm import Algorithm
from winograd.offers import Offer

__all__ = ["GROUP", "ErrorEstimate", "error_estimate"]

GROUP = "winograd.error_estimate"
"""The entry points whose loading offers an estimate."""

ErrorEstimate = Callable[[Algorithm | str, tuple[int, ...], int, str, tuple[int, ...]], float]
"""Of an Algorithm or "direct", the layer's taps, channels of a group, dtype and stride: an output's mean |error|."""

error_estimate: Offer[ErrorEstimate] = Offer(
    GROUP, "max_error needs the estimate of errors that error_analysis has: import error_analysis, or install it."
)
"""Gives the estimate that was offered."""
