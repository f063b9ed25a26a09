"""Best times of functions that take turns, and a cell that says whether what was asked for is reached."""

from __future__ import annotations

import time
from collections.abc import Callable

RUNS = 5


def seconds(*functions: Callable[[], object], repeats: int = 1, runs: int = RUNS) -> list[float]:
    """Best time of each function, each run of so many calls; they take turns, and the first calls do not count."""
    best = [float("inf")] * len(functions)
    for run in range(runs + 1):
        for k, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(repeats if run else 1):
                function()
            if run:
                best[k] = min(best[k], (time.perf_counter() - start) / repeats)
    return best


def against(measured: float, asked: float) -> str:
    """A ratio with two digits, in bold where it is below what is asked for."""
    text = f"{measured:.2f}"
    return f"**{text}**" if measured < asked else text
