"""Sharing: sums that several outputs need are computed once.

Two steps. First the even and odd parts: two rows that agree up to signs, as the rows of the points a and -a do, become
E + O and E - O. Then common pairs: the two-term sum x + q*y (up to a factor) that the most forms contain becomes a
variable, again and again while two forms share one (the greedy rule of Paar, with coefficients).
"""

from __future__ import annotations

from fractions import Fraction

from winograd.exact import Exact, exact, magnitude, sign, to_sympy
from winograd.forms import Form, LinearForms, forms_of_program, forms_program
from winograd.program import Program


def shared(program: Program) -> Program:
    """Share even and odd parts and common pairs; kept only where that saves additions."""
    forms = forms_of_program(program)
    best = program
    for rewrite in (even_odd, common_pairs):
        candidate = rewrite(forms)
        emitted = forms_program(candidate, program)
        if emitted.counts().additions < best.counts().additions:
            forms, best = candidate, emitted
    return best


def even_odd(forms: LinearForms) -> LinearForms:
    """Write pairs of output rows that agree up to signs as E + O and E - O."""
    all_forms = list(forms.forms)
    outputs = [v - forms.inputs for v in forms.outputs if v >= forms.inputs]
    paired: set[int] = set()
    for position, first in enumerate(outputs):
        for second in outputs[position + 1 :]:
            if first in paired or second in paired or first == second:
                continue
            split = _split(forms.forms[first], forms.forms[second])
            if split is None:
                continue
            even, odd = split
            even_variable = _defined(forms, all_forms, even)
            odd_variable = _defined(forms, all_forms, odd)
            (c, e), (d, o) = even_variable, odd_variable
            all_forms[first] = ((c, e), (d, o))
            all_forms[second] = ((c, e), (_negative(d), o))
            paired |= {first, second}
    return forms.with_forms(all_forms, list(forms.outputs))


def _split(u: Form, v: Form) -> tuple[Form, Form] | None:
    """(E, O) with u = E + O and v = E - O, where both have terms and sharing them pays."""
    if [x for _, x in u] != [x for _, x in v] or len(u) < 3:
        return None
    even, odd = [], []
    for (a, x), (b, _) in zip(u, v, strict=True):
        if a == b:
            even.append((a, x))
        elif a == _negative(b):
            odd.append((a, x))
        else:
            return None
    return (tuple(even), tuple(odd)) if even and odd else None


def _defined(forms: LinearForms, all_forms: list[Form], form: Form) -> tuple[Exact, int]:
    """A form as (coefficient, variable), defining a variable unless it is a single term."""
    if len(form) == 1:
        return form[0]
    all_forms.append(form)
    return Fraction(1), forms.inputs + len(all_forms) - 1


def common_pairs(forms: LinearForms) -> LinearForms:
    """Take out the pair of terms that the most forms share, up to a factor, until none is shared."""
    all_forms = [{v: c for c, v in form} for form in forms.forms]
    while True:
        found: dict[tuple[int, int, Exact], list[int]] = {}
        for index, terms in enumerate(all_forms):
            variables = sorted(terms)
            for i, x in enumerate(variables):
                for y in variables[i + 1 :]:
                    found.setdefault((x, y, _quotient(terms[y], terms[x])), []).append(index)
        pairs = [(key, users) for key, users in found.items() if len(users) > 1]
        if not pairs:
            break
        # The most shared; among those, one without a constant inside; then index order.
        (x, y, q), users = min(pairs, key=lambda p: (-len(p[1]), magnitude(p[0][2]) != 1, p[0][0], p[0][1]))
        scale = _best_scale(q, [all_forms[u][x] for u in users])
        new = forms.inputs + len(all_forms)
        for user in users:
            factor = _quotient(all_forms[user].pop(x), scale)
            del all_forms[user][y]
            all_forms[user][new] = factor
        all_forms.append({x: scale, y: _product(q, scale)})
    rewritten = [tuple((c, v) for v, c in terms.items()) for terms in all_forms]
    return forms.with_forms(rewritten, list(forms.outputs))


def _best_scale(q: Exact, coefficients: list[Exact]) -> Exact:
    """The factor s for the variable s*x + s*q*y that leaves the fewest multiplications.

    Among equals, the one with the fewest constants that are not dyadic, since those round; then the first.
    """
    sizes: list[Exact] = [_product(c, Fraction(sign(c))) for c in coefficients]

    def cost(s: Exact) -> tuple[int, int]:
        constants = {s, _product(q, s)} | {_quotient(c, s) for c in coefficients}
        scaling = [c for c in constants if magnitude(c) != 1]
        return len(scaling), sum(not _is_dyadic(c) for c in scaling)

    return min([Fraction(1), *sizes], key=cost)


def _is_dyadic(value: Exact) -> bool:
    return isinstance(value, Fraction) and value.denominator & (value.denominator - 1) == 0


def _negative(value: Exact) -> Exact:
    return -value if isinstance(value, Fraction) else exact(-value)


def _quotient(a: Exact, b: Exact) -> Exact:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a / b
    return exact((to_sympy(a) / to_sympy(b)).radsimp())


def _product(a: Exact, b: Exact) -> Exact:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    return exact((to_sympy(a) * to_sympy(b)).expand())
