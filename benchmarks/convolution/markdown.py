"""Markdown tables, and how numbers stand in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import geometric_mean


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A Markdown table; the first `words` columns are left-aligned, those of numbers right-aligned."""
    lines = ["| " + " | ".join(headers) + " |"]
    lines.append("|" + "|".join(" --- " if column < words else " ---: " for column in range(len(headers))) + "|")
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"a row must have {len(headers)} cells; got {row}.")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines)


def ratio(value: float | None, spread: tuple[float, float] | None = None) -> str:
    """A ratio with two digits, with its quartiles in parentheses; below 1, a loss, in bold."""
    if value is None:
        return "–"
    text = f"{value:.2f}"
    if value < 1:
        text = f"**{text}**"
    return text if spread is None else f"{text} ({spread[0]:.2f}–{spread[1]:.2f})"


def milliseconds(seconds: float | None) -> str:
    """A time in ms with three digits."""
    return "–" if seconds is None or math.isnan(seconds) else digits(1e3 * seconds)


def digits(value: float) -> str:
    """Three significant digits, without an exponent from 0.001 to a million."""
    if value == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(places, 0)}f}"


def percent(share: float | None) -> str:
    """A share in whole percents."""
    return "–" if share is None else f"{100 * share:.0f} %"


def mean_ratio(values: Sequence[float]) -> float | None:
    """The geometric mean; None of nothing."""
    return geometric_mean(values) if values else None
