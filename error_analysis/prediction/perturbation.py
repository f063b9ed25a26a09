"""Errors that are not random: each output's bilinear form, changed in the same way for all data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from error_analysis.prediction.sensitivity import AxisTables, outer, rounded_constant
from winograd import Algorithm, Program

Shift = tuple[int, int, float]
"""(value e, value v, factor f): value e is off by f times the form of v."""


def constant_shifts(program: Program, dtype: str) -> list[Shift]:
    """What constants that are not numbers of the format do: each operation is off by a multiple of its operand."""
    shifts = []
    for e, op in enumerate(program.ops, program.inputs):
        if op.constant is not None and (off := rounded_constant(op.constant, dtype)[1]):
            shifts.append((e, op.args[0], off))
    return shifts


def squared_change(
    A: Algorithm,
    tables: Sequence[AxisTables],
    shifts: Mapping[tuple[str, int], Sequence[Shift]],
    scales: Sequence[float],
) -> np.ndarray:
    """Sum over channels of the squared change of each output's form, in the norm of its coefficients.

    Parameters
    ----------
    A : Algorithm
    tables : sequence of AxisTables
    shifts : mapping from ("filter" | "input" | "output", axis) to shifts
        To first order they add up, with the shift of one axis times the exact form of the others.
    scales : sequence of float, one for each channel
        Change of the whole form of a channel, as a multiple of it.

    Returns
    -------
    array, shape A.m
    """
    changes, squares, alike = [], [], []
    for axis, (programs, t) in enumerate(zip(A.programs, tables, strict=True)):
        change = np.zeros((len(t.AT), t.G.shape[1], t.BT.shape[1]))
        for e, v, factor in shifts.get(("input", axis), ()):
            change += factor * t.z_BT[e][:, :, np.newaxis] * t.forms_BT[v]
        for e, v, factor in shifts.get(("filter", axis), ()):
            change += factor * t.forms_G[v][:, np.newaxis] * t.z_G[e][:, np.newaxis, :]
        for e, v, factor in shifts.get(("output", axis), ()):
            change += factor * t.z_AT[e][:, np.newaxis, np.newaxis] * t.pairs_AT[v]
        changes.append(change)
        squares.append((change**2).sum((1, 2)))
        alike.append((change * t.pairs_AT[list(programs.AT.outputs)]).sum((1, 2)))
    fixed = squared = np.zeros(A.m)
    for a in range(A.dims):
        fixed = fixed + outer(_with(A, {a: alike[a]}))
        for b in range(A.dims):
            squared = squared + outer(_with(A, {a: squares[a]} if a == b else {a: alike[a], b: alike[b]}))
    whole = outer(_with(A, {}))
    s = np.asarray(scales, float)
    return np.asarray(len(s) * squared + 2 * s.sum() * fixed + (s**2).sum() * whole)


def _with(A: Algorithm, given: Mapping[int, np.ndarray]) -> list[np.ndarray]:
    """By axis: what is given, else the squared norm r of the exact form, r coefficients of 1."""
    return [given.get(axis, np.full(m, float(r))) for axis, (m, r) in enumerate(zip(A.m, A.r, strict=True))]
