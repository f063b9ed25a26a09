"""How much of the machine other processes took: a core that is theirs makes any ratio meaningless.

A library whose threads wait for each other by spinning loses far more than its share when a core is taken, so the error
is not one of a few percent, nor the same for all contestants.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_CORES = 0.1
_TICKS = 5
"""Ticks of the system's clock that its account may be off by, in a row that took little time."""


@dataclass(frozen=True)
class Account:
    """Seconds of all cores so far: of the machine, of this process with its ended children, and of the clock."""

    machine_s: float
    own_s: float
    wall_s: float


def account() -> Account | None:
    """The account now; None where the system keeps none at /proc/stat."""
    try:
        first = Path("/proc/stat").read_text().splitlines()[0].split()
    except OSError:
        return None
    # cpu, user, nice, system, idle, iowait, irq, softirq, steal; the last is what other guests of the host took.
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in first[1:9])
    mine = os.times()
    return Account(
        (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK"),
        time.process_time() + mine.children_user + mine.children_system,
        time.perf_counter(),
    )


def cores_of_others(begin: Account | None, end: Account | None) -> float | None:
    """Cores that other processes took on average, as far as it can be told; None if it cannot."""
    if begin is None or end is None:
        return None
    taken = end.machine_s - begin.machine_s - (end.own_s - begin.own_s) - _TICKS / os.sysconf("SC_CLK_TCK")
    return max(taken, 0.0) / (end.wall_s - begin.wall_s)


def is_disturbed(row: dict[str, Any]) -> bool:
    """Whether a row was measured while others took more than `MOST_CORES`."""
    return (row.get("others") or 0.0) > MOST_CORES
