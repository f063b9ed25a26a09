"""Threads for compiled code: workers that join a caller in working off its units.

A job's units are claimed one by one from a shared counter, so it does not matter how many workers come, nor when: the
caller works too, and waits at the end for claimed units only. A worker that comes too late finds nothing to do.

Layers of a network follow each other within microseconds, while waking a thread takes tens of them. So an idle worker
watches for the next job for a moment before it sleeps. It does so in compiled code, and a job is machine code too, by
its address: a worker that watches begins within a microsecond, and needs no interpreter lock.
"""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from kernels.calling import TOLD
from kernels.compilation import load_module

__all__ = ["Team", "counters", "team", "thread_count"]

_WATCHING_TURNS = 1000
"""Turns of the loop in which an idle worker watches: about 0.2 ms."""

_FINISHING_TURNS = 1000
"""Turns in which a caller watches for others to leave, some 20 us, before it gives its core away."""

_current_cpu = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None

_JOBS = 16
"""Jobs that there may be at once; a caller beyond them works alone."""

_ENTRY = 16
"""Integers for each of them on the board: two cache lines, so that nobody else's is disturbed."""

_INSIDE = 1 << 32
"""What a worker that is at work on a job adds to its entry; the rest are places that are free."""

_MOST_ARRAYS = 16


def thread_count(threads: int | None) -> int:
    """The number asked for, or else Numba's setting (`numba.set_num_threads`, NUMBA_NUM_THREADS).

    Raises
    ------
    ValueError
        If it is no integer of at least 1.
    """
    if threads is None:
        return int(numba.get_num_threads())
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise ValueError(f"threads must be an integer of at least 1; got {threads!r}.")
    return int(threads)


class Team:
    """Workers of this process; `run` may be called from several threads at a time."""

    def __init__(self) -> None:
        self.board = np.zeros(_JOBS * _ENTRY, np.int64)
        self._lock = threading.Lock()
        self._asleep: list[_Sleeper] = []
        self._workers = 0
        self._compiled: Any = None

    def run(self, code: int, count: int, words: np.ndarray, threads: int, x: np.ndarray, y: np.ndarray) -> None:
        """Call machine code here and, at the same time, from up to threads - 1 workers; return when all have left.

        Parameters
        ----------
        code : int
            Address of a compiled function of `count` arrays, as `kernels.calling.machine_code` gives it. The first
            three are x, y and the counters that are shared, which are zeros at first.
        words : ndarray of int64
            For each thread what `kernels.calling.told` says of its arrays, anything for the first three, and as many
            numbers more as there are counters. Written to.
        threads : int
        """
        compiled = self._compiled or self._compile()
        if threads > 1:
            if self._workers < threads - 1:
                self._hire(threads - 1)
            if self._asleep:
                self._wake(threads - 1)
        compiled.work_off(self.board, code, count, words, threads, x, y, _FINISHING_TURNS)

    def _wake(self, helpers: int) -> None:
        with self._lock:
            sleepers = [self._asleep.pop() for _ in range(min(helpers, len(self._asleep)))]
        for sleeper in sleepers:
            sleeper.wake()

    def _compile(self) -> Any:
        self._compiled = load_module(_text(), "team")
        return self._compiled

    def _hire(self, count: int) -> None:
        self._compile()
        with self._lock:
            while self._workers < count:
                self._workers += 1
                threading.Thread(target=self._serve, name=f"winograd-{self._workers}", daemon=True).start()

    def _serve(self) -> None:
        sleeper = _Sleeper()
        while True:
            self._compiled.watch(self.board, _WATCHING_TURNS)
            with self._lock:
                if (self.board[::_ENTRY] % _INSIDE).any():  # a job came meanwhile
                    continue
                self._asleep.append(sleeper)
            sleeper.sleep()


class _Sleeper:
    """A worker's sleep, and how others end it.

    Where cores seem to share no cache, as those of virtual machines do, Linux wakes a thread on the core that it had
    last, even if that is the caller's own and others are idle, and may leave both there for milliseconds. So it is
    woken elsewhere.
    """

    def __init__(self) -> None:
        self._thread, self._bell = threading.get_native_id(), threading.Lock()
        self._bell.acquire()
        self._allowed: set[int] = set()

    def sleep(self) -> None:
        """Return once another thread wakes this one."""
        self._bell.acquire()
        self._run_on(0, self._allowed)

    def wake(self) -> None:
        """Wake it, on any core that the caller may use but the one it is on."""
        if _current_cpu is not None:
            self._allowed = os.sched_getaffinity(0)
            self._run_on(self._thread, self._allowed - {_current_cpu()})
        self._bell.release()

    @staticmethod
    def _run_on(thread: int, cpus: set[int]) -> None:
        if cpus:
            with suppress(OSError):
                os.sched_setaffinity(thread, cpus)


def counters(threads: int) -> np.ndarray:
    """What the threads of a job share, as `kernels.atomic.claimed_unit` takes it."""
    return np.zeros(3 + threads, np.int64)


def _text() -> str:
    """The text of what teams do in compiled code."""
    lines = [
        "from kernels.atomic import fetch_add, give_way, pause, put_if, seen",
        "from kernels.calling import address_of, call_at",
        "from kernels.compilation import kernel",
        f"ENTRY, INSIDE, TOLD = {_ENTRY}, {_INSIDE}, {TOLD}",
        "@kernel", "def called(code, words, count):",
    ]
    for count in range(3, _MOST_ARRAYS + 1):
        lines += [f"    if count == {count}:", f"        call_at(code, words, {count})"]
    return "\n".join(lines) + "\n\n\n" + (Path(__file__).parent / "templates" / "team.py").read_text()


@cache
def _team_of(process: int) -> Team:
    return Team()


def team() -> Team:
    """The team of this process: a forked child inherits no threads, so it gets its own."""
    return _team_of(os.getpid())
