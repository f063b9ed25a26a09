"""The head that every printed text opens with: what it is, order, counts, and the command that made it."""

from __future__ import annotations

from winograd.program import Program


def heading_lines(program: Program, format: str) -> list[str]:
    """Three lines or more: the title, order and counts with what each pass did, the command."""
    lines = [program.title, f"order {program.order}: {program.counts()}"]
    lines += [f"  {record}" for record in program.history]
    if program.command is None:
        lines.append("made from matrices given by hand")
    else:
        passes = ",".join(record.name for record in program.history)
        tail = f" --passes {passes}" if passes else ""
        lines.append(f"made by: {program.command} --format {format} --order {program.order}{tail}")
    return lines
