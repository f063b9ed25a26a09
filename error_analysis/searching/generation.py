"""The catalogue made: a search for every size, format and model, and rows of what was found.

Points are explored once for each size and model, since errors in one and two dimensions and in different formats rank
point sets nearly alike; what leads there is estimated again, rescaled and measured for each cell of the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import winograd
from error_analysis.auditing.gallery import exhibits
from error_analysis.measurement.interruption import Interrupted
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.exploration import explored
from error_analysis.searching.halving import final_trials
from error_analysis.searching.measuring import Task, figures
from error_analysis.searching.neighbours import Descent
from error_analysis.searching.result import Found, SearchResult
from error_analysis.searching.search import search
from error_analysis.searching.setting import Setting
from error_analysis.searching.workers import Here, done, working
from winograd import format_points, published_points, published_rows
from winograd.catalogue.models import MODELS
from winograd.catalogue.records import DTYPES, intended_sizes, read_rows, write_rows
from winograd.catalogue.row import CatalogueRow
from winograd.published import PUBLISHED_TAPS, best_published_error

_BUDGET = 14
_USEFUL = 12  # points; beyond, formats of 11 bits have no digit left
_TOLERATED = 4  # times the lowest error: what few operations or a small range may cost
_CARRIED = 40  # point sets that one cell's exploration hands to the next
_OBJECTIVES = ("error", "operations", "range")


@dataclass(frozen=True)
class Job:
    """What one worker makes in one go: the rows of one size in one format."""

    m: int
    r: int
    dtype: str
    seed: int = 0
    budget: int = _BUDGET

    def __str__(self) -> str:
        return f"F({self.m}, {self.r}), {self.dtype}"


def jobs() -> list[Job]:
    """All of them, in the order of what is worth having first.

    Examples
    --------
    >>> jobs()[0]
    Job(m=4, r=3, dtype='float32', seed=0, budget=14)
    """
    made = [Job(m, r, dtype) for dtype in DTYPES for m, r in intended_sizes()]
    return sorted(made, key=_worth)


def _worth(job: Job) -> tuple[bool, bool]:
    """Three taps before others, and last what takes long and errs as much as its results are large."""
    return job.dtype != "float32" and job.m + job.r - 1 > _USEFUL, job.r != PUBLISHED_TAPS


def generated(
    path: Path, chosen: Sequence[Job], executor: Executor | None = None, told: Callable[[str], None] | None = None
) -> tuple[CatalogueRow, ...]:
    """The rows of jobs, written to a file as they come; jobs whose rows the file has are not done again.

    Parameters
    ----------
    path : Path
        Of the catalogue; it is made where there is none.
    chosen : sequence of Job
    executor : concurrent.futures.Executor, optional
        Where jobs are done; by default processes.
    told : callable, optional
        Called with a line for each job that is done.

    Raises
    ------
    ValueError
        If the file is no catalogue of this version; it is left as it is.
    OSError
        If it cannot be written, before any work, or with the last rows written staying as they are.
    RuntimeError
        If the executor breaks down, or one job's workers die three times; the rows of the others are written.
    Interrupted
        At Ctrl-C, with the rows written until then.
    """
    rows = list(read_rows(path.read_text(encoding="utf-8"))) if path.exists() else []
    there = {(row.m, row.r, row.dtype) for row in rows}
    missing = [job for job in chosen if (job.m, job.r, job.dtype) not in there]
    if missing:
        write_rows(path, rows)  # where no file can be written, that is known before any work
    try:
        with working(executor) as workers, closing(done(job_rows, missing, workers)) as arriving:
            for number, (job, found) in enumerate(arriving, 1):
                rows += found
                write_rows(path, rows)
                if told is not None:
                    told(f"{number} of {len(missing)}: {job}")
    except KeyboardInterrupt:
        raise Interrupted(tuple(rows)) from None
    return tuple(rows)


def job_rows(job: Job) -> list[CatalogueRow]:
    """The rows of one size in one format, in one and two dimensions and by both models; by the kernel's for half ones.

    In formats narrower than float32 the literature has no table, and its model no rows.
    """
    models = MODELS if job.dtype == "float32" else MODELS[1:]
    rows: list[CatalogueRow] = []
    for model in models:
        first = Setting(job.m, job.r, 2, job.dtype, model)
        found = explored(first, job.seed)
        for dims in (2, 1):
            setting = Setting(job.m, job.r, dims, job.dtype, model)
            rows += _cell(setting, found if dims == 2 else _again(found, setting), job)
    return rows


def _again(found: Descent, setting: Setting) -> Descent:
    """What leads in one setting, estimated for another."""
    descent = Descent(setting.m, setting.r, setting.dims, setting.roundings)
    for points in found.leading(_CARRIED):
        descent.value(points)
    descent.from_points(descent.leading(1)[0])
    return descent


def _cell(setting: Setting, descent: Descent, job: Job) -> list[CatalogueRow]:
    objectives = _OBJECTIVES if setting.model == "kernel" else _OBJECTIVES[:1]
    result = search(
        setting.m, setting.r, setting.dims, setting.dtype, job.budget, model=setting.model, executor=Here(),
        seed=job.seed, objectives=objectives, descent=descent,
    )
    best = {objective: best_sound(result, objective) for objective in objectives}
    published, source = best_published(setting, best["error"])
    return [catalogue_row(found, objective, published, source) for objective, found in best.items()]


def best_sound(result: SearchResult, objective: str) -> Found:
    """The best in one objective, of what has at most four times the lowest error."""
    lowest = result.best("error").chosen_by.error.value
    sound = [found for found in result.front if not found.chosen_by.error.value > _TOLERATED * lowest]
    return min(sound, key=lambda found: (found.chosen_by.objective(objective), found.chosen_by.objective("error")))


def catalogue_row(found: Found, objective: str, published: float | None, source: str) -> CatalogueRow:
    """What a search found as a row, beside what was published."""
    setting, candidate, measured = found.setting, found.candidate, found.figures
    return CatalogueRow(
        setting.m, setting.r, setting.dims, setting.dtype, setting.model, objective,
        candidate.points, candidate.scale_a, candidate.scale_b, candidate.order, candidate.passes, candidate.fma,
        measured.error.value, measured.error.low, measured.error.high, measured.nonfinite, measured.bound,
        measured.additions, measured.multiplications, measured.fmas, measured.products,
        measured.input_growth, measured.filter_growth, measured.output_growth,
        published, source, setting.data, measured.trials, measured.seed, winograd.__version__,
    )


def best_published(setting: Setting, found: Found) -> tuple[float | None, str]:
    """The published error of a setting, or where none is, that of the points that others published, measured alike."""
    if setting.r != PUBLISHED_TAPS:
        return None, ""
    if setting.model == "literature" and setting.dtype == "float32":
        printed = best_published_error(setting.m, setting.dims)
        if printed is not None:
            return printed
    tried = []
    for name, candidate in _published_candidates(setting):
        task = Task(candidate, setting, final_trials(setting), found.figures.seed, bounded=False)
        measured = figures(task)
        tried.append((measured.objective("error"), f"points of {name}, measured here alike"))
    error, source = min(tried)
    return (error, source) if math.isfinite(error) else (None, f"{source}, overflow")


def _published_candidates(setting: Setting) -> Iterable[tuple[str, Candidate]]:
    fma = setting.model == "kernel"
    known: dict[str, str] = {}
    for dims in (2, 1):
        if any(row.m == setting.m for row in published_rows(dims)):
            points = format_points(published_points(setting.m, dims))
            known.setdefault(points, "Barabasz et al., ACM TOMS 46(4), 2020 (arXiv:1803.10986)")
    for exhibit in exhibits():
        if (exhibit.m, exhibit.r) == (setting.m, setting.r) and exhibit.spoiled is None:
            known.setdefault(format_points(exhibit.points), exhibit.source)
    for points, name in known.items():
        yield name, Candidate(points, fma=fma)

