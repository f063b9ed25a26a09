"""Transforms by the Chinese remainder theorem: proved, equal to Toom-Cook where both apply, refused where none is."""

import pytest
import sympy

import winograd as wg


@pytest.mark.parametrize(
    ("m", "r", "moduli", "n"),
    [
        (4, 3, ["x", "x - 1", "x + 1", "x^2 + 1", "inf"], 7),
        (4, 3, ["x", "x^2 - 1", "x^2 + 1", "inf"], 8),
        (6, 3, ["x", "x - 1", "x + 1", "x^2 + 1", "x^2 + x + 1", "inf"], 10),
        (6, 3, ["x", "x - 1", "x + 1", "x - 2", "x + 2", "x^3 + 2"], 10),
        (2, 3, ["x^2 + 1", "x^2 - 2"], 6),
        (2, 3, ["x^4 + 1"], 7),
        (2, 3, ["x^2", "x - 1", "inf"], 5),
        (2, 3, ["2*x - 1", "3*x + 2/7", "x^2 - x/2 + 5"], 5),
        (4, 5, ["x", "x^2 + 1", "x^4 + 1", "inf"], 12),
        (1, 1, ["x"], 1),
        (1, 1, ["inf"], 1),
    ],
)
def test_moduli_of_any_degree_are_proved(m: int, r: int, moduli: list, n: int) -> None:
    T = wg.from_moduli(m, r, moduli).verify()
    assert (T.m, T.r, T.n, T.tile) == (m, r, n, m + r - 1)
    T.transpose().verify()


@pytest.mark.parametrize("infinite", [True, False])
def test_linear_moduli_are_points(infinite: bool) -> None:
    """Each product is that of Toom-Cook, up to factors that cancel: so the outer products of the three are equal."""
    points = ["0", "1", "-1", "1/2", "-3"] + (["inf"] if infinite else ["5"])
    moduli = ["inf" if p == "inf" else f"x - ({p})" for p in points]
    T, M = wg.toom_cook(4, 3, points), wg.from_moduli(4, 3, moduli)
    for k in range(6):
        for left, right in ((T.AT[:, k] * T.G[k, :], M.AT[:, k] * M.G[k, :]),):
            for row in range(6):
                assert left * T.BT[k, row] == right * M.BT[k, row]


def test_sympy_expressions_and_infinity_objects_serve_too() -> None:
    x = sympy.Symbol("x")
    assert wg.from_moduli(2, 2, [x, x - 1, wg.INF]) == wg.from_moduli(2, 2, ["x", "x-1", "inf"])


def test_the_rows_of_BT_are_integers() -> None:
    T = wg.from_moduli(4, 3, ["x - 1/2", "x + 2", "x", "x^2 + 1/3", "inf"])
    assert all(entry.is_Integer for entry in T.BT)


@pytest.mark.parametrize(
    ("moduli", "message"),
    [
        (["x", "x^2 + x", "inf"], "positions 1 and 2 share a factor"),
        (["x", "inf", "x - 1", "inf"], "positions 2 and 4 share a factor"),
        (["x^2 - 1", "x^2 - 2*x + 1"], "positions 1 and 2 share a factor"),
        (["x", "x - 1", "inf"], r"total degree m \+ r - 1 = 4; got 3"),
        (["x", "x - 1", "x + 1", "3"], "of degree 1 or more; got 3 at position 4"),
        (["x", "y - 1", "x + 1", "inf"], "moduli must be polynomials in x"),
        (["x", "1/x", "x + 1", "inf"], "moduli must be polynomials in x"),
        (["x", "x - sqrt(2)", "x + 1", "inf"], "moduli must be polynomials in x"),
        (["x", "x - ", "x + 1", "inf"], "number must be"),
        ([], "total degree"),
    ],
)
def test_bad_moduli_are_refused(moduli: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.from_moduli(2, 3, moduli)


@pytest.mark.parametrize("modulus", [None, [1], "", 2.5, object()])
def test_what_is_no_polynomial_is_refused(modulus: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        wg.from_moduli(2, 3, ["x", "x - 1", "x + 1", modulus])


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="m must be at least 1"):
        wg.from_moduli(0, 3, ["x"])
