"""Tasks given to workers of any kind, and their results kept the moment they arrive."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from error_analysis.searching.measuring import Figures, Task, figures
from error_analysis.searching.store import Store

_ATTEMPTS = 3
"""How often a task is given out whose worker died."""

T = TypeVar("T")
R = TypeVar("R")
Arrived = Callable[[Task, Figures], None]
"""Called with each result as it comes."""


class Here(Executor):
    """An executor that works in the thread that asks, at once: for short searches, and inside of workers."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The result of fn, or its exception, as a Future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Workers:
    """An executor: the user's, or a pool of processes that is made anew when one of them dies.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Anything with `submit`, such as a Dask client's `get_executor()`. By default a pool of processes, one for each
        processor.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self._given = executor
        self._own: ProcessPoolExecutor | None = None

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Give work to a worker."""
        if self._given is not None:
            return self._given.submit(work, *given)
        if self._own is None:
            self._own = ProcessPoolExecutor(initializer=_begun)
        return self._own.submit(work, *given)

    def renew(self) -> bool:
        """After a worker died: whether there is an executor to go on with."""
        if self._given is None and self._own is not None:
            self._own.shutdown(wait=False, cancel_futures=True)
            self._own = None
        return self._given is None

    def close(self) -> None:
        """End the pool that was made here; tasks that nobody waits for any more are dropped."""
        if self._own is not None:
            self._own.shutdown(wait=True, cancel_futures=True)

    def stop(self) -> None:
        """End the processes that were made here in the middle of their tasks, which may take minutes."""
        if self._own is not None:
            # Executor.terminate_workers is of Python 3.14.
            for process in list((self._own._processes or {}).values()):
                process.terminate()


def _begun() -> None:
    """Ctrl-C goes to all processes; only the one that gives the tasks answers it. Where that is killed, this ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def working(executor: Executor | None) -> Iterator[Workers]:
    """Workers, and their end; at Ctrl-C at once.

    Raises
    ------
    TypeError
        If executor has no `submit`.
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must have submit, as concurrent.futures.Executor; got {executor!r}.")
    workers = Workers(executor)
    try:
        yield workers
    except KeyboardInterrupt:
        workers.stop()
        raise
    finally:
        workers.close()


def measured(tasks: Sequence[Task], workers: Workers, store: Store, arrived: Arrived | None = None) -> list[Figures]:
    """The figures of tasks, in their order, whatever the order they arrive in.

    What the store has is not measured again; what arrives is stored at once.

    Raises
    ------
    RuntimeError
        As `done`.
    OSError
        If the store cannot be written.
    """
    known: dict[Task, Figures] = {}

    def keep(task: Task, found: Figures) -> None:
        known[task] = found
        if arrived is not None:
            arrived(task, found)

    for task in tasks:
        found = store.get(task)
        if found is not None:
            keep(task, found)
    missing = [task for task in dict.fromkeys(tasks) if task not in known]
    with closing(done(figures, missing, workers)) as arriving:
        for task, found in arriving:
            store.put(task, found)
            keep(task, found)
    return [known[task] for task in tasks]


def done(work: Callable[[T], R], given: Sequence[T], workers: Workers) -> Generator[tuple[T, R], None, None]:
    """Each of what is given with the result of work on it, as they arrive; dead workers' part is given out again.

    Close it, and what was given out and not begun is taken back.

    Raises
    ------
    RuntimeError
        If the user's executor breaks, or the workers of one of them die three times.
    """
    missing = list(given)
    for _ in range(_ATTEMPTS):
        if not missing:
            return
        waiting = _submitted(work, missing, workers)
        broken: BaseException | None = None
        try:
            for future in as_completed(waiting):
                try:
                    found = future.result()
                except BaseException as error:
                    if not _died(error):
                        raise
                    broken = error
                    continue
                missing.remove(waiting[future])
                yield waiting[future], found
        finally:
            for future in waiting:
                future.cancel()
        if missing and isinstance(broken, BrokenExecutor) and not workers.renew():
            raise RuntimeError(f"executor broke down ({broken}); what arrived before is kept.") from broken
    if missing:
        raise RuntimeError(f"workers died {_ATTEMPTS} times over {missing[0]}; what arrived before is kept.")


def _submitted(work: Callable[[T], R], given: Sequence[T], workers: Workers) -> dict[Future[R], T]:
    waiting: dict[Future[R], T] = {}
    for one in given:
        try:
            waiting[workers.submit(work, one)] = one
        except BrokenExecutor as error:  # a worker died while others were still being given out
            lost: Future[Any] = Future()
            lost.set_exception(error)
            waiting[lost] = one
    return waiting


def _died(error: BaseException) -> bool:
    """Whether it tells of the end of a worker, not of the task; Dask has names of its own for that."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ in (
        "KilledWorker", "FutureCancelledError", "FuturesCancelledError", "CommClosedError",
    )
