"""Fusing: a product that is added becomes one fma, with one rounding instead of two."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from winograd.exact import exact
from winograd.passes.cleanup import without_dead
from winograd.program import Op, Program


def fused(program: Program) -> Program:
    """Turn each addition of a product by a constant into an fma; where both operands are products, the second one.

    `c*a - b` becomes fma(a, c, -b); the negation is exact, and compilers fold it into the instruction.
    """
    first = program.inputs
    ops: list[Op] = []
    renamed: dict[int, int] = {v: v for v in range(first)}

    number: dict[Op, int] = {}

    def add_op(op: Op) -> int:
        if op not in number:
            ops.append(op)
            number[op] = first + len(ops) - 1
        return number[op]

    def product(value: int) -> Op | None:
        op = program.ops[value - first] if value >= first else None
        return op if op is not None and op.kind == "mul" else None

    for index, op in enumerate(program.ops):
        args = tuple(renamed[a] for a in op.args)
        result: int | None = None
        if op.kind in ("add", "sub"):
            a, b = op.args
            if (second := product(b)) is not None:
                constant = second.constant if op.kind == "add" else _negative(second.constant)
                result = add_op(Op("fma", (renamed[second.args[0]], args[0]), constant))
            elif (leading := product(a)) is not None:
                addend = args[1] if op.kind == "add" else add_op(Op("neg", (args[1],)))
                result = add_op(Op("fma", (renamed[leading.args[0]], addend), leading.constant))
        renamed[first + index] = add_op(Op(op.kind, args, op.constant)) if result is None else result
    return without_dead(replace(program, ops=tuple(ops), outputs=tuple(renamed[v] for v in program.outputs)))


def _negative(value: object) -> object:
    return -value if isinstance(value, Fraction) else exact(-value)  # type: ignore[operator]
