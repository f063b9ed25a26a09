"""Which algorithm a layer runs: what it was told, or of all that could the one of least expected time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from kernels.problem import Problem
from kernels.rates import rates
from kernels.schedule import direct_schedule, tiled_schedule
from winograd import INF, Algorithm, Transform, toom_cook

__all__ = ["NAMES", "Choice", "candidates", "check_algorithm", "checked_error", "chosen", "phase_taps"]

NAMES = ("auto", "direct", "winograd", "im2col", "fft")

_POINTS = (0, -1, 1, "1/2", -2, "-1/2", 2)
_TILES = {2: (5, 6), 3: (4, 6), 4: (6,), 5: (6, 8), 6: (8,), 7: (8,)}
"""Input tiles to choose from, by taps: up to 6, for few taps, the error of float32 stays near that of direct."""


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
        raise ValueError(f"algorithm must have the filter's taps{phases}, {needed}; {algorithm.size} has {algorithm.r}.")
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
    if isinstance(max_error, bool) or not isinstance(max_error, (int, float)) or not max_error > 0:
        raise ValueError(f"max_error must be a positive number; got {max_error!r}.")
    if not isinstance(algorithm, str) or algorithm not in ("auto", "winograd"):
        raise ValueError(f'max_error must go with algorithm "auto" or "winograd"; got {algorithm}.')
    return float(max_error)


@lru_cache(maxsize=4096)
def chosen(algorithm: Algorithm | str, axes: int, problem: Problem, max_error: float | None) -> Choice:
    """What to run for a problem, of least expected time where there is a choice."""
    if isinstance(algorithm, Algorithm) or algorithm not in ("auto", "winograd"):
        return Choice(algorithm, "asked for")
    options = (problem.taps[-axes:], problem.stride[-axes:], problem.dilation[-axes:], problem.dtype)
    per_s = rates().fmas_per_s
    times: list[tuple[float, Algorithm | str]] = []
    if algorithm == "auto":
        depthwise = problem.channels == 1 and problem.groups > 1
        if depthwise:
            return Choice("direct", "one channel a group")
        times.append((direct_schedule(problem).cost / per_s, "direct"))
    times += [(tiled_schedule(problem, A).cost / per_s, A) for A in candidates(axes, *options)]
    times.sort(key=lambda pair: pair[0])
    others = ", ".join(f"{_name(A)} {1e6 * seconds:.0f} us" for seconds, A in times[1:4])
    return Choice(times[0][1], f"expected {1e6 * times[0][0]:.0f} us" + (f"; {others}" if others else ""))


def _name(algorithm: Algorithm | str) -> str:
    return algorithm if isinstance(algorithm, str) else algorithm.size


def candidates(
    axes: int, taps: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], dtype: str
) -> Iterator[Algorithm]:
    """The fast algorithms that "auto" and "winograd" choose from."""
    if not winograd_fits(stride, dilation):
        return
    each = [_sizes(r) for r in phase_taps(taps, stride)]
    for sizes in itertools.product(*each):
        if any(m > 1 for m, _ in sizes):
            yield _algorithm(tuple(sizes), dtype)


def _sizes(r: int) -> list[tuple[int, int]]:
    return [(1, 1)] if r == 1 else [(n + 1 - r, r) for n in _TILES.get(r, ())]


@lru_cache(maxsize=256)
def _algorithm(sizes: tuple[tuple[int, int], ...], dtype: str) -> Algorithm:
    transforms = tuple(_transform(m, r) for m, r in sizes)
    return Algorithm(transforms, order="huffman", passes=("share", "factor"), fma=True, dtype=dtype,
                     filter_dtype="float64")


@lru_cache(maxsize=64)
def _transform(m: int, r: int) -> Transform:
    return toom_cook(m, r, [*_POINTS[: m + r - 2], INF])
