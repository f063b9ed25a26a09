"""Commands of the catalogue: `recommend` and `catalogue`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from winograd.catalogue.models import MODELS
from winograd.catalogue.recommendation import OBJECTIVES, recommended_row
from winograd.catalogue.records import DTYPES, catalogue_rows, rows_text
from winograd.catalogue.row import CatalogueRow
from winograd.cli import app
from winograd.rendering.catalogue import row_text, rows_c, rows_csv, rows_latex, rows_table


class Format(StrEnum):
    """What is printed."""

    text = "text"
    json = "json"
    csv = "csv"
    latex = "latex"
    c = "c"


_ALL = "all"
_RECOMMEND_HELP = """Print the best known algorithm for F(M, R), with its measured error.

What the catalogue lacks is searched for briefly.

\b
Examples:
  python -m winograd recommend 4 3
  python -m winograd recommend 6 3 --dtype float16 --objective range
  python -m winograd recommend 4 3 --dims 1 --model literature --format c
"""
_CATALOGUE_HELP = """Print the catalogue of best known algorithms, or the part of it that options choose.

\b
Examples:
  python -m winograd catalogue
  python -m winograd catalogue --r 3 --dims 1 --model literature --format latex
  python -m winograd catalogue --m 4 --r 3 --dtype all --objective all --format json
"""
_print_rows = {
    Format.text: rows_table, Format.json: rows_text, Format.csv: rows_csv, Format.latex: rows_latex, Format.c: rows_c,
}

Shape = Annotated[Format, typer.Option(help="What to print.")]


@app.command("recommend", help=_RECOMMEND_HELP)
def recommend_command(
    m: Annotated[int, typer.Argument(help="Outputs of a tile along each axis.")],
    r: Annotated[int, typer.Argument(help="Taps of the filter along each axis.")],
    dims: Annotated[int, typer.Option(help="Axes, 1 or 2.")] = 2,
    dtype: Annotated[str, typer.Option(help="Working format: float32, float16, bfloat16, ...")] = "float32",
    objective: Annotated[str, typer.Option(help=f"What it is to be best in: {', '.join(OBJECTIVES)}.")] = "error",
    model: Annotated[str, typer.Option(help=f"What it may do: {', '.join(MODELS)}.")] = "kernel",
    format: Shape = Format.text,
) -> None:
    """Print one row."""
    try:
        row, origin = recommended_row(m, r, dims, dtype, objective, model)
    except ImportError as error:
        raise ValueError(str(error)) from None
    print(row_text(row, origin) if format == Format.text else _printed([row], format))


@app.command("catalogue", help=_CATALOGUE_HELP)
def catalogue_command(
    m: Annotated[int | None, typer.Option(help="Only this many outputs.")] = None,
    r: Annotated[int | None, typer.Option(help="Only this many taps.")] = None,
    dims: Annotated[int | None, typer.Option(help="Only so many axes, 1 or 2.")] = None,
    dtype: Annotated[str, typer.Option(help=f"{', '.join(DTYPES)}, or all.")] = "float32",
    model: Annotated[str, typer.Option(help=f"{', '.join(MODELS)}, or all.")] = _ALL,
    objective: Annotated[str, typer.Option(help=f"{', '.join(OBJECTIVES)}, or all.")] = "error",
    format: Shape = Format.text,
) -> None:
    """Print rows."""
    choices = (("dtype", dtype, DTYPES), ("model", model, MODELS), ("objective", objective, OBJECTIVES))
    for name, value, among in choices:
        if value not in (*among, _ALL):
            raise ValueError(f"{name} must be one of {', '.join(among)}, {_ALL}; got {value!r}.")
    wanted = {"m": m, "r": r, "dims": dims, "dtype": dtype, "model": model, "objective": objective}
    chosen = {name: value for name, value in wanted.items() if value not in (None, _ALL)}
    rows = [row for row in catalogue_rows() if all(getattr(row, name) == value for name, value in chosen.items())]
    if not rows:
        told = ", ".join(f"{name} {value}" for name, value in chosen.items())
        raise ValueError(f"options must choose rows of the catalogue; none has {told}.")
    print(_printed(rows, format))


def _printed(rows: Sequence[CatalogueRow], format: Format) -> str:
    return _print_rows[format](rows).rstrip("\n")
