"""Where errors come from and where they go: exact linear tables of the programs, for the bound and the estimate.

Every value of a transform's Program is a linear form of the tile, and what is added to it by a rounding reaches the
outputs linearly. In several dimensions both are tensor products over the axes, so tables of one axis say it all:

    y[p] <- delta[.., i_b, e, l_c, ..]     factor of axis b before a:  |AT[p, i]| ||G[i, :]||
    at operation e of the program on       factor of axis a itself:    ||z_e[p, :]||, what y makes of e
    axis a, on the line (.., i_b, l_c, ..) factor of axis c after a:   1 if tap l - p exists, else 0

for the input transform, and likewise for the others. The last factor is the convolution itself: the axes after a still
do their whole transform, so that all their products together give back d. With L1 norms these are worst cases over
|g| <= 1, with squares (sum over taps of the square) they are variances for taps of variance one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy

from winograd import Algorithm, Op, Program, format_of, round_exact
from winograd.algorithm import Programs
from winograd.exact import Exact

_DIGITS = 60
"""Decimal digits of an irrational constant; what is then missing is far below the slack of the bounds."""


@dataclass(frozen=True)
class AxisTables:
    """The tables of one axis, float64, each entry rounded once from its exact value.

    `forms_BT[e]`, `forms_G[e]` are the coefficients of value e over the tile; `forms_AT[e]` those over the n products,
    and `pairs_AT[e]` the same over pairs of tap and datum, (r, tile). Values are numbered as in a Program, inputs
    first. `z_BT[e, p]` is what output p has of the taps for one unit of error in value e of the input transform,
    `z_G[e, p]` of the data for one in the filter transform, `z_AT[e, p]` just a number.
    """

    AT: np.ndarray
    G: np.ndarray
    BT: np.ndarray
    forms_BT: np.ndarray
    forms_G: np.ndarray
    forms_AT: np.ndarray
    pairs_AT: np.ndarray
    z_BT: np.ndarray
    z_G: np.ndarray
    z_AT: np.ndarray


class StageTables(NamedTuple):
    """One stage, one axis, one norm: sizes of values (`size_*`) and of what errors in them do (`gain_*`).

    `before` is for a position that an earlier axis has transformed, `at` for the values of this axis' program,
    `after` for a position still untransformed. Gains are (position, output).
    """

    size_before: np.ndarray
    size_at: np.ndarray
    size_after: np.ndarray
    gain_before: np.ndarray
    gain_at: np.ndarray
    gain_after: np.ndarray


STAGES = ("filter", "input", "output")
"""The transforms, by the names that `emulate` gives their values."""


def rational(value: Exact) -> Fraction:
    """The exact number; an irrational one to 60 digits."""
    return value if isinstance(value, Fraction) else Fraction(str(sympy.N(value, _DIGITS)))


def rounded_constant(value: Exact, dtype: str) -> tuple[float, float]:
    """(constant as the format holds it, that minus the exact constant), the first infinite where it overflows.

    Rounding
    --------
    The difference is rounded once to float64.
    """
    try:
        held = round_exact(value, dtype)
    except OverflowError:
        return math.inf, math.inf
    return float(held), float(Fraction(float(held)) - rational(value))


@lru_cache(maxsize=256)
def axis_tables(programs: Programs) -> AxisTables:
    """The tables of the three programs of one axis.

    Rounding
    --------
    One for each entry: sums and products are exact, in fractions or in integers over a common denominator.
    """
    forms = {name: _forms(getattr(programs, name)) for name in programs._fields}
    reach = {name: _reach(getattr(programs, name)) for name in programs._fields}
    AT, G, BT = (forms[name][list(getattr(programs, name).outputs)] for name in programs._fields)
    # (n, r * tile): what product i is made of, and by transposition of the sum what an output makes of it.
    pairs = _matmul_rows(G, BT)
    to_taps = _matmul_rows(AT.T, G).reshape(len(G), -1)
    to_data = _matmul_rows(AT.T, BT).reshape(len(G), -1)
    m, r, tile = len(AT), G.shape[1], BT.shape[1]
    return AxisTables(
        AT=_floats(AT),
        G=_floats(G),
        BT=_floats(BT),
        forms_BT=_floats(forms["BT"]),
        forms_G=_floats(forms["G"]),
        forms_AT=_floats(forms["AT"]),
        pairs_AT=_product(forms["AT"], pairs.reshape(len(G), -1)).reshape(-1, r, tile),
        z_BT=_product(reach["BT"], to_taps).reshape(-1, m, r),
        z_G=_product(reach["G"], to_data).reshape(-1, m, tile),
        z_AT=_floats(reach["AT"]),
    )


def _forms(program: Program) -> np.ndarray:
    """The exact form of every value over the inputs, (values, inputs)."""
    rows: list[np.ndarray] = [
        np.array([Fraction(int(i == j)) for j in range(program.inputs)], object) for i in range(program.inputs)
    ]
    for op in program.ops:
        terms = zip(op.args, _factors(op), strict=True)
        rows.append(sum((rows[v] * factor for v, factor in terms), np.full(program.inputs, Fraction(0), object)))
    return np.array(rows, object).reshape(len(rows), program.inputs)


def _reach(program: Program) -> np.ndarray:
    """What one unit added to a value adds to each output, (values, outputs), exactly: the sweep from the back."""
    total = np.full((program.inputs + len(program.ops), len(program.outputs)), Fraction(0), object)
    for column, value in enumerate(program.outputs):
        total[value, column] += 1
    for index in range(len(program.ops) - 1, -1, -1):
        op, row = program.ops[index], total[program.inputs + index]
        for argument, factor in zip(op.args, _factors(op), strict=True):
            total[argument] += row * factor
    return total


def _factors(op: Op) -> tuple[Fraction, ...]:
    """What an operation multiplies each operand by."""
    one = Fraction(1)
    factor = one if op.constant is None else rational(op.constant)
    return {"add": (one, one), "sub": (one, -one), "neg": (-one,), "mul": (factor,), "fma": (factor, one)}[op.kind]


def _matmul_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The outer product of each pair of rows, (n, columns of a, columns of b)."""
    return a[:, :, np.newaxis] * b[:, np.newaxis, :]


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b of exact fractions, by integers over a common denominator, then rounded."""
    (x, p), (y, q) = _integers(a), _integers(b)
    return np.frompyfunc(lambda k: k / (p * q), 1, 1)(x.dot(y)).astype(float)


def _integers(a: np.ndarray) -> tuple[np.ndarray, int]:
    common = math.lcm(*(x.denominator for x in a.flat))
    return np.frompyfunc(lambda x: x.numerator * (common // x.denominator), 1, 1)(a), common


def _floats(a: np.ndarray) -> np.ndarray:
    return np.frompyfunc(float, 1, 1)(a).astype(float)


@lru_cache(maxsize=1024)
def stage_tables(programs: Programs, stage: str, power: int) -> StageTables:
    """Sizes and gains of one axis: sums over the tile of |coefficient|**power."""
    t = axis_tables(programs)

    def total(a: np.ndarray, axes: int = 1) -> np.ndarray:
        return np.asarray((np.abs(a) ** power).sum(axis=tuple(range(-axes, 0))))

    m, (_, r), tile = len(t.AT), t.G.shape, t.BT.shape[1]
    AT = np.abs(t.AT.T) ** power
    if stage == "input":
        tap = np.subtract.outer(np.arange(tile), np.arange(m))
        window = ((tap >= 0) & (tap < r)).astype(float)
        return StageTables(
            total(t.BT), total(t.forms_BT), np.ones(tile), AT * total(t.G)[:, np.newaxis], total(t.z_BT), window
        )
    if stage == "filter":
        return StageTables(
            total(t.G), total(t.forms_G), np.ones(r), AT * total(t.BT)[:, np.newaxis], total(t.z_G), np.ones((r, m))
        )
    return StageTables(
        np.full(m, float(r)), total(t.pairs_AT, 2), total(t.G) * total(t.BT), np.eye(m), np.abs(t.z_AT) ** power, AT
    )


class Stage:
    """One transform of an Algorithm on all axes, under one norm.

    Parameters
    ----------
    A : Algorithm
    name : "filter", "input" or "output"
    power : int
        1 for sums of absolute values, 2 for sums of squares, and so on.
    """

    def __init__(self, A: Algorithm, name: str, power: int) -> None:
        self.axes = [stage_tables(p, name, power) for p in A.programs]
        matrix = {"filter": "G", "input": "BT", "output": "AT"}[name]
        self.programs: list[Program] = [getattr(p, matrix) for p in A.programs]

    def sizes(self, axis: int) -> np.ndarray:
        """Size of every value of the program on one axis, on all lines: (values, *positions of the other axes)."""
        factors = [t.size_before if b < axis else t.size_after for b, t in enumerate(self.axes)]
        del factors[axis]
        return outer([self.axes[axis].size_at, *factors])

    def output_sizes(self) -> np.ndarray:
        """Size of what the transform gives, (positions)."""
        return outer([t.size_before for t in self.axes])

    def gained(self, deltas: np.ndarray, axis: int) -> np.ndarray:
        """Outputs' share of errors in the values of one axis; deltas as `sizes`."""
        gains = [t.gain_before if b < axis else t.gain_after for b, t in enumerate(self.axes)]
        gains[axis] = self.axes[axis].gain_at
        return contracted(np.moveaxis(deltas, 0, axis), gains)

    def gained_at_entry(self, deltas: np.ndarray) -> np.ndarray:
        """Outputs' share of errors in the untransformed tile."""
        return contracted(deltas, [t.gain_after for t in self.axes])

    def gained_at_exit(self, deltas: np.ndarray) -> np.ndarray:
        """Outputs' share of errors in the transformed tile."""
        return contracted(deltas, [t.gain_before for t in self.axes])


def outer(factors: Sequence[np.ndarray]) -> np.ndarray:
    """The tensor product of vectors."""
    result: Any = np.ones(())
    for factor in factors:
        result = np.multiply.outer(result, factor)
    return np.asarray(result)


def contracted(x: np.ndarray, tables: Sequence[np.ndarray]) -> np.ndarray:
    """x with each axis, first to last, multiplied by its table (position, output)."""
    for table in tables:
        x = np.tensordot(x, table, axes=(0, 0))  # the new axis goes last, so the next one comes first
    return x


def converts(source: str, target: str) -> tuple[bool, bool]:
    """Whether numbers of `source` may round in `target`: (where they are normal there, where they are subnormal).

    Examples
    --------
    >>> converts("float32", "float16"), converts("float16", "float32"), converts("tf32", "float16")
    ((True, True), (False, False), (False, True))
    """
    a, b = format_of(source), format_of(target)
    return a.precision > b.precision, a.smallest < b.smallest
