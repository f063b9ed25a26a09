"""Points: what is read, what is refused, and the reciprocal group."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from winograd.points import Infinity


def test_points_are_read_from_what_users_write() -> None:
    read = wg.as_points([0, "1/2", 0.25, sympy.sqrt(2), sympy.Symbol("c"), np.float32(3), math.inf])
    assert read == (0, Fraction(1, 2), Fraction(1, 4), sympy.sqrt(2), sympy.Symbol("c"), 3, wg.INF)


@pytest.mark.parametrize("infinite", ["inf", " Infinity ", "oo", "+inf", math.inf, np.float64("inf"), sympy.oo, wg.INF])
def test_infinity_has_many_spellings(infinite: object) -> None:
    assert wg.as_point(infinite) is wg.INF


def test_infinity_is_one() -> None:
    assert Infinity() is wg.INF is pickle.loads(pickle.dumps(wg.INF)) is copy.deepcopy(wg.INF)


@pytest.mark.parametrize(
    "points",
    [
        ["1/2", 0.5],
        [0, 1, sympy.Rational(0)],
        [wg.INF, 1, "inf"],
        [sympy.sqrt(2), "2/sqrt(2)"],
        ["c", "(c**2 + c)/(c + 1)"],
        [0.0, -0.0],
        ["sqrt(3 + 2*sqrt(2))", "1 + sqrt(2)"],
    ],
)
def test_equal_points_are_refused_however_they_are_written(points: list) -> None:
    with pytest.raises(ValueError, match=r"points must be distinct; .* appears at positions 1 and [23]"):
        wg.as_points(points)


@pytest.mark.parametrize(
    "point", [math.nan, "nan", -math.inf, "-inf", "1/0", "abc(", "", sympy.I, sympy.zoo, "sqrt(-1)"]
)
def test_what_is_no_point_is_a_value_error(point: object) -> None:
    with pytest.raises(ValueError):
        wg.as_points([0, point])


@pytest.mark.parametrize("point", [None, [1], True, 1j])
def test_what_is_no_number_is_a_type_error(point: object) -> None:
    with pytest.raises(TypeError, match="a point must be"):
        wg.as_points([point])


def test_text_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="parse_points"):
        wg.as_points("0, 1")


def test_parse_points() -> None:
    assert wg.parse_points("[0, 1, -1, 1/2, -2, inf]") == (0, 1, -1, Fraction(1, 2), -2, wg.INF)
    assert wg.parse_points("-1,0") == (-1, 0)


@pytest.mark.parametrize("text", ["", "0,,1", "0, 1,", ","])
def test_empty_entries_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry \d of .* is empty"):
        wg.parse_points(text)


@given(st.lists(st.fractions(max_denominator=1000), unique=True, max_size=8), st.booleans())
def test_formatted_points_read_back(points: list, infinite: bool) -> None:
    read = wg.as_points([*points, wg.INF] if infinite or not points else points)
    assert wg.parse_points(wg.format_points(read)) == read


@pytest.mark.parametrize("c", ["3/2", "2/3", "-2", "sqrt(2)", "c", 0.5])
def test_reciprocal_group(c: object) -> None:
    group = wg.reciprocal_group(c)
    value = sympy.sympify(wg.as_point(c))
    expected = [-1 / value, -value, value, 1 / value]
    assert [sympy.simplify(sympy.sympify(p) - e) for p, e in zip(group, expected, strict=True)] == [0] * 4
    assert len(set(wg.as_points(group))) == 4


@pytest.mark.parametrize("c", [0, "0", wg.INF, 1, -1, 1.0, "2/2", "sqrt(1)", math.nan])
def test_degenerate_groups_are_refused(c: object) -> None:
    with pytest.raises(ValueError):
        wg.reciprocal_group(c)
