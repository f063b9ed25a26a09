"""Searches: what they promise about results, seeds, stores, interruptions and bad input."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import error_analysis as ea
import winograd as wg
from error_analysis.measurement.interruption import Interrupted
from error_analysis.searching import halving
from error_analysis.searching.exploration import explored
from error_analysis.searching.halving import derived_seed
from error_analysis.searching.neighbours import Descent
from error_analysis.searching.result import SearchResult
from error_analysis.searching.search import search
from error_analysis.searching.setting import Setting
from error_analysis.searching.store import Store
from error_analysis.searching.workers import Here
from winograd import best_published_error

FINAL = 5000
SMALL: dict[str, Any] = {"m": 2, "r": 3, "dims": 1, "budget": 5}


@pytest.fixture(scope="module", autouse=True)
def points() -> Iterator[None]:
    """Explored once for all tests; that an exploration is repeatable is its own test. And few last trials."""
    SMALL["descent"] = explored(Setting(2, 3, 1), continuous=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(halving, "final_trials", lambda setting: FINAL)
        yield


@pytest.fixture(scope="module")
def result(points: None) -> SearchResult:
    return search(**SMALL, executor=Here())


def test_finds_points_below_the_published_ones() -> None:
    found = search(3, 3, 2, budget=4, executor=Here()).best()
    published = best_published_error(3, 2)
    assert published is not None
    assert found.figures.error.high < 0.8 * published[0]


def test_figures_are_those_of_fresh_data(result: SearchResult) -> None:
    found = result.best()
    fresh = derived_seed(result.seed, 2)
    assert found.figures.seed == fresh != found.chosen_by.seed
    assert found.figures.error == ea.measure(found.algorithm, FINAL, fresh).mean_abs


def test_half_formats_are_measured_behind_a_relu() -> None:
    found = search(2, 3, 1, "float16", budget=2, model="kernel", continuous=False, executor=Here()).best("bound")
    again = ea.measure(found.algorithm, found.figures.trials, found.figures.seed, data="relu")
    assert found.figures.error == again.mean_abs


def test_nothing_on_the_front_is_beaten_by_the_rest(result: SearchResult) -> None:
    rows = [[f.chosen_by.objective(name) for name in result.objectives] for f in result.front]
    for row in rows:
        assert not any(all(x <= y for x, y in zip(other, row, strict=True)) and other != row for other in rows)
    errors = [found.chosen_by.error.value for found in result.front]
    assert errors == sorted(errors)
    for objective in result.objectives:
        best = result.best(objective).chosen_by.objective(objective)
        assert best == min(f.chosen_by.objective(objective) for f in result.front)


def test_the_same_whatever_the_executor(result: SearchResult) -> None:
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2) as processes:
        assert search(**SMALL, executor=threads) == result
        assert search(**SMALL, executor=processes) == result
    assert search(**SMALL) == result


def test_another_seed_measures_other_data(result: SearchResult) -> None:
    other = search(**SMALL, seed=1, executor=Here())
    assert other.best().figures.error != result.best().figures.error


def test_kernels_may_do_more() -> None:
    found = []
    for model in ("literature", "kernel"):
        descent = Descent(3, 3, 1, Setting(3, 3, 1, "float32", model).roundings)
        descent.value(wg.parse_points("3/8, -3/8, 4/3, -4/3, inf"))
        found.append(search(3, 3, 1, budget=1, descent=descent, model=model, executor=Here()).best())
    literature, kernel = found
    assert kernel.figures.error.high < literature.figures.error.low
    assert kernel.candidate.fma
    assert not literature.candidate.fma


def test_superlinear_moduli_buy_accuracy_with_products() -> None:
    descent = Descent(4, 3, 2, Setting(4, 3).roundings)
    descent.value(wg.parse_points("0, 3/2, -3/2, 2/3, -2/3, inf"))
    asked: dict[str, Any] = {"m": 4, "r": 3, "budget": 1, "descent": descent, "executor": Here()}
    found = search(**asked, objectives=("error", "products"))
    fewest, lowest = found.best("products"), found.best("error")
    assert (fewest.figures.products, lowest.figures.products) == (36, 49)
    assert lowest.candidate.superlinear and "x^2 + 1" in str(lowest)
    assert lowest.figures.error.high < fewest.figures.error.low / 2
    assert not any(f.candidate.superlinear for f in search(**asked, objectives="error").front)


def test_record_reads_back_equal(result: SearchResult) -> None:
    assert SearchResult.from_json(result.to_json()) == result
    with pytest.raises(ValueError, match="text must be a SearchResult record"):
        SearchResult.from_json('{"front": 3}')


def test_text_names_points_and_errors(result: SearchResult) -> None:
    text = str(result)
    assert "F(2, 3), float32, literature" in text
    assert result.best().candidate.points in text


@pytest.mark.parametrize("after", [1, 4, 7])
def test_interrupted_searches_resume_and_repeat_nothing(result: SearchResult, tmp_path: Path, after: int) -> None:
    def interrupt(count: int, expected: int, lowest: float) -> None:
        if count == after:
            raise KeyboardInterrupt

    with Store(tmp_path / "store.sqlite") as store:
        with pytest.raises(Interrupted) as interruption:
            search(**SMALL, executor=Here(), store=store, progress=interrupt)
        partial = interruption.value.result
        assert partial.ended == "interrupted"
        assert 1 <= partial.measured <= after
        assert len(store) == after
        assert search(**SMALL, executor=Here(), store=store) == result
        whole = len(store)
        assert search(**SMALL, executor=Nowhere(), store=store) == result
        assert len(store) == whole


class Nowhere(ThreadPoolExecutor):
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a search that is run again measures nothing")


def test_a_search_that_found_nothing_yet_has_no_best(result: SearchResult) -> None:
    with pytest.raises(ValueError, match="front must not be empty"):
        replace(result, front=(), ended="interrupted").best()


def test_progress_tells_the_lowest_error_so_far(result: SearchResult) -> None:
    told: list[tuple[int, int, float]] = []
    search(**SMALL, executor=Here(), progress=lambda *state: told.append(state))
    assert [done for done, _, _ in told] == list(range(1, len(told) + 1))
    assert all(done <= expected for done, expected, _ in told)
    assert told[-1][2] < 1e-7


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"budget": 0}, ValueError, "budget must be at least 1; got 0"),
        ({"budget": 2.5}, TypeError, "budget must be an integer"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"m": 1}, ValueError, "m and r must be at least 2"),
        ({"m": "4"}, TypeError, "m must be an integer"),
        ({"dims": 3}, ValueError, "dims must be 1 or 2; got 3"),
        ({"dtype": "float7"}, ValueError, "dtype must be one of"),
        ({"model": "fast"}, ValueError, "model must be one of literature, kernel; got 'fast'"),
        ({"objectives": ()}, ValueError, "objectives must be one or more"),
        ({"objectives": ("error", "error")}, ValueError, "objectives must be one or more, each once"),
        ({"objectives": "speed"}, ValueError, "objectives must be among error"),
        ({"store": 7}, TypeError, "store must be a path or a Store"),
        ({"executor": "dask"}, TypeError, "executor must have submit"),
    ],
)
def test_bad_input_is_refused_before_any_work(changed: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        search(**{**SMALL, **changed})


def test_an_objective_that_was_not_searched_by_is_refused(result: SearchResult) -> None:
    with pytest.raises(ValueError, match="objective must be one of"):
        result.best("speed")


def test_a_store_that_cannot_be_written_ends_the_search(tmp_path: Path) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(OSError, match="what was written before is kept"):
            search(**SMALL, executor=Here(), store=store)
        kept = len(store)
        assert kept > 0
        store._connection.execute("PRAGMA max_page_count = 100000")
        search(**SMALL, executor=Here(), store=store)
        assert len(store) > kept
