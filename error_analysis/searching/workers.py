"""Tasks given to workers of any kind, and their results kept the moment they arrive."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from error_analysis.searching.measuring import Figures, Task, figures
from error_analysis.searching.store import Store

_ATTEMPTS = 3
"""How often a task is given out whose worker died."""

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
            self._own = ProcessPoolExecutor(initializer=_ignore_interrupts)
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


def _ignore_interrupts() -> None:
    """Ctrl-C goes to all processes; only the one that gives the tasks answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def working(executor: Executor | None) -> Iterator[Workers]:
    """Workers, and their end.

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
    finally:
        workers.close()


def measured(tasks: Sequence[Task], workers: Workers, store: Store, arrived: Arrived | None = None) -> list[Figures]:
    """The figures of tasks, in their order, whatever the order they arrive in.

    What the store has is not measured again; what arrives is stored at once.

    Raises
    ------
    RuntimeError
        If the user's executor breaks, or a task's worker dies three times.
    OSError
        If the store cannot be written.
    """
    known: dict[Task, Figures] = {}
    for task in tasks:
        found = store.get(task)
        if found is not None:
            known[task] = found
            if arrived is not None:
                arrived(task, found)
    missing = [task for task in dict.fromkeys(tasks) if task not in known]
    for _ in range(_ATTEMPTS):
        if not missing:
            break
        waiting = _submitted(missing, workers)
        broken: BaseException | None = None
        try:
            for future in as_completed(waiting):
                task = waiting[future]
                try:
                    found = future.result()
                except BaseException as error:
                    if not _died(error):
                        raise
                    broken = error
                    continue
                store.put(task, found)
                known[task] = found
                if arrived is not None:
                    arrived(task, found)
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
        missing = [task for task in missing if task not in known]
        if missing and isinstance(broken, BrokenExecutor) and not workers.renew():
            raise RuntimeError(f"executor broke down ({broken}); what was measured is in the store.") from broken
    if missing:
        raise RuntimeError(
            f"workers died {_ATTEMPTS} times over {missing[0].candidate} in {missing[0].setting.name}; what was "
            "measured is in the store."
        )
    return [known[task] for task in tasks]


def _submitted(tasks: Sequence[Task], workers: Workers) -> dict[Future[Figures], Task]:
    waiting: dict[Future[Figures], Task] = {}
    for task in tasks:
        try:
            waiting[workers.submit(figures, task)] = task
        except BrokenExecutor as error:  # a worker died while tasks were still being given out
            lost: Future[Any] = Future()
            lost.set_exception(error)
            waiting[lost] = task
    return waiting


def _died(error: BaseException) -> bool:
    """Whether it tells of the end of a worker, not of the task; Dask has names of its own for that."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ in (
        "KilledWorker", "FutureCancelledError", "FuturesCancelledError", "CommClosedError",
    )
