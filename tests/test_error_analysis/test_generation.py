from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import pytest

import error_analysis as ea
from error_analysis.measurement.interruption import Interrupted
from error_analysis.searching import generation, halving
from error_analysis.searching.generation import Job, generated, job_rows, jobs
from error_analysis.searching.workers import Here, Workers
from winograd.catalogue.records import DTYPES, intended_sizes, read_rows
from winograd.catalogue.row import CatalogueRow

SMALL = Job(2, 2, "float32", budget=4)


@pytest.fixture(scope="module", autouse=True)
def few_trials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (generation, halving):
            patch.setattr(module, "final_trials", lambda setting: 2000)
        yield


@pytest.fixture(scope="module")
def rows(few_trials: None) -> list[CatalogueRow]:
    return job_rows(SMALL)


def test_jobs_are_all_sizes_in_all_formats_once() -> None:
    found = [(job.m, job.r, job.dtype) for job in jobs()]
    assert len(found) == len(set(found))
    assert set(found) == {(m, r, dtype) for m, r in intended_sizes() for dtype in DTYPES}


def test_rows_are_measured_counted_and_bounded(rows: list[CatalogueRow]) -> None:
    cells = {(row.dims, row.model, row.objective) for row in rows}
    assert cells == {
        *((dims, "kernel", objective) for dims in (1, 2) for objective in ("error", "operations", "range")),
        (1, "literature", "error"), (2, "literature", "error"),
    }
    for row in rows:
        A = row.algorithm
        report = ea.measure(A, row.trials, row.seed, data=row.data)
        assert (row.error, row.error_low, row.error_high) == (
            report.mean_abs.value, report.mean_abs.low, report.mean_abs.high
        )
        assert row.error < row.bound == ea.bound(A).max
        assert row.best_published is None  # nothing is published for r = 2
        assert row.operations == sum(A.counts().transforms.as_tuple()[:3])


def test_each_row_is_the_best_in_its_objective(rows: list[CatalogueRow]) -> None:
    for dims in (1, 2):
        of = {row.objective: row for row in rows if row.dims == dims and row.model == "kernel"}
        assert of["operations"].operations <= min(row.operations for row in of.values())
        assert of["range"].range <= min(row.range for row in of.values())
        # Chosen on other data than these intervals: the lowest is lowest but for noise.
        assert of["error"].error_low <= min(row.error_high for row in of.values())


def test_formats_narrower_than_float32_have_rows_of_kernels_only() -> None:
    found = job_rows(Job(2, 2, "bfloat16", budget=2))
    assert {row.model for row in found} == {"kernel"}
    assert {row.algorithm.sum_dtype for row in found} == {"float32"}
    assert {row.data for row in found} == {"relu"}


def test_published_errors_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "MODELS", ("literature",))
    literature = job_rows(Job(2, 3, "float32", budget=2))
    assert {row.dims: row.best_published for row in literature} == {1: 2.45e-8, 2: 7.65e-8}


def test_rows_are_written_as_they_come_and_not_made_again(
    rows: list[CatalogueRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, made = tmp_path / "catalogue.json", []

    def instead(job: Job) -> list[CatalogueRow]:
        made.append(job)
        if job.dtype == "bfloat16":
            raise KeyboardInterrupt
        return [CatalogueRow(**{**vars(row), "dtype": job.dtype}) for row in rows]

    monkeypatch.setattr(generation, "job_rows", instead)
    first, second, third = (Job(2, 2, dtype) for dtype in DTYPES)
    generated(path, [first], Here())
    assert len(read_rows(path.read_text())) == len(rows)
    with pytest.raises(KeyboardInterrupt):
        generated(path, [first, second, third], Here())
    assert made == [first, second, third]
    told: list[str] = []
    assert len(generated(path, [first, second], Here(), told.append)) == 2 * len(rows)
    assert told == ["1 of 1: F(2, 2), float16"]


def test_interruption_carries_the_rows(
    rows: list[CatalogueRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "job_rows", lambda job: rows)

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interruption:
        generated(tmp_path / "catalogue.json", [SMALL], Here(), stop)
    assert interruption.value.result == tuple(rows)
    assert read_rows((tmp_path / "catalogue.json").read_text()) == tuple(
        sorted(rows, key=lambda row: (row.dims, row.model, ("error", "operations", "range").index(row.objective)))
    )


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text('{"format": "winograd catalogue, version 99", "rows": []}')
    with pytest.raises(ValueError, match="version 99"):
        generated(path, [SMALL], Here())
    assert "99" in path.read_text()


def test_a_file_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    class Idle(Here):
        def submit(self, *given: Any, **more: Any) -> Any:
            raise AssertionError("work has started")

    with pytest.raises(OSError, match="nowhere"):
        generated(tmp_path / "nowhere" / "catalogue.json", [SMALL], Idle())


def test_a_job_whose_worker_died_is_given_out_again(
    rows: list[CatalogueRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = [BrokenExecutor("a worker died")]

    def mortal(job: Job) -> list[CatalogueRow]:
        if deaths:
            raise deaths.pop()
        return rows

    monkeypatch.setattr(generation, "job_rows", mortal)
    monkeypatch.setattr(Workers, "renew", lambda self: True)
    assert generated(tmp_path / "catalogue.json", [SMALL], Here()) == tuple(rows)
