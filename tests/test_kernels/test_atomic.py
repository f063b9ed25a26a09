"""Counters that threads share: each unit of work goes to one of them, whoever comes and whenever."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numba.core.errors import TypingError

from kernels.atomic import claimed_unit, fetch_add, pause, put_if, seen


@njit(nogil=True)
def claim(shared, me, units):
    return claimed_unit(shared, me, units)


@njit(nogil=True)
def work_off(shared, me, units, done, turns):
    """Claim until nothing is left, as the kernels do; unit i was done done[i] times."""
    count = 0
    while True:
        unit = claimed_unit(shared, me, units)
        if unit < 0:
            return count
        fetch_add(done, unit, 1)
        for _ in range(turns):
            pause()
        count += 1
        fetch_add(shared, 1, 1)


def begun(runs):
    return np.zeros(3 + runs, np.int64)


def run_of(number, units, runs):
    """The units that begin with a thread."""
    return list(range(units * number // runs, units * (number + 1) // runs))


def test_fetch_add_gives_what_stood_there():
    add = njit(lambda array, index, amount: fetch_add(array, index, amount))
    array = np.array([5, -3], np.int64)
    assert [add(array, 1, 4), add(array, 1, -1), add(array, 0, 2**40)] == [-3, 1, 5]
    assert array.tolist() == [5 + 2**40, 0]


@pytest.mark.parametrize("array", [np.zeros(2, np.int32), np.zeros(2), np.zeros((1, 2), np.int64),
                                   np.zeros(4, np.int64)[::2]])
def test_fetch_add_refuses_other_arrays(array):
    with pytest.raises(TypingError, match="fetch_add takes a 1-D C-contiguous array of int64; got"):
        njit(lambda array: fetch_add(array, 0, 1))(array)


def test_put_if_puts_only_where_the_expected_number_stands():
    put = njit(lambda array, index, expected, value: put_if(array, index, expected, value))
    look = njit(lambda array, index: seen(array, index))
    array = np.array([5, -3], np.int64)
    assert not put(array, 0, 4, 9) and array.tolist() == [5, -3]
    assert put(array, 1, -3, 2**40) and array.tolist() == [5, 2**40] and look(array, 1) == 2**40


def test_of_threads_that_put_at_once_one_succeeds():
    @njit(nogil=True)
    def take(places, me):
        count = 0
        for i in range(len(places)):
            count += put_if(places, i, 0, me)
        return count

    places, counts, together = np.zeros(100_000, np.int64), {}, threading.Barrier(3)

    def work(me):
        together.wait(60)
        counts[me] = take(places, me)

    crew = [threading.Thread(target=work, args=(me,)) for me in (1, 2, 3)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(60)
    assert counts == {me: np.count_nonzero(places == me) for me in (1, 2, 3)} and places.all()


@pytest.mark.parametrize("runs", [1, 2, 3, 7])
@pytest.mark.parametrize("units", [0, 1, 2, 3, 6, 7, 20])
def test_one_thread_takes_its_own_run_first_and_then_the_others(runs, units):
    for me in (0, runs - 1, runs, 3 * runs + 1):  # more threads than runs may come
        shared = begun(runs)
        taken = [claim(shared, me, units) for _ in range(units)]
        assert taken == [unit for i in range(runs) for unit in run_of((me + i) % runs, units, runs)]
        assert [claim(shared, me, units) for _ in range(3)] == [-1, -1, -1]
        assert shared[0] == units + 3 and shared[1] == shared[2] == 0, "what was finished, and who came, others count"


@given(st.integers(1, 9), st.integers(0, 40), st.lists(st.integers(0, 12), max_size=60))
def test_every_unit_is_claimed_once_in_any_order_of_arrivals(runs, units, order):
    shared, found = begun(runs), {}
    for me in [*order, *range(units + 1)]:
        unit = claim(shared, me, units)
        untouched = [u for u in run_of(me % runs, units, runs) if u not in found]
        assert unit not in found
        if untouched:
            assert unit == untouched[0], "of its own run as long as there are any"
        if unit >= 0:
            found[unit] = me
        else:
            assert len(found) == units
    assert sorted(found) == list(range(units))


@given(st.integers(1, 9), st.integers(1, 9))
def test_threads_of_equal_speed_keep_to_their_runs(runs, each):
    """So a thread meets the same part of the data in call after call."""
    shared = begun(runs)
    taken = {me: [] for me in range(runs)}
    for _ in range(each):
        for me in taken:
            taken[me].append(claim(shared, me, runs * each))
    assert taken == {me: run_of(me, runs * each, runs) for me in range(runs)}


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("runs", [1, 2, 5, 8])
def test_threads_that_run_together_claim_each_unit_once(threads, runs):
    for units, turns in [(0, 0), (1, 0), (runs - 1, 3), (1000, 0), (301, 40), (20_000, 1)]:
        shared, done, counts = begun(runs), np.zeros(units + 1, np.int64), {}
        together = threading.Barrier(threads)

        def work(me, shared=shared, units=units, done=done, turns=turns, counts=counts, together=together):
            together.wait(60)
            counts[me] = work_off(shared, me, units, done, turns * (1 + me))

        crew = [threading.Thread(target=work, args=(me,)) for me in range(threads)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(60)
        assert not any(thread.is_alive() for thread in crew)
        assert (done[:units] == 1).all() and done[units] == 0
        assert sum(counts.values()) == units == shared[1]
        assert shared[0] == units + threads, "each was told once that nothing is left"
