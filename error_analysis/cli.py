"""The command line: errors measured and compared, and the table of published errors measured again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from error_analysis import cli_options as options
from error_analysis.cli_options import algorithm_of
from error_analysis.measurement import table as published
from error_analysis.measurement.comparison import Comparison, compare
from error_analysis.measurement.data import KINDS
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.measure import check_integer, measure
from error_analysis.measurement.report import Progress, Report
from error_analysis.presentation import print_comparison, print_report, progress_bar

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__)

_INTERRUPTED = 130
"""The exit code of a process that Ctrl-C ended, as shells have it."""

_MEASURE_HELP = """Measure the error of F(m, r) on random tiles, beside direct convolution in the same formats.

Ctrl-C prints what was measured until then.

Examples:

  python -m error_analysis measure 4 3 --points "0, 1, -1, 1/2, -2, inf"

  python -m error_analysis measure 4 3 --dims 1 --trials auto --width 0.005

  python -m error_analysis measure 6 3 --passes share,factor --fma --channels 64

  python -m error_analysis measure 4x2 3x3 --dtype float16 --sum-dtype float32 --data relu

  python -m error_analysis measure 2 3 --points "0,1,-1,inf" --subject kernel --json
"""

_COMPARE_HELP = """Measure F(m, r) on two lists of points, on the same data, and the ratio of their errors.

Examples:

  python -m error_analysis compare 4 3 --points "0, 1, -1, 1/2, -2, inf" --against "0, 1, -1, 2, -2, inf"

  python -m error_analysis compare 6 3 --against "0, 1, -1, 2, -2, 1/2, -1/2, inf" --dtype float16 --trials auto
"""

_TABLE_HELP = """Measure every published error for r = 3 again and print both as a Markdown table.

Ctrl-C prints the rows measured until then, and writes no file.

Examples:

  python -m error_analysis table

  python -m error_analysis table --trials 20000 --write README.md
"""

Trials = Annotated[str, typer.Option(help='Random tiles, or "auto": until the interval is narrow enough.')]
Width = Annotated[float, typer.Option(help="For auto: half the width of the 95 % interval, over the mean.")]
MaxTrials = Annotated[int, typer.Option(help="For auto: where to give up.")]
Seed = Annotated[int, typer.Option(help="Seed of the random tiles.")]
Channels = Annotated[int, typer.Option(help="Input channels.")]
Data = Annotated[str, typer.Option(help=f"Kind of data: {', '.join(KINDS)}.")]
Subject = Annotated[str, typer.Option(help="What is measured: emulation or kernel.")]
Oracle = Annotated[str, typer.Option(help="Exact result by auto or, slower, mpmath.")]
Json = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print the record as CSV.")]


@app.command("measure", help=_MEASURE_HELP)
def measure_command(
    m: options.Outputs,
    r: options.Taps,
    points: options.Points = "",
    dims: options.Dims = 0,
    trials: Trials = "5000",
    width: Width = 0.02,
    max_trials: MaxTrials = 1_000_000,
    seed: Seed = 0,
    channels: Channels = 1,
    data: Data = "uniform",
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
    subject: Subject = "emulation",
    oracle: Oracle = "auto",
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Measure one algorithm."""
    _check_output(json, csv)
    recipe = _recipe(locals())
    A = algorithm_of(m, r, points, dims, passes, **recipe)
    count: Any = _trials(trials)
    kind: Any = subject
    judge: Any = oracle
    with _kept("trials", lambda result: _print(result, json, csv)) as progress:
        report = measure(A, count, seed, channels, kind, judge, data, width=width, max_trials=max_trials,
                         progress=progress)
    _print(report, json, csv)


@app.command("compare", help=_COMPARE_HELP)
def compare_command(
    m: options.Outputs,
    r: options.Taps,
    against: Annotated[str, typer.Option(help="The points of the second algorithm.")],
    points: options.Points = "",
    dims: options.Dims = 0,
    trials: Trials = "5000",
    width: Width = 0.02,
    max_trials: MaxTrials = 1_000_000,
    seed: Seed = 0,
    channels: Channels = 1,
    data: Data = "uniform",
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
    subject: Subject = "emulation",
    oracle: Oracle = "auto",
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Measure two algorithms that differ in their points."""
    _check_output(json, csv)
    recipe = _recipe(locals())
    A, B = (algorithm_of(m, r, chosen, dims, passes, **recipe) for chosen in (points, against))
    count: Any = _trials(trials)
    kind: Any = subject
    judge: Any = oracle
    with _kept("trials", lambda result: _print(result, json, csv)) as progress:
        comparison = compare(A, B, count, seed, channels, kind, judge, data, width=width, max_trials=max_trials,
                             progress=progress)
    _print(comparison, json, csv)


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
    with _kept("rows", lambda rows: print(published.markdown(rows))) as progress:
        text = published.markdown(published.published_table(trials, seed, progress))
    if write is None:
        print(text)
        return
    given = (("trials", trials, 5000), ("seed", seed, 0))
    chosen = [f"--{name} {value}" for name, value, default in given if value != default]
    shown = write.name if write.is_absolute() else write  # a table names no machine's folders
    command = " ".join(["python -m error_analysis table", *chosen, f"--write {shown}"])
    published.write_table(write, text, command)
    print(f"wrote {write}")


_RECIPE = (
    "order", "fma", "dtype", "filter_dtype", "input_dtype", "product_dtype", "sum_dtype", "output_dtype",
    "stored_dtype", "rounding", "channel_sum", "channel_block",
)


def _recipe(given: dict[str, Any]) -> dict[str, Any]:
    """Those arguments of a command that are fields of an Algorithm."""
    return {name: given[name] for name in _RECIPE}


def _trials(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'trials must be an integer or "auto"; got {text!r}.') from None


def _check_output(json: bool, csv: bool) -> None:
    if json and csv:
        raise ValueError("--json and --csv exclude one another; got both.")


def _print(result: Report | Comparison, json: bool, csv: bool) -> None:
    """The record in the form asked for."""
    if json:
        print(result.to_json())
    elif csv:
        print(result.to_csv(), end="")
    elif isinstance(result, Report):
        print_report(result)
    else:
        print_comparison(result)


@contextmanager
def _kept(unit: str, show: Callable[[Any], None]) -> Iterator[Progress]:
    """A progress bar; at Ctrl-C what was measured is shown, and the process ends as interrupted ones do."""
    try:
        with progress_bar(unit) as progress:
            yield progress
    except Interrupted as interruption:
        show(interruption.result)
        raise typer.Exit(_INTERRUPTED) from None
