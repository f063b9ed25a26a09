"""What all printed texts share: the head that each opens with, and the names of values."""

from __future__ import annotations

from collections.abc import Callable

from winograd.program import Program


def heading_lines(program: Program, format: str, dtype: str | None = None, name: str | None = None) -> list[str]:
    """Three lines or more: the title, order and counts with what each pass did, the command.

    The command prints the very text that the head stands on: it names the matrix, and the dtype and the name of the
    function where the text depends on them.
    """
    lines = [program.title, f"order {program.order}: {program.counts()}"]
    lines += [f"  {record}" for record in program.history]
    if program.command is None:
        lines.append("made from matrices given by hand")
    else:
        options = [f"--format {format}", f"--order {program.order}"]
        if program.history:
            options.append(f"--passes {','.join(record.name for record in program.history)}")
        options += [f"--{option} {text}" for option, text in (("dtype", dtype), ("name", name)) if text is not None]
        lines.append(f"made by: {program.command} {' '.join(options)}")
    return lines


def value_names(program: Program) -> Callable[[int], str]:
    """Names of values: x0, x1, ... for inputs, t0, t1, ... for results."""
    return lambda v: f"x{v}" if v < program.inputs else f"t{v - program.inputs}"
