"""Linear forms: a Program seen as named sums, the view in which sums are shared, factored and ordered.

    variable v  =  sum of coefficient * (an input or an earlier variable)

A matrix is the forms of its rows. Passes rewrite forms; `emit` turns them into operations in a named order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from winograd.exact import Exact, exact, magnitude, sign, to_sympy
from winograd.orders import Tree, leaves, order_named
from winograd.program import Op, Program

Form = tuple[tuple[Exact, int], ...]
"""Terms (coefficient, variable); no variable twice, no coefficient zero unless it is the only term."""


@dataclass(frozen=True)
class LinearForms:
    """Forms over `inputs` input variables; form i defines variable inputs + i; `outputs` are variables."""

    inputs: int
    forms: tuple[Form, ...]
    outputs: tuple[int, ...]

    def with_forms(self, forms: list[Form], outputs: list[int]) -> LinearForms:
        """The same inputs with other forms, put into an order in which each uses earlier ones only."""
        order: list[int] = []
        state: dict[int, bool] = {}

        def visit(variable: int) -> None:
            if variable < self.inputs or state.get(variable):
                return
            for _, used in forms[variable - self.inputs]:
                visit(used)
            state[variable] = True
            order.append(variable)

        for variable in outputs:
            visit(variable)
        renamed = {v: self.inputs + i for i, v in enumerate(order)} | {v: v for v in range(self.inputs)}
        sorted_forms = tuple(tuple((c, renamed[v]) for c, v in forms[v0 - self.inputs]) for v0 in order)
        return replace(self, forms=sorted_forms, outputs=tuple(renamed[v] for v in outputs))


def forms_of_matrix(matrix: Any) -> LinearForms:
    """The rows of an exact matrix as forms. A row of zeros becomes 0 times the first input."""
    rows: list[Form] = []
    for i in range(matrix.rows):
        terms = tuple((exact(matrix[i, j]), j) for j in range(matrix.cols) if matrix[i, j] != 0)
        rows.append(terms or ((Fraction(0), 0),))
    return LinearForms(matrix.cols, tuple(rows), tuple(matrix.cols + i for i in range(matrix.rows)))


def forms_of_program(program: Program) -> LinearForms:
    """Collapse each tree of additions that is used once into one form.

    A result that is used twice, multiplied or returned stays a variable of its own, so sharing and factoring
    survive; a fused operation is taken apart into its product and its sum.
    """
    first = program.inputs
    uses: dict[int, int] = {}
    multiplied: set[int] = set()
    for op in program.ops:
        for position, a in enumerate(op.args):
            uses[a] = uses.get(a, 0) + 1
            if op.kind == "mul" or (op.kind == "fma" and position == 0):
                multiplied.add(a)
    forms: list[Form] = []
    variable: dict[int, int] = {v: v for v in range(first)}

    def define(terms: list[tuple[Exact, int]]) -> int:
        forms.append(tuple(terms))
        return first + len(forms) - 1

    def terms_of(value: int, factor: Exact) -> list[tuple[Exact, int]]:
        """`value` times `factor` as terms, opening sums that nothing else uses."""
        if value in variable:
            return [(factor, variable[value])]
        op = program.ops[value - first]
        if op.kind == "mul":
            return [(_product(factor, op.constant), variable_of(op.args[0]))]
        if uses.get(value, 0) > 1 or value in multiplied:
            return [(factor, variable_of(value))]
        return opened(op, factor)

    def opened(op: Op, factor: Exact) -> list[tuple[Exact, int]]:
        if op.kind == "mul":
            return [(_product(factor, op.constant), variable_of(op.args[0]))]
        if op.kind == "neg":
            return terms_of(op.args[0], _product(factor, Fraction(-1)))
        if op.kind == "fma":
            product = (_product(factor, op.constant), variable_of(op.args[0]))
            return [product, *terms_of(op.args[1], factor)]
        second = _product(factor, Fraction(-1)) if op.kind == "sub" else factor
        return terms_of(op.args[0], factor) + terms_of(op.args[1], second)

    def variable_of(value: int) -> int:
        if value not in variable:
            variable[value] = define(opened(program.ops[value - first], Fraction(1)))
        return variable[value]

    outputs: list[int] = []
    for value in program.outputs:
        outputs.append(variable_of(value))
    gathered = [merged(form) for form in forms]
    return LinearForms(first, (), ()).with_forms(gathered, outputs)


def _product(a: Exact, b: Exact | None) -> Exact:
    assert b is not None
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    return exact(to_sympy(a) * to_sympy(b))


def merged(form: Form) -> Form:
    """Equal variables gathered into one term each, in the order of the variables."""
    total: dict[int, Exact] = {}
    for c, v in form:
        total[v] = c if v not in total else exact(to_sympy(total[v]) + to_sympy(c))
    terms = tuple((total[v], v) for v in sorted(total) if total[v] != 0)
    return terms or ((Fraction(0), form[0][1]),)


def matrix_program(matrix: Any, order: str, title: str = "program", command: str | None = None) -> Program:
    """The program of an exact matrix, its rows as sums in the named order."""
    return forms_program(forms_of_matrix(matrix), Program(matrix.cols, (), (), order, title, command))


def forms_program(forms: LinearForms, like: Program) -> Program:
    """The program of linear forms, in the order, and under the title and history, of another program."""
    ops, outputs = emit(forms, like.order)
    return replace(like, inputs=forms.inputs, ops=tuple(ops), outputs=tuple(outputs))


def emit(forms: LinearForms, order: str) -> tuple[list[Op], list[int]]:
    """The operations of the forms, sums in the named order, equal operations done once.

    Every partial sum is held with its sign apart, so that `-a - b` costs no negation until it is returned: only
    subtraction and the sign of a constant absorb signs, and neither rounds differently.
    """
    order_function = order_named(order)

    def tree_of(sizes: list[Fraction]) -> Tree:
        tree = order_function(sizes)
        if sorted(leaves(tree)) != list(range(len(sizes))):
            raise ValueError(f"an order must use every term once; {order!r} gave {tree} for {len(sizes)} terms.")
        return tree

    ops: list[Op] = []
    number: dict[Op, int] = {}

    def value(kind: Any, args: tuple[int, ...], constant: Exact | None = None) -> int:
        op = Op(kind, tuple(sorted(args)) if kind == "add" else args, constant)
        if op not in number:
            ops.append(op)
            number[op] = forms.inputs + len(ops) - 1
        return number[op]

    def combined(tree: Tree, terms: list[tuple[int, int]]) -> tuple[int, int]:
        if isinstance(tree, int):
            return terms[tree]
        (sign_a, a), (sign_b, b) = combined(tree[0], terms), combined(tree[1], terms)
        if sign_a == sign_b:
            return sign_a, value("add", (a, b))
        return 1, value("sub", (a, b) if sign_a > 0 else (b, a))

    held: list[tuple[int, int]] = [(1, v) for v in range(forms.inputs)]  # variable -> (sign, value)
    weights: list[Fraction] = [Fraction(1)] * forms.inputs
    for index, form in enumerate(forms.forms):
        variable = forms.inputs + index
        signs = [sign(c) * held[v][0] for c, v in form]
        scaled = [i for i, (c, _) in enumerate(form) if magnitude(c) != 1]
        # A returned sum must come out positive: if all its terms are negative, one constant takes the sign.
        turned = scaled[0] if variable in forms.outputs and max(signs) < 0 and scaled else None
        terms = []
        for i, (c, v) in enumerate(form):
            if magnitude(c) == 1:
                terms.append((signs[i], held[v][1]))
            else:
                constant = _product(c, Fraction(sign(c) or 1))
                if i == turned:
                    terms.append((1, value("mul", (held[v][1],), _product(constant, Fraction(-1)))))
                else:
                    terms.append((signs[i] or 1, value("mul", (held[v][1],), constant)))
        sizes = [magnitude(c) * weights[v] for c, v in form]
        held.append(combined(tree_of(sizes), terms))
        weights.append(sum(sizes, Fraction(0)))
    outputs = []
    for variable in forms.outputs:
        sign_of, v = held[variable]
        outputs.append(v if sign_of > 0 else value("neg", (v,)))
    return ops, outputs
