"""What constants that are no numbers of the format do to the form of an output."""

import numpy as np
import pytest

import winograd as wg
from error_analysis.prediction.perturbation import constant_shifts, squared_change
from error_analysis.prediction.sensitivity import axis_tables

A = wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4)), order="left")


@pytest.mark.parametrize("dims", [1, 2])
def test_it_is_the_change_of_the_rounded_matrices(dims: int) -> None:
    """Left to right, each constant is an entry: the form of float16 matrices, less the exact one."""
    algorithm = wg.Algorithm(A.transforms[0], dims=dims, order="left")
    rounded = [m.astype(float) for m in A.transforms[0].matrices(np.float16)]
    exact = A.transforms[0].matrices(np.float64)

    def forms(AT: np.ndarray, G: np.ndarray, BT: np.ndarray) -> np.ndarray:
        one = np.einsum("pi,ia,ik->pak", AT, G, BT)
        return one if dims == 1 else np.einsum("pak,qbl->pqabkl", one, one)

    axes = (1, 2) if dims == 1 else (2, 3, 4, 5)
    expected = ((forms(*rounded) - forms(*exact)) ** 2).sum(axis=axes)
    programs = A.programs[0]
    shifts = {
        (stage, axis): constant_shifts(getattr(programs, matrix), "float16")
        for stage, matrix in (("filter", "G"), ("input", "BT"), ("output", "AT")) for axis in range(dims)
    }
    found = squared_change(algorithm, [axis_tables(p) for p in algorithm.programs], shifts, [0.0])
    assert found == pytest.approx(expected, rel=1e-2)  # to first order


def test_scales_change_the_whole_form() -> None:
    tables = [axis_tables(A.programs[0])]
    assert squared_change(A, tables, {}, [0.5, 0.25]) == pytest.approx(np.full(4, 3 * (0.25 + 0.0625)))
    assert squared_change(A, tables, {}, [0.0]) == pytest.approx(np.zeros(4))


def test_exact_constants_shift_nothing() -> None:
    T = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
    assert all(constant_shifts(p, "float16") == [] for p in wg.Algorithm(T).programs[0])
