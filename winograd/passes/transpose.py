"""Transposition: the program of M^T from the program of M, by reversing every arrow of the data flow (Tellegen).

An addition becomes a value used twice, a value used twice becomes an addition, a multiplication stays one. So the
program of M^T has no more multiplications (equal ones may merge), and rows - columns of M more additions (where no row
or column is zero).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from winograd.forms import LinearForms, forms_program, merged
from winograd.program import Program


def transposed(program: Program) -> Program:
    """The transposed program; sums of more than two terms are added in the program's order."""
    # Variable of the transposed forms that holds the adjoint of each value; adjoints are sums of terms.
    first = len(program.outputs)
    terms: dict[int, list[tuple[Fraction, int]]] = {}
    forms: list = []
    for position, value in enumerate(program.outputs):
        terms.setdefault(value, []).append((Fraction(1), position))

    def adjoint(value: int) -> int | None:
        """The variable that holds the adjoint of `value`; None where nothing depends on it."""
        if value not in terms:
            return None
        form = tuple(terms[value])
        if len(form) == 1 and form[0][0] == 1:
            return form[0][1]
        forms.append(form)
        return first + len(forms) - 1

    for index in range(len(program.ops) - 1, -1, -1):
        op = program.ops[index]
        variable = adjoint(program.inputs + index)
        if variable is None:
            continue
        factors = {"add": (1, 1), "sub": (1, -1), "neg": (-1,), "mul": (op.constant,)}[op.kind]
        for argument, factor in zip(op.args, factors, strict=True):
            constant = Fraction(factor) if isinstance(factor, int) else factor
            terms.setdefault(argument, []).append((constant, variable))  # type: ignore[arg-type]
    outputs = []
    for value in range(program.inputs):
        form = tuple(terms.get(value, [(Fraction(0), 0)]))
        forms.append(form)
        outputs.append(first + len(forms) - 1)
    result = LinearForms(first, (), ()).with_forms([merged(f) for f in forms], outputs)
    return forms_program(result, replace(program, title=f"transpose of {program.title}"))

