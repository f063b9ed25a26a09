"""Where code that must not import error_analysis finds its estimate of errors.

error_analysis offers it on import, which works in a checkout; installed, an entry point says what to import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from winograd.algorithm import Algorithm

__all__ = ["GROUP", "ErrorEstimate", "error_estimate", "offer_error_estimate"]

GROUP = "winograd.error_estimate"
"""The entry points whose loading offers an estimate."""

ErrorEstimate = Callable[[Algorithm | str, tuple[int, ...], int, str, tuple[int, ...]], float]
"""Of an Algorithm or "direct", the layer's taps, channels of a group, dtype and stride: an output's mean |error|."""

_offered: list[ErrorEstimate] = []


def offer_error_estimate(estimate: ErrorEstimate) -> None:
    """Make this the estimate that `error_estimate` gives."""
    _offered[:] = [estimate]


def error_estimate() -> ErrorEstimate:
    """The estimate that was offered.

    Raises
    ------
    ImportError
        If none was, and no installed package offers one.
    """
    if not _offered:
        for entry in entry_points(group=GROUP):
            entry.load()
    if not _offered:
        raise ImportError(
            "max_error needs the estimate of errors that error_analysis has: import error_analysis, or install it."
        )
    return _offered[-1]
