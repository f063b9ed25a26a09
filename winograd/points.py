"""Interpolation points: reading, checking, and the families that the literature names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import sympy

from winograd.exact import Exact, exact, in_field, to_sympy


class Infinity:
    """The point at infinity; its only instance is `INF`."""

    _instance: Infinity | None = None

    def __new__(cls) -> Infinity:
        """The one instance."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "INF"

    def __str__(self) -> str:
        return "inf"

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return (Infinity, ())


INF = Infinity()
"""The point at infinity: evaluates a polynomial to its leading coefficient."""

Point: TypeAlias = Exact | Infinity


def as_point(value: Any) -> Point:
    """One point from what a user may write: a number as in `exact`, or infinity as INF, "inf", `sympy.oo`, `math.inf`.

    Raises
    ------
    ValueError
        For NaN, a complex number, minus infinity, or text that does not parse.

    Examples
    --------
    >>> as_point("1/2"), as_point("inf")
    (Fraction(1, 2), INF)
    """
    if value is INF or value is sympy.oo:
        return INF
    if isinstance(value, str) and value.strip().lower() in ("inf", "infinity", "oo", "+inf"):
        return INF
    if isinstance(value, (float, np.floating)) and value == math.inf:
        return INF
    try:
        return exact(value)
    except TypeError:
        raise TypeError(
            f"a point must be an int, Fraction, float, str, SymPy number or INF; got {type(value).__name__} {value!r}."
        ) from None
    except ValueError as error:
        reason = "does not parse" if isinstance(value, str) else "is no number of use"
        raise ValueError(f"point {reason}: {error}") from None


def as_points(values: Iterable[Any]) -> tuple[Point, ...]:
    """Points in the order given, read by `as_point` and checked to be distinct.

    Raises
    ------
    ValueError
        If two points are equal (1/2 and 0.5 are) or INF appears twice; positions count from 1.

    Examples
    --------
    >>> as_points([0, "1/2", 0.5])
    Traceback (most recent call last):
    ...
    ValueError: points must be distinct; 1/2 appears at positions 2 and 3.
    """
    if isinstance(values, (str, bytes)):
        raise TypeError("points must be a list of points; read text with parse_points first.")
    if not isinstance(values, Iterable):
        raise TypeError(f"points must be a list of points; got {type(values).__name__} {values!r}.")
    points = tuple(_point_at(position, value) for position, value in enumerate(values, 1))
    seen: dict[Any, int] = {}
    # Field elements are in normal form, so equal numbers compare and hash equal however they were written.
    elements = iter(in_field([p for p in points if not isinstance(p, Infinity)])[1])
    for position, point in enumerate(points, 1):
        key = INF if isinstance(point, Infinity) else next(elements)
        if key in seen:
            raise ValueError(f"points must be distinct; {point} appears at positions {seen[key]} and {position}.")
        seen[key] = position
    return points


def _point_at(position: int, value: Any) -> Point:
    try:
        return as_point(value)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{str(error).rstrip('.')}, at position {position}.") from None


def parse_points(text: str) -> tuple[Point, ...]:
    """The points listed in `text`, separated by commas.

    Parameters
    ----------
    text : str
        For example "0, 1, -1, 1/2, -2, inf". A free symbol, as in "c, -1/c", is allowed.

    Raises
    ------
    ValueError
        If an entry is empty or does not parse, or two points are equal.

    Examples
    --------
    >>> parse_points("0, 1, -1, 1/2, inf")
    (Fraction(0, 1), Fraction(1, 1), Fraction(-1, 1), Fraction(1, 2), INF)
    """
    entries = text.strip().strip("[]{}").split(",")
    for position, entry in enumerate(entries, 1):
        if not entry.strip():
            raise ValueError(f"points must be separated by single commas; entry {position} of {text!r} is empty.")
    return as_points(entries)


def format_points(points: Iterable[Point]) -> str:
    """Points as text that `parse_points` reads back.

    Examples
    --------
    >>> format_points(parse_points("0, 0.5, sqrt(2), inf"))
    '0, 1/2, sqrt(2), inf'
    """
    return ", ".join(str(p) for p in points)


def reciprocal_group(c: Any) -> tuple[Point, Point, Point, Point]:
    """The reciprocal group (-1/c, -c, c, 1/c).

    Its four points share the odd and even parts of their rows, and reversing the polynomial maps the group to itself.

    Parameters
    ----------
    c : number or symbol
        As in `as_point`.

    Raises
    ------
    ValueError
        If c is 0 or infinite (1/c is no number) or +-1 (the points coincide).

    Source
    ------
    Alam, Anderson, Barabasz, Gregg, ACM TECS 21(6), 2022 (arXiv:2201.10369).

    Examples
    --------
    >>> format_points(reciprocal_group("3/2"))
    '-2/3, -3/2, 3/2, 2/3'
    """
    value = as_point(c)
    if isinstance(value, Infinity) or value == 0:
        raise ValueError(f"c must have a reciprocal; got c = {value}.")
    if value in (1, -1):
        raise ValueError(f"c must not be 1 or -1, where c and 1/c coincide; got c = {value}.")
    inverse = exact(sympy.radsimp(1 / to_sympy(value)))
    return exact(-to_sympy(inverse)), exact(-to_sympy(value)), value, inverse
