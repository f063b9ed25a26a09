"""The exact tables: what a value is, and what an error in it does, checked by running the programs."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import winograd as wg
from error_analysis.prediction.sensitivity import STAGES, Stage, axis_tables, converts, rational, rounded_constant

ALGORITHMS = [
    wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF])),
    wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4)), passes=("share", "factor"), fma=True),
    wg.Algorithm((wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), wg.toom_cook(3, 2, [0, 1, -1, "1/2"]))),
]


class Disturbed(wg.ExactArithmetic):
    """Exact arithmetic that adds one unit to the result of one operation."""

    def __init__(self, program: wg.Program, value: int) -> None:
        self.left = value - program.inputs

    def _seen(self, x):
        self.left -= 1
        return x + 1 if self.left == -1 else x

    def add(self, a, b):
        return self._seen(a + b)

    def sub(self, a, b):
        return self._seen(a - b)

    def mul(self, a, c):
        return self._seen(a * c)

    def neg(self, a):
        return self._seen(-a)

    def fma(self, a, c, b):
        return self._seen(a * c + b)


def disturbed(program: wg.Program, value: int, inputs: list) -> list:
    inputs = list(inputs)
    if value < program.inputs:
        inputs[value] += 1
    return wg.evaluate(program, inputs, Disturbed(program, value))


@pytest.mark.parametrize("A", ALGORITHMS[:2], ids=str)
def test_an_error_reaches_the_outputs_as_the_tables_say(A: wg.Algorithm) -> None:
    """With integers, and one unit more in one value of one transform, y changes by z times the other factor."""
    programs, t = A.programs[0], axis_tables(A.programs[0])
    d = [Fraction(3 * i * i - 7 * i + 2) for i in range(A.tile[0])]
    g = [Fraction(k * k - 2 * k + 5, 3) for k in range(A.r[0])]
    exact = wg.ExactArithmetic()
    U, V = wg.evaluate(programs.G, g, exact), wg.evaluate(programs.BT, d, exact)
    M = [u * v for u, v in zip(U, V, strict=True)]
    y = wg.evaluate(programs.AT, M, exact)

    def change(U: list, V: list) -> list:
        after = wg.evaluate(programs.AT, [u * v for u, v in zip(U, V, strict=True)], exact)
        return [float(a - b) for a, b in zip(after, y, strict=True)]

    floats = [np.array([float(x) for x in values]) for values in (d, g, M)]
    # Exact on one side, in float64 on the other; fewer than a hundred terms, each far below 1e4: 1e6 * 2^-53 < 1e-9.
    for e in range(len(t.z_BT)):
        assert change(U, disturbed(programs.BT, e, d)) == pytest.approx(t.z_BT[e] @ floats[1], abs=1e-9)
    for e in range(len(t.z_G)):
        assert change(disturbed(programs.G, e, g), V) == pytest.approx(t.z_G[e] @ floats[0], abs=1e-9)
    for e in range(len(t.z_AT)):
        after = disturbed(programs.AT, e, M)
        assert [float(a - b) for a, b in zip(after, y, strict=True)] == pytest.approx(t.z_AT[e], abs=1e-9)
    for e, form in enumerate(t.pairs_AT[: programs.AT.inputs]):
        assert floats[1] @ form @ floats[0] == pytest.approx(floats[2][e])


def test_the_pairs_of_an_output_are_the_convolution() -> None:
    for A in ALGORITHMS:
        for programs in A.programs:
            t = axis_tables(programs)
            outputs = t.pairs_AT[list(programs.AT.outputs)]
            for p, a, k in product(*map(range, outputs.shape)):
                assert outputs[p, a, k] == (k == p + a)


@pytest.mark.parametrize("stage", STAGES)
def test_two_axes_are_the_program_of_the_tensor_product(stage: str) -> None:
    """An error on an axis gains what the product over axes says: against the full linear maps, in float64."""
    A = ALGORITHMS[2]
    tables = [axis_tables(p) for p in A.programs]
    AT, G, BT = (np.kron(*(getattr(t, name) for t in tables)) for name in ("AT", "G", "BT"))
    S = Stage(A, stage, 1)
    matrix = {"filter": "G", "input": "BT", "output": "AT"}[stage]
    second = getattr(tables[1], matrix)
    for axis in (0, 1):
        sizes = S.sizes(axis)
        deltas = np.zeros(sizes.shape)
        e, line = len(sizes) - 1, sizes.shape[1] - 1
        deltas[e, line] = 1.0
        z = {"filter": "z_G", "input": "z_BT", "output": "z_AT"}[stage]
        # The column of the transformed tile that hangs on the value, by undoing the last part of z.
        program = getattr(A.programs[axis], matrix)
        reach = np.array([float(v) for v in disturbed(program, e, [Fraction(0)] * program.inputs)])
        if axis == 0:
            column = np.kron(reach, second[:, line])
        else:
            rows = len(getattr(tables[0], matrix))
            column = np.kron(np.eye(rows)[line], reach)
        if stage == "output":
            expected = np.abs(column)
        else:
            other = G if stage == "input" else BT
            expected = np.abs(AT @ (column[:, np.newaxis] * other)).sum(axis=1)
        assert S.gained(deltas, axis).ravel() == pytest.approx(expected), (axis, z)


def test_sizes_are_norms_of_forms() -> None:
    A = ALGORITHMS[2]
    first, second = (axis_tables(p) for p in A.programs)
    full = np.abs(np.kron(first.BT, second.BT)).sum(axis=1).reshape(A.n)
    assert Stage(A, "input", 1).output_sizes() == pytest.approx(full)
    assert Stage(A, "output", 2).output_sizes() == pytest.approx(np.full(A.m, 6.0))


def test_constants_and_conversions() -> None:
    held, missing = rounded_constant(Fraction(1, 3), "float16")
    assert held == float(np.float16(1 / 3)) and missing == pytest.approx(held - 1 / 3, rel=1e-9)
    assert rounded_constant(Fraction(3, 4), "bfloat16") == (0.75, 0.0)
    assert rounded_constant(Fraction(10**6), "float16") == (np.inf, np.inf)
    root = wg.parse_number("sqrt(2)")
    assert abs(rational(root) ** 2 - 2) < Fraction(1, 10**55)
    assert converts("float16", "bfloat16") == (True, False)
    assert converts("bfloat16", "float16") == (False, True)
    assert converts("float8_e5m2", "float16") == (False, False)
