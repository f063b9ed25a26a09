import json
import math
import pickle

import pytest

import error_analysis as ea
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.measuring import OBJECTIVES, PRODUCTS, Figures, Task, figures
from error_analysis.searching.setting import Setting

TASK = Task(Candidate("0, 1, -1, inf"), Setting(2, 3, 2), 100, 7)


def test_figures_are_those_of_measure_and_bound() -> None:
    found = figures(TASK)
    A = TASK.candidate.algorithm(TASK.setting)
    assert found.error == ea.measure(A, 100, 7).mean_abs
    assert found.bound == ea.bound(A).max
    counts = A.counts().transforms
    assert (found.additions, found.multiplications, found.fmas) == (
        counts.additions, counts.multiplications, counts.fmas
    )
    assert (found.trials, found.seed, found.input_growth) == (100, 7, 4.0)
    assert found.products == found.objective(PRODUCTS) == 16


def test_bound_may_be_left_out() -> None:
    assert math.isnan(figures(Task(TASK.candidate, TASK.setting, 100, 7, bounded=False)).bound)


def test_record_reads_back_equal() -> None:
    found = figures(TASK)
    assert Figures.from_record(json.loads(json.dumps(found.to_record()))) == found


def test_keys_tell_tasks_apart() -> None:
    others = [
        Task(Candidate("0, 1, -1, inf", order="sorted"), TASK.setting, 100, 7),
        Task(TASK.candidate, TASK.setting, 101, 7),
        Task(TASK.candidate, Setting(2, 3, 1), 100, 7), Task(TASK.candidate, TASK.setting, 100, 8),
        Task(TASK.candidate, TASK.setting, 100, 7, bounded=False),
    ]
    assert len({task.key for task in [TASK, *others]}) == 6
    assert pickle.loads(pickle.dumps(TASK)).key == TASK.key


INTEGERS = "0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8, inf"


@pytest.mark.parametrize("points", [INTEGERS, "0, 1/32, -1/32, 32, -32, 1, -1, inf"])
def test_what_overflows_is_worst_in_everything(points: str) -> None:
    """Constants beyond the largest float16; numbers in between beyond it."""
    m = len(points.split(",")) - 2
    found = figures(Task(Candidate(points), Setting(m, 3, 2, "float16", "kernel"), 10, 0))
    assert found.nonfinite > 0
    assert all(found.objective(name) == math.inf for name in (*OBJECTIVES, PRODUCTS))
