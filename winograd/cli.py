"""The command line of `winograd`. The generator is the command meant where no other is named."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import sympy
import typer

from winograd.exact import parse_number
from winograd.moduli import from_moduli
from winograd.orders import order_named
from winograd.passes import PASSES
from winograd.points import parse_points
from winograd.published import PUBLISHED_TAPS, published_points
from winograd.rendering.latex import matrices_latex
from winograd.rendering.report import report_json, report_text
from winograd.rounding import format_of
from winograd.toom_cook import check_size, toom_cook
from winograd.transform import MATRIX_NAMES, Transform

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Format(StrEnum):
    """What is printed."""

    text = "text"
    latex = "latex"
    json = "json"
    c = "c"
    cuda = "cuda"
    python = "python"


class Matrix(StrEnum):
    """Which program is printed."""

    AT = "AT"
    G = "G"
    BT = "BT"


@app.callback()
def commands() -> None:
    """Fast convolution algorithms, exactly."""


@app.command()
def generate(
    m: Annotated[int, typer.Argument(help="Outputs per tile.")],
    r: Annotated[int, typer.Argument(help="Filter taps.")],
    points: Annotated[
        str | None,
        typer.Option(
            help='The m + r - 1 points, such as "0, 1, -1, 1/2, sqrt(2), c, inf". With r = 3 the published points '
            "are taken where neither points nor moduli are given.",
        ),
    ] = None,
    moduli: Annotated[
        str | None,
        typer.Option(help='Polynomials in place of points, such as "x, x - 1, x^2 + 1, inf".'),
    ] = None,
    fractions: Annotated[str, typer.Option(help="The matrix that takes up the fractions: G, A or B.")] = "G",
    scale_a: Annotated[str | None, typer.Option(help="Factors for the columns of AT, one for each product.")] = None,
    scale_b: Annotated[str | None, typer.Option(help="Factors for the rows of BT, one for each product.")] = None,
    subs: Annotated[str | None, typer.Option(help='Values for symbols, such as "c = 3/2".')] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="The product of polynomials in place of the correlation.")
    ] = False,
    order: Annotated[str, typer.Option(help="Order of the sums: left, sorted, huffman or pairwise.")] = "left",
    passes: Annotated[
        str, typer.Option(help="Passes, left to right, of share, factor, fuse and transpose: share,factor,fuse.")
    ] = "",
    matrix: Annotated[
        Matrix | None, typer.Option(help="Print the program of this matrix only, in any format but json.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the function in c, cuda and python.")] = None,
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.text,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float16, float32 or float64. Functions: the type of the constants (c and cuda: float32 unless "
            "given; python: exact unless given). text and json: also print the matrices rounded to it.",
        ),
    ] = None,
    dims: Annotated[int, typer.Option(help="With 2, text and json count a two-dimensional tile too.")] = 1,
) -> None:
    """Print the transform of F(M, R): matrices, proof and operation counts, or code that applies them.

    \b
    Examples:
      python -m winograd 4 3
      python -m winograd 4 3 --points "0,1,-1,1/2,-2,inf"
      python -m winograd 4 3 --points "0,1,-1,2,-2,inf" --passes share,factor --dims 2
      python -m winograd 4 3 --moduli "x, x - 1, x + 1, x^2 + 1, inf" --order huffman
      python -m winograd 2 3 --points "0, c, -c, inf" --subs "c = 3/2" --matrix BT
      python -m winograd 6 3 --format c --dtype float32 --order huffman --passes share,factor,fuse
      python -m winograd 2 3 --points "-1, 0, 1, inf" --format latex
    """
    chosen = tuple(entry.strip() for entry in passes.split(",")) if passes.strip() else ()
    _check_options(order, chosen, matrix, name, format, dtype, dims)
    transform = _transform(m, r, points, moduli, fractions, dims)
    if scale_a is not None or scale_b is not None:
        transform = transform.scaled(_numbers(scale_a, "scale-a"), _numbers(scale_b, "scale-b"))
    if subs is not None:
        transform = transform.subs(_values(subs))
    if transpose:
        transform = transform.transpose()
    print(_printed(transform, order, chosen, matrix, name, format, dtype, dims))


def _check_options(
    order: str, passes: tuple[str, ...], matrix: str | None, name: str | None, format: str, dtype: str | None, dims: int
) -> None:
    """Refuse unknown names, and options that the format would ignore."""
    order_named(order)
    for entry in passes:
        if entry not in PASSES:
            raise ValueError(f"passes must be among {', '.join(PASSES)}, separated by commas; got {entry!r}.")
    if dtype is not None:
        format_of(dtype)
    if dims not in (1, 2):
        raise ValueError(f"dims must be 1 or 2; got {dims}.")
    if dims == 2 and (format not in (Format.text, Format.json) or matrix is not None):
        raise ValueError("dims counts a whole tile: it goes with --format text or json, without --matrix.")
    if matrix is not None and format == Format.json:
        raise ValueError("json holds all three programs: leave --matrix out.")
    if name is not None and format not in (Format.c, Format.cuda, Format.python):
        raise ValueError("name is for functions: it goes with --format c, cuda or python.")
    if dtype is not None and (format == Format.latex or (format == Format.text and matrix is not None)):
        raise ValueError("dtype has no use here: equations and programs as text are exact.")


def _transform(m: int, r: int, points: str | None, moduli: str | None, fractions: str, dims: int) -> Transform:
    check_size(m, r)
    if points is not None and moduli is not None:
        raise ValueError("points and moduli exclude each other: give one.")
    if moduli is not None:
        if fractions != "G":
            raise ValueError(f"fractions goes with points; with moduli they sit in G, got {fractions!r}.")
        return from_moduli(m, r, [_moduli_entry(e) for e in moduli.split(",")])
    if points is not None:
        return toom_cook(m, r, parse_points(points), fractions)
    if r != PUBLISHED_TAPS:
        needed = f"give the {m + r - 1} points of F({m}, {r}) with --points"
        raise ValueError(f"points are published for r = 3 only: {needed}.")
    try:
        return toom_cook(m, r, published_points(m, dims), fractions)
    except ValueError as error:
        raise ValueError(f"{str(error).rstrip('.')}: give them with --points.") from None


def _moduli_entry(text: str) -> str:
    if not text.strip():
        raise ValueError("moduli must be separated by single commas; one is empty.")
    return text


def _numbers(text: str | None, option: str) -> list[sympy.Expr] | None:
    if text is None:
        return None
    entries = text.split(",")
    if not all(entry.strip() for entry in entries):
        raise ValueError(f"{option} must be numbers separated by single commas; one of {text!r} is empty.")
    return [parse_number(entry) for entry in entries]


def _values(text: str) -> dict[str, sympy.Expr]:
    """Values of symbols, "c = 3/2, d = 2"."""
    values = {}
    for entry in text.split(","):
        symbol, equals, value = entry.partition("=")
        if not equals or not symbol.strip().isidentifier():
            raise ValueError(f"subs must be symbol = value, separated by commas; got {entry.strip()!r}.")
        values[symbol.strip()] = parse_number(value)
    return values


def _printed(
    transform: Transform,
    order: str,
    passes: tuple[str, ...],
    matrix: str | None,
    name: str | None,
    format: str,
    dtype: str | None,
    dims: int,
) -> str:
    if matrix is None and format == Format.text:
        return report_text(transform, order, passes, dims, dtype)
    if format == Format.json:
        return report_json(transform, order, passes, dims, dtype)
    transform.verify()
    if matrix is None and format == Format.latex:
        return matrices_latex(transform)
    texts = []
    for which in MATRIX_NAMES if matrix is None else (str(matrix),):
        program = transform.program(which, order, passes)
        # One name for one matrix; three matrices need three.
        function = which.lower() if name is None else name if matrix is not None else f"{name}_{which.lower()}"
        if format == Format.text:
            texts.append(str(program))
        elif format == Format.latex:
            texts.append(program.to_latex())
        elif format == Format.python:
            texts.append(program.to_python(dtype, function).rstrip("\n"))
        elif format == Format.c:
            texts.append(program.to_c(dtype or "float32", function).rstrip("\n"))
        else:
            texts.append(program.to_cuda(dtype or "float32", function).rstrip("\n"))
    return "\n\n".join(texts)
