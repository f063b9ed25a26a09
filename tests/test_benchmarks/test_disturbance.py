import os

import pytest

from convolution.disturbance import Account, account, cores_of_others, is_disturbed


def test_what_is_not_ours_is_others() -> None:
    slack = 5 / os.sysconf("SC_CLK_TCK")
    begin = Account(machine_s=100.0, own_s=10.0, wall_s=1000.0)
    assert cores_of_others(begin, Account(120.0, 28.0, 1010.0)) == pytest.approx((2.0 - slack) / 10)
    assert cores_of_others(begin, Account(118.0, 28.0, 1010.0)) == 0.0
    assert cores_of_others(begin, Account(117.9, 28.0, 1010.0)) == 0.0  # the clocks tick apart


def test_nothing_is_said_where_there_is_no_account() -> None:
    assert cores_of_others(None, Account(1.0, 1.0, 1.0)) is None
    assert not is_disturbed({"others": None})
    assert not is_disturbed({})


def test_a_tenth_of_a_core_disturbs() -> None:
    assert is_disturbed({"others": 0.11})
    assert not is_disturbed({"others": 0.09})


def test_an_account_grows_by_what_this_process_computes() -> None:
    begin = account()
    if begin is None:
        assert not os.path.exists("/proc/stat")
        return
    sum(range(3_000_000))
    end = account()
    assert end is not None
    assert end.own_s > begin.own_s and end.wall_s > begin.wall_s and end.machine_s >= begin.machine_s
