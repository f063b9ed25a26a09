"""The exact correlation that computed tiles are judged by: mpmath, and double-double as its fast stand-in."""

from __future__ import annotations

import math
from itertools import product
from typing import Literal

import mpmath
import numpy as np

from error_analysis.emulation.error_free import two_prod, two_sum
from error_analysis.emulation.tiles import check_tiles, is_floating, output_shape, trials_last

Oracle = Literal["auto", "mpmath"]
ORACLES = ("auto", "mpmath")


def exact_correlation(d: np.ndarray, g: np.ndarray, oracle: Oracle = "auto") -> tuple[np.ndarray, np.ndarray]:
    """The exact y[t, i] = sum over c, k of d[t, c, i + k] g[t, c, k], as unevaluated sums high + low.

    Parameters
    ----------
    d : array, shape (trials, C, *tile), one to three axes
        Of any floating dtype: float64 holds the numbers of every format of `winograd.rounding`.
    g : array, shape (trials, C, *r)
    oracle : "auto" or "mpmath"
        "mpmath" is authoritative. "auto" takes double-double where it is proved, else mpmath.

    Returns
    -------
    high, low : float64 arrays, shape (trials, *m)
        high is y rounded to float64, low what is then missing, rounded.

    Raises
    ------
    ValueError
        For an unknown oracle, shapes that do not fit, or numbers that are not finite.
    TypeError
        If d or g is no array of a floating dtype.

    Rounding
    --------
    mpmath: the precision is chosen from the data so that no product and no sum rounds; then high + low differs from
    y by at most 2^-106 |y|. Double-double, with N = C * prod(r) terms and u = 2^-53: by at most
    (N u / (1 - N u))^2 sum |d g|, where the error of float32 convolution is near 2^-24 sum |d g| and that of float64
    near u sum |d g|; it is taken for data whose products and their errors neither overflow nor underflow. Products of
    float32, and of narrower dtypes, are exact in float64.

    Source
    ------
    Ogita, Rump, Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26(6), 2005, algorithm 5.3 (Dot2).

    Examples
    --------
    >>> d, g = np.array([[[1.0, 2.0**-80, -1.0]]]), np.array([[[1.0, 1.0, 1.0]]])
    >>> exact_correlation(d, g)[0] == 2.0**-80
    array([[ True]])
    """
    if oracle not in ORACLES:
        raise ValueError(f"oracle must be one of {', '.join(ORACLES)}; got {oracle!r}.")
    check_tiles(d, g)
    x, w = widened("d", d), widened("g", g)
    if oracle == "auto" and double_double_is_proved(x, w):
        return double_double_correlation(x, w)
    return mpmath_correlation(x, w)


def widened(name: str, array: np.ndarray) -> np.ndarray:
    """The finite numbers of a floating dtype in float32, if that is its dtype, else in float64."""
    if not is_floating(array.dtype):
        raise TypeError(f"{name} must have a floating dtype, float64 at most; got {array.dtype}.")
    x = array if array.dtype == np.float32 else array.astype(np.float64, copy=False)
    finite = np.isfinite(x)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(
            f"{name} must be finite to have an exact correlation; got {x[index]} at {name}{list(index)}."
        )
    return x


def mpmath_correlation(d: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`exact_correlation` by mpmath, one output after the other."""
    context = mpmath.mp.clone()
    context.prec = exact_bits(d, g)
    m = output_shape(d, g)
    high, low = np.zeros((len(d), *m)), np.zeros((len(d), *m))
    taps = list(product(*map(range, g.shape[1:])))
    for t in range(len(d)):
        data = {index: context.mpf(float(x)) for index, x in np.ndenumerate(d[t])}
        weights = [context.mpf(float(g[(t, *tap)])) for tap in taps]
        for i in product(*map(range, m)):
            window = [data[(c, *(a + b for a, b in zip(i, k, strict=True)))] for c, *k in taps]
            y = context.fdot(window, weights)
            high[(t, *i)] = float(y)
            low[(t, *i)] = float(y - context.mpf(float(y)))
    return high, low


def exact_bits(d: np.ndarray, g: np.ndarray) -> int:
    """Bits that hold every product d * g, and every sum over the channels and taps, exactly.

    From the lowest bit of the smallest product to the highest of the largest, and the carries of the sum.
    """
    bits = 1 + math.ceil(math.log2(max(2, math.prod(g.shape[1:]))))
    for array in (d, g):
        exponents = np.frexp(array[array != 0])[1]
        if exponents.size:
            bits += int(exponents.max()) - int(exponents.min()) + 53
    return max(bits, 53)


def double_double_is_proved(d: np.ndarray, g: np.ndarray) -> bool:
    """Whether no product nor its error can underflow or overflow in float64, nor any sum. Always so for float32."""
    if d.dtype == g.dtype == np.float32:
        return True
    sizes = [np.abs(array[array != 0]) for array in (d, g)]
    if not all(s.size for s in sizes):
        return True
    smallest = [math.frexp(float(s.min()))[1] for s in sizes]
    largest = [math.frexp(float(s.max()))[1] for s in sizes]
    return max(largest) <= 450 and sum(smallest) >= -850


def double_double_correlation(d: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`exact_correlation` by error-free transformations, all trials at once."""
    x, w = (trials_last(a).astype(np.float64, copy=False) for a in (d, g))
    products_are_exact = d.dtype == g.dtype == np.float32
    m = output_shape(d, g)
    total, missing = np.zeros((*m, len(d))), np.zeros((*m, len(d)))
    for *k, c in np.ndindex(w.shape[:-1]):
        window = x[(*(slice(start, start + length) for start, length in zip(k, m, strict=True)), c)]
        if products_are_exact:
            total, error = two_sum(total, window * w[(*k, c)])
        else:
            p, lost = two_prod(window, w[(*k, c)])
            total, error = two_sum(total, p)
            error += lost
        missing += error
    high, low = two_sum(total, missing)
    return np.moveaxis(high, -1, 0), np.moveaxis(low, -1, 0)
