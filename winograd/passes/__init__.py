"""Passes: rewritings of a Program that keep its matrix exactly and record what they did to the counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from winograd.passes.factor import factored
from winograd.passes.fuse import fused
from winograd.passes.share import shared
from winograd.passes.transpose import transposed
from winograd.program import PassRecord, Program

PASSES: dict[str, Callable[[Program], Program]] = {
    "share": shared,
    "factor": factored,
    "fuse": fused,
    "transpose": transposed,
}


def apply_pass(program: Program, name: str) -> Program:
    """The program after one named pass, with a line added to its history.

    Raises
    ------
    ValueError
        For an unknown name, or a pass after "fuse", which would take the fused operations apart again.
    """
    if name not in PASSES:
        raise ValueError(f"pass must be one of {', '.join(PASSES)}; got {name!r}.")
    if name != "fuse" and any(op.kind == "fma" for op in program.ops):
        raise ValueError(f"fuse must be the last pass; {name!r} comes after it.")
    result = PASSES[name](program)
    return replace(result, history=(*program.history, PassRecord(name, program.counts(), result.counts())))
