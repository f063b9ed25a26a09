"""How large a rounding error is on average: in which binade a value lies, and down to which bit it is non-zero.

A value x in the binade [2^k, 2^(k+1)) rounds to multiples of w = 2^(k - p + 1). If it is an odd or even multiple of
some coarse q, as sums of numbers with few bits are, the error takes the values of that grid only, ties included; its
mean square is then

    nearest      (w^2 + 2 q^2) / 12           stochastic   (w^2 - q^2) / 6
    toward zero  (w - q) (2 w - q) / 6

for w > q, and nothing for w <= q. Both are random here: `binade_probabilities` gives the law of w, a `Quanta` that
of q.
"""

from __future__ import annotations

import math

import numpy as np

from winograd.rounding import BinaryFormat

TOP, COUNT = 24, 56
"""Binades that are told apart: k = TOP, TOP - 1, ..., TOP - COUNT + 1; what is smaller counts as the last."""

_K = TOP - np.arange(COUNT)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
# The normal distribution of |z| over log2 z, tabulated: numpy has no error function.
_LOG = np.linspace(-24, 4, 1793)
_HALF_NORMAL = np.array([math.erf(2.0**t / math.sqrt(2)) for t in _LOG])


def _below_normal(log_ratio: np.ndarray) -> np.ndarray:
    """P(|z| < 2^log_ratio) for a standard normal z."""
    return np.interp(log_ratio, _LOG, _HALF_NORMAL, left=0.0, right=1.0)


def binade_probabilities(second: np.ndarray, kurtosis: np.ndarray) -> np.ndarray:
    """P(x in binade k) for symmetric x of given mean square and kurtosis E x^4 / (E x^2)^2; new last axis over k.

    From 3 up the law is taken for a normal one of random, lognormal variance; from 1.8 to 2.4 for a sum of two uniform
    numbers, exactly so for one such number and for two with any coefficients; from there to 3 it is the normal one
    with the first term of Edgeworth's series.

    Examples
    --------
    >>> binade_probabilities(np.array(1 / 3), np.array(1.8))[TOP : TOP + 4].round(3)  # uniform on [-1, 1]
    array([0.   , 0.5  , 0.25 , 0.125])
    """
    second, kurtosis = np.broadcast_arrays(np.asarray(second, float), np.asarray(kurtosis, float))
    positive = second > 0
    log_rms = 0.5 * np.log2(np.where(positive, second, 1.0))
    edges = np.arange(TOP + 1, TOP - COUNT + 1, -1) - log_rms[..., np.newaxis]  # log2 of (2^(k+1) / rms)
    below = np.empty(edges.shape)
    heavy, few = kurtosis >= 3, kurtosis < 2.45  # two equal uniform numbers have 2.4
    between = ~(heavy | few)
    if few.any():
        below[few] = _below_two_uniform(2.0 ** edges[few], kurtosis[few])
    if between.any():
        x = np.minimum(2.0 ** edges[between], 16.0)
        density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        third = (x**3 - 3 * x) * density
        below[between] = _below_normal(edges[between]) - 2 * third * (kurtosis[between][:, np.newaxis] - 3) / 24
    if heavy.any():
        spread = np.sqrt(np.log(np.maximum(kurtosis[heavy], 3) / 3))[:, np.newaxis]  # of the log of the variance
        total = np.zeros(edges[heavy].shape)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            shift = (spread * node - spread**2 / 2) / 2 / math.log(2)
            total += weight * _below_normal(edges[heavy] - shift)
        below[heavy] = total
    # Edgeworth's term is negative in the tails; masses that add up to more than 1 would grow with every sum of quanta.
    below = np.minimum.accumulate(np.clip(below, 0.0, 1.0), axis=-1)
    probabilities = below - np.concatenate([below[..., 1:], np.zeros((*below.shape[:-1], 1))], axis=-1)
    probabilities[~positive] = 0
    probabilities[~positive, -1] = 1
    return np.maximum(probabilities, 0)


def _below_two_uniform(x: np.ndarray, kurtosis: np.ndarray) -> np.ndarray:
    """P(|a u + b v| < x) for u, v uniform on [-1, 1], with a >= b >= 0 that give mean square 1 and this kurtosis."""
    fourth = np.clip((3 - kurtosis) / 1.2, 0.5, 1.0)  # (a^4 + b^4) / (a^2 + b^2)^2
    root = np.sqrt(np.maximum(2 * fourth - 1, 0))
    a, b = np.sqrt(1.5 * (1 + root))[:, np.newaxis], np.sqrt(np.maximum(1.5 * (1 - root), 1e-12))[:, np.newaxis]
    corner = np.maximum(x - (a - b), 0) ** 2 / (4 * a * b)
    return np.where(x >= a + b, 1.0, np.where(x <= a - b, x / a, x / a - corner))


class Quanta:
    """The law of q, the largest power of two of which a value is a multiple for certain: P(q = 2^(k - p + 1)) over k.

    Parameters
    ----------
    probabilities : array, (..., COUNT)
        Over the binades k, so that a quantum stands beside the spacing w of that binade.
    """

    def __init__(self, probabilities: np.ndarray) -> None:
        self.probabilities = probabilities

    @classmethod
    def at(cls, binades: dict[int, float]) -> Quanta:
        """Quanta with the given probabilities by k."""
        probabilities = np.zeros(COUNT)
        for k, probability in binades.items():
            probabilities[min(max(TOP - k, 0), COUNT - 1)] += probability
        return cls(probabilities)

    def shifted(self, by: int) -> Quanta:
        """q * 2^by."""
        if by == 0:
            return self
        result = np.zeros_like(self.probabilities)
        for i in np.flatnonzero(self.probabilities.reshape(-1, COUNT).any(axis=0)):
            result[..., min(max(int(i) - by, 0), COUNT - 1)] += self.probabilities[..., i]
        return Quanta(result)

    def summed(self, other: Quanta) -> Quanta:
        """Of the exact sum of two values: the smaller quantum."""
        # P(quantum at least q) is a running sum from the top.
        tail = np.cumsum(self.probabilities, -1) * np.cumsum(other.probabilities, -1)
        return Quanta(_differences(tail))

    def of_many(self, terms: int) -> Quanta:
        """Of the exact sum of so many values like this one."""
        return Quanta(_differences(np.cumsum(self.probabilities, -1) ** terms))

    def of_product(self, other: Quanta, precision: int) -> Quanta:
        """Of the exact product of two values."""
        a, b = np.broadcast_arrays(self.probabilities, other.probabilities)
        result = np.zeros(a.shape)
        for i in np.flatnonzero(a.reshape(-1, COUNT).any(axis=0)):
            # k_a + k_b - p + 1 as a binade
            result += Quanta(a[..., i : i + 1] * b).shifted(TOP - int(i) - precision + 1).probabilities
        return Quanta(result)

    def rounded(self, binades: np.ndarray, precision: int, rounding: str) -> tuple[Quanta, np.ndarray]:
        """Quanta after rounding a value with this law of binades, the larger of q and w, and its mean square error.

        q and w are taken as independent.
        """
        q, w = self.probabilities, np.broadcast_to(binades, self.probabilities.shape)
        spacing = 2.0 ** (_K - precision + 1)
        # Probabilities that the other one is at most, less than, or more than this one; k falls along the axis.
        q_up_to, w_up_to = (np.cumsum(x[..., ::-1], -1)[..., ::-1] for x in (q, w))
        after = q_up_to * w_up_to
        after[..., :-1] -= after[..., 1:].copy()
        q_less = np.zeros_like(q)
        q_less[..., :-1] = q_up_to[..., 1:]
        w_more = 1 - w_up_to
        large = (w * q_less) @ spacing**2  # mean of w^2 where w > q, and of q^2
        small = (q * w_more) @ spacing**2
        if rounding == "nearest":
            error = (large + 2 * small) / 12
        elif rounding == "stochastic":
            error = (large - small) / 6
        else:
            w_above = np.zeros_like(q)
            w_above[..., 1:] = np.cumsum(w * spacing, -1)[..., :-1]
            error = (2 * large - 3 * np.sum(q * w_above * spacing, -1) + small) / 6
        return Quanta(after), np.maximum(error, 0.0)

    def mean_loss(self, binades: np.ndarray, precision: int) -> np.ndarray:
        """Mean of |x| times what rounding x toward zero takes from it: (w - q) / 2 on average for q < w.

        A number in the binade k is 2^k / ln 2 on average, if its logarithm is uniform there.
        """
        q, w = self.probabilities, np.broadcast_to(binades, self.probabilities.shape)
        spacing = 2.0 ** (_K - precision + 1)
        q_less, q_mean_less = (
            np.cumsum(x[..., ::-1], -1)[..., ::-1] - x for x in (q, q * spacing)
        )
        return np.asarray((w * 2.0**_K / math.log(2) * (spacing * q_less - q_mean_less) / 2).sum(-1))


def _differences(tail: np.ndarray) -> np.ndarray:
    result = tail.copy()
    result[..., 1:] -= tail[..., :-1]
    return result


def rounded_in(
    quanta: Quanta, binades: np.ndarray, second: np.ndarray, fmt: BinaryFormat, rounding: str
) -> tuple[Quanta, np.ndarray]:
    """Quanta after rounding to a format, and the mean square error: as `Quanta.rounded`, underflow to zero included.

    With w the smallest number of the format, what lies below w / 2 becomes 0 when it is rounded to nearest, below w
    when it is rounded toward zero, and its error is the number itself; stochastic rounding makes it 0 or w, with mean
    square error |x| w - x^2. Numbers in a binade so low are taken as uniform there: E x^2 = (7/3) 4^k, E |x| = 1.5 2^k.

    Parameters
    ----------
    quanta : Quanta
    binades : array, (..., COUNT)
        Law of the value's binade, as `binade_probabilities` gives it.
    second : array, (...)
        Mean square of the value: what is flushed to zero has no more.
    """
    known = spacing_binades(binades, fmt)
    lowest = fmt.smallest_exponent - fmt.precision + 1 - (rounding == "nearest")
    tiny = np.where(lowest > _K, binades, 0.0)
    share = tiny.sum(-1)
    if not np.any(share > 0):
        return quanta.rounded(known, fmt.precision, rounding)
    rest = np.maximum(1 - share, 0.0)
    within = known.copy()
    within[..., TOP - fmt.smallest_exponent] -= share
    some = (rest > 1e-9)[..., np.newaxis]
    law = np.where(some, np.maximum(within, 0.0) / np.where(some, rest[..., np.newaxis], 1.0), known)
    after, error = quanta.rounded(law, fmt.precision, rounding)
    square = np.minimum((tiny * (7 / 3) * 4.0**_K).sum(-1), second)
    if rounding == "stochastic":
        square = np.maximum((tiny * 1.5 * 2.0**_K).sum(-1) * float(fmt.smallest) - square, 0.0)
    return after, rest * error + square


def spacing_binades(binades: np.ndarray, fmt: BinaryFormat) -> np.ndarray:
    """The law of w's binade in a format: subnormal numbers have the spacing of the smallest normal ones."""
    last = TOP - fmt.smallest_exponent
    if last >= COUNT - 1 or last < 0:
        return binades
    result = binades.copy()
    result[..., last] += result[..., last + 1 :].sum(-1)
    result[..., last + 1 :] = 0
    return result
