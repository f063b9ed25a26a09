"""Measuring the error of an algorithm: emulated or compiled, against the exact correlation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from error_analysis.data import uniform_tiles
from error_analysis.emulation import direct, emulate
from error_analysis.oracle import ORACLES, Oracle, exact_correlation
from error_analysis.report import Progress, Report, mean_estimate, provenance, ratio_estimate
from winograd import Algorithm

Subject = Literal["emulation", "kernel"]
SUBJECTS = ("emulation", "kernel")

# Numbers of data per step: enough to make NumPy's overhead small, few enough to stay in a cache of some megabytes.
_CHUNK_SIZE = 2**17
# With many channels each operation of the channel sum still has this many trials to work on.
_LEAST_TRIALS = 32


def measure(
    A: Algorithm,
    trials: int = 5000,
    seed: int = 0,
    channels: int = 1,
    subject: Subject = "emulation",
    oracle: Oracle = "auto",
    progress: Progress | None = None,
) -> Report:
    """The error of an algorithm on random tiles: mean and maximum of |computed - exact|, beside direct convolution.

    Each trial is one tile and one filter, i.i.d. uniform on [-1, 1] and drawn in the working format (see
    `error_analysis.data.uniform_tiles`). The error of a trial is the mean over the outputs of its tile; trials are
    independent, so the interval of `mean_abs` is over trials.

    Parameters
    ----------
    A : Algorithm
    trials : int
        At least 2.
    seed : int
        Of NumPy's PCG64. Equal arguments give equal numbers.
    channels : int
    subject : "emulation" or "kernel"
        The Programs run operation by operation, or the compiled kernel, called once for each tile.
    oracle : "auto" or "mpmath"
        See `error_analysis.oracle.exact_correlation`.
    progress : callable, optional
        Called as progress(trials done, trials).

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If A is no Algorithm, or a number is no integer.
    ValueError
        For trials < 2, channels < 1, seed < 0, an unknown subject or oracle.

    Rounding
    --------
    The measured error is itself rounded to float64, relative error 2^-52; the oracle's error is far below that of
    any algorithm in the format (see there).

    Source
    ------
    The metric of Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020, section 6 (arXiv:1803.10986).

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> report = measure(Algorithm(toom_cook(4, 3, [0, 1, -1, "1/2", -2, INF]), dims=2))
    >>> 3.1e-7 < report.mean_abs.low < report.mean_abs.value < 3.6e-7  # published: 3.29e-07
    True
    """
    if not isinstance(A, Algorithm):
        raise TypeError(f"A must be an Algorithm; got {type(A).__name__}: wrap a Transform in winograd.Algorithm.")
    for name, value, least in (("trials", trials, 2), ("channels", channels, 1), ("seed", seed, 0)):
        check_integer(name, value, least)
    for name, choice, choices in (("subject", subject, SUBJECTS), ("oracle", oracle, ORACLES)):
        if choice not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}; got {choice!r}.")
    computed = emulate if subject == "emulation" else _kernel(A)
    generator = np.random.Generator(np.random.PCG64(seed))
    chunk = max(_LEAST_TRIALS, _CHUNK_SIZE // (channels * math.prod(A.n)))

    errors, direct_errors = np.empty(trials), np.empty(trials)
    largest = direct_largest = 0.0
    for start in range(0, trials, chunk):
        stop = min(start + chunk, trials)
        d, g = uniform_tiles(generator, stop - start, channels, A.tile, A.r, A.dtype)
        exact = exact_correlation(d, g, oracle)
        error = _error(computed(A, d, g), exact)
        direct_error = _error(direct(d, g, A.dtype), exact)
        errors[start:stop], direct_errors[start:stop] = error.mean(axis=1), direct_error.mean(axis=1)
        # np.maximum, since max() would lose a NaN, which is what an algorithm gives that overflows
        largest = float(np.maximum(largest, error.max()))
        direct_largest = float(np.maximum(direct_largest, direct_error.max()))
        if progress is not None:
            progress(stop, trials)
    return Report(
        algorithm=str(A),
        subject=subject,
        mean_abs=mean_estimate(errors),
        max_abs=largest,
        direct=mean_estimate(direct_errors),
        direct_max_abs=direct_largest,
        ratio=ratio_estimate(errors, direct_errors),
        trials=int(trials),
        seed=int(seed),
        channels=int(channels),
        oracle=oracle,
        recipe=A.to_json(),
        provenance=provenance(),
    )


def check_integer(name: str, value: Any, least: int) -> None:
    """Refuse what is no integer of at least `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer; got {type(value).__name__} {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}.")


def _error(y: np.ndarray, exact: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """|y - exact| as (trials, outputs). The first difference is exact where y has the leading bit right."""
    high, low = exact
    return np.abs((y.astype(np.float64) - high) - low).reshape(len(y), -1)


def _kernel(A: Algorithm) -> Callable[[Algorithm, np.ndarray, np.ndarray], np.ndarray]:
    """The compiled convolution on single tiles: one call for each trial, since every trial has its own filter."""
    import kernels

    convolution = kernels.conv1d if A.dims == 1 else kernels.conv2d

    def computed(A: Algorithm, d: np.ndarray, g: np.ndarray) -> np.ndarray:
        tiles = [convolution(x[np.newaxis], w[np.newaxis], algorithm=A)[0, 0] for x, w in zip(d, g, strict=True)]
        return np.stack(tiles)

    return computed
