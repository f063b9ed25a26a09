"""A candidate: all of an algorithm that the search may choose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from error_analysis.searching.canonical import RationalPoint
from error_analysis.searching.setting import Setting
from winograd import Algorithm, Transform, format_points, from_moduli, parse_points, toom_cook


@dataclass(frozen=True)
class Candidate:
    """Points, the factors of their products, and how the transforms are evaluated.

    Attributes
    ----------
    points : str
        As `winograd.parse_points` reads them; or moduli in x, separated by commas, as `winograd.from_moduli` does.
    scale_a, scale_b : str
        Factors of the columns of AT and of the rows of BT, separated by commas, as `Transform.scaled` takes them;
        empty for ones.
    order : str
    passes : tuple of str
    fma : bool
    """

    points: str
    scale_a: str = ""
    scale_b: str = ""
    order: str = "huffman"
    passes: tuple[str, ...] = ()
    fma: bool = False

    @property
    def superlinear(self) -> bool:
        """Whether it has moduli in place of points."""
        return "x" in self.points

    def algorithm(self, setting: Setting) -> Algorithm:
        """The Algorithm that it is in a setting."""
        T = transform_of(setting.m, setting.r, self.points, self.scale_a, self.scale_b)
        how = Algorithm(T, dims=setting.dims, order=self.order, passes=self.passes, fma=self.fma)
        return how.with_formats(**setting.formats)

    def to_json(self) -> str:
        """As JSON text, the same for equal candidates."""
        return json.dumps({**vars(self), "passes": list(self.passes)}, sort_keys=True)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Candidate:
        """The candidate of a record."""
        return cls(**{**record, "passes": tuple(record["passes"])})


def candidate_of(
    points: Sequence[RationalPoint], a: Sequence[Fraction] | None = None, b: Sequence[Fraction] | None = None,
    **how: Any,
) -> Candidate:
    """A candidate with numbers written as text; factors that are all 1 are left out.

    Examples
    --------
    >>> from winograd import INF
    >>> candidate_of([Fraction(0), Fraction(1, 2), INF], b=[Fraction(1), Fraction(2), Fraction(1)]).scale_b
    '1, 2, 1'
    """
    scale_a, scale_b = ("" if f is None or all(x == 1 for x in f) else ", ".join(map(str, f)) for f in (a, b))
    return Candidate(format_points(points), scale_a, scale_b, **how)


@lru_cache(maxsize=256)
def transform_of(m: int, r: int, points: str, scale_a: str, scale_b: str) -> Transform:
    """The transform of points, or moduli in x, and factors as text."""
    T = from_moduli(m, r, points.split(",")) if "x" in points else toom_cook(m, r, parse_points(points))
    if not (scale_a or scale_b):
        return T
    return T.scaled(*(factors.split(",") if factors else None for factors in (scale_a, scale_b)))
