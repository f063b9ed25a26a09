"""Matrices and programs as text."""

import numpy as np
import sympy

import winograd as wg
from winograd.rendering.text import matrix_text


def test_columns_are_aligned_and_entries_exact() -> None:
    text = matrix_text(sympy.Matrix([["-1/2", "sqrt(2)"], [10, sympy.Symbol("c")]]))
    assert text == "[ -1/2  sqrt(2) ]\n[   10        c ]"


def test_every_entry_reads_back() -> None:
    T = wg.toom_cook(6, 3, wg.parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf"))
    rows = [line.strip("[] ").split() for line in matrix_text(T.BT).splitlines()]
    assert sympy.Matrix([[wg.parse_number(e) for e in row] for row in rows]) == T.BT
    assert len({len(line) for line in matrix_text(T.BT).splitlines()}) == 1


def test_arrays_print_floats_that_read_back() -> None:
    G = wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 2, -2, inf")).matrices(np.float32)[1]
    rows = [line.strip("[] ").split() for line in matrix_text(G).splitlines()]
    assert np.array_equal(np.array(rows, np.float64).astype(np.float32), G)


def test_a_program_is_one_operation_a_line() -> None:
    P = wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 2, -2, inf")).program("BT", "huffman", ["share", "fuse"])
    lines = [line for line in str(P).splitlines() if not line.startswith("#")]
    assert len(lines) == len(P.ops) + len(P.outputs)
    assert sum("fma(" in line for line in lines) == P.counts().fmas


def test_constants_that_are_sums_stand_in_brackets() -> None:
    P = wg.foreign_program(1, [("mul", 0, "1 + sqrt(2)"), ("mul", 1, "-1/3")], [2])
    assert "t0 = (1 + sqrt(2)) * x0\nt1 = -1/3 * t0" in str(P)
