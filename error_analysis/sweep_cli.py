"""Commands on families of points: `sweep` and `families`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from error_analysis import cli_options as options
from error_analysis.cli import app
from error_analysis.measurement.interruption import Interrupted
from error_analysis.presentation import progress_bar
from error_analysis.sweeping.curve import Sweep
from error_analysis.sweeping.minima import spaced
from error_analysis.sweeping.sweep import sweep
from winograd import FAMILIES, family
from winograd.exact import exact

# What is piped has no terminal to take its width from; wide enough for the summaries.
_PIPED_WIDTH = 160
# The exit code of a process that Ctrl-C ended, as shells have it.
_INTERRUPTED = 130
_PICTURES = (".png", ".svg", ".pdf")

_SWEEP_HELP = """Measure F(M, R) on the points of a family against its parameter c: the curve, and its minima refined.

Prints the minima and what they are compared with; the curve itself goes into --json, --csv or a --picture. Values of c
at which points coincide are gaps. Ctrl-C prints what was measured until then. The command families lists the families.

Examples:

  python -m error_analysis sweep reciprocal 6 3 --from 1.5 --to 4 --values 200

  python -m error_analysis sweep reciprocal 4 3 --dims 1 --picture curve.png

  python -m error_analysis sweep reciprocal-2 6 3 --others "5/2" --from 1.1 --to 2.4 --csv

  python -m error_analysis sweep pairs 4 3 --c "3/2, sqrt(2), 2, 1" --dtype float16 --sum-dtype float32 --json
"""

_FAMILIES_HELP = """List the families of points: how many parameters they take, and for how many points they have sets.

Examples:

  python -m error_analysis families

  python -m error_analysis families --n 8
"""


@app.command("sweep", help=_SWEEP_HELP)
def sweep_command(
    name: Annotated[str, typer.Argument(metavar="FAMILY", help="The family, such as reciprocal.")],
    m: Annotated[int, typer.Argument(help="Outputs of a tile along each axis.")],
    r: Annotated[int, typer.Argument(help="Taps of the filter along each axis.")],
    start: Annotated[str, typer.Option("--from", help="The least c.")] = "1.1",
    stop: Annotated[str, typer.Option("--to", help="The largest c.")] = "4",
    values: Annotated[int, typer.Option(help="How many values of c, evenly spaced.")] = 100,
    c: Annotated[str, typer.Option(help="The values of c instead, separated by commas.")] = "",
    others: Annotated[str, typer.Option(help="The parameters after the first, separated by commas.")] = "",
    dims: Annotated[int, typer.Option(help="Axes, 1 to 3.")] = 2,
    trials: Annotated[int, typer.Option(help="Random tiles.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the random tiles.")] = 0,
    channels: Annotated[int, typer.Option(help="Input channels.")] = 1,
    data: Annotated[str, typer.Option(help="Kind of data: uniform, normal, relu or constant.")] = "uniform",
    minima: Annotated[int, typer.Option(help="How many local minima to refine at most.")] = 3,
    workers: Annotated[int, typer.Option(help="Processes; 0 for one on each core.")] = 0,
    order: options.Order = "huffman",
    passes: options.Passes = "",
    fma: options.Fma = False,
    dtype: options.Dtype = "float32",
    filter_dtype: options.FilterDtype = "",
    input_dtype: options.InputDtype = "",
    product_dtype: options.ProductDtype = "",
    sum_dtype: options.SumDtype = "",
    output_dtype: options.OutputDtype = "",
    stored_dtype: options.StoredDtype = "",
    rounding: options.Rounding = "nearest",
    channel_sum: options.ChannelSum = "linear",
    channel_block: options.ChannelBlock = 1,
    picture: Annotated[Path | None, typer.Option(help="Draw the curve into this .png, .svg or .pdf file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print curve, gaps and minima as CSV.")] = False,
) -> None:
    """Sweep one family."""
    if json and csv:
        raise ValueError("--json and --csv exclude one another; got both.")
    if picture is not None:
        _check_picture(picture)
    if workers < 0:
        raise ValueError(f"workers must be at least 0; got {workers}.")
    chosen = family(name)
    rest = tuple(exact(entry) for entry in others.split(",")) if others.strip() else ()
    first: list[Any] = c.split(",") if c.strip() else list(spaced(start, stop, values))
    recipe: dict[str, Any] = {
        "order": order, "passes": tuple(entry.strip() for entry in passes.split(",") if entry.strip()), "fma": fma,
        "filter_dtype": filter_dtype, "input_dtype": input_dtype, "product_dtype": product_dtype,
        "sum_dtype": sum_dtype, "output_dtype": output_dtype, "stored_dtype": stored_dtype, "rounding": rounding,
        "channel_sum": channel_sum, "channel_block": channel_block,
    }
    interrupted = False
    try:
        with progress_bar("values") as progress:
            found = sweep(chosen, m, r, [(value, *rest) for value in first], dims, dtype, trials, seed, channels, data,
                          minima=minima, workers=workers or os.cpu_count() or 1, progress=progress, **recipe)
    except Interrupted as interruption:
        found, interrupted = interruption.result, True
    _print(found, json, csv)
    if picture is not None and found.curve:
        found.plot().figure.savefig(picture, dpi=150)
        if not (json or csv):
            print(f"wrote {picture}")
    if interrupted:
        raise typer.Exit(_INTERRUPTED)


@app.command("families", help=_FAMILIES_HELP)
def families_command(
    n: Annotated[int | None, typer.Option(help="Only those that have a set of so many points.")] = None,
) -> None:
    """List the families."""
    shown = [made for made in FAMILIES.values() if n is None or made.fits(n)]
    if not shown:
        largest = max(max(made.sizes) for made in FAMILIES.values())
        raise ValueError(f"n must be a number of points that a family has, 1 to {largest}; got {n}.")
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("family", no_wrap=True)
    for heading in ("parameters", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("points")
    for made in shown:
        table.add_row(made.name, str(made.parameters), f"{min(made.sizes)}-{max(made.sizes)}", made.summary)
    Console(width=None if Console().is_terminal else _PIPED_WIDTH).print(table)


def _check_picture(path: Path) -> None:
    """Refuse, before anything is measured, a picture that could not be written."""
    if path.suffix.lower() not in _PICTURES:
        raise ValueError(f"picture must end in {', '.join(_PICTURES)}; got {path.name!r}.")
    if not path.parent.is_dir():
        raise ValueError(f"picture must lie in a folder that exists; got {str(path)!r}.")


def _print(found: Sweep, json: bool, csv: bool) -> None:
    """The record in the form asked for."""
    if json:
        print(found.to_json())
    elif csv:
        print(found.to_csv(), end="")
    else:
        print(found)
        for gap in found.gaps:
            print(f"  gap at c = {', '.join(gap.c)}: {gap.reason}")
