"""Families: which sizes they fit, what their points are, and what they refuse."""

import pickle
from fractions import Fraction

import pytest
import sympy

import winograd as wg
from winograd.families import FAMILIES, LARGEST, Family, family

C = ["3/2", "5/2", "7/2", "9/2", "11/2", "13/2", "15/2", "17/2"]
# Larger sets cost time and take no other path.
SIZED = [(name, n) for name, made in FAMILIES.items() for n in sorted(made.sizes) if n <= 12]


@pytest.mark.parametrize(("name", "n"), SIZED)
def test_every_set_makes_a_convolution(name: str, n: int) -> None:
    made = family(name)
    r = min(3, n)
    T = made.transform(n - r + 1, r, *C[: made.parameters])
    assert T.wrong_coefficients == []
    assert T.n == n if made.linear else T.n > n


@pytest.mark.parametrize("n", range(3, 19))
def test_every_size_has_families_of_groups_pairs_and_fixed_points(n: int) -> None:
    fitting = [made for made in FAMILIES.values() if made.fits(n)]
    assert any(made.name.startswith(("reciprocal", "three")) for made in fitting)
    assert any(made.name.startswith("pairs") for made in fitting)
    assert {"integers", "fractions", "chebyshev", "superlinear"} <= {made.name for made in fitting}


@pytest.mark.parametrize(
    ("name", "m", "c", "points"),
    [
        ("reciprocal", 2, ["3/2"], "-2/3, -3/2, 3/2, 2/3"),
        ("reciprocal", 3, [1.5], "0, -2/3, -3/2, 3/2, 2/3"),
        ("reciprocal", 6, [2], "0, 1, -1, -1/2, -2, 2, 1/2, inf"),
        ("reciprocal-unit", 4, [4], "1, -1, -1/4, -4, 4, 1/4"),
        ("reciprocal-2", 6, [2, "sqrt(2)"], "-1/2, -2, 2, 1/2, -sqrt(2)/2, -sqrt(2), sqrt(2), sqrt(2)/2"),
        ("pairs-2", 4, ["5/8", "3/2"], "0, -5/8, 5/8, -3/2, 3/2, inf"),
        ("opposite", 4, ["1/2"], "0, 1, -1, 1/2, -2, inf"),
        ("same-side", 4, [2], "0, 1, -1, 2, 1/2, inf"),
        ("three", 5, ["1/2"], "0, 1, -1, 1/2, -2, -1/2, inf"),
        ("one", 3, ["1/2"], "0, 1, -1, 1/2, inf"),
        ("integers", 5, [], "0, 1, -1, 2, -2, 3, inf"),
        ("fractions", 8, [], "0, 1, -1, 2, -2, 1/2, -1/2, 3, -3, inf"),
        ("published", 4, [], "0, -1, 1, 1/2, -2, inf"),
        ("published-1d", 4, [], "0, -1, 1, 1/2, -3, inf"),
    ],
)
def test_points(name: str, m: int, c: list, points: str) -> None:
    assert family(name).points(m, 3, *c) == wg.parse_points(points)
    assert family(name).transform(m, 3, *c) == wg.toom_cook(m, 3, wg.parse_points(points))


@pytest.mark.parametrize("n", [3, 6, 7])
def test_chebyshev_nodes_are_the_zeros_of_the_polynomial_and_antisymmetric(n: int) -> None:
    *nodes, last = family("chebyshev").points(n - 2, 3)
    x = sympy.Symbol("x")
    zeros = sympy.Poly(sympy.chebyshevt(n - 1, x), x).nroots(n=30)
    assert last is wg.INF and nodes == [-node for node in reversed(nodes)]
    # A double lies within 2^-53 of a cosine, and NumPy's and C's cosines err by an ulp at most.
    assert all(abs(float(node - Fraction(str(zero)))) <= 2**-52 for node, zero in zip(nodes, zeros, strict=True))
    assert family("chebyshev-scaled").points(n - 2, 3, 2) == (*(2 * node for node in nodes), wg.INF)


def test_a_float_stands_for_its_exact_value() -> None:
    assert family("pairs").points(1, 3, 0.1)[2] == Fraction(0.1) != Fraction(1, 10)


def test_symbols_wait_for_a_value() -> None:
    T = family("reciprocal").transform(4, 3, "c").subs({"c": "3/2"})
    assert T.points == family("reciprocal").points(4, 3, "3/2")


def test_moduli_of_a_family_with_a_parameter() -> None:
    T = family("quadratic").transform(2, 3, "3/2")
    assert wg.from_moduli(2, 3, ["x^2 + 3/2", "x", "inf"]) == T
    assert family("superlinear").moduli(2, 3)[0] == "x^2 + 1"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: family("reciprocals"), r"family must be one of reciprocal, .*; got 'reciprocals'\."),
        (lambda: family("reciprocal").points(8, 3, 2), r"family reciprocal has sets of 4 to 8 points; F\(8, 3\) needs"),
        (lambda: family("reciprocal").points(4, 3), "family reciprocal takes one parameter; got 0"),
        (lambda: family("integers").points(4, 3, 2), "family integers takes no parameter; got 1"),
        (lambda: family("pairs-2").points(4, 3, 2), "family pairs-2 takes 2 parameters; got 1"),
        (lambda: family("reciprocal").points(4, 3, 1), "c must not be 1 or -1"),
        (lambda: family("reciprocal").points(4, 3, 0), "c must have a reciprocal"),
        (lambda: family("pairs").points(4, 3, 1), "points must be distinct; -1 appears at positions 3 and 4"),
        (lambda: family("pairs").points(4, 3, 0), "c must not be 0, where c and -c coincide"),
        (lambda: family("chebyshev-scaled").points(4, 3, 0), "c must not be 0, where all nodes coincide"),
        (lambda: family("reciprocal-2").points(6, 3, 2, "1/2"), "points must be distinct"),
        (lambda: family("pairs").points(4, 3, float("nan")), "number must be finite"),
        (lambda: family("superlinear").points(4, 3), "family superlinear has moduli in place of points"),
        (lambda: family("quadratic").transform(4, 3, -1), "moduli must be pairwise coprime"),
        (lambda: family("quadratic").transform(4, 3, "sqrt(2)"), "moduli must be polynomials in x with rational"),
        (lambda: family("integers").points(LARGEST, 3), r"family integers has sets of 2 to 32 points"),
        (lambda: family("integers").points(0, 3), "m must be at least 1"),
    ],
)
def test_what_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_no_family_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="family must be a name or a Family; got int 3"):
        family(3)


def test_a_family_of_ones_own() -> None:
    own = Family("own", 1, "0, c, inf", lambda n, c: (0, c, wg.INF), frozenset({3}))
    assert family(own) is own
    assert own.points(1, 3, 5) == (0, 5, wg.INF)


def test_families_can_be_sent_to_other_processes() -> None:
    for made in FAMILIES.values():
        assert pickle.loads(pickle.dumps(made)).name == made.name
    c = ("3/2", "5/2")
    again = pickle.loads(pickle.dumps(family("reciprocal-2")))
    assert again.points(6, 3, *c) == family("reciprocal-2").points(6, 3, *c)


def test_summaries_name_the_points() -> None:
    assert str(family("pairs")).startswith("pairs: one pair {-c, c}, with 0; 0, inf;")
