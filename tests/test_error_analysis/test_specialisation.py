"""Members of a family from its symbolic transform: those that the family makes itself."""

from fractions import Fraction

import pytest

import winograd as wg
from error_analysis.sweeping.specialisation import Members
from winograd import family
from winograd.exact import exact


@pytest.mark.parametrize("c", ["3/2", "-7/5", "sqrt(2)", "1/2 + sqrt(5)/2", 1.1])
@pytest.mark.parametrize(("name", "m"), [("reciprocal", 6), ("reciprocal", 5), ("pairs", 4), ("three", 5), ("one", 2)])
def test_a_member_is_what_the_family_makes(name, m, c):
    members = Members.of(family(name), m, 3, {})
    assert members.symbolic is not None and members.symbolic.verify().free_symbols
    made, wanted = members.transform((exact(c),)), family(name).transform(m, 3, c)
    assert made == wanted and made.points == wanted.points and made.origin == wanted.origin


@pytest.mark.parametrize(("name", "c"), [("reciprocal-2", ("3/2", "5/2")), ("quadratic", (Fraction(2),))])
def test_without_a_symbolic_transform_each_member_is_generated(name, c):
    members = Members.of(family(name), 6, 3, {})
    assert members.symbolic is None
    assert members.transform(tuple(map(exact, c))) == family(name).transform(6, 3, *c)


def test_the_row_of_zero_has_the_sign_that_numbers_have():
    # -1 * 1 * -c * c is positive for one pair beside 0, 1, -1, and with a symbol its sign is not known.
    members = Members.of(family("pairs-2"), 4, 3, {})
    assert members.transform((Fraction(1, 2), Fraction(3))).G[0, 0] > 0
    assert Members.of(family("pairs"), 2, 3, {}).transform((Fraction(3),)).G[0, 0] > 0


def test_the_recipe_is_that_of_the_algorithm():
    A = Members.of(family("pairs"), 2, 3, {"dims": 2, "fma": True}).algorithm((Fraction(1, 2),))
    assert wg.Algorithm(family("pairs").transform(2, 3, "1/2"), dims=2, fma=True) == A


def test_equal_points_are_refused_with_their_reason():
    with pytest.raises(ValueError, match="c must not be 1 or -1, where c and 1/c coincide"):
        Members.of(family("reciprocal"), 4, 3, {}).transform((Fraction(1),))
    with pytest.raises(ValueError, match="points must be distinct; -1 appears at positions 3 and 4"):
        Members.of(family("pairs"), 4, 3, {}).transform((Fraction(1),))


def test_points_that_do_not_depend_on_c():
    fixed = wg.Family("fixed", 1, "0, 1, -1, inf whatever c is", lambda n, c: (0, 1, -1, wg.INF), frozenset({4}))
    assert Members.of(fixed, 2, 3, {}).transform((Fraction(7),)) == family("integers").transform(2, 3)
