"""Families: named recipes for points, some with parameters, that give sets of many sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from winograd.exact import exact
from winograd.moduli import from_moduli
from winograd.points import Point, as_points
from winograd.published import published_rows
from winograd.recipes import (
    BESIDE,
    PARTS,
    UNIT_BESIDE,
    chebyshev,
    fractions,
    grouped,
    integers,
    published,
    quadratic,
    superlinear,
)
from winograd.toom_cook import check_size, toom_cook
from winograd.transform import Transform

LARGEST = 32
"""Families that could go on for ever stop at this many points; the largest published set has 18."""

Recipe = Callable[..., tuple[Any, ...]]
"""(n, *c) -> n points, or moduli of total degree n; each c is an exact number or a symbol."""


@dataclass(frozen=True)
class Family:
    """A named recipe for points with parameters; of the families here, `family` gives one by its name.

    Parameters
    ----------
    name : str
    parameters : int
        How many numbers c it takes; 0 where its points are fixed.
    summary : str
        What its points are, in a line.
    recipe : callable
        recipe(n, *c) gives n points, each as `winograd.as_point` reads it, or moduli of total degree n.
    sizes : frozenset of int
        The n for which there is a set.
    linear : bool
        Whether the recipe gives points; otherwise moduli, as `winograd.from_moduli` takes them.

    Examples
    --------
    >>> from winograd import format_points
    >>> format_points(family("reciprocal").points(4, 3, "3/2"))
    '0, -2/3, -3/2, 3/2, 2/3, inf'
    >>> family("superlinear").transform(4, 3).n
    7
    """

    name: str
    parameters: int
    summary: str
    recipe: Recipe = field(repr=False)
    sizes: frozenset[int] = field(repr=False)
    linear: bool = True

    def fits(self, n: int) -> bool:
        """Whether there is a set of n points."""
        return n in self.sizes

    def points(self, m: int, r: int, *c: Any) -> tuple[Point, ...]:
        """The n = m + r - 1 points at these parameters.

        Parameters
        ----------
        m, r : int
            Outputs and taps.
        c : numbers or symbols
            As many as the family has parameters, each as `winograd.as_point` reads it: rational, a surd such as
            "sqrt(2)", or a float, which stands for its exact binary value.

        Raises
        ------
        ValueError
            If there is no such set, points coincide at these parameters, there are too few or too many of them, or
            the family is one of moduli.

        Rounding
        --------
        None: exact. Chebyshev nodes are doubles, taken at their exact value from then on.
        """
        if not self.linear:
            raise ValueError(f"family {self.name} has moduli in place of points; ask for its transform.")
        return as_points(self._made(m, r, c))

    def moduli(self, m: int, r: int, *c: Any) -> tuple[Any, ...]:
        """The moduli of total degree m + r - 1 at these parameters; of a family of points, the points.

        Raises
        ------
        ValueError
            As `points`.
        """
        return self._made(m, r, c)

    def transform(self, m: int, r: int, *c: Any) -> Transform:
        """The transform of F(m, r) at these parameters, by `toom_cook`, or `from_moduli` where there are moduli.

        Raises
        ------
        ValueError
            As `points`; and for moduli that share a factor, or have irrational coefficients.
        """
        if self.linear:
            return toom_cook(m, r, self.points(m, r, *c))
        return from_moduli(m, r, self.moduli(m, r, *c))

    def check(self, m: int, r: int, parameters: int | None = None) -> None:
        """Refuse a size that the family has no set for, and a wrong number of parameters.

        Raises
        ------
        ValueError, TypeError
            In one sentence.
        """
        check_size(m, r)
        n = m + r - 1
        if not self.fits(n):
            raise ValueError(f"family {self.name} has sets of {_listed(self.sizes)} points; F({m}, {r}) needs {n}.")
        if parameters is not None and parameters != self.parameters:
            raise ValueError(f"family {self.name} takes {_counted(self.parameters)}; got {parameters}.")

    def _made(self, m: int, r: int, c: tuple[Any, ...]) -> tuple[Any, ...]:
        self.check(m, r, len(c))
        return tuple(self.recipe(m + r - 1, *(exact(value) for value in c)))

    def __str__(self) -> str:
        return f"{self.name}: {self.summary}"


def family(name: str | Family) -> Family:
    """The family of this name.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> family("pairs-2").parameters
    2
    """
    if isinstance(name, Family):
        return name
    if not isinstance(name, str):
        raise TypeError(f"family must be a name or a Family; got {type(name).__name__} {name!r}.")
    if name not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}; got {name!r}.")
    return FAMILIES[name]


def _listed(sizes: frozenset[int]) -> str:
    low, high = min(sizes), max(sizes)
    if len(sizes) == high - low + 1:
        return f"{low} to {high}"
    return ", ".join(map(str, sorted(sizes)))


def _counted(parameters: int) -> str:
    return "no parameter" if parameters == 0 else "one parameter" if parameters == 1 else f"{parameters} parameters"


def _grouped_family(name: str, summary: str, parts: Mapping[str, int], unit: bool = False) -> Family:
    """A family of so many of each part; each part takes a parameter of its own."""
    chosen = tuple(part for key, times in parts.items() for part in (PARTS[key][0],) * times)
    size = sum(PARTS[key][1] * times for key, times in parts.items())
    beside = UNIT_BESIDE if unit else BESIDE
    # Without any fixed point, the unit families are the others.
    sizes = frozenset(range(size + unit, size + len(beside)))
    text = "inf; 1, -1 or 1, -1, inf" if unit else "0; 0, inf; 0, 1, -1 or 0, 1, -1, inf"
    recipe = partial(grouped, chosen, size, beside)
    return Family(name, len(chosen), f"{summary}, with {text} as n asks", recipe, sizes)


_LEFTOVERS = {
    "one": "a single point c",
    "opposite": "c and -1/c, half a group on opposite sides",
    "same_side": "c and 1/c, half a group on one side",
    "three": "c, -1/c and -c, three of a group",
}


def _numbered(name: str, times: int) -> str:
    return name if times == 1 else f"{name}-{times}"


def _grouped_families() -> Iterator[Family]:
    for unit in (False, True):
        suffix = "-unit" if unit else ""
        for k in range(1, 5):
            groups = "one group {-1/c, -c, c, 1/c}" if k == 1 else f"{k} groups {{-1/c, -c, c, 1/c}}"
            yield _grouped_family(_numbered("reciprocal", k) + suffix, groups, {"group": k}, unit)
        for k in range(1, 9):
            pairs = "one pair {-c, c}" if k == 1 else f"{k} pairs {{-c, c}}"
            yield _grouped_family(_numbered("pairs", k) + suffix, pairs, {"pair": k}, unit)
    for k in range(4):
        for part, text in _LEFTOVERS.items():
            label = part.replace("_", "-")
            groups = "" if k == 0 else "a group and " if k == 1 else f"{k} groups and "
            name = label if k == 0 else f"{_numbered('reciprocal', k)}+{label}"
            yield _grouped_family(name, groups + text, {"group": k, part: 1})


def _sizes(least: int) -> frozenset[int]:
    return frozenset(range(least, LARGEST + 1))


def _published_sizes(dims: int) -> frozenset[int]:
    return frozenset(len(row.points) for row in published_rows(dims))


def _fixed_families() -> Iterator[Family]:
    for name, dims in (("published", 2), ("published-1d", 1)):
        yield Family(name, 0, f"the points published for {dims} dimension{'s' * (dims > 1)}, ACM TOMS 46(4), 2020",
                     partial(published, dims), _published_sizes(dims))
    yield Family("integers", 0, "0, 1, -1, 2, -2, 3, ..., inf", integers, _sizes(2))
    yield Family("fractions", 0, "0, 1, -1, 2, -2, 1/2, -1/2, 3, -3, 1/3, ..., inf", fractions, _sizes(2))
    yield Family("chebyshev", 0, "the n - 1 Chebyshev nodes on [-1, 1], as doubles, and inf", chebyshev, _sizes(3))
    yield Family("chebyshev-scaled", 1, "c times the n - 1 Chebyshev nodes, and inf", chebyshev, _sizes(3))
    for name, quadratics in (
        ("superlinear", ("x^2 + 1",)),
        ("superlinear-2", ("x^2 + x + 1", "x^2 - x + 1")),
        ("superlinear-3", ("x^2 + 1", "x^2 + x + 1", "x^2 - x + 1")),
    ):
        yield Family(name, 0, f"the moduli {', '.join(quadratics)}, with x, x - 1, x + 1, ..., inf",
                     partial(superlinear, quadratics), _sizes(2 * len(quadratics)), False)
    yield Family("quadratic", 1, "the modulus x^2 + c, c rational, with x, x - 1, x + 1, ..., inf", quadratic,
                 _sizes(2), False)


FAMILIES: dict[str, Family] = {made.name: made for made in (*_grouped_families(), *_fixed_families())}
"""All families, by name."""
