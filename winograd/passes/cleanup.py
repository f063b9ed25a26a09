"""Dropping operations whose results nothing uses."""

from __future__ import annotations

from dataclasses import replace

from winograd.program import Op, Program


def without_dead(program: Program) -> Program:
    """The program without operations that no output needs; the others keep their order."""
    needed = set(program.outputs)
    for index in range(len(program.ops) - 1, -1, -1):
        if program.inputs + index in needed:
            needed.update(program.ops[index].args)
    renamed = {v: v for v in range(program.inputs)}
    ops: list[Op] = []
    for index, op in enumerate(program.ops):
        value = program.inputs + index
        if value in needed:
            ops.append(replace(op, args=tuple(renamed[a] for a in op.args)))
            renamed[value] = program.inputs + len(ops) - 1
    return replace(program, ops=tuple(ops), outputs=tuple(renamed[v] for v in program.outputs))
