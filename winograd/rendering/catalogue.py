"""Rows of the catalogue as text: a table, CSV, JSON, LaTeX, and C arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from winograd.rounding import round_exact
from winograd.transform import MATRIX_NAMES

if TYPE_CHECKING:
    from winograd.catalogue.row import CatalogueRow


def rows_table(rows: Sequence[CatalogueRow]) -> str:
    """A table for a terminal: what it is, its error, how far from the best published one, how it is made.

    Examples
    --------
    >>> from winograd.catalogue.records import catalogue_rows
    >>> text = rows_table([row for row in catalogue_rows() if row.size == "F(4x4, 3x3)" and row.model == "literature"])
    >>> text.splitlines()[0].split()[:5]
    ['size', 'dtype', 'model', 'objective', 'error']
    """
    header = ["size", "dtype", "model", "objective", "error", "+-", "published", "delta", "operations", "range",
              "points"]
    lines = [header]
    for row in rows:
        published = "" if row.best_published is None else f"{row.best_published:.3g}"
        delta = "" if row.delta is None else f"{row.delta:+.0%}"
        overflows = " (overflows)" if row.nonfinite else ""
        lines.append([
            row.size, row.dtype, row.model, row.objective, f"{row.error:.3g}{overflows}", f"{_half_width(row):.1%}",
            published, delta, str(row.operations), f"{row.range:.3g}", _recipe(row),
        ])
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def row_text(row: CatalogueRow, origin: str) -> str:
    """All about one row, and the command that prints its transform."""
    transform = row.algorithm.transforms[0]
    published = "none is published"
    if row.best_published is not None:
        published = f"{row.best_published:.3g} ({row.published_source}); this is {row.delta:+.1%}"
    lines = [
        f"{row.size}, {row.dtype}, {row.model} model, best in {row.objective}",
        f"points      {row.points}",
        *(f"{name:<12}{text}" for name, text in (("scale-a", row.scale_a), ("scale-b", row.scale_b)) if text),
        f"evaluation  {'+'.join((row.order, *row.passes))}{', fma' if row.fma else ''}",
        f"error       {row.error:.3e} [{row.error_low:.3e}, {row.error_high:.3e}]",
        f"measured    {row.trials} trials of {row.data} data, seed {row.seed}",
        f"published   {published}",
        f"bound       {row.bound:.3e}",
        f"operations  {row.additions} additions, {row.multiplications} multiplications, {row.fmas} fmas, "
        f"{row.products} products",
        f"growth      input {row.input_growth:.3g}, filter {row.filter_growth:.3g}, output {row.output_growth:.3g}",
        f"command     {transform.command}",
    ]
    if row.nonfinite:
        lines.insert(5, f"overflows   {row.nonfinite} outputs of that measurement are not finite")
    if origin == "search":
        lines.insert(1, "not in the catalogue: searched for briefly, a longer search may find better")
    return "\n".join(lines)


def rows_csv(rows: Sequence[CatalogueRow]) -> str:
    """All fields as CSV, one line each below the names."""
    text = io.StringIO()
    records = [_flat(row) for row in rows]
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().rstrip("\n")


def rows_latex(rows: Sequence[CatalogueRow]) -> str:
    """A tabular of sizes, points, errors and published errors."""
    lines = [r"\begin{tabular}{lllrrrl}",
             r"size & format & model & error & published & $\delta$ & points \\", r"\hline"]
    for row in rows:
        published = "" if row.best_published is None else _latex_number(row.best_published)
        delta = "" if row.delta is None else f"${100 * row.delta:+.0f}\\,\\%$"
        size = row.size.replace("x", r"\times ")
        points = row.points.replace("inf", r"\infty")
        cells = (f"${size}$", row.dtype, row.model, _latex_number(row.error), published, delta, f"${points}$")
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\end{tabular}"])


def rows_c(rows: Sequence[CatalogueRow]) -> str:
    """AT, G and BT of each row as C arrays of float, each entry rounded once, exact in hexadecimal.

    float16 and bfloat16 have no type in C: their numbers are floats too. In the kernel model G is of double, as the
    filter is transformed in it. Code that applies them, addition by addition: `python -m winograd --format c`.

    Raises
    ------
    OverflowError
        If an entry exceeds the format.
    """
    parts = []
    for row in rows:
        A = row.algorithm
        formats = {"AT": A.output_dtype, "G": A.filter_dtype, "BT": A.input_dtype}
        transform = A.transforms[0]
        parts.append(f"/* {A}; mean error {row.error:.3e} */")
        name = f"f{row.m}_{row.r}_{row.dims}d_{row.dtype}_{row.model}_{row.objective}"
        for matrix in MATRIX_NAMES:
            parts.append(_array(f"{name}_{matrix}", getattr(transform, matrix), formats[matrix]))
    return "\n".join(parts)


def _array(name: str, matrix: Any, dtype: str) -> str:
    kind = "double" if dtype == "float64" else "float"
    suffix = "" if kind == "double" else "f"
    lines = [
        "  {" + ", ".join(float(round_exact(matrix[i, j], dtype)).hex() + suffix for j in range(matrix.cols)) + "}"
        for i in range(matrix.rows)
    ]
    head = f"static const {kind} {name}[{matrix.rows}][{matrix.cols}] = {{"
    return "\n".join([head, ",\n".join(lines), "};"])


def _recipe(row: CatalogueRow) -> str:
    how = [*row.passes, *(["fma"] if row.fma else []), *(["scaled"] if row.scale_a or row.scale_b else [])]
    return "; ".join([row.points, " ".join([row.order, *how])])


def _flat(row: CatalogueRow) -> dict[str, Any]:
    record = row.to_record()
    return {**record, "passes": " ".join(row.passes), "operations": row.operations, "range": row.range,
            "delta": row.delta}


def _half_width(row: CatalogueRow) -> float:
    return (row.error_high - row.error_low) / (2 * row.error)


def _latex_number(value: float) -> str:
    digits, _, exponent = f"{value:.2e}".partition("e")
    return f"${digits} \\cdot 10^{{{int(exponent)}}}$"
