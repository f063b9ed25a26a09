"""The factors of the products: which entries of the matrices become 1, and which constants a format holds.

A product may be rescaled as one likes: a column of AT by a, a row of BT by b, the row of G by 1 / (a b). Real
arithmetic does not see it. Rounding does: an entry that becomes 1 or a power of two costs no rounding, one that becomes
a number of few bits no error of its constant, and Huffman's order of the output sums follows the sizes of the columns
of AT, which say how large the terms are only where rows of G and BT have equal sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from error_analysis.searching.canonical import RationalPoint
from error_analysis.searching.quick_estimate import Matrices, Roundings, quick_estimate, toom_cook_matrices
from winograd.points import Infinity
from winograd.rounding import format_of

# Factors beyond are no better by more than a few percent, and no one wants to read them.
_TALLEST = 2**53
_WIDE = 24
_AS_GOOD = 0.01  # of the logarithm of an error


class Scales(NamedTuple):
    """Factors of the columns of AT and of the rows of BT."""

    a: tuple[Fraction, ...]
    b: tuple[Fraction, ...]

    def floats(self) -> tuple[np.ndarray, np.ndarray]:
        """As float64."""
        return np.array([float(x) for x in self.a]), np.array([float(x) for x in self.b])


class Rows(NamedTuple):
    """What belongs to one product before it is scaled: its column of AT, its rows of BT and G, exact."""

    AT: tuple[Fraction, ...]
    BT: tuple[Fraction, ...]
    G: tuple[Fraction, ...]


def exact_rows(m: int, r: int, points: Sequence[RationalPoint]) -> list[Rows]:
    """What `winograd.toom_cook` makes of rational points, by product, up to the sign of a row."""
    n = m + r - 1
    whole = [Fraction(1)]
    for root in (p for p in points if not isinstance(p, Infinity)):
        whole = [low - root * high for low, high in zip([Fraction(0), *whole], [*whole, Fraction(0)], strict=True)]
    rows = []
    for point in points:
        if isinstance(point, Infinity):
            one = Fraction(1)
            rows.append(Rows((Fraction(0),) * (m - 1) + (one,), tuple(whole), (Fraction(0),) * (r - 1) + (one,)))
            continue
        p, quotient = point, whole[1:]
        for degree in range(len(quotient) - 2, -1, -1):
            quotient[degree] += p * quotient[degree + 1]
        norm = sum((c * p**k for k, c in enumerate(quotient)), Fraction(0))
        powers = [p**k for k in range(max(m, r))]
        padded = (*quotient, *[Fraction(0)] * (n - len(quotient)))
        rows.append(Rows(tuple(powers[:m]), padded, tuple(power / norm for power in powers[:r])))
    return rows


def best_scales(
    m: int, r: int, points: Sequence[RationalPoint], dims: int, roundings: Roundings
) -> tuple[Scales, float]:
    """The factors that the quick estimate likes best, and the logarithm of the estimate.

    Product by product, a point and its negative together, the factor is taken that lowers the estimate most, of those
    that make an entry 1; once with the rows of G and BT balanced by powers of two, and once without.

    Parameters
    ----------
    m, r : int
    points : sequence of Fraction or INF
    dims : 1 or 2
    roundings : Roundings

    Examples
    --------
    >>> from winograd import parse_points
    >>> points = parse_points("0, 1, -1, 2, -2, inf")
    >>> scales, estimated = best_scales(4, 3, points, 2, Roundings())
    >>> estimated < math.log(quick_estimate(toom_cook_matrices(4, 3, [0, 1, -1, 2, -2, math.inf]), 2))
    True
    """
    rows = exact_rows(m, r, points)
    floats = [math.inf if isinstance(p, Infinity) else float(p) for p in points]
    matrices = toom_cook_matrices(m, r, floats)
    found = []
    # Formats of few bits have few exponents too: their numbers must be of moderate size.
    choices = (False, True) if format_of(roundings.dtype).precision >= _WIDE else (True,)
    for balance in choices:
        scales, value = _climbed(rows, points, matrices, dims, roundings, balance)
        found.append((value, balance, scales))
    value, _, scales = min(found[:-1], default=found[-1])
    if found[-1][0] <= value + _AS_GOOD:  # as good, and of moderate size
        value, _, scales = found[-1]
    return scales, value


def balanced(rows: Sequence[Rows], scales: Scales) -> Scales:
    """The factors times the powers of two that bring the rows of BT and of G nearest to length 1."""
    a, b = [], []
    for row, x, y in zip(rows, *scales, strict=True):
        up = _power_of_two(y * y * sum(c * c for c in row.BT))
        down = _power_of_two(sum(c * c for c in row.G) / (x * y) ** 2)
        # G is multiplied by 1 / (a b): with b times 1 / up, a times up * down leaves G over down.
        b.append(y / up)
        a.append(x * up * down)
    return Scales(tuple(a), tuple(b))


def evened(rows: Sequence[Rows], scales: Scales) -> Scales:
    """The factors of BT times the powers of two that bring its rows and those of G to equal lengths.

    AT stays, and with it the order of every sum: no rounding changes.
    """
    b = []
    for row, x, y in zip(rows, *scales, strict=True):
        of_G = sum(c * c for c in row.G) / (x * y) ** 2
        b.append(y / _power_of_two(y * y * sum(c * c for c in row.BT) / of_G, root=4))
    return Scales(scales.a, tuple(b))


def _power_of_two(power: Fraction, root: int = 2) -> Fraction:
    """The power of two nearest to the root, on a logarithmic scale."""
    return Fraction(2) ** round(math.log2(float(power)) / root)


def _climbed(
    rows: Sequence[Rows], points: Sequence[RationalPoint], matrices: Matrices, dims: int, roundings: Roundings,
    balance: bool,
) -> tuple[Scales, float]:
    ones = tuple(Fraction(1) for _ in rows)

    def value(scales: Scales) -> float:
        evaluated = balanced(rows, scales) if balance else scales
        with np.errstate(all="ignore"):
            return math.log(quick_estimate(matrices.scaled(*evaluated.floats()), dims, roundings))

    scales = Scales(ones, ones)
    best = value(scales)
    for group in _groups(points):
        for which in ("a", "b"):
            options = [_options(rows[k], which, scales.a[k]) for k in group]
            for chosen in zip(*options, strict=True):
                factors = list(getattr(scales, which))
                for k, factor in zip(group, chosen, strict=True):
                    factors[k] = factor
                tried = scales._replace(**{which: tuple(factors)})
                tried_value = value(tried)
                if tried_value < best - 1e-9:
                    best, scales = tried_value, tried
    return (balanced if balance else evened)(rows, scales), best


def _groups(points: Sequence[RationalPoint]) -> Iterable[tuple[int, ...]]:
    """Positions of each point together with its negative."""
    for k, p in enumerate(points):
        if isinstance(p, Infinity) or p == 0 or -p not in points:
            yield (k,)
        elif p > 0:
            yield k, list(points).index(-p)


def _options(row: Rows, which: str, a: Fraction) -> list[Fraction]:
    """Factors that make an entry 1: of AT its ends; of BT its ends and its largest entry, or one of G."""
    if which == "a":
        entries = [c for c in row.AT if c]
        factors = [Fraction(1), 1 / abs(entries[-1]), 1 / abs(entries[len(entries) // 2])]
        return [x if max(x.numerator, x.denominator) < _TALLEST else Fraction(1) for x in factors]
    entries = [c for c in row.BT if c]
    of_G = [c for c in row.G if c]
    of_G += of_G[-1:] * (len(row.G) - len(of_G))
    ends = [1 / abs(entries[0]), 1 / abs(entries[-1]), 1 / max(abs(c) for c in entries)]
    factors = [Fraction(1), *ends, *(abs(c) / a for c in of_G)]
    return [x if max(x.numerator, x.denominator) < _TALLEST else Fraction(1) for x in factors]
