"""Matrices and programs as plain text, exact and aligned."""

from __future__ import annotations

from typing import Any

import numpy as np

from winograd.exact import Exact
from winograd.program import Program
from winograd.rendering.heading import heading_lines, value_names


def matrix_text(matrix: Any) -> str:
    """A matrix, a row a line, its columns aligned to the right.

    Parameters
    ----------
    matrix : SymPy matrix or two-dimensional NumPy array
        Each entry is printed as `str` gives it: exact for exact numbers, the shortest decimal that reads back
        for floats.

    Examples
    --------
    >>> import sympy
    >>> print(matrix_text(sympy.Matrix([[1, 0], ["-1/2", 10]])))
    [    1   0 ]
    [ -1/2  10 ]
    """
    # An array's tolist() would widen float32 to double, which takes twice the digits to read back.
    entries = matrix if isinstance(matrix, np.ndarray) else matrix.tolist()
    rows = [[str(entry) for entry in row] for row in entries]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = ("  ".join(entry.rjust(width) for entry, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"[ {row} ]" for row in aligned)


def program_text(program: Program) -> str:
    """A program, one operation a line, under its heading.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> print(program_text(toom_cook(2, 2, [0, 1, "inf"]).program("G")))
    # G of F(2, 2), points 0, 1, inf
    # order left: 1 additions, 0 multiplications
    # made by: python -m winograd 2 2 --points "0, 1, inf" --matrix G --format text --order left
    t0 = x0 + x1
    y0 = x0
    y1 = t0
    y2 = x1
    """
    value = value_names(program)
    lines = [f"# {line}" for line in heading_lines(program, "text")]
    for index, op in enumerate(program.ops):
        a, b = value(op.args[0]), value(op.args[-1])
        constant = _constant(op.constant) if op.constant is not None else ""
        expression = {
            "add": f"{a} + {b}",
            "sub": f"{a} - {b}",
            "mul": f"{constant} * {a}",
            "neg": f"-{a}",
            "fma": f"fma({a}, {constant}, {b})",
        }[op.kind]
        lines.append(f"t{index} = {expression}")
    lines += [f"y{i} = {value(v)}" for i, v in enumerate(program.outputs)]
    return "\n".join(lines)


def _constant(value: Exact) -> str:
    text = str(value)
    return f"({text})" if " " in text else text
