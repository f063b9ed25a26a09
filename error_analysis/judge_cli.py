"""Commands that judge: `bound`, `tolerance`, `audit` and `gallery`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from error_analysis.auditing.matrix_files import read_matrices
from error_analysis.cli import app
from error_analysis.cli_options import (
    ChannelBlock,
    ChannelSum,
    Dims,
    Dtype,
    FilterDtype,
    Fma,
    InputDtype,
    Order,
    OutputDtype,
    Outputs,
    Passes,
    Points,
    ProductDtype,
    Rounding,
    StoredDtype,
    SumDtype,
    Taps,
    algorithm_of,
)
from error_analysis.measurement.interruption import Interrupted
from error_analysis.presentation import progress_bar
from winograd.points import Point

if TYPE_CHECKING:
    from error_analysis.auditing.gallery import GalleryRow
    from error_analysis.prediction.bounds import Bound

# What is piped has no terminal to take its width from; wide enough for the table.
_PIPED_WIDTH = 160
# The exit code of a process that Ctrl-C ended, as shells have it.
_INTERRUPTED = 130

Channels = Annotated[int, typer.Option(help="Input channels.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Trials = Annotated[int, typer.Option(help="Random tiles for each measurement.")]
Seed = Annotated[int, typer.Option(help="Seed of the random tiles.")]

_BOUND_HELP = """Bound the error of F(M, R) for all data of a given size, stage by stage, and predict its mean.

Examples:

  python -m error_analysis bound 4 3

  python -m error_analysis bound 4 3 --points "0, 1, -1, 2, -2, inf" --channels 64

  python -m error_analysis bound 4 3 --dtype float16 --sum-dtype float32 --json
"""

_TOLERANCE_HELP = """The rtol and atol to write into the test of a kernel that runs F(M, R), and why.

Examples:

  python -m error_analysis tolerance 4 3 --channels 64

  python -m error_analysis tolerance 2 3 --channels 256 --dtype float16 --sum-dtype float32
"""

_AUDIT_HELP = """Audit the matrices AT, G and BT of a file: are they a convolution, which one, and how good is it?

FILE holds the three matrices as JSON (an object with AT, G and BT, or what python -m winograd prints with --format
json), as .npz (arrays AT, G and BT), or as text: a line with the name, then the rows, numbers separated by spaces or
commas. With - it is read from stdin.

Exits with 1 where the matrices are no convolution.

Examples:

  python -m winograd 4 3 --format json | python -m error_analysis audit -

  python -m error_analysis audit matrices.npz --trials 10000

  python -m error_analysis audit matrices.txt --json
"""

_GALLERY_HELP = """Audit, measure and bound the point sets that others proposed for F(4, 3) and F(6, 3), in one table.

Examples:

  python -m error_analysis gallery

  python -m error_analysis gallery --trials 20000 --json
"""


@app.command("bound", help=_BOUND_HELP)
def bound_command(
    m: Outputs,
    r: Taps,
    points: Points = "",
    dims: Dims = 0,
    channels: Channels = 1,
    d_max: Annotated[float, typer.Option(help="Largest magnitude of the data.")] = 1.0,
    g_max: Annotated[float, typer.Option(help="Largest magnitude of the filter.")] = 1.0,
    order: Order = "huffman",
    passes: Passes = "",
    fma: Fma = False,
    dtype: Dtype = "float32",
    filter_dtype: FilterDtype = "",
    input_dtype: InputDtype = "",
    product_dtype: ProductDtype = "",
    sum_dtype: SumDtype = "",
    output_dtype: OutputDtype = "",
    stored_dtype: StoredDtype = "",
    rounding: Rounding = "nearest",
    channel_sum: ChannelSum = "linear",
    channel_block: ChannelBlock = 1,
    as_json: Json = False,
) -> None:
    """Bound one algorithm."""
    from error_analysis.prediction.bounds import bound
    from error_analysis.prediction.estimate import estimate

    A = algorithm_of(
        m, r, points, dims, passes, order=order, fma=fma, dtype=dtype, filter_dtype=filter_dtype,
        input_dtype=input_dtype, product_dtype=product_dtype, sum_dtype=sum_dtype, output_dtype=output_dtype,
        stored_dtype=stored_dtype, rounding=rounding, channel_sum=channel_sum, channel_block=channel_block,
    )
    found = bound(A, channels, d_max, g_max)
    predicted = estimate(A, channels, "uniform", d_max, g_max).mean if d_max > 0 and g_max > 0 else 0.0
    if as_json:
        print(_as_json(found, max=found.max, mean=found.mean, predicted_mean=predicted))
        return
    console = Console(width=None if Console().is_terminal else _PIPED_WIDTH)
    console.print("\n".join(str(found).splitlines()[:2]), markup=False, highlight=False)
    console.print(f"predicted mean |error| {predicted:.3g} for uniform data of these sizes", highlight=False)
    if found.overflow:
        console.print(f"no finite bound: {found.overflow} may overflow", highlight=False)
    else:
        console.print(_stage_table(found))


def _stage_table(found: Bound) -> Table:
    """What each stage adds to a bound, at its worst output and on average."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for heading in ("worst output", "mean over outputs", "share of the mean"):
        table.add_column(heading, justify="right")
    for name, part in found.parts.items():
        share = float(part.mean()) / found.mean if found.mean else 0.0
        table.add_row(name, f"{float(part.max()):.3g}", f"{float(part.mean()):.3g}", f"{share:.1%}")
    return table


@app.command("tolerance", help=_TOLERANCE_HELP)
def tolerance_command(
    m: Outputs,
    r: Taps,
    points: Points = "",
    dims: Dims = 0,
    channels: Channels = 1,
    data: Annotated[str, typer.Option(help="Law of the data in the test: uniform or normal.")] = "uniform",
    d_scale: Annotated[float, typer.Option(help="What the data are multiplied by.")] = 1.0,
    g_scale: Annotated[float, typer.Option(help="What the filters are multiplied by.")] = 1.0,
    order: Order = "huffman",
    passes: Passes = "",
    fma: Fma = False,
    dtype: Dtype = "float32",
    filter_dtype: FilterDtype = "",
    input_dtype: InputDtype = "",
    product_dtype: ProductDtype = "",
    sum_dtype: SumDtype = "",
    output_dtype: OutputDtype = "",
    stored_dtype: StoredDtype = "",
    rounding: Rounding = "nearest",
    channel_sum: ChannelSum = "linear",
    channel_block: ChannelBlock = 1,
    as_json: Json = False,
) -> None:
    """Tolerances for a test of one algorithm."""
    from error_analysis.prediction.tolerance import tolerance

    A = algorithm_of(
        m, r, points, dims, passes, order=order, fma=fma, dtype=dtype, filter_dtype=filter_dtype,
        input_dtype=input_dtype, product_dtype=product_dtype, sum_dtype=sum_dtype, output_dtype=output_dtype,
        stored_dtype=stored_dtype, rounding=rounding, channel_sum=channel_sum, channel_block=channel_block,
    )
    found = tolerance(A, channels, data, d_scale, g_scale)
    print(_as_json(found) if as_json else repr(found))


@app.command("audit", help=_AUDIT_HELP)
def audit_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON, .npz or text; - for stdin.")],
    dims: Annotated[int, typer.Option(help="Axes that the error is measured in, 1 to 3.")] = 2,
    dtype: Dtype = "float32",
    order: Order = "huffman",
    trials: Annotated[int, typer.Option(help="Random tiles; 0 to measure nothing.")] = 2000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Audit matrices."""
    from error_analysis.auditing.audit import audit

    matrices = read_matrices(file)
    interrupted = False
    try:
        found = audit(*matrices, dims=dims, dtype=dtype, order=order, trials=trials, seed=seed)
    except Interrupted:  # what is found without measuring takes no time
        found, interrupted = audit(*matrices, dims=dims, dtype=dtype, order=order, trials=0), True
    print(found.to_json() if as_json else found)
    if interrupted:
        raise typer.Exit(_INTERRUPTED)
    if not found.is_convolution:
        raise typer.Exit(1)


@app.command("gallery", help=_GALLERY_HELP)
def gallery_command(trials: Trials = 5000, seed: Seed = 0, as_json: Json = False) -> None:
    """Print the gallery."""
    from error_analysis.auditing.gallery import gallery, gallery_json

    interrupted = False
    try:
        with progress_bar("rows") as progress:
            rows = gallery(trials, seed, progress)
    except Interrupted as interruption:
        rows, interrupted = interruption.result, True
    if as_json:
        print(gallery_json(rows))
    else:
        _print_gallery(rows)
    if interrupted:
        raise typer.Exit(_INTERRUPTED)


def _print_gallery(rows: Sequence[GalleryRow]) -> None:
    """The table, then the sources, what is wrong with spoiled sets, and how the condition number ranks the errors."""
    from error_analysis.auditing.gallery import rankings

    console = Console(width=None if Console().is_terminal else _PIPED_WIDTH)
    console.print(gallery_table(rows))
    for position, row in enumerate(rows, 1):
        console.print(f"{position:8}  {row.exhibit.source}", markup=False, highlight=False)
    for row in rows:
        if not row.audit.is_convolution:
            text = f"{row.exhibit.size} {row.exhibit.name}, measured as repaired: {row.verdict}"
            console.print(text, markup=False, highlight=False)
    for ranking in rankings(rows):
        console.print(str(ranking), markup=False, highlight=False)


def gallery_table(rows: Sequence[GalleryRow]) -> Table:
    """The rows of the gallery as a table: points, error, bound, estimate, condition number, operations, verdict."""
    table = Table(
        title="Two-dimensional tiles in float32, Huffman order, one channel, data uniform on [-1, 1]",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )
    for heading in ("source", "", "points"):
        table.add_column(heading, justify="right" if heading == "source" else "left")
    for heading in ("mean |error|\n(95 % interval)", "predicted", "worst\ncase", "condition\nnumber", "add", "mul"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    last = ""
    for position, row in enumerate(rows, 1):
        if row.exhibit.size != last and last:
            table.add_section()
        last = row.exhibit.size
        found = row.merits
        table.add_row(
            str(position),
            f"{row.exhibit.size} {row.exhibit.name}",
            _paired(row.exhibit.points),
            f"{found.error.value:.2e} ± {found.error.half_width / found.error.value:.1%}",
            f"{found.predicted:.2e}",
            f"{found.bound:.2e}",
            "" if found.condition is None else f"{found.condition:.0f}",
            str(found.counts.additions),
            str(found.counts.multiplications),
            "exact" if row.audit.is_convolution else f"{len(row.audit.wrong)} wrong",
        )
    return table


def _paired(points: Sequence[Point]) -> str:
    """Points as text, neighbours x, -x and -x, x as one: ±x and ∓x."""
    shown: list[str] = []
    texts = [str(point) for point in points]
    while texts:
        text = texts.pop(0)
        if texts and texts[0] == f"-{text}":
            text = f"±{texts.pop(0)[1:]}"
        elif texts and text == f"-{texts[0]}":
            text = f"∓{texts.pop(0)}"
        shown.append(text)
    return ", ".join(shown)


def _as_json(found: Any, **more: Any) -> str:
    """A record of numbers and arrays as JSON; what is not finite is null."""
    return json.dumps(_plain(dataclasses.asdict(found)) | _plain(more), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
