"""A run from its first row to its last, or to Ctrl-C: progress, resumption, writing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from convolution import store
from convolution.comparison import Row
from convolution.disturbance import account, cores_of_others, is_disturbed
from convolution.machine import provenance
from convolution.results import page
from convolution.sections import SECTIONS
from convolution.settings import Settings


def run(names: Sequence[str], settings: Settings, written: Path | None, resume: bool) -> dict[str, list[Row]]:
    """Measure these sections, printing each row as it is done.

    Parameters
    ----------
    names : sequence of str
        Of `sections.SECTIONS`.
    settings : Settings
    written : Path, optional
        The Markdown page, whose other sections stay. It is written after each row, with its numbers beside it: whenever
        a run is interrupted, what is finished is there.
    resume : bool
        Keep the rows that this code has already measured undisturbed with these settings on this machine.

    Returns
    -------
    dict
        The rows of each section.

    Raises
    ------
    ValueError
        If the filters leave no layer for a section, or the stored numbers cannot be read: before anything is measured.
    WrongResult
        If a contestant computed something else than the convolution.
    """
    stored = store.read(store.record_path(written)) if written else {}
    origin = provenance()
    todo = {name: SECTIONS[name].work(settings) for name in names}
    for name, work in todo.items():
        if not work:
            raise ValueError(f"network and layer must leave a layer for --{name}; none of these is large enough.")
    # It draws itself only between rows: a thread that redraws would take time from what is measured.
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), auto_refresh=False, transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        for name, work in todo.items():
            section = SECTIONS[name]
            kept = store.finished(stored, name, settings.measuring(), origin) if resume else []
            done: dict[str, Row | None] = {row["shape"]: row for row in kept}
            task = progress.add_task(section.title, total=len(work))
            _say(progress, f"{section.title}: {settings.command(name)}")
            for key, measure in work:
                progress.update(task, description=f"{section.title}: {key}")
                progress.refresh()
                fresh: Row | None = None
                if key not in done:
                    begin = account()
                    done[key] = row = measure()
                    if row is not None:
                        row["others"] = cores_of_others(begin, account())
                        fresh = row
                stored[name] = {
                    "command": settings.command(name), "settings": settings.measuring(), "provenance": origin,
                    "unfinished": sum(key not in done for key, _ in work),
                    "rows": [row for key, _ in work if (row := done.get(key)) is not None],
                }
                if written and stored[name]["rows"]:
                    store.write(store.record_path(written), json.dumps(stored, indent=1, ensure_ascii=False) + "\n")
                    store.write(written, page(stored))
                if fresh is not None:  # after it is written: what was seen is kept
                    _say(progress, section.line(fresh) + _warning(fresh))
                progress.advance(task)
            progress.remove_task(task)
    return {name: stored[name]["rows"] for name in todo}


def _warning(row: Row) -> str:
    return f"  DISTURBED: other processes took {row['others']:.2f} cores" if is_disturbed(row) else ""


def _say(progress: Progress, text: str) -> None:
    """Onto standard output, above the bar where that is on a terminal."""
    if progress.disable or not sys.stdout.isatty():
        print(text, flush=True)
    else:
        progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
