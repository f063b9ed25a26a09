"""Threads for compiled code that releases the GIL: workers that join a caller in working off its units.

A job's units are claimed one by one from a shared counter, so it does not matter how many workers come, nor when: the
caller works too, and waits at the end for claimed units only. A worker that comes too late finds nothing to do.

Layers of a network follow each other within microseconds, while waking a thread takes tens of them. So an idle worker
watches for the next job for a moment before it sleeps, in compiled code. Jobs that are machine code alone it also does
there, within a microsecond; for others it is told when the GIL is already free.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from kernels.calling import TOLD
from kernels.compilation import load_module

__all__ = ["Team", "team", "thread_count"]

_WATCHING_TURNS = 1000
"""Turns of the loop in which an idle worker watches: about 0.2 ms."""

_FINISHING_TURNS = 10_000

_JOBS = 16
"""Jobs of machine code that there may be at once; a caller beyond them works alone."""

_ENTRY = 16
"""Integers for each of them on the board: two cache lines, so that nobody else's is disturbed."""

_INSIDE = 1 << 32
"""What a worker that is at work on a job adds to its entry; the rest are places that are free."""

_MOST_ARRAYS = 13


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
    """Workers of this process; `work_off` may be called from several threads at a time."""

    def __init__(self) -> None:
        self.doorbell = np.zeros(1, np.int64)
        self.board = np.zeros(_JOBS * _ENTRY, np.int64)
        self._jobs: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._asleep: list[Any] = []  # the locks that sleeping workers wait for
        self._workers = 0
        self._compiled: Any = None

    def work_off(self, work: Callable[[np.ndarray], None], units: int, shared: np.ndarray, threads: int) -> None:
        """Call `work(doorbell)` here and, at the same time, from up to threads - 1 workers; return when all is done.

        Parameters
        ----------
        work : callable
            Claims units, each by adding 1 to shared[0], until that was no less than `units` before
            (`kernels.atomic.claimed_unit` does so), and adds 1 to shared[1] after each that it has finished. It first
            adds 1 to doorbell[0], in compiled code.
        units : int
        shared : ndarray of int64
            Zeros, two at least; what follows them is for `work`.
        threads : int
            At most so many, the caller among them.
        """
        helpers = min(threads, units) - 1
        if helpers > 0:
            self._summon(work, units, shared, helpers)
        work(self.doorbell)
        if helpers > 0 and shared[1] < units:
            self._await(units, shared)

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
        entry = compiled.work_off(self.board, code, count, words, threads, x, y, _FINISHING_TURNS)
        if entry >= 0:
            self._await_leaving(entry)

    def _await_leaving(self, entry: int) -> None:
        wait, state = self._compiled.wait_for_change, self.board[entry : entry + 1]
        interrupted: BaseException | None = None
        while (inside := int(state[0])) > 0:  # whoever is at work needs the arrays
            try:
                if not wait(self.board, entry, inside, _FINISHING_TURNS):
                    time.sleep(0)
            except KeyboardInterrupt as error:
                interrupted = error
        self.board[entry + 1] = 0
        if interrupted is not None:
            raise interrupted

    def _summon(self, work: Callable[[np.ndarray], None], units: int, shared: np.ndarray, helpers: int) -> None:
        def job() -> None:
            if shared[0] < units:
                work(_NO_ONE)

        if self._workers < helpers:
            self._hire(helpers)
        self._jobs.extend([job] * helpers)
        self._wake(helpers)

    def _wake(self, helpers: int) -> None:
        with self._lock:  # a worker looks for jobs under it before it goes to sleep
            bells = [self._asleep.pop() for _ in range(min(helpers, len(self._asleep)))]
        for bell in bells:
            bell.release()

    def _compile(self) -> Any:
        self._compiled = load_module(_text(), "team")
        return self._compiled

    def _hire(self, count: int) -> None:
        self._compile()
        with self._lock:
            while self._workers < count:
                self._workers += 1
                threading.Thread(target=self._serve, name=f"winograd-{self._workers}", daemon=True).start()

    def _await(self, units: int, shared: np.ndarray) -> None:
        while (done := int(shared[1])) < units:
            if not self._compiled.wait_for_change(shared, 1, done, _FINISHING_TURNS):
                time.sleep(0)

    def _serve(self) -> None:
        bell = threading.Lock()
        bell.acquire()
        jobs, board, doorbell, watch = self._jobs, self.board, self.doorbell, self._compiled.watch
        while True:
            seen = int(doorbell[0])
            try:
                job = jobs.popleft()
            except IndexError:
                if watch(board, doorbell, seen, _WATCHING_TURNS):
                    continue
                with self._lock:
                    if jobs or (board[::_ENTRY] % _INSIDE).any():
                        continue
                    self._asleep.append(bell)
                bell.acquire()
                continue
            with suppress(Exception):  # too little memory for a workspace, say: others claim what it did not
                job()
            del job  # or the arrays of the last call would live on


_NO_ONE = np.zeros(1, np.int64)


def _text() -> str:
    """The text of what teams do in compiled code."""
    lines = [
        "from kernels.atomic import fetch_add, pause, put_if, seen",
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
