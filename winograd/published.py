"""Points that the literature recommends for r = 3, with the errors it measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from winograd.points import INF, Point, as_points, parse_points

PUBLISHED_TAPS = 3
"""The number of taps that the published rows are for."""


@dataclass(frozen=True)
class PublishedRow:
    """Points for F(m, 3) or F(m x m, 3 x 3), infinity included, and the mean error measured with them.

    `error` is the mean of |computed - exact| over outputs, float32, one channel, Huffman order, data and filter
    uniform on [-1, 1]; None where the source gives none.
    """

    m: int
    dims: int
    points: tuple[Point, ...]
    error: float | None


@cache
def _record() -> Any:
    return json.loads(files("winograd").joinpath("data/published_points.json").read_text(encoding="utf-8"))


@cache
def published_rows(dims: int = 1) -> tuple[PublishedRow, ...]:
    """All rows for one or two dimensions, by m.

    Raises
    ------
    ValueError
        If dims is neither 1 nor 2.

    Source
    ------
    Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020 (arXiv:1803.10986), by
    `winograd/data/published_points.json`.

    Examples
    --------
    >>> published_rows(dims=2)[2].error
    3.29e-07
    """
    _check_dims(dims)
    rows = []
    for row in _record()["rows"]:
        text = row.get(f"points_{dims}d", row["points"])
        points = as_points((*parse_points(text), INF))
        rows.append(PublishedRow(row["m"], dims, points, row.get(f"error_{dims}d")))
    return tuple(rows)


def published_points(m: int, dims: int = 1) -> tuple[Point, ...]:
    """The published points of F(m, 3), infinity last.

    Raises
    ------
    ValueError
        If no points are published for m, or dims is neither 1 nor 2.

    Examples
    --------
    >>> from winograd import format_points
    >>> format_points(published_points(4, dims=2))
    '0, -1, 1, 1/2, -2, inf'
    """
    rows = {row.m: row for row in published_rows(dims)}
    if m not in rows:
        raise ValueError(f"points are published for m = {min(rows)} to {max(rows)} with r = 3; got m = {m}.")
    return rows[m].points


def best_published_error(m: int, dims: int = 1) -> tuple[float, str] | None:
    """The lowest error published for F(m, 3), and by whom; None where none is.

    Examples
    --------
    >>> best_published_error(4, dims=2)
    (3.29e-07, 'Barabasz et al., ACM TOMS 46(4), 2020 (arXiv:1803.10986)')
    >>> best_published_error(3, dims=1)
    (4.69e-08, 'Alam et al., ACM TECS 21(6), 2022 (arXiv:2201.10369)')
    """
    known = [(row.error, "Barabasz et al., ACM TOMS 46(4), 2020 (arXiv:1803.10986)")
             for row in published_rows(dims) if row.m == m and row.error is not None]
    later = _record()["alam_2022"]["n5_1d"]
    if (m, dims) == (3, 1):
        known.append((later["error_1d"], "Alam et al., ACM TECS 21(6), 2022 (arXiv:2201.10369)"))
    return min(known) if known else None


def published_direct_error(dims: int = 1) -> float:
    """The published mean error of direct convolution with three taps, or three by three, measured alike.

    Examples
    --------
    >>> published_direct_error(dims=2)
    4.63e-08
    """
    _check_dims(dims)
    return float(_record()["direct"][f"error_{dims}d"])


def _check_dims(dims: int) -> None:
    if dims not in (1, 2):
        raise ValueError(f"dims must be 1 or 2; got {dims!r}.")
