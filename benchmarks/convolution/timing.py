"""Who is timed when: contestants take turns, and no one is timed while another's threads still spin."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

_IDLE_SHARE = 0.2
_NAP_S = 0.012
# Longer than a tick of the system's clock, 10 ms at most: what a thread computes on another core is added to its
# process's account at each tick only, so a shorter nap would see nothing of it.
_PATIENCE_S = 1.0


@dataclass(frozen=True)
class Turn:
    """How often a contestant is called when it is its turn.

    Attributes
    ----------
    uncounted : int
        First calls, which find the caches full of another contestant's data.
    counted : int
        Calls that count, at least.
    fill_s : float
        Quick ones are called more often, until they have taken this long.
    most_s : float
        Slow ones are called less often once they have taken this long, but once at least.
    """

    uncounted: int = 2
    counted: int = 3
    fill_s: float = 0.02
    most_s: float = 1.0


QUICK = Turn(uncounted=1, counted=1, fill_s=0.0, most_s=0.2)
_MOST_CALLS = 1000


def wait_until_idle() -> None:
    """Sleep until no thread of this process computes.

    The threads of OpenMP, OpenBLAS and onnxruntime spin on for 5 to 100 ms after their call has returned, in hope of
    another, and take a core from whoever comes next.
    """
    end = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < end:
        wall, computed = time.perf_counter(), time.process_time()
        time.sleep(_NAP_S)
        if time.process_time() - computed < _IDLE_SHARE * (time.perf_counter() - wall):
            return


def turn_times(function: Callable[[], Any], turn: Turn) -> list[float]:
    """Seconds of each call of one turn that counts."""
    wait_until_idle()
    begin = time.perf_counter()
    for _ in range(turn.uncounted):
        function()
        if time.perf_counter() - begin > turn.most_s:
            break
    begin = time.perf_counter()
    times: list[float] = []
    while len(times) < _MOST_CALLS:
        start = time.perf_counter()
        function()
        end = time.perf_counter()
        times.append(end - start)
        spent = end - begin
        if spent > turn.most_s or (len(times) >= turn.counted and spent >= turn.fill_s):
            break
    return times


@dataclass(frozen=True)
class Times:
    """What was measured of one contestant.

    Attributes
    ----------
    median_s : float
        Over all calls of all turns that count.
    turns_s : list of float
        The median of each turn.
    """

    median_s: float
    turns_s: list[float]


def measured(functions: Mapping[str, Callable[[], Any]], rounds: int, turn: Turn) -> dict[str, Times]:
    """Times of each function; in each round each has one turn, in this order."""
    taken: dict[str, list[list[float]]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            taken[name].append(turn_times(function, turn))
    return {
        name: Times(median([t for times in turns for t in times]), [median(times) for times in turns])
        for name, turns in taken.items()
    }


def quartiles(values: list[float]) -> tuple[float, float]:
    """First and third quartile; of a single value, itself twice."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high
