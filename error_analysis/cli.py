"""The command line: `measure` one algorithm, or print the `table` of published errors measured again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from error_analysis import table as published
from error_analysis.measurement import check_integer, measure
from error_analysis.report import Progress as ProgressCall
from winograd import ORDERS, Algorithm, parse_points, toom_cook
from winograd.published import PUBLISHED_TAPS, published_points

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__)

_MEASURE_HELP = """Measure the error of F(m, r) on random tiles, beside direct convolution in the same format.

Examples:

  python -m error_analysis measure 4 3 --points "0, 1, -1, 1/2, -2, inf"

  python -m error_analysis measure 4 3 --dims 1 --trials 20000

  python -m error_analysis measure 6 3 --passes share,factor --fma --channels 64

  python -m error_analysis measure 2 3 --points "0,1,-1,inf" --subject kernel --json
"""

_TABLE_HELP = """Measure every published error for r = 3 again and print both as a Markdown table.

Examples:

  python -m error_analysis table

  python -m error_analysis table --trials 20000 --write README.md
"""


@app.command("measure", help=_MEASURE_HELP)
def measure_command(
    m: Annotated[int, typer.Argument(help="Outputs of a tile, along each axis.")],
    r: Annotated[int, typer.Argument(help="Taps of the filter, along each axis.")],
    points: Annotated[
        str, typer.Option(help="m + r - 1 points, separated by commas; by default the published ones for r = 3.")
    ] = "",
    dims: Annotated[int, typer.Option(help="Axes, 1 or 2.")] = 2,
    trials: Annotated[int, typer.Option(help="Random tiles.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the random tiles.")] = 0,
    channels: Annotated[int, typer.Option(help="Input channels.")] = 1,
    order: Annotated[str, typer.Option(help=f"Order of the sums: {', '.join(ORDERS)}.")] = "huffman",
    passes: Annotated[str, typer.Option(help="Passes on the programs, separated by commas: share, factor.")] = "",
    fma: Annotated[bool, typer.Option("--fma", help="Fuse multiplications into additions.")] = False,
    dtype: Annotated[str, typer.Option(help="Working format: float32 or float64.")] = "float32",
    filter_dtype: Annotated[str, typer.Option(help="Format of the filter transform; by default dtype.")] = "",
    channel_sum: Annotated[str, typer.Option(help="Channel sum: linear, blocked or pairwise.")] = "linear",
    channel_block: Annotated[int, typer.Option(help="Channels in a leaf of the channel sum.")] = 1,
    subject: Annotated[str, typer.Option(help="What is measured: emulation or kernel.")] = "emulation",
    oracle: Annotated[str, typer.Option(help="Exact result by auto or, slower, mpmath.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure one algorithm."""
    A = Algorithm(
        (toom_cook(m, r, parse_points(points) if points else _default_points(m, r, dims)),),
        dims=dims,
        order=order,
        passes=tuple(name.strip() for name in passes.split(",") if name.strip()),
        fma=fma,
        dtype=dtype,
        filter_dtype=filter_dtype,
        channel_sum=channel_sum,
        channel_block=channel_block,
    )
    with _progress_bar("trials") as progress:
        report = measure(A, trials, seed, channels, subject, oracle, progress)  # type: ignore[arg-type]
    print(report.to_json() if json else report)


@app.command("table", help=_TABLE_HELP)
def table_command(
    trials: Annotated[int, typer.Option(help="Random tiles for each row.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the random tiles.")] = 0,
    write: Annotated[
        Path | None, typer.Option(help="Write the table into this Markdown file, between its markers.")
    ] = None,
) -> None:
    """Measure the published table again."""
    check_integer("trials", trials, 2)
    if write is not None:
        published.check_markers(write)
    with _progress_bar("rows") as progress:
        text = published.markdown(published.published_table(trials, seed, progress))
    if write is None:
        print(text)
        return
    given = (("trials", trials, 5000), ("seed", seed, 0))
    options = [f"--{name} {value}" for name, value, default in given if value != default]
    shown = write.name if write.is_absolute() else write  # a table names no machine's folders
    command = " ".join(["python -m error_analysis table", *options, f"--write {shown}"])
    published.write_table(write, text, command)
    print(f"wrote {write}")


def _default_points(m: int, r: int, dims: int) -> tuple:
    if r != PUBLISHED_TAPS:
        raise ValueError(f"points must be given for r = {r}: the published ones are for r = {PUBLISHED_TAPS}.")
    return published_points(m, dims)


@contextmanager
def _progress_bar(unit: str) -> Iterator[ProgressCall]:
    """A progress bar on stderr, so that what is printed can be piped; it vanishes when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(unit, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
