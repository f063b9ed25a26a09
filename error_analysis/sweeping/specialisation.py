"""The transform of a family with its parameter left open, and its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy

from winograd import Algorithm, Family, Transform, format_points
from winograd.exact import Exact
from winograd.points import Infinity, Point
from winograd.transform import MATRIX_NAMES, transform_from_field

Polynomial = tuple[Fraction, ...]
"""Coefficients, lowest first."""
Quotient = tuple[Polynomial, Polynomial]
"""A rational function of c: numerator and denominator."""


@dataclass(frozen=True)
class Members:
    """The members of a family of one size: generated once as functions of c, then given values.

    Where there is one parameter and points, `symbolic` is the transform in the symbol c. Its entries are rational
    functions: `distinct` are those that differ, and `places` says which of them stands where. With several parameters
    such functions grow beyond use, and moduli want numbers: there each member is generated on its own. Both ways give
    the same transform.
    """

    family: Family
    m: int
    r: int
    recipe: Mapping[str, Any]
    symbolic: Transform | None = field(default=None)
    distinct: tuple[Quotient, ...] = field(default=(), repr=False)
    places: Mapping[str, list[list[int]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, family: Family, m: int, r: int, recipe: Mapping[str, Any]) -> Members:
        """With the symbolic transform, where there is one."""
        if not (family.linear and family.parameters == 1):
            return cls(family, m, r, recipe)
        symbolic = family.transform(m, r, "c")
        number: dict[Quotient, int] = {}
        places = {name: [[number.setdefault(entry, len(number)) for entry in row] for row in rows]
                  for name, rows in _rational_functions(symbolic).items()}
        return cls(family, m, r, recipe, symbolic, tuple(number), places)

    def transform(self, c: tuple[Exact, ...]) -> Transform:
        """The member at these parameters; equal to `family.transform(m, r, *c)`.

        Raises
        ------
        ValueError
            If points coincide there, or there is no such member.
        """
        if self.symbolic is None:
            return self.family.transform(self.m, self.r, *c)
        points = self.family.points(self.m, self.r, *c)  # whose message says what is wrong at this c
        origin = (("points", format_points(points)),)
        (value,) = c
        if not isinstance(value, Fraction):
            member = self.symbolic.subs({"c": value})
            return Transform(member.AT, member.G, member.BT, points, origin)
        numbers = [_at(entry, value) for entry in self.distinct]
        rows = {name: [[numbers[k] for k in row] for row in self.places[name]] for name in MATRIX_NAMES}
        _turn_zero(rows, points)
        return transform_from_field(sympy.QQ, rows, points, origin)

    def algorithm(self, c: tuple[Exact, ...]) -> Algorithm:
        """The member's Algorithm, with the recipe.

        Raises
        ------
        ValueError, TypeError
            As `transform`, and as Algorithm does.
        """
        return Algorithm((self.transform(c),), **self.recipe)


def _rational_functions(symbolic: Transform) -> dict[str, list[list[Quotient]]]:
    domain, rows = symbolic.field_matrices
    if domain.is_QQ:  # a family whose points do not depend on c after all
        return {name: [[((_fraction(e),), (Fraction(1),)) for e in row] for row in rows[name]] for name in MATRIX_NAMES}
    return {name: [[(_coefficients(e.numer), _coefficients(e.denom)) for e in row] for row in rows[name]]
            for name in MATRIX_NAMES}


def _coefficients(polynomial: Any) -> Polynomial:
    by_power = {power: _fraction(coefficient) for (power,), coefficient in polynomial.terms()}
    return tuple(by_power.get(power, Fraction(0)) for power in range(max(by_power, default=0) + 1))


def _fraction(number: Any) -> Fraction:
    return Fraction(int(number.numerator), int(number.denominator))


def _at(entry: Quotient, value: Fraction) -> Any:
    """A rational function at a value where its denominator is not 0: the points are distinct there."""
    above, below = (_horner(part, value) for part in entry)
    quotient = above / below
    return sympy.QQ(quotient.numerator, quotient.denominator)


def _horner(polynomial: Polynomial, value: Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in reversed(polynomial):
        total = total * value + coefficient
    return total


def _turn_zero(rows: dict[str, list[list[Any]]], points: tuple[Point, ...]) -> None:
    """Give the row of the point 0 the sign that `toom_cook` gives it where points are rational."""
    for k, point in enumerate(points):
        if not isinstance(point, Infinity) and point == 0 and rows["G"][k][0] < 0:
            for name in ("G", "BT"):
                rows[name][k] = [-entry for entry in rows[name][k]]
