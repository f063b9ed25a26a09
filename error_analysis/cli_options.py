"""What commands ask for to know an algorithm, and the Algorithm read from it."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any

import typer

from winograd import ORDERS, Algorithm, Transform, parse_points, toom_cook
from winograd.algorithm import CHANNEL_SUMS, ROUNDINGS
from winograd.published import PUBLISHED_TAPS, published_points

Outputs = Annotated[str, typer.Argument(metavar="M", help="Outputs of a tile along each axis: 4, or 4x2.")]
Taps = Annotated[str, typer.Argument(metavar="R", help="Taps of the filter along each axis: 3, or 3x5.")]
Points = Annotated[
    str,
    typer.Option(help="m + r - 1 points, separated by commas; those of each axis separated by semicolons. "
                 "By default the published ones for r = 3."),
]
Dims = Annotated[int, typer.Option(help="Axes, 1 to 3; by default 2, or as many as M or R tells.")]
Order = Annotated[str, typer.Option(help=f"Order of the sums: {', '.join(ORDERS)}.")]
Passes = Annotated[str, typer.Option(help="Passes on the programs, separated by commas: share, factor.")]
Fma = Annotated[bool, typer.Option("--fma", help="Fuse multiplications into additions.")]
Dtype = Annotated[
    str,
    typer.Option(help='Working format: float32, float64, float16, bfloat16, tf32, float8_e4m3fn, float8_e5m2, or '
                 '"binary(precision, smallest exponent, largest exponent)".'),
]
FilterDtype = Annotated[str, typer.Option(help="Format of the filter transform; by default dtype.")]
InputDtype = Annotated[str, typer.Option(help="Format of the input transform; by default dtype.")]
ProductDtype = Annotated[str, typer.Option(help="Format of the factors of the products; by default dtype.")]
SumDtype = Annotated[str, typer.Option(help="Format of the channel sum; by default dtype.")]
OutputDtype = Annotated[str, typer.Option(help="Format of the output transform; by default dtype.")]
StoredDtype = Annotated[str, typer.Option(help="Format of data, filter and result in memory; by default dtype.")]
Rounding = Annotated[str, typer.Option(help=f"Rounding: {', '.join(ROUNDINGS)}.")]
ChannelSum = Annotated[str, typer.Option(help=f"Channel sum: {', '.join(CHANNEL_SUMS)}.")]
ChannelBlock = Annotated[int, typer.Option(help="Channels in a leaf of the channel sum.")]


def algorithm_of(m: str, r: str, points: str = "", dims: int = 0, passes: str = "", **recipe: Any) -> Algorithm:
    """The Algorithm that the options of a command mean; `recipe` holds the fields that are passed on as they are.

    Raises
    ------
    ValueError
        For text that does not parse, numbers of axes that differ, and all that Algorithm refuses.

    Examples
    --------
    >>> str(algorithm_of("4x2", "3", dtype="float16"))
    'F(4x2, 3x3) points 0, -1, 1, 1/2, -2, inf and points 0, -1, 1, inf; huffman; float16; linear'
    """
    lengths, taps, lists = _by_axis("m", m), _by_axis("r", r), points.split(";")
    counts = {"m": len(lengths), "r": len(taps), "points": len(lists)}
    axes = dims or max(*counts.values(), 1)
    if dims == 0 and axes == 1:
        axes = 2
    for name, count in counts.items():
        if count not in (1, axes):
            raise ValueError(f"{name} must be given once, or once for each of {axes} axes; got {count}.")
    shapes = zip(*(values * axes if len(values) == 1 else values for values in (lengths, taps, lists)), strict=True)
    transforms = tuple(_transform(*shape, axes) for shape in shapes)
    names = tuple(name.strip() for name in passes.split(",") if name.strip())
    return Algorithm(transforms, dims=axes, passes=names, **recipe)


def _by_axis(name: str, text: str) -> list[int]:
    if not re.fullmatch(r"\s*-?\d+(\s*x\s*\d+){0,2}\s*", text):
        raise ValueError(f"{name} must be an integer, or one for each of up to three axes as in 4x2; got {text!r}.")
    return [int(part) for part in text.split("x")]


@cache
def _transform(m: int, r: int, points: str, axes: int) -> Transform:
    if points:
        return toom_cook(m, r, parse_points(points))
    if r != PUBLISHED_TAPS:
        raise ValueError(f"points must be given for r = {r}: the published ones are for r = {PUBLISHED_TAPS}.")
    return toom_cook(m, r, published_points(m, min(axes, 2)))
