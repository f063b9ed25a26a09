"""Matrices and programs as LaTeX, for amsmath and for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from winograd.exact import to_sympy
from winograd.program import Program
from winograd.rendering.heading import heading_lines

if TYPE_CHECKING:
    from winograd.transform import Transform

_SYMBOLS = {"AT": "A^T", "G": "G", "BT": "B^T"}


def matrices_latex(transform: Transform) -> str:
    """The three matrices as aligned equations; what they are and the command stand above as comments.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> print(matrices_latex(toom_cook(1, 2, [0, "inf"])))
    % F(1, 2), points 0, inf
    % made by: python -m winograd 1 2 --points "0, inf" --format latex
    \\begin{aligned}
    A^T &= \\left[\\begin{array}{rr} 1 & 1 \\end{array}\\right] \\\\
    G &= \\left[\\begin{array}{rr} 1 & 0 \\\\ 0 & 1 \\end{array}\\right] \\\\
    B^T &= \\left[\\begin{array}{rr} 1 & 0 \\\\ 0 & 1 \\end{array}\\right]
    \\end{aligned}
    """
    made = "made from matrices given by hand"
    if transform.command is not None:
        made = f"made by: {transform.command} --format latex"
    equations = [f"{symbol} &= {_matrix(getattr(transform, name))}" for name, symbol in _SYMBOLS.items()]
    return _aligned([transform.description, made], equations)


def program_latex(program: Program) -> str:
    """The operations of a program as aligned equations, inputs x, results t, outputs y; the heading as comments.

    Examples
    --------
    >>> from winograd import foreign_program
    >>> print(program_latex(foreign_program(2, [("mul", 0, "1/2"), ("sub", 2, 1)], [3])))
    % given by hand
    % order left: 1 additions, 1 multiplications (1 by powers of two)
    % made from matrices given by hand
    \\begin{aligned}
    t_{0} &= \\frac{1}{2} \\cdot x_{0} \\\\
    t_{1} &= t_{0} - x_{1} \\\\
    y_{0} &= t_{1}
    \\end{aligned}
    """

    def value(v: int) -> str:
        return f"x_{{{v}}}" if v < program.inputs else f"t_{{{v - program.inputs}}}"

    equations = []
    for index, op in enumerate(program.ops):
        a, b = value(op.args[0]), value(op.args[-1])
        constant = _constant(to_sympy(op.constant)) if op.constant is not None else ""
        expression = {
            "add": f"{a} + {b}",
            "sub": f"{a} - {b}",
            "mul": f"{constant} \\cdot {a}",
            "neg": f"-{a}",
            "fma": f"\\operatorname{{fma}}({a}, {constant}, {b})",
        }[op.kind]
        equations.append(f"t_{{{index}}} &= {expression}")
    equations += [f"y_{{{i}}} &= {value(v)}" for i, v in enumerate(program.outputs)]
    return _aligned(heading_lines(program, "latex"), equations)


def _aligned(comments: list[str], equations: list[str]) -> str:
    head = [f"% {line}" for line in comments]
    return "\n".join([*head, "\\begin{aligned}", " \\\\\n".join(equations), "\\end{aligned}"])


def _matrix(matrix: Any) -> str:
    # An array, not a bmatrix: amsmath gives those no more than ten columns.
    rows = " \\\\ ".join(" & ".join(sympy.latex(entry) for entry in row) for row in matrix.tolist())
    return f"\\left[\\begin{{array}}{{{'r' * matrix.cols}}} {rows} \\end{{array}}\\right]"


def _constant(value: Any) -> str:
    text = str(sympy.latex(value))
    return f"\\left({text}\\right)" if value.is_Add else text
