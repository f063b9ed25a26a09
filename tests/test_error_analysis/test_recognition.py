"""Points, scaling and repair recovered from matrices, for every kind of damage tried."""

from fractions import Fraction
from itertools import product

import pytest

from error_analysis.auditing.recognition import (
    distinct_points,
    likely_points,
    nearest_repair,
    predicted_entries,
    recovered_points,
    recovered_scaling,
)
from winograd import INF, Transform, from_moduli, parse_points, published_points, toom_cook

F23 = toom_cook(2, 3, [0, 1, -1, INF])
F43 = toom_cook(4, 3, parse_points("0, 1, -1, 1/2, -2, inf"))
F63 = toom_cook(6, 3, parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf"))
SURD = toom_cook(4, 3, parse_points("0, sqrt(2), -sqrt(2), 1/sqrt(2), -1/sqrt(2), inf"))


def damaged(T, name, row, column, value):
    matrices = {which: getattr(T, which).as_mutable() for which in ("AT", "G", "BT")}
    matrices[name][row, column] = value
    return Transform(*matrices.values())


@pytest.mark.parametrize("m", range(2, 11))
def test_points_of_published_transforms(m):
    points = published_points(m)
    T = toom_cook(m, 3, points)
    assert recovered_points(T) == points
    assert set(recovered_scaling(T, points).products) == {1}


def test_points_survive_scaling_and_permutation():
    T = SURD.scaled(A=[1, 2, 3, "1/2", -1, 5], B=[2, 1, "sqrt(2)", 1, 1, "1/3"])
    assert recovered_points(T) == SURD.points
    scaling = recovered_scaling(T, SURD.points)
    assert list(scaling.AT) == [1, 2, 3, Fraction(1, 2), -1, 5] and set(scaling.products) == {1}
    order = [3, 0, 5, 1, 4, 2]
    P = Transform(F43.AT[:, order], F43.G[order, :], F43.BT[order, :])
    assert recovered_points(P) == tuple(F43.points[k] for k in order)
    assert set(recovered_scaling(P, recovered_points(P)).products) == {1}


def test_a_product_of_higher_degree_has_no_point():
    T = from_moduli(4, 3, ["x", "x-1", "x+1", "x^2+1", "inf"])
    points = recovered_points(T)
    assert points[:3] == (0, 1, -1) and None in points
    assert distinct_points(points) is None


def test_one_wrong_entry_is_found_wherever_it_is():
    for T, name in product((F23, F43), ("AT", "G", "BT")):
        matrix = getattr(T, name)
        for i, j in product(range(matrix.rows), range(matrix.cols)):
            D = damaged(T, name, i, j, matrix[i, j] + Fraction(1, 3))
            repair = nearest_repair(D)
            assert repair.transform.verify() is repair.transform
            # In some places another single change does as well, such as an entry of G in place of one of BT.
            assert repair.kind in ("entry", "scaling")
            if repair.kind == "entry" and repair.change.startswith(f"{name}[{i}, {j}] "):
                assert repair.transform == T


def test_a_lost_sign_in_the_field_of_a_surd():
    D = damaged(SURD, "BT", 1, 2, -SURD.BT[1, 2])
    assert nearest_repair(D).transform == SURD
    assert nearest_repair(D).change.startswith("BT[1, 2] must be ")


@pytest.mark.parametrize("k", range(8))
def test_diagonals_that_do_not_multiply_to_one(k):
    for name in ("AT", "G", "BT"):
        matrices = {which: getattr(F63, which).as_mutable() for which in ("AT", "G", "BT")}
        if name == "AT":
            matrices[name][:, k] *= 3
        else:
            matrices[name][k, :] *= 3
        repair = nearest_repair(Transform(*matrices.values()))
        repair.transform.verify()
        if repair.kind == "scaling":
            assert f"row {k} by 1/3" in repair.change
        else:  # the row of a unit vector: an entry is the whole of it
            assert k in (0, 7)
    scaling = recovered_scaling(Transform(F63.AT, 2 * F63.G, F63.BT), F63.points)
    assert set(scaling.products) == {2}


def test_orientation():
    assert nearest_repair(Transform(F43.AT, F43.G, F43.BT.T)).kind == "transposed"
    assert nearest_repair(Transform(F43.AT, F43.G[:, ::-1], F43.BT)).kind == "reversed"


def test_two_wrong_entries_are_beyond_repair():
    D = damaged(damaged(F43, "AT", 1, 1, 7), "G", 2, 2, 7)
    assert nearest_repair(D) is None


def test_prediction_is_toom_cook_rescaled():
    T = F63.scaled(A=[1, 2, 1, 4, 1, "1/8", 1, 3], B=[1, 1, 7, 1, 1, 1, "1/5", 1])
    assert predicted_entries(T, T.points) == T
    D = damaged(damaged(T, "AT", 3, 3, 100), "G", 3, 1, 100)
    assert recovered_points(D)[3] is None
    assert likely_points(D) == F63.points
    assert predicted_entries(D, F63.points) == T


def test_equal_points_are_no_points():
    assert distinct_points((Fraction(1), INF, INF)) is None
    assert distinct_points((Fraction(1), INF)) == (1, INF)
