"""Ctrl-C ends loops over measurements, and loses nothing."""

import pytest

import winograd as wg
from error_analysis import Interrupted, measure

A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]))


def test_it_is_a_keyboard_interrupt_and_no_exception():
    assert issubclass(Interrupted, KeyboardInterrupt) and not issubclass(Interrupted, Exception)


def test_a_loop_over_measurements_ends():
    measured = []

    def interrupted(done, total):
        if len(measured) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        for seed in range(3):
            measured.append(measure(A, 3000, seed, progress=interrupted))
    assert len(measured) == 1
    report = caught.value.result
    assert report.seed == 1 and report.ended == "interrupted" and report == measure(A, report.trials, 1)
