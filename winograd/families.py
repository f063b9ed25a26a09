"""Families: named recipes for points, some with parameters, that give sets of many sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import count, islice
from typing import Any

import sympy

from winograd.exact import Exact, exact, to_sympy
from winograd.moduli import from_moduli
from winograd.points import INF, Point, as_points, reciprocal_group
from winograd.published import published_points, published_rows
from winograd.toom_cook import check_size, toom_cook
from winograd.transform import Transform

LARGEST = 32
"""Families that go on for ever stop at this many points: beyond it no format in use has a digit left."""

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


# Fixed points that stand before and after the groups, by how many are wanted: sets that -x maps to themselves, which
# estimates of the error prefer. "unit" are others that come near, and win for some n.
_Beside = tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
_BESIDE: _Beside = (((), ()), ((0,), ()), ((0,), (INF,)), ((0, 1, -1), ()), ((0, 1, -1), (INF,)))
_UNIT_BESIDE: _Beside = (((), ()), ((), (INF,)), ((1, -1), ()), ((1, -1), (INF,)))


def _group(c: Exact) -> tuple[Point, ...]:
    return reciprocal_group(c)


def _opposite(c: Exact) -> tuple[Point, ...]:
    lowest, _, value, _ = reciprocal_group(c)
    return value, lowest


def _same_side(c: Exact) -> tuple[Point, ...]:
    _, _, value, inverse = reciprocal_group(c)
    return value, inverse


def _three(c: Exact) -> tuple[Point, ...]:
    lowest, negative, value, _ = reciprocal_group(c)
    return value, lowest, negative


def _pair(c: Exact) -> tuple[Point, ...]:
    if c == 0:
        raise ValueError("c must not be 0, where c and -c coincide; got c = 0.")
    return exact(-to_sympy(c)), c


def _one(c: Exact) -> tuple[Point, ...]:
    return (c,)


def _grouped(
    parts: tuple[Callable[[Exact], tuple[Point, ...]], ...], size: int, beside: _Beside, n: int, *c: Exact
) -> tuple[Any, ...]:
    """What each part makes of its parameter, between the fixed points that make up n."""
    before, after = beside[n - size]
    return *before, *(point for part, value in zip(parts, c, strict=True) for point in part(value)), *after


def _grouped_family(name: str, summary: str, parts: Mapping[str, int], unit: bool = False) -> Family:
    """A family of so many of each part; each part takes a parameter of its own."""
    chosen = tuple(part for key, times in parts.items() for part in (_PARTS[key][0],) * times)
    size = sum(_PARTS[key][1] * times for key, times in parts.items())
    beside = _UNIT_BESIDE if unit else _BESIDE
    # Without any fixed point, the unit families are the others.
    sizes = frozenset(range(size + unit, size + len(beside)))
    text = "inf; 1, -1 or 1, -1, inf" if unit else "0; 0, inf; 0, 1, -1 or 0, 1, -1, inf"
    recipe = partial(_grouped, chosen, size, beside)
    return Family(name, len(chosen), f"{summary}, with {text} as n asks", recipe, sizes)


_PARTS: dict[str, tuple[Callable[[Exact], tuple[Point, ...]], int]] = {
    "group": (_group, 4), "three": (_three, 3), "opposite": (_opposite, 2), "same_side": (_same_side, 2),
    "pair": (_pair, 2), "one": (_one, 1),
}
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


def _integers(n: int) -> tuple[Any, ...]:
    """0, 1, -1, 2, -2, ... and infinity."""
    signed = (value for k in count(1) for value in (k, -k))
    return *islice((0, *islice(signed, n)), n - 1), INF


def _simple() -> Iterator[Fraction]:
    """0, then +- the fractions by the larger of numerator and denominator: 1, 2, 1/2, 3, 1/3, 3/2, 2/3, 4, ..."""
    yield Fraction(0)
    for height in count(1):
        for other in range(1, height + 1):
            if math.gcd(height, other) != 1:
                continue
            for value in dict.fromkeys((Fraction(height, other), Fraction(other, height))):
                yield value
                yield -value


def _fractions(n: int) -> tuple[Any, ...]:
    return *islice(_simple(), n - 1), INF


def _published(dims: int, n: int) -> tuple[Any, ...]:
    return published_points(n - 2, dims)


def _chebyshev(n: int, scale: Exact = Fraction(1)) -> tuple[Any, ...]:
    """The n - 1 zeros of the Chebyshev polynomial, times the scale, from below, and infinity."""
    if scale == 0:
        raise ValueError("c must not be 0, where all nodes coincide; got c = 0.")
    nodes = n - 1
    # The upper half by cosines of angles in the upper quadrant, the lower by symmetry: exactly antisymmetric.
    upper = [Fraction(math.cos((2 * k + 1) * math.pi / (2 * nodes))) for k in range(nodes // 2)]
    middle = [Fraction(0)] * (nodes % 2)
    values = [-x for x in upper] + middle + upper[::-1]
    return *(exact(to_sympy(scale) * to_sympy(x)) for x in values), INF


_X = sympy.Symbol("x")


def _superlinear(quadratics: tuple[str, ...], n: int) -> tuple[Any, ...]:
    return *quadratics, *_linear_moduli(n - 2 * len(quadratics))


def _quadratic(n: int, c: Exact) -> tuple[Any, ...]:
    return _X**2 + to_sympy(c), *_linear_moduli(n - 2)


def _linear_moduli(degree: int) -> tuple[Any, ...]:
    """Infinity and x, x - 1, x + 1, x - 2, ..., of this total degree."""
    if degree == 0:
        return ()
    return *(_X - sympy.Rational(p.numerator, p.denominator) for p in islice(_simple(), degree - 1)), INF


def _sizes(least: int) -> frozenset[int]:
    return frozenset(range(least, LARGEST + 1))


def _published_sizes(dims: int) -> frozenset[int]:
    return frozenset(len(row.points) for row in published_rows(dims))


def _fixed_families() -> Iterator[Family]:
    for name, dims in (("published", 2), ("published-1d", 1)):
        yield Family(name, 0, f"the points published for {dims} dimension{'s' * (dims > 1)}, ACM TOMS 46(4), 2020",
                     partial(_published, dims), _published_sizes(dims))
    yield Family("integers", 0, "0, 1, -1, 2, -2, 3, ..., inf", _integers, _sizes(2))
    yield Family("fractions", 0, "0, 1, -1, 2, -2, 1/2, -1/2, 3, -3, 1/3, ..., inf", _fractions, _sizes(2))
    yield Family("chebyshev", 0, "the n - 1 Chebyshev nodes on [-1, 1], as doubles, and inf", _chebyshev, _sizes(3))
    yield Family("chebyshev-scaled", 1, "c times the n - 1 Chebyshev nodes, and inf", _chebyshev, _sizes(3))
    for name, quadratics in (
        ("superlinear", ("x^2 + 1",)),
        ("superlinear-2", ("x^2 + x + 1", "x^2 - x + 1")),
        ("superlinear-3", ("x^2 + 1", "x^2 + x + 1", "x^2 - x + 1")),
    ):
        yield Family(name, 0, f"the moduli {', '.join(quadratics)}, with x, x - 1, x + 1, ..., inf",
                     partial(_superlinear, quadratics), _sizes(2 * len(quadratics)), False)
    yield Family("quadratic", 1, "the modulus x^2 + c, c rational, with x, x - 1, x + 1, ..., inf", _quadratic,
                 _sizes(2), False)


FAMILIES: dict[str, Family] = {made.name: made for made in (*_grouped_families(), *_fixed_families())}
"""All families, by name."""
