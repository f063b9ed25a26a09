"""Workers that finish out of order, fail, and die."""

import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from error_analysis.searching import workers as module
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.measuring import Figures, Task, figures
from error_analysis.searching.setting import Setting
from error_analysis.searching.store import Store
from error_analysis.searching.workers import Here, Workers, done, measured, working

SETTING = Setting(2, 3, 1)
TASKS = [
    Task(Candidate("0, 1, -1, inf", order=order), SETTING, 50, seed) for seed in (1, 2) for order in ("left", "sorted")
]


class Backwards(Executor):
    """Finishes what it was given last, first."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future, Any, tuple]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        self.waiting.append((future, fn, args))
        if len(self.waiting) == len(TASKS):
            threading.Thread(target=self.run).start()
        return future

    def run(self) -> None:
        for future, fn, args in reversed(self.waiting):
            future.set_result(fn(*args))


class Refusing(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        raise AssertionError("nothing is left to do")


class Mortal(Executor):
    """Its first workers die under their tasks."""

    def __init__(self, deaths: int, death: type[BaseException]) -> None:
        self.deaths, self.death = deaths, death

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        if self.deaths == 0:
            return Here().submit(fn, *args)
        self.deaths -= 1
        future: Future = Future()
        future.set_exception(self.death("its worker died"))
        return future


class KilledWorker(Exception):
    """Named as Dask's own."""


def test_results_come_in_the_order_of_tasks() -> None:
    with Store(":memory:") as store:
        found = measured(TASKS, Workers(Backwards()), store)
        assert found == [figures(task) for task in TASKS]
        assert len(store) == len(TASKS)


def test_what_the_store_has_is_not_measured_again() -> None:
    arrived: list[Task] = []
    with Store(":memory:") as store:
        first = measured(TASKS, Workers(Here()), store)
        assert measured(TASKS, Workers(Refusing()), store, lambda task, _: arrived.append(task)) == first
    assert arrived == TASKS


def test_equal_tasks_are_measured_once() -> None:
    with Store(":memory:") as store:
        found = measured([TASKS[0]] * 3, Workers(Here()), store)
        assert len(store) == 1
        assert found[0] == found[1] == found[2]


def test_each_result_is_stored_before_the_next_is_awaited() -> None:
    with Store(":memory:") as store, ThreadPoolExecutor(1) as one:
        counted: list[int] = []
        measured(TASKS, Workers(one), store, lambda *_: counted.append(len(store)))
        assert counted == [1, 2, 3, 4]


def test_tasks_of_dead_workers_are_given_out_again() -> None:
    with Store(":memory:") as store:
        assert measured(TASKS, Workers(Mortal(3, KilledWorker)), store) == [figures(task) for task in TASKS]


def test_workers_that_die_every_time_are_told() -> None:
    with Store(":memory:") as store, pytest.raises(RuntimeError, match="workers died 3 times"):
        measured(TASKS, Workers(Mortal(12, KilledWorker)), store)


def test_an_executor_of_the_user_that_breaks_is_told() -> None:
    with Store(":memory:") as store, pytest.raises(RuntimeError, match="executor broke down"):
        measured(TASKS, Workers(Mortal(1, BrokenExecutor)), store)


def test_an_error_of_a_task_is_raised_and_what_arrived_before_kept() -> None:
    bad, arrived = Task(Candidate("0, 1, 1, inf"), SETTING, 50, 1), []
    with Store(":memory:") as store:
        with pytest.raises(ValueError, match="points must be distinct"):
            measured([*TASKS, bad], Workers(Here()), store, lambda task, _: arrived.append(task))
        assert len(store) == len(arrived)
        assert all(store.get(task) is not None for task in arrived)


def test_a_pool_of_our_own_survives_a_killed_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process kills itself under its task, once; the pool, which is then broken, is made anew."""
    monkeypatch.setattr(module, "figures", _figures_after_a_death)
    monkeypatch.setenv("TEST_DEATH_MARK", str(tmp_path / "died"))
    with Store(":memory:") as store, working(None) as pool:
        assert measured(TASKS, pool, store) == [figures(task) for task in TASKS]
    assert (tmp_path / "died").exists()


def test_ctrl_c_does_not_wait_for_tasks_in_progress() -> None:
    with pytest.raises(KeyboardInterrupt), working(None) as pool:
        asleep = [pool.submit(time.sleep, 3600) for _ in range(os.cpu_count() or 1)]
        while not any(future.running() for future in asleep):
            time.sleep(0.01)
        raise KeyboardInterrupt
    assert all(future.done() for future in asleep)


def test_what_was_not_begun_is_taken_back() -> None:
    waiting = [Future(), Future()]
    waiting[0].set_result(3)

    class Slow(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
            return waiting[args[0]]

    with closing(done(abs, [0, 1], Workers(Slow()))) as arriving:
        assert next(arriving) == (0, 3)
    assert waiting[1].cancelled()


def _figures_after_a_death(task: Task) -> Figures:
    mark = Path(os.environ["TEST_DEATH_MARK"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return figures(task)


def test_what_cannot_submit_is_refused() -> None:
    with pytest.raises(TypeError, match="executor must have submit"), working(4):  # type: ignore[arg-type]
        pass
