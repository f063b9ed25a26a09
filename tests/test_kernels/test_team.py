"""Units of work are each done once, whoever comes and whenever; the caller waits for all of them."""

import multiprocessing
import os
import sys
import threading
import time
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from kernels.calling import machine_code, told
from kernels.compilation import load_module
from kernels.team import Team, team, thread_count

# Each unit adds 1 to its place in `done`, and the number of its worker to `by`: the work of a kernel, made visible.
WORK = """
from kernels.atomic import fetch_add, pause
from kernels.compilation import kernel


@kernel
def run_units(shared, doorbell, units, done, by, worker, turns):
    fetch_add(doorbell, 0, 1)
    while True:
        unit = fetch_add(shared, 0, 1)
        if unit >= units:
            return
        for _ in range(turns):
            pause()
        fetch_add(done, unit, 1)
        by[unit] = worker
        fetch_add(shared, 1, 1)
"""
WAIT_S = 30  # far beyond what any machine needs: a test that waits so long has failed


def run_units(*arguments):
    load_module(WORK, "test_team").run_units(*arguments)


class Job:
    """A job of so many units, and what became of it."""

    def __init__(self, units, turns=0):
        self.units, self.turns = units, turns
        self.done, self.by = np.zeros(units, np.int64), np.full(units, -1)
        self.shared = np.zeros(2, np.int64)
        self.threads = {}

    def work(self, doorbell):
        number = self.threads.setdefault(threading.get_ident(), len(self.threads))
        run_units(self.shared, doorbell, self.units, self.done, self.by, number, self.turns)

    def run_by(self, a_team, threads):
        a_team.work_off(self.work, self.units, self.shared, threads)
        return self


def until(condition):
    """Wait for something that another thread does; whether it came."""
    end = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("units", [1, 2, 7, 1000])
def test_every_unit_is_done_once_before_the_call_returns(threads, units):
    job = Job(units).run_by(Team(), threads)
    assert (job.done == 1).all() and job.shared[1] == units
    assert len(job.threads) <= threads


def test_calls_that_follow_each_other_at_once_or_after_the_workers_fell_asleep():
    crew = Team()
    for pause_s in [0] * 300 + [0.02] * 5:
        time.sleep(pause_s)
        assert (Job(5).run_by(crew, 3).done == 1).all()
    assert crew._workers == 2


def workers_ready(crew, count):
    return until(lambda: len(crew._asleep) == count)


def test_a_sleeping_worker_is_woken():
    crew = Team()
    Job(2).run_by(crew, 2)
    assert workers_ready(crew, 1)
    # The caller's unit ends only when someone else has done the other one.
    job = _HalfJob()
    crew.work_off(job.work, 2, job.shared, 2)
    assert job.helped.is_set()


def test_a_watching_worker_sees_the_doorbell(monkeypatch):
    monkeypatch.setattr("kernels.team._WATCHING_TURNS", 10**9)  # never sleeps
    crew = Team()
    Job(2).run_by(crew, 2)
    job = _HalfJob()
    crew.work_off(job.work, 2, job.shared, 2)
    assert job.helped.is_set() and not crew._asleep
    monkeypatch.undo()
    crew.doorbell += 1  # lets the worker go, to sleep after the usual moment


class _HalfJob:
    """Two units, of which the caller leaves one to a worker and waits until it is done."""

    def __init__(self):
        self.shared, self.helped, self.caller = np.zeros(2, np.int64), threading.Event(), threading.get_ident()

    def work(self, doorbell):
        doorbell += 1
        self.shared[0] += 1
        if threading.get_ident() == self.caller:
            assert self.helped.wait(WAIT_S), "no worker came"
        else:
            self.helped.set()
        self.shared[1] += 1


def test_the_caller_waits_for_a_unit_that_a_worker_has_claimed():
    crew, release, claimed = Team(), threading.Event(), threading.Event()
    shared, caller, ended = np.zeros(2, np.int64), threading.get_ident(), []

    def work(doorbell):
        doorbell += 1
        if threading.get_ident() == caller:
            assert claimed.wait(WAIT_S)
            threading.Timer(0.05, release.set).start()
            return
        shared[0] += 1
        claimed.set()
        assert release.wait(WAIT_S)
        ended.append("unit")
        shared[1] += 1

    # Told of two units of which the other is already done.
    shared[:] = 1
    crew.work_off(work, 2, shared, 2)
    assert ended == ["unit"] and shared[1] == 2


def test_a_late_worker_finds_nothing_and_touches_nothing():
    crew, hold = Team(), threading.Event()
    # Its only worker is held up by another caller's job while this call comes and goes.
    blocker = threading.Event()

    def blocking(doorbell):
        doorbell += 1
        if threading.current_thread().name.startswith("winograd"):
            blocker.set()
            assert hold.wait(WAIT_S)

    shared = np.array([0, 2])
    crew.work_off(blocking, 2, shared, 2)
    assert blocker.wait(WAIT_S)
    job = Job(50).run_by(crew, 2)
    assert (job.done == 1).all() and len(job.threads) == 1
    called = len(job.threads)
    hold.set()
    assert until(lambda: not crew._jobs) and workers_ready(crew, 1)
    assert len(job.threads) == called and (job.done == 1).all()


def test_two_callers_at_once():
    crew, failures = Team(), []

    def call(units):
        for _ in range(200):
            job = Job(units, turns=3).run_by(crew, 3)
            if not (job.done == 1).all() or job.shared[1] != units:
                failures.append(units)

    callers = [threading.Thread(target=call, args=(units,)) for units in (2, 3, 40)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(WAIT_S)
        assert not caller.is_alive()
    assert failures == []


def test_an_exception_in_a_worker_leaves_the_result_right_and_the_worker_alive():
    crew, caller = Team(), threading.get_ident()
    raised = threading.Event()
    job = Job(40)

    def work(doorbell):
        if threading.get_ident() != caller:
            raised.set()
            raise MemoryError("no workspace")
        assert raised.wait(WAIT_S)
        job.work(doorbell)

    crew.work_off(work, job.units, job.shared, 2)
    assert (job.done == 1).all()
    other = _HalfJob()
    crew.work_off(other.work, 2, other.shared, 2)
    assert other.helped.is_set()


def test_an_exception_in_the_caller_is_passed_on():
    def work(doorbell):
        raise MemoryError("no workspace")

    with pytest.raises(MemoryError, match="no workspace"):
        Team().work_off(work, 5, np.zeros(2, np.int64), 1)


def test_a_worker_holds_nothing_of_a_call_that_has_ended():
    crew = Team()
    job = Job(3).run_by(crew, 2)
    assert workers_ready(crew, 1) and not crew._jobs
    assert sys.getrefcount(job) == 2  # the name, and the argument


def test_no_worker_is_hired_for_one_unit_or_one_thread():
    crew = Team()
    Job(1).run_by(crew, 8)
    Job(8).run_by(crew, 1)
    assert crew._workers == 0


def test_a_process_has_one_team():
    assert team() is team() and isinstance(team(), Team)


# Unit i adds 1 to y[i]; each thread writes its number to the place of its own that it was told of.
CREW = """
from kernels.atomic import claimed_unit, fetch_add, pause
from kernels.compilation import kernel


@kernel
def crew(x, y, shared, own):
    me = fetch_add(shared, 2, 1)
    own[0] = me + 1
    while True:
        unit = claimed_unit(shared, me, len(y))
        if unit < 0:
            return
        for _ in range(x[0]):
            pause()
        y[unit] += 1
        fetch_add(shared, 1, 1)
"""


class Crew:
    """The same as a job of machine code."""

    def __init__(self, units, threads, turns=0):
        self.x, self.y = np.array([turns]), np.zeros(units, np.int64)
        self.own = [np.zeros(1, np.int64) for _ in range(threads)]
        self.function = load_module(CREW, "test_crew").crew
        self.code = machine_code(self.function, (self.x, self.y, self.y, self.own[0]))

    def run_by(self, a_team):
        blank = (self.x,) * 3
        words = np.concatenate([*(told((*blank, own)) for own in self.own), np.zeros(3 + len(self.own), np.int64)])
        a_team.run(self.code, 4, words, len(self.own), self.x, self.y)
        counters = words[-3 - len(self.own) :]
        assert counters[1] == len(self.y) and counters[2] == self.came() >= 1
        return self

    def came(self):
        return sum(int(own[0]) > 0 for own in self.own)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("units", [0, 1, 2, 7, 1000])
def test_machine_code_does_every_unit_once_before_the_call_returns(threads, units):
    crew = Team()
    for turns in (0, 0, 50):
        job = Crew(units, threads, turns).run_by(crew)
        assert (job.y == 1).all()
        assert sorted(int(own[0]) for own in job.own if own[0]) == list(range(1, job.came() + 1))
        assert not crew.board.any() or (crew.board.reshape(-1, 16)[:, :2] == 0).all(), "nobody is left on the board"


def test_workers_come_to_machine_code_whether_they_watch_or_sleep():
    crew = Team()
    for pause_s in (0, 0, 0.05, 0, 0.05):
        time.sleep(pause_s)
        end = time.monotonic() + WAIT_S
        while Crew(200, 2, 500).run_by(crew).came() < 2:  # the machine may have no core for it just then
            assert time.monotonic() < end, "nobody comes"
    assert crew._workers == 1


def test_more_callers_of_machine_code_than_the_board_holds():
    crew, wrong = Team(), []

    def call():
        for units in (1, 5, 90) * 10:
            if not (Crew(units, 3, 20).run_by(crew).y == 1).all():
                wrong.append(units)

    callers = [threading.Thread(target=call) for _ in range(24)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(WAIT_S)
    assert not any(caller.is_alive() for caller in callers) and not wrong
    assert (crew.board.reshape(-1, 16)[:, :2] == 0).all()


def test_both_kinds_of_jobs_in_turn():
    crew = Team()
    for _ in range(50):
        assert (Crew(20, 3, 5).run_by(crew).y == 1).all()
        assert (Job(20).run_by(crew, 3).done == 1).all()


def test_an_interrupt_waits_for_those_who_are_at_work(monkeypatch):
    """They still use the caller's arrays."""
    crew = Team()
    crew._hire(1)
    crew.board[0], crew.board[1] = 1 << 32, 1  # someone at work
    waits = []

    def wait(board, entry, before, turns):
        waits.append(before)
        if len(waits) == 1:
            raise KeyboardInterrupt
        crew.board[0] = 0
        return True

    monkeypatch.setattr(crew, "_compiled", SimpleNamespace(wait_for_change=wait))
    with pytest.raises(KeyboardInterrupt):
        crew._await_leaving(0)
    assert len(waits) == 2 and not crew.board[:2].any()


def _in_the_child(pipe):
    job = Job(9).run_by(team(), 3)
    pipe.send((bool((job.done == 1).all()), team()._workers, os.getpid()))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_a_team_of_its_own():
    parent = team()
    Job(9).run_by(parent, 3)
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(target=_in_the_child, args=(there,))
    child.start()
    assert here.poll(WAIT_S), "the child hangs"
    right, workers, process = here.recv()
    child.join(WAIT_S)
    assert child.exitcode == 0 and right and workers == 2 and process != os.getpid()
    assert team() is parent


def test_the_default_is_what_numba_is_set_to():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert thread_count(None) == 1
    finally:
        numba.set_num_threads(before)
    assert thread_count(None) == before
    assert thread_count(3) == thread_count(np.int64(3)) == 3


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_other_numbers_are_refused(threads):
    with pytest.raises(ValueError, match="threads must be an integer of at least 1"):
        thread_count(threads)
