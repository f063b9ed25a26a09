"""The mean error to expect of a point set, in a millisecond: what the search ranks its thousands of candidates by.

`error_analysis.estimate` follows every rounding through a proved Program, and takes 20 ms for F(4, 3) and 1 s for
F(16, 3), longer than to measure them. This is the same model, roundings as independent numbers of mean zero, on plain
float64 matrices, with two things left out: that sums of numbers with few bits round less, and how the error is spread
over the data. It ranks; errors are measured.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from winograd.rounding import format_of

# E delta^2 / E v^2 in units of u^2 for a v whose leading bits follow Benford's law: (1 / 3) / (3 / (2 ln 2)).
_ROUNDING = 2 * math.log(2) / 9
_VARIANCE = 1 / 3  # of data and filter, uniform on [-1, 1]
# Relative; entries are computed in float64 from float64 points.
_EXACT = 2.0**-40


class Matrices(NamedTuple):
    """AT, G and BT as float64 arrays."""

    AT: np.ndarray
    G: np.ndarray
    BT: np.ndarray

    def scaled(self, a: np.ndarray, b: np.ndarray) -> Matrices:
        """Columns of AT times a, rows of BT times b, and of G over both, as `Transform.scaled` does."""
        return Matrices(self.AT * a, self.G / (a * b)[:, np.newaxis], self.BT * b[:, np.newaxis])


class Roundings(NamedTuple):
    """What rounds, and how: the part of an Algorithm that a quick estimate sees.

    `filter_rounds`: the filter transform works in `dtype`; otherwise in a wider format, and U is rounded once.
    `output_rounds`: products, their sums and the output transform work in `dtype`; otherwise in a wider format.
    """

    dtype: str = "float32"
    fma: bool = False
    filter_rounds: bool = True
    output_rounds: bool = True


LITERATURE = Roundings()


def toom_cook_matrices(m: int, r: int, points: Sequence[float]) -> Matrices:
    """`winograd.toom_cook` in float64; `math.inf` is the point at infinity."""
    finite = [p for p in points if p != math.inf]
    n = m + r - 1
    whole = np.ones(1)  # lowest coefficient first
    for p in finite:
        whole = np.concatenate([[0.0], whole]) - p * np.concatenate([whole, [0.0]])
    AT, G, BT = np.zeros((m, n)), np.zeros((n, r)), np.zeros((n, n))
    for k, p in enumerate(points):
        if p == math.inf:
            AT[-1, k] = G[k, -1] = 1.0
            BT[k, : len(whole)] = _without_dust(whole)
            continue
        quotient = _over_linear(whole, p)
        powers = p ** np.arange(max(m, r))
        AT[:, k] = powers[:m]
        G[k] = powers[:r] / np.polyval(quotient[::-1], p)
        BT[k, : len(quotient)] = _without_dust(quotient)
    return Matrices(AT, G, BT)


def _without_dust(coefficients: np.ndarray) -> np.ndarray:
    """What is zero by symmetry, and comes out as a rounding error, made zero: it is no term to add."""
    small = np.abs(coefficients) < _EXACT * np.abs(coefficients).max()
    return np.where(small, 0.0, coefficients)


def _over_linear(whole: np.ndarray, p: float) -> np.ndarray:
    quotient = whole[1:].copy()
    for degree in range(len(quotient) - 2, -1, -1):
        quotient[degree] += p * quotient[degree + 1]
    return quotient


def quick_estimate(matrices: Matrices, dims: int, roundings: Roundings = LITERATURE) -> float:
    """The root mean square |computed - exact| to expect, averaged over the outputs; data uniform on [-1, 1].

    One channel; sums are added in Huffman order.

    Parameters
    ----------
    matrices : Matrices
    dims : 1 or 2
        Of a tile; both axes have these matrices.
    roundings : Roundings

    Rounding
    --------
    float64. Within 15 % of `error_analysis.estimate(...).rms`; the measured mean is 0.65 to 0.9 of it. It ranks point
    sets of one size nearly as measurements do.

    Examples
    --------
    >>> points = [0, 1, -1, 0.5, -2, math.inf]
    >>> print(f"{quick_estimate(toom_cook_matrices(4, 3, points), 2):.1g}")
    4e-07
    """
    return float(np.mean(np.sqrt(_mean_squares(matrices, dims, roundings))))


def _mean_squares(matrices: Matrices, dims: int, roundings: Roundings) -> np.ndarray:
    AT, G, BT = matrices
    r = float(G.shape[1])
    u = float(format_of(roundings.dtype).u)
    squares, gamma, s = AT**2, (G**2).sum(1), (BT**2).sum(1)
    # Each by output of one axis. What an error is multiplied by along an axis that is not transformed yet, or again
    # untransformed, is the correlation itself, of r terms; along one that is transformed, each product by itself.
    products = squares @ (gamma * s)
    inputs = squares @ (gamma * _row_errors(BT, roundings.fma))
    filters = squares @ (s * _row_errors(G, roundings.fma)) if roundings.filter_rounds else None
    outputs = _output_errors(matrices, roundings.fma) if roundings.output_rounds else np.zeros(len(AT))
    coherent = _squared_change(matrices, roundings) / (u * u * _ROUNDING)
    rounded_products = float(filters is None) + float(roundings.output_rounds)
    if dims == 1:
        total = inputs + rounded_products * products + outputs + coherent
        if filters is not None:
            total = total + filters
    else:
        total = (
            r * inputs[:, np.newaxis] + np.outer(products, inputs) + rounded_products * np.outer(products, products)
            + np.outer(outputs, products) + r * outputs + r * np.add.outer(coherent, coherent)
        )
        if filters is not None:
            total = total + r * filters[:, np.newaxis] + np.outer(products, filters)
    return np.asarray(total * _VARIANCE**2 * _ROUNDING * u * u)


def _row_errors(matrix: np.ndarray, fma: bool) -> np.ndarray:
    """For each row, the sum over its roundings of their mean squares, for independent inputs of variance 1."""
    squares = matrix**2
    free = _powers_of_two(matrix)
    errors = np.zeros(len(matrix))
    for i, row in enumerate(np.abs(matrix).tolist()):
        total, exact, square = 0.0, free[i], squares[i]
        sums = {k: square[k] for k, c in enumerate(row) if c}
        if not fma or len(sums) == 1:
            total = sum(square[k] for k in sums if not exact[k])
        for a, b, new in _merges(tuple(row)):
            if fma and a < len(row) and b < len(row) and not exact[a] and not exact[b]:
                total += square[a]
            sums[new] = sums[a] + sums[b]
            total += sums[new]
        errors[i] = total
    return errors


def _output_errors(matrices: Matrices, fma: bool) -> np.ndarray:
    """For each output, that of the output transform: partial sums are bilinear forms, which cancel."""
    AT, G, BT = matrices
    forms = _products(G, BT)
    gram = forms @ forms.T
    free = _powers_of_two(AT)
    errors = np.zeros(len(AT))
    for i, row in enumerate(np.abs(AT).tolist()):
        signed, exact = AT[i], free[i]
        own = signed**2 * np.diag(gram)
        support = [k for k, c in enumerate(row) if c]
        total = 0.0 if fma and len(support) > 1 else float(sum(own[k] for k in support if not exact[k]))
        held: dict[int, np.ndarray] = {}
        for a, b, new in _merges(tuple(row)):
            if fma and a < len(row) and b < len(row) and not exact[a] and not exact[b]:
                total += float(own[a])
            vectors = [held.pop(v) if v in held else signed[v] * forms[v] for v in (a, b)]
            held[new] = vectors[0] + vectors[1]
            total += float(held[new] @ held[new])
        errors[i] = total
    return errors


@lru_cache(maxsize=1024)
def _merges(weights: tuple[float, ...]) -> tuple[tuple[int, int, int], ...]:
    """Huffman's sums: (operand, operand, number of the sum); numbers below len(weights) are terms."""
    heap = [(w, k) for k, w in enumerate(weights) if w]
    heapq.heapify(heap)
    made, merges = len(weights), []
    while len(heap) > 1:
        (w1, a), (w2, b) = heapq.heappop(heap), heapq.heappop(heap)
        merges.append((a, b, made))
        heapq.heappush(heap, (w1 + w2, made))
        made += 1
    return tuple(merges)


def _powers_of_two(matrix: np.ndarray) -> np.ndarray:
    significands = np.abs(np.frexp(matrix)[0])
    return (np.abs(significands - 0.5) < _EXACT) | (significands > 1 - _EXACT)


def _squared_change(matrices: Matrices, roundings: Roundings) -> np.ndarray:
    """For each output, the squared change of its bilinear form that the rounding of the constants makes."""
    dAT, dG, dBT = (_constant_errors(matrix, roundings.dtype) for matrix in matrices)
    if not roundings.filter_rounds:
        dG = np.zeros_like(dG)
    AT, G, BT = matrices
    change = dAT @ _products(G, BT) + AT @ (_products(dG, BT) + _products(G, dBT))
    return np.asarray((change**2).sum(1))


def _products(G: np.ndarray, BT: np.ndarray) -> np.ndarray:
    """For each product of a tile, the bilinear form it is: coefficients of g[j] d[l], (n, r n)."""
    return (G[:, :, np.newaxis] * BT[:, np.newaxis, :]).reshape(len(G), -1)


def _constant_errors(matrix: np.ndarray, dtype: str) -> np.ndarray:
    precision = format_of(dtype).precision
    significands, exponents = np.frexp(matrix)
    rounded = np.ldexp(np.rint(np.ldexp(significands, precision)), exponents - precision)
    error = rounded - matrix
    return np.where(np.abs(error) < _EXACT * np.abs(matrix), 0.0, error)
