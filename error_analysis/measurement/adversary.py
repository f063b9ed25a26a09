"""The signs of data and filter that make the terms inside an algorithm as large as its worst case has them."""

from __future__ import annotations

from functools import lru_cache, reduce

import numpy as np

from winograd import Algorithm, Transform

# Up to this many pairs of signs all are tried: 32 MiB of sums. Taken are F(m, r) with m + 2 r up to 24.
_TRIED = 2**22


def worst_signs(A: Algorithm) -> tuple[np.ndarray, np.ndarray]:
    """Signs (s, t) of data tile and filter for which the sum of |terms| of one output is largest.

    An output is a sum of products, y[i] = sum over j of AT[i, j] (G g)[j] (BT d)[j]. Rounding errors grow with the
    sizes of these terms, and these cancel: the sum itself, a correlation, is at most the number of taps. Taken is the
    output i with the largest sum over j of |AT[i, j]| (sum |G[j]|) (sum |BT[j]|), the largest row sum of |AT| |G| |BT|
    that norms bound the error by. Its sum of |terms| is convex in g and in d, so it is largest at signs:

        max over s, t of  sum over j of |AT[i, j]| |(G t)[j]| |(BT s)[j]|

    Up to 2^22 pairs of signs, all are tried. Beyond, the sum is climbed from the signs of every pair of rows G[j] and
    BT[j], by turns in s and t: given the signs of all (G t)[j] and (BT s)[j] it is linear, and the signs of its exact
    sensitivities are the next s or t. That ends at a local maximum.

    In several dimensions the terms of an output factor by axis, and so do the signs.

    Parameters
    ----------
    A : Algorithm

    Returns
    -------
    s, t : float64 arrays of +1 and -1, shapes A.tile and A.r

    Rounding
    --------
    The matrices are rounded to float64, which keeps the sign of every entry; sums of terms that differ by less than
    rounding may be taken for one another.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> s, t = worst_signs(Algorithm(toom_cook(2, 3, [0, 1, -1, INF])))
    >>> s, t
    (array([ 1., -1., -1.,  1.]), array([1., 1., 1.]))
    """
    by_axis = [_axis_signs(T) for T in A.transforms]
    s, t = (reduce(np.multiply.outer, signs) for signs in zip(*by_axis, strict=True))
    return s, t


@lru_cache(maxsize=64)
def _axis_signs(T: Transform) -> tuple[np.ndarray, np.ndarray]:
    AT, G, BT = T.matrices("float64")
    reach = np.abs(G).sum(axis=1) * np.abs(BT).sum(axis=1)
    weights = np.abs(AT)[np.argmax(np.abs(AT) @ reach)]
    return _all_tried(weights, G, BT) if 2 ** (T.tile + T.r - 2) <= _TRIED else _climbed(weights, G, BT)


def _all_tried(weights: np.ndarray, G: np.ndarray, BT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best of all pairs; the first sign is +1, since -s and -t have the same terms."""
    s, t = _every_sign(BT.shape[1]), _every_sign(G.shape[1])
    sums = (weights * np.abs(t @ G.T)) @ np.abs(BT @ s.T)
    best_t, best_s = np.unravel_index(np.argmax(sums), sums.shape)
    return s[best_s], t[best_t]


def _every_sign(length: int) -> np.ndarray:
    """All rows of +1 and -1 that begin with +1."""
    bits = np.arange(2 ** (length - 1))[:, np.newaxis] >> np.arange(length - 1) & 1
    return np.hstack([np.ones((len(bits), 1)), 1.0 - 2.0 * bits])


def _climbed(weights: np.ndarray, G: np.ndarray, BT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best of the local maxima reached from the signs of the rows."""
    best = -1.0, np.ones(BT.shape[1]), np.ones(G.shape[1])
    for rows in zip(BT, G, strict=True):
        s, t = map(_signs, rows)
        size, grown = -1.0, 0.0
        while grown > size:
            size = grown
            s = _signs((weights * np.abs(G @ t) * _signs(BT @ s)) @ BT)
            t = _signs((weights * np.abs(BT @ s) * _signs(G @ t)) @ G)
            grown = float(weights @ (np.abs(G @ t) * np.abs(BT @ s)))
        if grown > best[0]:
            best = grown, s, t
    return best[1], best[2]


def _signs(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, -1.0, 1.0)
