"""Measuring the error of an algorithm: emulated or compiled, against the exact correlation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from error_analysis.emulation.oracle import ORACLES, Oracle
from error_analysis.measurement.adversary import worst_signs
from error_analysis.measurement.data import KINDS, DataRecord, random_tiles
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import mean_estimate
from error_analysis.measurement.own_data import NONFINITE, digest, own_tiles
from error_analysis.measurement.report import Ended, Progress, Report, report_of
from error_analysis.measurement.sampling import Samples, chunks, compiled, emulated, sampled, seed_of
from winograd import Algorithm

Subject = Literal["emulation", "kernel"]
SUBJECTS = ("emulation", "kernel")

# "auto" looks at its interval only from here on: the normal approximation needs trials.
_LEAST_AUTO = 256
_KERNEL_DTYPES = ("float32", "float64")


def measure(
    A: Algorithm,
    trials: int | Literal["auto"] = 5000,
    seed: int = 0,
    channels: int = 1,
    subject: Subject = "emulation",
    oracle: Oracle = "auto",
    data: Any = "uniform",
    *,
    width: float = 0.02,
    max_trials: int = 1_000_000,
    nonfinite: Literal["error", "measure"] = "error",
    round_data: bool = False,
    progress: Progress | None = None,
) -> Report:
    """The error of an algorithm on tiles: |computed - exact|, beside direct convolution and correct rounding.

    Each trial is one tile and one filter. The error of a trial is the mean over the outputs of its tile; trials are
    independent, so the intervals are over trials.

    Parameters
    ----------
    A : Algorithm
    trials : int, or "auto"
        At least 2. "auto" goes on until the 95 % interval of the mean error is narrow enough, see `width`.
    seed : int
        Of NumPy's PCG64, and of stochastic rounding. Equal arguments give equal numbers.
    channels : int
    subject : "emulation" or "kernel"
        The Programs run operation by operation, or the compiled kernel, called once for each tile.
    oracle : "auto" or "mpmath"
        See `error_analysis.emulation.oracle.exact_correlation`.
    data : str, or (d, g)
        "uniform", "normal", "relu", "constant" or "adversarial", drawn in A.stored_dtype as
        `error_analysis.measurement.data.random_tiles` says; or a pair of arrays, shapes (trials, C, *A.tile) and
        (trials, C, *A.r), all of whose trials are measured: trials, seed and channels are then not asked for.
    width : float
        For "auto": half the width of the interval, over the mean.
    max_trials : int
        For "auto": where to give up; `complete` is then False.
    nonfinite : "error" or "measure"
        What becomes of NaN and infinities in the user's arrays. Measured, their range is counted, and trials that
        hold them are left out of errors, having no exact result.
    round_data : bool
        Round the user's numbers to A.stored_dtype, to nearest; otherwise they must be numbers of it.
    progress : callable, optional
        Called as progress(trials done, trials); with "auto", trials is an estimate of what is needed.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If A is no Algorithm, a number is no integer, or data is no pair of real arrays.
    ValueError
        For trials < 2, channels < 1, seed < 0, an unknown subject, oracle or kind of data, arrays that do not fit
        or hold numbers they must not; and for a kernel of formats or dims that cannot be compiled.
    OverflowError
        If an entry of a matrix exceeds the largest number of its format.
    Interrupted
        At Ctrl-C, a KeyboardInterrupt that carries the report of the trials measured until then.

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
    check_algorithm("A", A)
    record, arrays = data_record(data, A.stored_dtype, A.tile, nonfinite, round_data)
    (report,), _ = measured([A], record, arrays, trials if arrays is None else None, seed, channels, subject, oracle,
                            width, max_trials, progress)
    if report.ended == "interrupted":
        raise Interrupted(report)
    return report


def data_record(
    data: Any, dtype: str, tile: tuple[int, ...], nonfinite: str, round_data: bool
) -> tuple[DataRecord, Any]:
    """The record of the data asked for, and the user's arrays, None for random data."""
    if not isinstance(data, str):
        return DataRecord("arrays", dtype, tile, "", nonfinite, bool(round_data)), data
    if data not in KINDS:
        raise ValueError(f"data must be one of {', '.join(KINDS)}, or a pair of arrays; got {data!r}.")
    return DataRecord(data, dtype, tile), None


def measured(
    algorithms: Sequence[Algorithm], record: DataRecord, arrays: Any, trials: int | str | None, seed: int,
    channels: int, subject: str, oracle: Oracle, width: float = 0.02, max_trials: int = 1_000_000,
    progress: Progress | None = None,
) -> tuple[list[Report], list[Samples]]:
    """Reports and samples of algorithms measured on the same data, which `record` and `arrays` are.

    Of arrays the leading trials, or all for None.
    """
    if trials is not None and not (isinstance(trials, str) and trials == "auto"):
        check_integer("trials", trials, 2)
    for name, value, least in (("channels", channels, 1), ("seed", seed, 0), ("max_trials", max_trials, 2)):
        check_integer(name, value, least)
    choices: tuple[tuple[str, Any, Sequence[str]], ...] = (
        ("subject", subject, SUBJECTS), ("oracle", oracle, ORACLES), ("nonfinite", record.nonfinite, NONFINITE),
    )
    for name, choice, among in choices:
        if choice not in among:
            raise ValueError(f"{name} must be one of {', '.join(among)}; got {choice!r}.")
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 < width < math.inf:
        raise ValueError(f"width must be a positive number; got {width!r}.")
    if subject == "kernel":
        for A in algorithms:
            _check_compiled(A)

    A = algorithms[0]
    if record.kind == "arrays":
        d, g = own_tiles(arrays, record.tile, A.r, record.dtype, record.nonfinite, record.rounded)
        record = DataRecord("arrays", record.dtype, record.tile, digest(d, g), record.nonfinite, record.rounded)
        trials, channels = trials or len(d), d.shape[1]

        def tiles(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
            return d[start:stop], g[start:stop]
    else:
        assert trials is not None  # only arrays have a number of trials of their own
        generator = np.random.Generator(np.random.PCG64(seed))
        signs = worst_signs(A) if record.kind == "adversarial" else None

        def tiles(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
            return random_tiles(record.kind, generator, stop - start, channels, record.tile, A.r, record.dtype, signs)

    samples, ended = _sampled_until(algorithms, tiles, record.tile, trials, int(seed), int(channels), subject, oracle,
                                    width, max_trials, progress)
    reports = [report_of(A, of_one, subject, int(seed), int(channels), oracle, record, ended)
               for A, of_one in zip(algorithms, samples, strict=True)]
    return reports, samples


def _sampled_until(
    algorithms: Sequence[Algorithm], tiles: Callable[[int, int], tuple[np.ndarray, np.ndarray]], tile: tuple[int, ...],
    trials: int | str, seed: int, channels: int, subject: str, oracle: Oracle, width: float, max_trials: int,
    progress: Progress | None,
) -> tuple[list[Samples], Ended]:
    """Samples, and how the measurement ended."""
    computed = emulated if subject == "emulation" else compiled
    samples = [Samples() for _ in algorithms]
    most = max_trials if trials == "auto" else int(trials)
    ended: Ended = "max_trials" if trials == "auto" else "complete"
    try:
        for start, stop in chunks(most, channels, tile):
            d, g = tiles(start, stop)
            samples = sampled(algorithms, samples, d, g, seed_of(seed, start), computed, oracle)
            expected = most
            if trials == "auto" and stop >= _LEAST_AUTO:
                # The half width falls with the root of the number of trials.
                needed = stop * max(_relative_half_width(s) for s in samples) ** 2 / width**2
                if needed <= stop:
                    ended, expected = "complete", stop
                else:
                    expected = most if math.isinf(needed) else min(most, math.ceil(needed))
            if progress is not None:
                progress(stop, expected)
            if expected == stop:
                break
    except KeyboardInterrupt:
        if samples[0].trials < 2:
            raise
        return samples, "interrupted"
    return samples, ended


def _relative_half_width(samples: Samples) -> float:
    """Half the width of the interval of the mean error, over the mean; 0 where no trial errs, infinite without one."""
    mean = mean_estimate(samples.over_trials("error"))
    if mean.value == 0:
        return 0.0
    return mean.half_width / mean.value if math.isfinite(mean.half_width) else math.inf


def check_algorithm(name: str, value: Any) -> None:
    """Refuse what is no Algorithm."""
    if not isinstance(value, Algorithm):
        raise TypeError(
            f"{name} must be an Algorithm; got {type(value).__name__}: wrap a Transform in winograd.Algorithm."
        )


def check_integer(name: str, value: Any, least: int) -> None:
    """Refuse what is no integer of at least `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer; got {type(value).__name__} {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}.")


def _check_compiled(A: Algorithm) -> None:
    if A.dtype not in _KERNEL_DTYPES:
        raise ValueError(f'subject "kernel" needs the dtype float32 or float64; got {A.dtype}.')
    from kernels.choice import check_algorithm

    ones = (1,) * A.dims
    check_algorithm(A, A.dims, A.r, ones, ones, A.dtype)
