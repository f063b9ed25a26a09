"""The transform of a family with its parameter left open, and its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from winograd import Algorithm, Family, Transform, format_points
from winograd.exact import Exact
from winograd.points import Infinity


@dataclass(frozen=True)
class Members:
    """The members of a family of one size: generated once as functions of c, then given values.

    Where there is one parameter and points, `symbolic` is the transform in the symbol c, and a member has c replaced
    by a number. With several parameters the rational functions grow beyond use, and moduli want numbers: there each
    member is generated on its own. Both ways give the same matrices.
    """

    family: Family
    m: int
    r: int
    recipe: Mapping[str, Any]
    symbolic: Transform | None = field(default=None)

    @classmethod
    def of(cls, family: Family, m: int, r: int, recipe: Mapping[str, Any]) -> Members:
        """With the symbolic transform, where there is one."""
        one = family.linear and family.parameters == 1
        return cls(family, m, r, recipe, family.transform(m, r, "c") if one else None)

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
        member = self.symbolic.subs({"c": c[0]})
        made = Transform(member.AT, member.G, member.BT, points, (("points", format_points(points)),))
        return _signed(made) if isinstance(c[0], Fraction) else made

    def algorithm(self, c: tuple[Exact, ...]) -> Algorithm:
        """The member's Algorithm, with the recipe.

        Raises
        ------
        ValueError, TypeError
            As `transform`, and as Algorithm does.
        """
        return Algorithm((self.transform(c),), **self.recipe)


def _signed(T: Transform) -> Transform:
    """The transform with the sign that `toom_cook` gives the row of the point 0 where all points are rational."""
    rows = [k for k, point in enumerate(T.points or ()) if not isinstance(point, Infinity) and point == 0]
    if not rows or T.G[rows[0], 0] > 0:
        return T
    G, BT = T.G.as_mutable(), T.BT.as_mutable()
    for matrix in (G, BT):
        matrix[rows[0], :] = -matrix[rows[0], :]
    return Transform(T.AT, G, BT, T.points, T.origin)
