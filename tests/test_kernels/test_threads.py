import threading

import numba
import pytest

from kernels.team import run_interleaved, thread_count


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_share_runs_once_and_all_have_ended(threads):
    seen, lock = [], threading.Lock()

    def work(first, step):
        with lock:
            seen.append((first, step))

    run_interleaved(work, threads)
    assert sorted(seen) == [(first, threads) for first in range(threads)]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_exception_in_any_share_is_passed_on_after_the_others_ended(failing):
    ended = []

    def work(first, step):
        if first == failing:
            raise RuntimeError(f"share {first}")
        ended.append(first)

    with pytest.raises(RuntimeError, match=f"share {failing}"):
        run_interleaved(work, 3)
    assert sorted(ended) == [first for first in range(3) if first != failing]


def test_the_default_is_what_numba_is_set_to():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert thread_count(None) == 1
    finally:
        numba.set_num_threads(before)
    assert thread_count(None) == before
    assert thread_count(3) == 3


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_other_numbers_are_refused(threads):
    with pytest.raises(ValueError, match="threads must be an integer of at least 1"):
        thread_count(threads)
