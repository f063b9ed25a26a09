"""The normal form of algebraic numbers: the same number, seen for what it is."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from winograd.algebraic import canonical
from winograd.exact import exact, parse_number

DISGUISED = {
    "1/(2-(sqrt(2)-1)*(sqrt(2)+1))": 1,
    "(sqrt(6-2*sqrt(5))+1)**2": 5,
    "1/(((1+sqrt(5))/2)**2-(1+sqrt(5))/2)": 1,
    "sqrt(3+2*sqrt(2))-sqrt(2)": 1,
    "(sqrt(2)+sqrt(3))**2-2*sqrt(6)": 5,
}


@pytest.mark.parametrize(("text", "value"), DISGUISED.items())
def test_a_rational_is_seen_through_any_disguise(text, value):
    assert exact(text) == Fraction(value)
    assert isinstance(exact(text), Fraction)
    assert wg.Transform([[text]], [[1]], [[1]]) == wg.Transform([[value]], [[1]], [[1]])


@pytest.mark.parametrize("text", DISGUISED)
def test_disguised_points_are_found_equal(text):
    with pytest.raises(ValueError, match="points must be distinct"):
        wg.toom_cook(2, 3, [0, text, DISGUISED[text], wg.INF])


@pytest.mark.parametrize("text", DISGUISED)
def test_substituting_and_scaling_keep_the_proof(text):
    T = wg.toom_cook(2, 3, [0, "c", "-c", wg.INF])
    assert T.subs({"c": text}).verify() == T.subs({"c": DISGUISED[text]})
    assert T.subs({"c": 2}).scaled(A=[text, 1, 1, 1]).verify().AT[0, 0] == DISGUISED[text]


small = st.integers(-6, 6)


@given(a=small, b=small, c=small, d=st.integers(2, 12), e=small)
def test_the_normal_form_is_the_same_number(a, b, c, d, e):
    """Against evaluation to 40 digits; the numbers are sums and quotients of one or two square roots."""
    number = a + b * sympy.sqrt(d) + c * sympy.sqrt(3 + 2 * sympy.sqrt(2))
    if (e + sympy.sqrt(d)).is_zero is False:
        number = number / (e + sympy.sqrt(d))
    normal = canonical(number)
    assert abs(sympy.N(normal, 40) - sympy.N(number, 40, maxn=1000)) < Fraction(1, 10**30)
    assert canonical(normal) == normal
    assert canonical(parse_number(str(normal))) == normal


@pytest.mark.parametrize("number", [sympy.pi, sympy.E, sympy.cos(sympy.pi / 7), sympy.sin(1) ** 2, 1 + sympy.log(2)])
def test_other_numbers_are_refused(number):
    with pytest.raises(ValueError, match="number must be made of rationals and roots"):
        exact(number)


def test_symbols_lose_their_assumptions_and_are_read_back_equal():
    T = wg.toom_cook(2, 3, [0, sympy.Symbol("c", positive=True), -1, wg.INF])
    assert wg.Transform.from_json(T.to_json()) == T
    assert T.free_symbols == {sympy.Symbol("c")}
