"""The error to expect of an output of a convolution layer: of a fast algorithm, or of direct convolution."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from error_analysis.prediction.estimate import estimate
from winograd import INF, Algorithm, toom_cook

__all__ = ["expected_error"]


@lru_cache(maxsize=4096)
def expected_error(
    algorithm: Algorithm | str,
    taps: tuple[int, ...],
    channels: int = 1,
    dtype: str = "float32",
    stride: tuple[int, ...] = (),
) -> float:
    """The mean |computed - exact| of an output, for inputs and filters i.i.d. uniform on [-1, 1].

    Direct convolution is F(1, 1) with as many channels as an output has terms: from +0, one fma after the other. A
    strided layer is convolved by a fast algorithm as one of stride 1 with as many more channels as the stride has
    phases. Filters whose taps the stride does not divide are filled up with zeros, which make no error: with
    P the number of phases, and r the taps of a phase::

        E |e| = estimate(A, channels P).mean * sqrt(prod(taps) / (P prod(r)))

    Parameters
    ----------
    algorithm : Algorithm or "direct"
    taps : tuple of int
        Of the layer's filter along each axis.
    channels : int
        Of the layer's input, in one group.
    dtype : str
        What "direct" works in; an Algorithm has formats of its own.
    stride : tuple of int
        Of the layer along each axis; 1 if it is left out.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the algorithm's taps are not those of a phase, or algorithm is another word than "direct".
    TypeError, ValueError
        As `estimate`.

    Rounding
    --------
    float64; as near to the measured error as `estimate`: within 10 % for the algorithms that `kernels` chooses
    from, their strided uses included, and for "direct". A bias, whose addition rounds once more, is not counted, nor
    that outputs at a border have fewer terms.

    Source
    ------
    That of `estimate`. That errors are in proportion to the root of the number of taps that are not filled up is a
    model, compared with measurement in the tests.

    Examples
    --------
    >>> f"{expected_error('direct', (3, 3), 64):.1e}"
    '2.3e-06'
    """
    if not isinstance(algorithm, Algorithm):
        if algorithm != "direct":
            raise ValueError(f'algorithm must be an Algorithm or "direct"; got {algorithm!r}.')
        return estimate(_one_term(dtype), math.prod(taps) * channels).mean
    stride = stride or (1,) * len(taps)
    phase = tuple(-(-r // s) for r, s in zip(taps, stride, strict=True))
    if algorithm.r != phase:
        raise ValueError(
            f"algorithm must have the taps {phase} of a phase of the layer; got {algorithm.r} for taps {taps}, stride "
            f"{stride}."
        )
    phases = math.prod(stride)
    filled = math.prod(taps) / (phases * math.prod(phase))
    return estimate(algorithm, channels * phases).mean * math.sqrt(filled)


def _one_term(dtype: Any) -> Algorithm:
    return Algorithm(toom_cook(1, 1, [INF]), fma=True, dtype=dtype)
