"""How unevenly the error is spread over the data: what turns a predicted mean square into a predicted mean.

Given the data, an error is a sum of many roundings, about normal, of a variance s that is large for some data and small
for others. Its mean is sqrt(2 / pi) E sqrt(s), less than sqrt(2 / pi) sqrt(E s). A rounding of the value x that reaches
the output with the factor f adds a constant times x^2 f^2, and x f is a bilinear form of taps g and data d (x of the
one and f of the other, or x of both). So s is a form of degree two in g and two in d,

    s = sum W[a, b, k, l] g_a g_b d_k d_l,

and E s^2 follows from the second and fourth moments of the data, by pairing indices. In several dimensions W is, for
the roundings of one axis of one stage, a tensor product over the axes, and so is every pairing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from error_analysis.prediction.sensitivity import AxisTables, outer


@dataclass(frozen=True)
class Group:
    """Roundings that share one W: its factors by axis, (outputs, r, r, tile, tile), each with sum of W[a, a, k, k] 1.

    `variance` is what they add to E s, by output. `summed`: 0 where x belongs to one channel, 1 where it is the sum
    over all of them, 2/3 for the sums on the way there, one channel after the other: squares of a random walk and of
    its end have 2/3 of the relative covariance that the end's has with itself.
    """

    variance: np.ndarray
    factors: tuple[np.ndarray, ...]
    summed: float = 0.0


def untouched(t: AxisTables) -> np.ndarray:
    """The factor of an axis that the stage has not reached yet: each datum by itself, with its tap."""
    m, r, tile = len(t.AT), t.G.shape[1], t.BT.shape[1]
    W = np.zeros((m, r, r, tile, tile))
    for p in range(m):
        for a in range(r):
            W[p, a, a, p + a, p + a] = 1 / r
    return W


def transformed_both(t: AxisTables) -> np.ndarray:
    """The factor of an axis on which both factors, and not the output, are transformed: each product by itself."""
    pairs = np.einsum("ia,il->ial", t.G, t.BT)
    return _squared(t.AT**2, pairs)


def finished(t: AxisTables) -> np.ndarray:
    """The factor of an axis on which the output is transformed."""
    outputs = np.einsum("pi,ia,il->pal", t.AT, t.G, t.BT)
    return _normalised(np.einsum("pak,pbl->pabkl", outputs, outputs))


def in_filter(t: AxisTables, weights: np.ndarray) -> np.ndarray:
    """The factor of the axis whose filter transform rounds; weights are mean squares of roundings over those of x."""
    return _normalised(np.einsum("e,ea,eb,epk,epl->pabkl", weights, t.forms_G, t.forms_G, t.z_G, t.z_G, optimize=True))


def in_input(t: AxisTables, weights: np.ndarray) -> np.ndarray:
    """The factor of the axis whose input transform rounds."""
    W = np.einsum("e,epa,epb,ek,el->pabkl", weights, t.z_BT, t.z_BT, t.forms_BT, t.forms_BT, optimize=True)
    return _normalised(W)


def in_output(t: AxisTables, weights: np.ndarray) -> np.ndarray:
    """The factor of the axis whose output transform rounds."""
    return _squared((weights[:, np.newaxis] * t.z_AT**2).T, t.pairs_AT)


def _squared(weights: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """sum over i of weights[p, i] (pairs_i squared as a tensor)."""
    _, r, tile = pairs.shape
    flat = pairs.reshape(len(pairs), -1)
    W = np.einsum("pi,ix,iy->pxy", weights, flat, flat, optimize=True).reshape(-1, r, tile, r, tile)
    return _normalised(W.transpose(0, 1, 3, 2, 4))


def _normalised(W: np.ndarray) -> np.ndarray:
    total = np.einsum("paakk->p", W)
    return W / np.where(total > 0, total, 1.0)[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis]


def relative_variance(groups: Sequence[Group], excess: float, channels: int) -> np.ndarray:
    """Var s / (E s)^2 by output.

    Channels are independent: what rounds in each by itself has 1 / channels of the covariance. What rounds in sums over
    channels keeps, however many there are, that of the square of a normal number.
    """
    groups = [group for group in groups if np.any(group.variance > 0)]
    total = np.sum([group.variance for group in groups], axis=0) if groups else np.zeros(())
    covariance = np.zeros_like(total)
    known = {id(W): _Factor(W) for group in groups for W in group.factors}
    paired: dict[tuple[int, int], list[np.ndarray]] = {}  # factors are shared between groups and axes

    def pairings(W: np.ndarray, X: np.ndarray) -> list[np.ndarray]:
        key = min(id(W), id(X)), max(id(W), id(X))
        if key not in paired:
            paired[key] = _pairings(known[id(W)], known[id(X)])
        return paired[key]

    for i, one in enumerate(groups):
        for j, other in enumerate(groups[: i + 1]):
            products = [pairings(W, X) for W, X in zip(one.factors, other.factors, strict=True)]
            pair, same = _covariance(products, excess)
            value = pair / channels
            value = value + 2 * same * (1 - 1 / channels) * min(one.summed, other.summed)
            covariance = covariance + (1 if i == j else 2) * one.variance * other.variance * value
    return np.divide(covariance, total**2, out=np.zeros_like(total), where=total > 0)


class _Factor:
    """A factor with the partial sums that its pairings need."""

    def __init__(self, W: np.ndarray) -> None:
        m = len(W)
        tap_data = np.einsum("paakl->pakl", W)
        datum_taps = np.einsum("pabkk->pkab", W)
        both = np.einsum("pakk->pak", tap_data)
        taps, data = datum_taps.sum(1), tap_data.sum(1)
        self.parts = [
            x.reshape(m, -1)
            for x in (
                taps, data, W, W, np.einsum("paa->pa", taps), np.einsum("pkk->pk", data), tap_data, datum_taps, both,
            )
        ]
        self.turned = np.swapaxes(W, 3, 4).reshape(m, -1)


def _pairings(one: _Factor, other: _Factor) -> list[np.ndarray]:
    """The ways to pair indices of W[a, b, k, l] W'[a', b', k', l'], all for one axis, by output.

    Taps with taps, data with data, both straight, both crossed, then four taps, four data, and these with the rest.
    """
    pairs = list(zip(one.parts, other.parts, strict=True))
    pairs[3] = one.parts[3], other.turned
    return [np.einsum("px,px->p", x, y) for x, y in pairs]


def _covariance(products: Sequence[list[np.ndarray]], excess: float) -> tuple[np.ndarray, np.ndarray]:
    """(Cov(s, s') for E s = E s' = 1 and one channel, sum of W W'), both by output, from the pairings of each axis."""
    taps, data, same, crossed, tap4, datum4, tap4_data, datum4_taps, both4 = (
        outer([p[i] for p in products]) for i in range(9)
    )
    normal = 2 * (taps + data + same + crossed)
    fourth = excess * (tap4 + datum4 + 2 * (tap4_data + datum4_taps)) + excess**2 * both4
    return normal + fourth, same


def mean_over_rms(relative: np.ndarray) -> np.ndarray:
    """E |e| / sqrt(E e^2) of a normal e with a variance of gamma law and this relative variance.

    Exact where the variance is constant (0: sqrt(2 / pi)), and for the product of two normal numbers (2: 2 / pi).

    Examples
    --------
    >>> mean_over_rms(np.array([0.0, 2.0])) / np.array([math.sqrt(2 / math.pi), 2 / math.pi])
    array([1., 1.])
    """

    def ratio(value: float) -> float:
        if value < 1e-3:
            return 1 - value / 8
        shape = 1 / value
        return math.exp(math.lgamma(shape + 0.5) - math.lgamma(shape)) / math.sqrt(shape)

    flat = [math.sqrt(2 / math.pi) * ratio(float(v)) for v in relative.flat]
    return np.array(flat).reshape(relative.shape)
