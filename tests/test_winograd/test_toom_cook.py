"""Toom-Cook against wincnn, over three kinds of field, and fast enough."""


import pytest
import sympy
import wincnn

import winograd as wg

GENERIC = wg.parse_points("0, 1, -1, 1/2, -1/2, 2, -2, -1/4, 4, 1/4, -3/4, 4/3, -4, 2/3, -3/2, -2/3, 3/2")


def row_factor(ours: sympy.Matrix, theirs: sympy.Matrix) -> sympy.Expr | None:
    """The q with ours = q * theirs, for two rows; None where there is none."""
    ratios = set()
    for a, b in zip(ours, theirs, strict=True):
        if (a == 0) != (b == 0):
            return None
        if a != 0:
            ratios.add(sympy.Rational(a) / sympy.Rational(b))
    return ratios.pop() if len(ratios) == 1 else None


@pytest.mark.parametrize(
    ("m", "r", "points"),
    [
        (2, 3, [0, 1, -1]),
        (4, 3, [0, 1, -1, 2, -2]),
        (4, 3, [0, 1, -1, "1/2", -2]),
        (6, 3, [0, 1, -1, 2, -2, "1/2", "-1/2"]),
        (2, 5, [0, 1, -1, 2, -2]),
        (3, 4, [3, 1, "-1/3", 2, "5/7"]),
        (4, 1, [0, 1, -1]),
        (1, 4, [0, 1, -1]),
    ],
)
@pytest.mark.parametrize("fractions", ["G", "A", "B"])
def test_against_wincnn_up_to_row_scaling(m: int, r: int, points: list, fractions: str) -> None:
    """Row k of G and of BT and column k of AT may each carry a factor; the three factors cancel."""
    theirs_AT, theirs_G, theirs_BT, _ = wincnn.cookToomFilter([sympy.Rational(p) for p in points], m, r)
    T = wg.toom_cook(m, r, [*points, wg.INF], fractions)
    for k in range(T.n):
        factors = [
            row_factor(T.AT[:, k], theirs_AT[:, k]),
            row_factor(T.G[k, :], theirs_G[k, :]),
            row_factor(T.BT[k, :], theirs_BT[k, :]),
        ]
        assert None not in factors
        assert sympy.prod(factors) == 1


@pytest.mark.parametrize("fractions", ["G", "A", "B"])
def test_fractions_sit_where_they_are_asked_for(fractions: str) -> None:
    T = wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF], fractions).verify()
    holds = {name: any(not e.is_Integer for e in getattr(T, name)) for name in ("AT", "G", "BT")}
    assert holds == {"AT": fractions == "A", "G": fractions == "G", "BT": fractions == "B"}


@pytest.mark.parametrize(
    ("m", "points"),
    [
        (4, ["0", "sqrt(2)", "-sqrt(2)", "1/sqrt(2)", "-1/sqrt(2)", "inf"]),
        (2, ["sqrt(2)", "sqrt(3)", "-sqrt(2)", "-sqrt(3)"]),
        (4, ["0", "c", "-c", "1/c", "-1/c", "inf"]),
        (2, ["a", "b", "a + b", "inf"]),
        (2, ["(1 + sqrt(5))/2", "(1 - sqrt(5))/2", 0, 1]),
        (2, [0.1, 0.3, -0.7, "inf"]),
    ],
)
def test_every_field_is_proved(m: int, points: list) -> None:
    wg.toom_cook(m, 3, points).verify()


def test_the_order_of_the_points_is_the_order_of_the_rows() -> None:
    T = wg.toom_cook(2, 3, ["inf", 2, 0, 1]).verify()
    assert list(T.AT[1, :]) == [1, 2, 0, 1]
    assert list(T.G[0, :]) == [0, 0, 1]


@pytest.mark.parametrize(
    ("m", "r", "points", "message"),
    [
        (4, 3, [0, 1, -1, 2, -2], r"F\(4, 3\) needs m \+ r - 1 = 6 points; got 5"),
        (2, 3, [0, 1, -1, 2, wg.INF], "= 4 points; got 5"),
        (2, 3, [0, "1/2", 0.5, 1], "points must be distinct; 1/2 appears at positions 2 and 3"),
        (2, 3, [0, wg.INF, 1, "inf"], "inf appears at positions 2 and 4"),
        (0, 3, [0, 1], "m must be at least 1; got 0"),
        (2, -1, [0, 1], "r must be at least 1; got -1"),
        (2, 3, [0, 1, float("nan"), 2], "number must be finite"),
        (2, 3, [0, 1, "one half!", 2], "point does not parse"),
    ],
)
def test_bad_input_is_refused(m: int, r: int, points: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.toom_cook(m, r, points)


@pytest.mark.parametrize("m", [2.0, "2", True, None])
def test_sizes_must_be_integers(m: object) -> None:
    with pytest.raises(TypeError, match="m must be an integer"):
        wg.toom_cook(m, 3, [0, 1, -1, wg.INF])  # type: ignore[arg-type]


def test_unknown_place_for_fractions_is_refused() -> None:
    with pytest.raises(ValueError, match="fractions must be one of G, A, B; got 'AT'"):
        wg.toom_cook(2, 3, [0, 1, -1, wg.INF], "AT")
