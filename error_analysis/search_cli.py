"""Commands that search: `search` and `catalogue`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from error_analysis.cli import app
from error_analysis.measurement.interruption import Interrupted
from error_analysis.searching.measuring import OBJECTIVES, PRODUCTS
from winograd.catalogue.models import MODELS

# The exit code of a process that Ctrl-C ended, as shells have it.
_INTERRUPTED = 130
_DISAGREES = 1
_SAMPLE = 5

_SEARCH_HELP = """Search points, factors and orders of low error for F(M, R), and print the best in each balance.

With a store, a search that is interrupted goes on where it was. Ctrl-C prints what was found until then.

Examples:

  python -m error_analysis search 4 3

  python -m error_analysis search 6 3 --model kernel --store points.sqlite --budget 200

  python -m error_analysis search 6 3 --dtype float16 --model kernel --objectives error,range --json

  python -m error_analysis search 8 3 --objectives error,products
"""
_OBJECTIVES_HELP = f"What counts, of {', '.join((*OBJECTIVES, PRODUCTS))}; by default all but the last."
_CATALOGUE_HELP = """Check the catalogue of best known algorithms, or make it anew.

--check, of five rows if nothing is asked for, measures a random sample of rows on other data, and counts and bounds
them again; the exit code is 1 where one disagrees. --regenerate searches for every size and writes rows as they are
found; where the file has some already, it goes on with the others.

Examples:

  python -m error_analysis catalogue --check 10

  python -m error_analysis catalogue --regenerate --path catalogue.json
"""


@app.command("search", help=_SEARCH_HELP)
def search_command(
    m: Annotated[int, typer.Argument(metavar="M", help="Outputs of a tile along each axis.")],
    r: Annotated[int, typer.Argument(metavar="R", help="Taps of the filter along each axis.")],
    dims: Annotated[int, typer.Option(help="Axes, 1 or 2.")] = 2,
    dtype: Annotated[str, typer.Option(help="Working format.")] = "float32",
    model: Annotated[str, typer.Option(help=f"What an algorithm may do: {', '.join(MODELS)}.")] = "literature",
    budget: Annotated[int, typer.Option(help="Candidates to measure in the first round.")] = 48,
    objectives: Annotated[str, typer.Option(help=_OBJECTIVES_HELP)] = "",
    store: Annotated[Path | None, typer.Option(help="A file to keep measurements in, made if need be.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of data and starts.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search for one size."""
    from error_analysis.searching.search import search

    chosen = tuple(name.strip() for name in objectives.split(",")) if objectives else OBJECTIVES
    console = Console(stderr=True)
    columns = (TextColumn("candidates"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=None)

        def progress(done: int, expected: int, lowest: float) -> None:
            bars.update(task, completed=done, total=expected, description=f"lowest error {lowest:.3e}")

        try:
            result = search(
                m, r, dims, dtype, budget, model=model, objectives=chosen, store=store, seed=seed, progress=progress
            )
        except Interrupted as interruption:
            result = interruption.result
        except (OSError, RuntimeError) as error:  # of the store, of workers: sentences of ours
            raise ValueError(str(error)) from None
    print(result.to_json() if json else result)
    if result.ended == "interrupted":
        raise typer.Exit(_INTERRUPTED)


@app.command("catalogue", help=_CATALOGUE_HELP)
def catalogue_command(
    check: Annotated[int | None, typer.Option(help="Rows to measure again.", show_default=str(_SAMPLE))] = None,
    regenerate: Annotated[bool, typer.Option("--regenerate", help="Search for every row that the file lacks.")] = False,
    path: Annotated[Path | None, typer.Option(help="The file of the catalogue; by default the one that ships.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of rows and of the data they are checked on.")] = 1,
    trials: Annotated[int, typer.Option(help="For --check: trials of each; 0 for as many as the row had.")] = 0,
) -> None:
    """Check or make the catalogue."""
    if regenerate and check is not None:
        raise ValueError("catalogue must be asked for one of --check N and --regenerate; got both.")
    if regenerate:
        from error_analysis.searching.generation import generated, jobs
        from winograd.catalogue.records import shipped_path

        try:
            generated(path or shipped_path(), jobs(), told=partial(print, flush=True))
        except Interrupted as interruption:
            print(f"interrupted; {len(interruption.result)} rows are written")
            raise typer.Exit(_INTERRUPTED) from None
        except RuntimeError as error:
            raise ValueError(str(error)) from None
        return
    from error_analysis.searching.checking import checked
    from winograd.catalogue.records import catalogue_rows, read_rows

    rows = catalogue_rows() if path is None else read_rows(path.read_text(encoding="utf-8"))
    found = checked(rows, _SAMPLE if check is None else check, seed, trials or None, told=print)
    if any(row.wrong for row in found):
        raise typer.Exit(_DISAGREES)
