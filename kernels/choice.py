"""Which algorithm a layer runs: what it was told, or of all that could the one of least expected time."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from kernels.cost import filter_cost
from kernels.direct_schedule import direct_cost
from kernels.problem import Problem
from kernels.rates import rates
from kernels.tiled_schedule import tiled_schedule
from winograd import INF, Algorithm, Transform, toom_cook
from winograd.error_estimate import error_estimate

__all__ = ["NAMES", "Choice", "Demand", "candidates", "check_algorithm", "checked_error", "chosen", "phase_taps"]

NAMES = ("auto", "direct", "winograd", "im2col", "fft")

_POINTS = (0, -1, 1, "1/2", -2, "-1/2", 2)
_TILES = {2: (5, 6), 3: (4, 6), 4: (6,), 5: (6, 8), 6: (8,), 7: (8,)}
"""Input tiles to choose from, by taps: up to 6, for few taps, the error of float32 stays near that of direct."""

_LARGE_TILE = 8
"""For any taps of one or two axes, where a largest error is given to choose by; in three it compiles for minutes."""


def phase_taps(taps: tuple[int, ...], stride: tuple[int, ...]) -> tuple[int, ...]:
    """Taps of one phase of a strided filter, per axis.

    Examples
    --------
    >>> phase_taps((3, 5), (2, 1))
    (2, 5)
    """
    return tuple(-(-r // s) for r, s in zip(taps, stride, strict=True))


def winograd_fits(stride: tuple[int, ...], dilation: tuple[int, ...]) -> bool:
    """Whether a fast algorithm can run with these: not with stride and dilation at once."""
    return max(stride) == 1 or max(dilation) == 1


def check_algorithm(
    algorithm: Any, axes: int, taps: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], dtype: str
) -> None:
    """Refuse what is no algorithm, or does not fit the layer.

    Parameters
    ----------
    algorithm : Algorithm or one of `NAMES`
    axes : int
    taps, stride, dilation : tuple of int
        For each axis.
    dtype : str
    """
    if isinstance(algorithm, str) and algorithm in NAMES:
        if algorithm == "winograd" and not any(candidates(axes, taps, stride, dilation, dtype)):
            raise ValueError(
                'algorithm "winograd" needs a filter of 2 to 7 taps along some axis, at most 7 along any, and stride '
                f"or dilation 1; got taps {taps}, stride {stride}, dilation {dilation}."
            )
        return
    if not isinstance(algorithm, Algorithm):
        names = ", ".join(f'"{name}"' for name in NAMES)
        raise ValueError(f"algorithm must be an Algorithm or one of {names}; got {algorithm!r}.")
    if algorithm.dims != axes:
        raise ValueError(f"algorithm must have dims = {axes} for this layer; got {algorithm.dims}.")
    if not winograd_fits(stride, dilation):
        raise ValueError('stride or dilation must be 1 for a fast algorithm; use "direct" or "auto" instead.')
    needed = phase_taps(taps, stride)
    if algorithm.r != needed:
        phases = f" divided by the stride {stride}, rounded up" if max(stride) > 1 else ""
        raise ValueError(
            f"algorithm must have the filter's taps{phases}, {needed}; {algorithm.size} has {algorithm.r}."
        )
    if algorithm.dtype != np.dtype(dtype).name:
        raise ValueError(
            f"algorithm must work in the arrays' dtype {dtype}; got {algorithm.dtype}: "
            f"algorithm.with_formats({dtype!r}) changes it."
        )
    mixed = {stage: name for stage, name in algorithm.stage_dtypes.items() if name != algorithm.dtype}
    if mixed.pop("filter_dtype", dtype) not in ("float32", "float64") or mixed:
        raise ValueError(
            "algorithm must have one format in all stages but the filter transform, and that float32 or float64, to be "
            f"compiled; got {algorithm}."
        )
    if algorithm.rounding != "nearest" or algorithm.channel_sum == "kahan":
        raise ValueError(
            f"algorithm must round to nearest and sum linear, blocked or pairwise to be compiled; got {algorithm}."
        )


@dataclass(frozen=True)
class Choice:
    """An algorithm, and why."""

    algorithm: Algorithm | str
    reason: str

    def __str__(self) -> str:
        return f"{self.algorithm} ({self.reason})"


def checked_error(max_error: float | None, algorithm: Algorithm | str) -> float | None:
    """A positive number or None; only where there is a choice."""
    if max_error is None:
        return None
    if isinstance(max_error, bool) or not isinstance(max_error, numbers.Real) or not max_error > 0:
        raise ValueError(f"max_error must be a positive number; got {max_error!r}.")
    if not isinstance(algorithm, str) or algorithm not in ("auto", "winograd"):
        raise ValueError(f'max_error must go with algorithm "auto" or "winograd"; got {algorithm}.')
    return float(max_error)


@dataclass(frozen=True)
class Demand:
    """What a choice depends on, but for the sizes of images.

    Attributes
    ----------
    algorithm : "auto" or "winograd"
    channels : int
        Of one group.
    taps, stride, dilation : tuple of int, one for each axis
    dtype : str
    depthwise : bool
    max_error : float, optional
    """

    algorithm: str
    channels: int
    taps: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    dtype: str
    depthwise: bool
    max_error: float | None

    def options(self) -> tuple[Algorithm | str, ...]:
        """All that it could be, the one with the least error likely first."""
        direct = ("direct",) if self.algorithm == "auto" else ()
        if direct and self.depthwise:
            return direct
        fast = candidates(len(self.taps), self.taps, self.stride, self.dilation, self.dtype, self.max_error is not None)
        return *direct, *sorted(fast, key=lambda A: math.prod(A.n))

    def error(self, algorithm: Algorithm | str) -> float:
        """The mean |error| to expect of an output, for inputs and filters uniform on [-1, 1]."""
        return error_estimate()(algorithm, self.taps, self.channels, self.dtype, self.stride)

    def admits(self, algorithm: Algorithm | str) -> bool:
        """Whether no more error is to be expected than may be."""
        return self.max_error is None or self.error(algorithm) <= self.max_error

    def check(self) -> None:
        """Refuse a max_error that nothing satisfies."""
        if any(self.admits(option) for option in self.options()):
            return
        error, least = min(((self.error(option), option) for option in self.options()), key=lambda pair: pair[0])
        raise ValueError(
            f"max_error must be at least {_rounded_up(error)}, the error to expect of {_name(least)}, for "
            f"{self.channels} channels of {self.dtype} and taps {self.taps}; got {self.max_error:g}."
        )


def _rounded_up(error: float) -> str:
    """Three digits that are no less than the number."""
    step = 10.0 ** (math.floor(math.log10(error)) - 2)
    return f"{math.ceil(error / step) * step:.3g}"


@lru_cache(maxsize=4096)
def chosen(
    algorithm: Algorithm | str, axes: int, problem: Problem, max_error: float | None, one_shot: bool = False
) -> Choice:
    """What to run for a problem: of what max_error admits, the one of least expected time.

    Parameters
    ----------
    algorithm : Algorithm or one of `NAMES`
    axes : int
    problem : Problem
    max_error : float, optional
        The most that the mean |error| of an output may be expected to be, for inputs and filters uniform on [-1, 1].
    one_shot : bool
        Whether the time to transform the filters counts.

    Raises
    ------
    ValueError
        If nothing satisfies max_error.
    ImportError
        If max_error is given and no estimate of errors is found; see `winograd.error_estimate`.
    """
    if isinstance(algorithm, Algorithm) or algorithm not in ("auto", "winograd"):
        return Choice(algorithm, "asked for")
    demand = Demand(
        algorithm, problem.channels, problem.taps[-axes:], problem.stride[-axes:], problem.dilation[-axes:],
        problem.dtype, problem.channels == 1 and problem.groups > 1, max_error,
    )
    demand.check()
    options = demand.options()
    if demand.depthwise and options == ("direct",):
        return Choice("direct", "one channel a group" + _expected_error(demand, "direct"))
    times = sorted(((_expected_s(A, problem, one_shot), A) for A in options), key=lambda pair: pair[0])
    # Errors are looked at in the order of times: an estimate takes far longer than a schedule.
    place = next(i for i, (_, A) in enumerate(times) if demand.admits(A))
    (seconds, best), slower = times[place], times[place + 1 : place + 4]
    parts = [f"expected {1e6 * seconds:.0f} us{' with its filters' * one_shot}{_expected_error(demand, best)}"]
    if slower:
        parts.append(", ".join(f"{_name(A)} {1e6 * s:.0f} us" for s, A in slower))
    if place:
        excluded = ", ".join(f"{_name(A)} {1e6 * s:.0f} us error {demand.error(A):.2g}" for s, A in times[:place][:3])
        more = f" and {place - 3} more" if place > 3 else ""
        parts.append(f"max_error {max_error:g} excludes {excluded}{more}")
    return Choice(best, "; ".join(parts))


def _expected_s(algorithm: Algorithm | str, problem: Problem, one_shot: bool) -> float:
    if isinstance(algorithm, Algorithm):
        cost = tiled_schedule(problem, algorithm).cost
    else:
        cost = direct_cost(problem)
    return (cost + (filter_cost(problem, algorithm) if one_shot else 0.0)) / rates().fmas_per_s


def _expected_error(demand: Demand, algorithm: Algorithm | str) -> str:
    return "" if demand.max_error is None else f", error {demand.error(algorithm):.2g}"


def _name(algorithm: Algorithm | str) -> str:
    return algorithm if isinstance(algorithm, str) else algorithm.size


def candidates(
    axes: int, taps: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], dtype: str,
    large: bool = False,
) -> Iterator[Algorithm]:
    """The fast algorithms that "auto" and "winograd" choose from; large: also those whose error may be too much."""
    if not winograd_fits(stride, dilation):
        return
    each = [_sizes(r, large and axes < 3) for r in phase_taps(taps, stride)]
    for sizes in itertools.product(*each):
        if any(m > 1 for m, _ in sizes):
            yield _algorithm(tuple(sizes), dtype)


def _sizes(r: int, large: bool) -> list[tuple[int, int]]:
    tiles = _TILES.get(r, ())
    if large and tiles:
        tiles = (*tiles, *{_LARGE_TILE} - {*tiles})
    return [(1, 1)] if r == 1 else [(n + 1 - r, r) for n in tiles]


@lru_cache(maxsize=256)
def _algorithm(sizes: tuple[tuple[int, int], ...], dtype: str) -> Algorithm:
    transforms = tuple(_transform(m, r) for m, r in sizes)
    return Algorithm(transforms, order="huffman", passes=("share", "factor"), fma=True, dtype=dtype,
                     filter_dtype="float64")


@lru_cache(maxsize=64)
def _transform(m: int, r: int) -> Transform:
    return toom_cook(m, r, [*_POINTS[: m + r - 2], INF])
