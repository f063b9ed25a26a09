"""Threads for compiled code that releases the GIL: one pool, workers that take every step-th block."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

_LOCK = threading.Lock()
_POOLS: dict[tuple[int, int], ThreadPoolExecutor] = {}


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


def run_interleaved(work: Callable[[int, int], None], threads: int) -> None:
    """work(0, threads), ..., work(threads - 1, threads), side by side; the last one in the calling thread.

    Waits for all of them, and passes on the first exception.
    """
    if threads == 1:
        work(0, 1)
        return
    futures = [_pool(threads - 1).submit(work, first, threads) for first in range(threads - 1)]
    try:
        work(threads - 1, threads)
    finally:
        for future in futures:
            future.exception()  # waits: the workers hold buffers of the caller
    for future in futures:
        future.result()


def _pool(workers: int) -> ThreadPoolExecutor:
    # By process: a forked child inherits the pool's queue but not its threads.
    key = (os.getpid(), workers)
    with _LOCK:
        if key not in _POOLS:
            _POOLS[key] = ThreadPoolExecutor(workers, thread_name_prefix="winograd")
        return _POOLS[key]
