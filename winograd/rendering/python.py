"""A Program as a plain Python function, the text that NumPy runs and Numba compiles."""

from __future__ import annotations

import keyword
from fractions import Fraction

from numpy.typing import DTypeLike

from winograd.exact import Exact
from winograd.program import Program
from winograd.rendering.heading import heading_lines, value_names
from winograd.rounding import format_of


def program_python(program: Program, dtype: DTypeLike | None = None, name: str = "transform") -> str:
    """A function `name(x0, x1, ...)` that returns the outputs as a tuple.

    It uses `+ - *`, unary minus and, in a fused program, a global `fma(a, c, b)` that the user of the text
    provides (`kernels.simd.fma` in compiled code, `error_analysis.emulation.arithmetic` on NumPy arrays). So it runs
    unchanged on NumPy arrays and compiles unchanged with Numba, on scalars and on SIMD vectors.

    Parameters
    ----------
    program : Program
    dtype : float16, float32 or float64, optional
        Constants are typed scalars of this dtype (an untyped literal would widen float32 to float64 in Numba).
        By default they are exact Fractions, and the function computes exactly on ints, Fractions and SymPy numbers.
    name : str
        Name of the function; its constants are module globals that begin with it.

    Raises
    ------
    OverflowError
        If a constant exceeds the dtype.
    ValueError
        If the name is no identifier, or stands for something else in the text.

    Rounding
    --------
    Each constant once; each operation once, as the arguments round.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> print(toom_cook(2, 3, [0, 1, -1, "inf"]).program("AT").to_python(name="at"))
    # AT of F(2, 3), points 0, 1, -1, inf
    # order left: 4 additions, 0 multiplications
    # made by: python -m winograd 2 3 --points "0, 1, -1, inf" --matrix AT --format python --order left --name at
    <BLANKLINE>
    <BLANKLINE>
    def at(x0, x1, x2, x3):
        t0 = x0 + x1
        t1 = x2 + t0
        t2 = x1 - x2
        t3 = x3 + t2
        return t1, t3
    <BLANKLINE>
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name == "fma":
        raise ValueError(f"name must be an identifier that is no keyword and not fma; got {name!r}.")
    constants: dict[Exact, str] = {}
    for op in program.ops:
        if op.constant is not None:
            constants.setdefault(op.constant, f"{name.upper()}_{len(constants)}")

    value = value_names(program)
    body = []
    for index, op in enumerate(program.ops):
        a = value(op.args[0])
        b = value(op.args[-1])
        c = constants[op.constant] if op.constant is not None else ""
        expression = {
            "add": f"{a} + {b}",
            "sub": f"{a} - {b}",
            "mul": f"{a} * {c}",
            "neg": f"-{a}",
            "fma": f"fma({a}, {c}, {b})",
        }[op.kind]
        body.append(f"t{index} = {expression}")
    returned = ", ".join(value(v) for v in program.outputs)
    body.append(f"return {returned}" + ("," if len(program.outputs) == 1 else ""))

    kind = None if dtype is None else format_of(dtype).name
    if kind not in (None, "float16", "float32", "float64"):
        raise ValueError(f"dtype must be one that NumPy computes in, float16, float32 or float64; got {kind}.")
    lines = [f"# {line}" for line in heading_lines(program, "python", kind, name)]
    if constants:
        lines += ["", "import numpy as np" if dtype is not None else "from fractions import Fraction", ""]
        lines += [_constant_line(program, c, text, dtype) for c, text in constants.items()]
    arguments = ", ".join(value(v) for v in range(program.inputs))
    lines += ["", "", f"def {name}({arguments}):", *(f"    {line}" for line in body)]
    return "\n".join(lines) + "\n"


def _constant_line(program: Program, constant: Exact, name: str, dtype: DTypeLike | None) -> str:
    if dtype is None:
        if not isinstance(constant, Fraction):
            raise ValueError(f"an exact text needs rational constants; got {constant}: choose a dtype.")
        return f"{name} = Fraction({constant.numerator}, {constant.denominator})"
    # repr of the double that equals the rounded constant: reading it back rounds nothing.
    literal = repr(float(program.rounded_constant(constant, dtype)))
    return f"{name} = np.{format_of(dtype).name}({literal})  # {constant}"
