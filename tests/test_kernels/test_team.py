"""Units of work are each done once, whoever comes and whenever; the caller waits for all of them."""

import _thread
import multiprocessing
import os
import threading
import time

import numba
import numpy as np
import pytest

from kernels.calling import machine_code, told
from kernels.compilation import load_module
from kernels.team import Team, counters, team, thread_count

WAIT_S = 30  # far beyond what any machine needs: a test that waits so long has failed


# Unit i adds 1 to y[i]; each thread writes its number to the place of its own that it was told of. x holds the turns of
# a unit, and what each thread but the first needs more.
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
        for _ in range(x[0] + x[1] * min(me, 1)):
            pause()
        y[unit] += 1
        fetch_add(shared, 1, 1)
"""


class Crew:
    """A job of so many units for so many threads, and what became of it."""

    def __init__(self, units, threads, turns=0, slower=0):
        self.x, self.y = np.array([turns, slower]), np.zeros(units, np.int64)
        self.own = [np.zeros(1, np.int64) for _ in range(threads)]
        self.function = load_module(CREW, "test_crew").crew
        self.code = machine_code(self.function, (self.x, self.y, self.y, self.own[0]))

    def run_by(self, a_team):
        blank = (self.x,) * 3
        words = np.concatenate([*(told((*blank, own)) for own in self.own), counters(len(self.own))])
        a_team.run(self.code, 4, words, len(self.own), self.x, self.y)
        finished, came = words[-3 - len(self.own) :][1:3]
        assert finished == len(self.y) and came == self.came() >= 1
        return self

    def came(self):
        return sum(int(own[0]) > 0 for own in self.own)


def until(condition):
    """Wait for something that another thread does; whether it came."""
    end = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("units", [0, 1, 2, 7, 1000])
def test_every_unit_is_done_once_before_the_call_returns(threads, units):
    crew = Team()
    for turns in (0, 0, 50):
        job = Crew(units, threads, turns).run_by(crew)
        assert (job.y == 1).all()
        assert sorted(int(own[0]) for own in job.own if own[0]) == list(range(1, job.came() + 1))
        assert not crew.board.any() or (crew.board.reshape(-1, 16)[:, :2] == 0).all(), "nobody is left on the board"


def test_workers_come_whether_they_watch_or_sleep():
    crew = Team()
    for pause_s in (0, 0, 0.05, 0, 0.05):
        time.sleep(pause_s)
        end = time.monotonic() + WAIT_S
        while Crew(200, 2, 500).run_by(crew).came() < 2:  # the machine may have no core for it just then
            assert time.monotonic() < end, "nobody comes"
    assert crew._workers == 1


def test_more_callers_than_the_board_holds():
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


def test_the_caller_waits_for_a_unit_that_a_worker_has_claimed():
    crew = Team()
    for _ in range(20):
        job = Crew(8, 2, 200, slower=300).run_by(crew)
        assert (job.y == 1).all()


def test_no_worker_is_hired_for_one_thread():
    crew = Team()
    Crew(50, 1).run_by(crew)
    assert crew._workers == 0


def test_a_process_has_one_team():
    assert team() is team() and isinstance(team(), Team)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no say on which cores threads run")
def test_workers_that_were_woken_may_run_wherever_the_caller_may():
    crew = Team()
    for pause_s in (0, 0.05, 0.05):
        time.sleep(pause_s)
        Crew(50, 2, 50).run_by(crew)
    (worker,) = (thread for thread in threading.enumerate() if thread.name == "winograd-1" and
                 thread._target == crew._serve)
    assert until(lambda: os.sched_getaffinity(worker.native_id) == os.sched_getaffinity(0))


@pytest.mark.parametrize("pause_s", [0.01, 0.05])
def test_an_interrupt_waits_for_those_who_are_at_work(pause_s):
    """They still use the caller's arrays."""
    crew, job = Team(), Crew(100, 3, 200_000, slower=200_000)
    Crew(9, 3).run_by(crew)  # compiles
    timer = threading.Timer(pause_s, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        job.run_by(crew)
        timer.join()
    assert (job.y == 1).all() and (crew.board.reshape(-1, 16)[:, :2] == 0).all()


def _in_the_child(pipe):
    job = Crew(9, 3).run_by(team())
    pipe.send((bool((job.y == 1).all()), team()._workers, os.getpid()))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_a_team_of_its_own():
    parent = team()
    Crew(9, 3).run_by(parent)
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
