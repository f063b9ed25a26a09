"""Recipes: points, or moduli, of a given number from parameters; `winograd.families` gives them names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count, islice
from typing import Any, TypeAlias

import sympy

from winograd.exact import Exact, exact, to_sympy
from winograd.points import INF, Point, reciprocal_group
from winograd.published import published_points

# Fixed points that stand before and after the groups, by how many are wanted: sets that -x maps to themselves, which
# estimates of the error prefer. "unit" are others that come near, and win for some n.
Beside: TypeAlias = tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
BESIDE: Beside = (((), ()), ((0,), ()), ((0,), (INF,)), ((0, 1, -1), ()), ((0, 1, -1), (INF,)))
UNIT_BESIDE: Beside = (((), ()), ((), (INF,)), ((1, -1), ()), ((1, -1), (INF,)))


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


def grouped(
    parts: tuple[Callable[[Exact], tuple[Point, ...]], ...], size: int, beside: Beside, n: int, *c: Exact
) -> tuple[Any, ...]:
    """What each part makes of its parameter, between the fixed points that make up n."""
    before, after = beside[n - size]
    return *before, *(point for part, value in zip(parts, c, strict=True) for point in part(value)), *after


# What a parameter gives, and how many points that are.
PARTS: dict[str, tuple[Callable[[Exact], tuple[Point, ...]], int]] = {
    "group": (_group, 4), "three": (_three, 3), "opposite": (_opposite, 2), "same_side": (_same_side, 2),
    "pair": (_pair, 2), "one": (_one, 1),
}


def integers(n: int) -> tuple[Any, ...]:
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


def fractions(n: int) -> tuple[Any, ...]:
    """0, +- the fractions by the larger of numerator and denominator, and infinity."""
    return *islice(_simple(), n - 1), INF


def published(dims: int, n: int) -> tuple[Any, ...]:
    """The published points of F(n - 2, 3), which are n."""
    return published_points(n - 2, dims)


def chebyshev(n: int, scale: Exact = Fraction(1)) -> tuple[Any, ...]:
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


def superlinear(quadratics: tuple[str, ...], n: int) -> tuple[Any, ...]:
    """These moduli of degree two, and linear ones."""
    return *quadratics, *_linear_moduli(n - 2 * len(quadratics))


def quadratic(n: int, c: Exact) -> tuple[Any, ...]:
    """x^2 + c, and linear moduli."""
    return _X**2 + to_sympy(c), *_linear_moduli(n - 2)


def _linear_moduli(degree: int) -> tuple[Any, ...]:
    """Infinity and x, x - 1, x + 1, x - 2, ..., of this total degree."""
    if degree == 0:
        return ()
    return *(_X - sympy.Rational(p.numerator, p.denominator) for p in islice(_simple(), degree - 1)), INF
