"""A sweep cut into tasks, and run in this process or on an executor, with the same numbers."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import NamedTuple

from error_analysis.measurement.report import Progress
from error_analysis.sweeping.paired import Draw, Errors, paired_data
from error_analysis.sweeping.specialisation import Members
from winograd.exact import Exact

Values = tuple[tuple[Exact, ...], ...]
Outcome = Errors | str
"""The errors at one c, or why there are none."""

# Values to a task on an executor, whose workers draw the data again: enough to make that small, few enough to keep all
# of them busy to the end. In this process one, so that an interruption loses no more.
_VALUES = 12


class Task(NamedTuple):
    """Some values of a sweep, with all that determines their errors."""

    members: Members
    values: Values
    draw: Draw


def measured(members: Members, values: Sequence[tuple[Exact, ...]], draw: Draw, executor: Executor | None,
             done: dict[tuple[Exact, ...], Outcome], progress: Progress | None = None) -> None:
    """Fill `done` with the outcome of every value; after a KeyboardInterrupt it holds those that were complete."""
    size = 1 if executor is None else _VALUES
    slices = [tuple(values[k : k + size]) for k in range(0, len(values), size)]
    tasks = [Task(members, part, draw) for part in slices]
    count = 0
    for task, outcomes in _run(tasks, executor):
        done.update(zip(task.values, outcomes, strict=True))
        count += len(outcomes)
        if progress is not None:
            progress(count, len(values))


def outcomes_of(task: Task) -> list[Outcome]:
    """The outcome of each value of a task."""
    outcomes: list[Outcome] = []
    for c in task.values:
        try:
            A = task.members.algorithm(c)
            outcomes.append(paired_data(A.tile, A.r, A.stored_dtype, task.draw).errors(A))
        except (ValueError, OverflowError) as error:
            # The options were tried before: what is wrong now is this c.
            outcomes.append(str(error))
    return outcomes


def _run(tasks: Sequence[Task], executor: Executor | None) -> Iterator[tuple[Task, list[Outcome]]]:
    if executor is None:
        for task in tasks:
            yield task, outcomes_of(task)
        return
    futures: dict[Future[list[Outcome]], Task] = {}
    try:
        for task in tasks:
            futures[executor.submit(outcomes_of, task)] = task
    except BrokenExecutor:
        pass
    try:
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except BrokenExecutor:  # a worker died: what it left undone is done here
                yield futures[future], outcomes_of(futures[future])
        for task in tasks[len(futures) :]:
            yield task, outcomes_of(task)
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """So many processes of its own, or this process alone for one."""
    if workers == 1:
        yield None
        return
    # Spawned: a fork would copy the threads that compiled code may have running.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _deaf_to_interrupts)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _deaf_to_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal: the one that asked ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
