"""What three matrices are: their points, whether they are Toom-Cook rescaled, and the nearest repair if not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from sympy.polys.matrices import DomainMatrix

from winograd import INF, Transform, toom_cook
from winograd.exact import Exact, exact, from_field, to_sympy
from winograd.points import Point, as_points
from winograd.transform import MATRIX_NAMES


@dataclass(frozen=True)
class Repair:
    """One change that makes matrices a convolution.

    Attributes
    ----------
    kind : "entry", "scaling", "transposed" or "reversed"
        One entry; some rows of G rescaled, because the diagonals of the matrices do not multiply to one; BT was given
        in place of its transpose; the filter runs backwards.
    change : str
        What to do, in words.
    transform : Transform
        The repaired one, proved.
    """

    kind: str
    change: str
    transform: Transform


@dataclass(frozen=True)
class Scaling:
    """How matrices differ from `toom_cook(m, r, points)`: AT diag(AT), diag(G) G and diag(BT) BT.

    They are a convolution if the three factors of each product multiply to one.
    """

    AT: tuple[Exact, ...]
    G: tuple[Exact, ...]
    BT: tuple[Exact, ...]

    @property
    def products(self) -> tuple[Exact, ...]:
        """The product of the three factors, one for each product of the algorithm."""
        triples = zip(self.AT, self.G, self.BT, strict=True)
        return tuple(exact((to_sympy(a) * to_sympy(g) * to_sympy(b)).expand()) for a, g, b in triples)


def recovered_points(T: Transform) -> tuple[Point | None, ...]:
    """The point of each product, from the columns of AT and, where these do not tell, the rows of G.

    A column of AT is that of a point x if its entries are a, a x, a x^2, ...; it is that of infinity if only the last
    is not zero. None where neither AT nor G is so, as with moduli of higher degree.

    Examples
    --------
    >>> recovered_points(toom_cook(2, 3, [0, 2, "-1/2", INF]).scaled(A=[1, 3, 1, 5]))
    (Fraction(0, 1), Fraction(2, 1), Fraction(-1, 2), INF)
    """
    field, rows = T.field_matrices
    points = []
    for column, row in zip(zip(*rows["AT"], strict=True), rows["G"], strict=True):
        # The longer one says more: two numbers are always the first powers of something.
        longer_first = sorted((list(column), row), key=len, reverse=True)
        found = [point for values in longer_first if (point := _point_of(field, values)) is not None]
        points.append(found[0] if found else None)
    return tuple(points)


def likely_points(T: Transform) -> tuple[Point | None, ...]:
    """The points where later entries of a column or row may have been misread: from its first two alone if need be.

    Examples
    --------
    >>> T = toom_cook(3, 3, [0, 2, -2, 1, INF])
    >>> AT, G = T.AT.as_mutable(), T.G.as_mutable()
    >>> AT[2, 1] = G[1, 2] = 5
    >>> likely_points(Transform(AT, G, T.BT))[1]
    Fraction(2, 1)
    """
    found = recovered_points(T)
    return tuple(
        exact((T.AT[1, k] / T.AT[0, k]).radsimp()) if point is None and T.m > 1 and T.AT[0, k] != 0 else point
        for k, point in enumerate(found)
    )


def recovered_scaling(T: Transform, points: tuple[Point, ...]) -> Scaling | None:
    """How a transform differs from Toom-Cook on these points, if by diagonal factors only; else None.

    Examples
    --------
    >>> T = toom_cook(2, 3, [0, 1, -1, INF])
    >>> recovered_scaling(T.scaled(B=[1, 2, 3, 1]), T.points).BT
    (Fraction(1, 1), Fraction(2, 1), Fraction(3, 1), Fraction(1, 1))
    """
    field, rows = T.field_matrices
    standard = toom_cook(T.m, T.r, points).field_matrices
    factors: list[tuple[Exact, ...]] = []
    for name in MATRIX_NAMES:
        given, wanted = rows[name], standard[1][name]
        if name == "AT":  # by product
            given, wanted = ([list(column) for column in zip(*matrix, strict=True)] for matrix in (given, wanted))
        found = [_factor(field, standard[0], a, b) for a, b in zip(given, wanted, strict=True)]
        if any(factor is None for factor in found):
            return None
        factors.append(tuple(factor for factor in found if factor is not None))
    return Scaling(*factors)


def distinct_points(points: tuple[Point | None, ...]) -> tuple[Point, ...] | None:
    """The points, if each is known and no two are equal; else None.

    Examples
    --------
    >>> distinct_points((Fraction(1), INF, Fraction(1))) is None
    True
    """
    known = [point for point in points if point is not None]
    try:
        return as_points(known) if len(known) == len(points) else None
    except ValueError:
        return None


def predicted_entries(T: Transform, points: tuple[Point, ...]) -> Transform | None:
    """Toom-Cook on these points, scaled as most entries of AT and BT say; None where they say nothing.

    Examples
    --------
    >>> T = toom_cook(2, 3, [0, 1, -1, INF]).scaled(B=[1, 2, 3, 1])
    >>> predicted_entries(T, T.points) == T
    True
    """
    standard = toom_cook(T.m, T.r, points)
    a = [_usual_ratio(T.AT.col(k), standard.AT.col(k)) for k in range(T.n)]
    b = [_usual_ratio(T.BT.row(k), standard.BT.row(k)) for k in range(T.n)]
    if None in a or None in b:
        return None
    return standard.scaled(A=a, B=b)


def nearest_repair(T: Transform) -> Repair | None:
    """The one change that makes the matrices a convolution, if there is one; None if more is wrong.

    Tried in this order: one entry of one matrix; one diagonal scaling of the products; the transpose of BT; the filter
    reversed.

    Parameters
    ----------
    T : Transform
        One that `verify` refuses.

    Rounding
    --------
    None: exact. The repaired transform is proved by `verify`.

    Examples
    --------
    >>> T = toom_cook(2, 3, [0, 1, -1, INF])
    >>> G = T.G.as_mutable()
    >>> G[1, 2] = 7
    >>> print(nearest_repair(Transform(T.AT, G, T.BT)).change)
    G[1, 2] must be 1/2; it is 7.
    """
    return _entry_repair(T) or _scaling_repair(T) or _orientation_repair(T)


def _point_of(field: Any, values: list[Any]) -> Point | None:
    """The point whose powers the values are, up to a factor; None if there is none, or they are too few to tell."""
    if len(values) < 2:
        return None
    if not values[0]:
        return INF if values[-1] and not any(values[:-1]) else None
    ratio = values[1] / values[0]
    if any(after != before * ratio for before, after in pairwise(values)):
        return None
    return from_field(field, ratio)


def _factor(field: Any, other: Any, given: Any, wanted: Any) -> Exact | None:
    """The factor f with given = f * wanted, if there is one that is not zero."""
    factor: Any = None
    for a, b in zip(given, wanted, strict=True):
        if bool(a) != bool(b):
            return None
        if a:
            # The two may live in different fields, where the given ones mix in numbers that fit no point.
            ratio = a / b if field == other else exact((field.to_sympy(a) / other.to_sympy(b)).radsimp())
            if factor is not None and ratio != factor:
                return None
            factor = ratio
    if factor is None:
        return None
    return from_field(field, factor) if field == other else exact(factor)


def _usual_ratio(given: Any, wanted: Any) -> Exact | None:
    """The ratio most entries agree on; the simplest of those that equally many do."""
    ratios = Counter(exact((a / b).radsimp()) for a, b in zip(given, wanted, strict=True) if a != 0 and b != 0)
    if not ratios:
        return None
    return max(ratios, key=lambda ratio: (ratios[ratio], -_complexity(ratio)))


def _complexity(number: Exact) -> int:
    return number.denominator if isinstance(number, Fraction) else len(str(number))


def _entry_repair(T: Transform) -> Repair | None:
    """Where every wrong coefficient is in one output, one tap or one input, one entry of AT, G or BT may be at fault.

    Changing AT[i, k] by delta changes the coefficient of g[j] d[l] in y[i] by delta G[k, j] BT[k, l], and likewise for
    entries of G and BT: the errors must be a multiple of such a product.
    """
    field, rows = T.field_matrices
    wrong = {(i, j, index): field.from_sympy(to_sympy(exact(target - to_sympy(value))))
             for i, j, index, value, target in T.wrong_coefficients}
    AT, G, BT = (rows[name] for name in MATRIX_NAMES)
    for name, axis in (("AT", 0), ("G", 1), ("BT", 2)):
        places = {place[axis] for place in wrong}
        if len(places) != 1:
            continue
        (fixed,) = places
        for k in range(T.n):
            outputs = [1 if name == "AT" else AT[i][k] for i in ([fixed] if name == "AT" else range(T.AT.rows))]
            taps = [1 if name == "G" else G[k][j] for j in ([fixed] if name == "G" else range(T.r))]
            inputs = [1 if name == "BT" else BT[k][q] for q in ([fixed] if name == "BT" else range(T.BT.cols))]
            delta = _multiple(field, wrong, fixed, name, outputs, taps, inputs)
            if delta is None:
                continue
            row, column = (fixed, k) if name == "AT" else (k, fixed)
            matrices = {which: getattr(T, which).as_mutable() for which in MATRIX_NAMES}
            before = matrices[name][row, column]
            after = to_sympy(from_field(field, rows[name][row][column] + delta))
            matrices[name][row, column] = after
            repaired = _proved(Transform(*matrices.values()))
            if repaired is not None:
                return Repair("entry", f"{name}[{row}, {column}] must be {after}; it is {before}.", repaired)
    return None


def _multiple(field: Any, wrong: dict, fixed: int, name: str, outputs: list, taps: list, inputs: list) -> Any:
    """delta with wrong[i, j, l] = delta outputs[i] taps[j] inputs[l] for all i, j, l; None if there is none."""
    delta, met = None, 0
    for i, a in enumerate(outputs):
        for j, g in enumerate(taps):
            for index, b in enumerate(inputs):
                place = (fixed if name == "AT" else i, fixed if name == "G" else j, fixed if name == "BT" else index)
                direction, error = field.one * a * g * b, wrong.get(place)
                if (error is None) != (not direction):
                    return None
                if error is not None:
                    met += 1
                    if delta is not None and error != delta * direction:
                        return None
                    delta = error / direction
    return delta if met == len(wrong) else None


def _scaling_repair(T: Transform) -> Repair | None:
    """Factors c_k with sum_k c_k AT[i, k] G[k, j] BT[k, l] = 1 where l = i + j, else 0: linear equations for c."""
    field, rows = T.field_matrices
    AT, G, BT = (rows[name] for name in MATRIX_NAMES)
    equations = []
    for i in range(T.AT.rows):
        for j in range(T.r):
            for index in range(T.BT.cols):
                left = [AT[i][k] * G[k][j] * BT[k][index] for k in range(T.n)]
                is_one = index == i + j if T.kind == "correlation" else i == index + j
                equations.append([*left, field.one if is_one else field.zero])
    reduced, pivots = DomainMatrix(equations, (len(equations), T.n + 1), field).rref()
    if tuple(pivots) != tuple(range(T.n)):
        return None
    factors = [reduced.to_list()[k][T.n] for k in range(T.n)]
    if not all(factors):
        return None
    spoiled = {k: from_field(field, factor) for k, factor in enumerate(factors) if factor != field.one}
    G_rows = [[from_field(field, factor * e) for e in row] for factor, row in zip(factors, G, strict=True)]
    repaired = _proved(Transform(T.AT, G_rows, T.BT))
    if repaired is None:
        return None
    changes = ", ".join(f"row {k} by {factor}" for k, factor in spoiled.items())
    return Repair(
        "scaling",
        f"the diagonals of AT, G and BT must multiply to one; multiply G, {changes} (or the columns of AT or the rows "
        "of BT instead).",
        repaired,
    )


def _orientation_repair(T: Transform) -> Repair | None:
    if T.BT.rows == T.BT.cols and (repaired := _proved(Transform(T.AT, T.G, T.BT.T))) is not None:
        return Repair("transposed", "BT was given transposed: pass its transpose.", repaired)
    if (repaired := _proved(Transform(T.AT, T.G[:, ::-1], T.BT))) is not None:
        return Repair("reversed", "the filter runs backwards: reverse the columns of G.", repaired)
    return None


def _proved(T: Transform) -> Transform | None:
    return T if not T.wrong_coefficients else None
