"""Factoring: c*x + c*y becomes c*(x + y), where that saves a multiplication."""

from __future__ import annotations

from fractions import Fraction

from winograd.exact import Exact, magnitude, sign
from winograd.forms import Form, LinearForms, forms_of_program, forms_program
from winograd.program import Program


def factored(program: Program) -> Program:
    """Take equal constants of one sum out of a bracket; each bracket is kept only if the counts get better."""
    forms = forms_of_program(program)
    best = forms_program(forms, program)
    index = 0
    while index < len(forms.forms):
        for group in _groups(forms.forms[index]):
            candidate = _with_bracket(forms, index, group)
            emitted = forms_program(candidate, program)
            old, new = best.counts(), emitted.counts()
            if new.additions <= old.additions and new.multiplications < old.multiplications:
                forms, best = candidate, emitted
                index = -1  # the forms were renumbered: start over
                break
        index += 1
    return best


def _groups(form: Form) -> list[list[int]]:
    """Positions of terms whose constants are equal up to sign, and not 1."""
    by_size: dict[Fraction, list[int]] = {}
    for position, (c, _) in enumerate(form):
        if magnitude(c) != 1:
            by_size.setdefault(magnitude(c), []).append(position)
    return [positions for positions in by_size.values() if len(positions) > 1]


def _with_bracket(forms: LinearForms, index: int, group: list[int]) -> LinearForms:
    all_forms = list(forms.forms)
    form = all_forms[index]
    leading = form[group[0]][0]
    bracket: Form = tuple((Fraction(sign(form[p][0]) * sign(leading)), form[p][1]) for p in group)
    rest: list[tuple[Exact, int]] = [term for p, term in enumerate(form) if p not in group]
    new = forms.inputs + len(all_forms)
    all_forms[index] = (*rest, (leading, new))
    all_forms.append(bracket)
    return forms.with_forms(all_forms, list(forms.outputs))
