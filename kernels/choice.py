"""Which algorithm a layer runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from winograd import INF, Algorithm, Transform, toom_cook

_POINTS = (0, -1, 1, "1/2", -2, "-1/2", 2)
_TILE = {1: 1, 2: 6, 3: 6, 4: 6, 5: 8, 6: 8}
"""Input tile F(m, r) by taps r: tiles of six keep the error of float32 near that of direct convolution."""


def chosen_algorithm(algorithm: Any, axes: int, taps: tuple[int, int], dtype: str, plain: bool) -> Algorithm | str:
    """The Algorithm to run, or "direct"; an Algorithm that does not fit the layer is refused.

    Parameters
    ----------
    algorithm : Algorithm, "direct" or "auto"
    axes : int
        1 or 2.
    taps : (int, int)
    dtype : str
    plain : bool
        Whether stride, dilation and groups are all 1.
    """
    if isinstance(algorithm, str) and algorithm in ("direct", "auto"):
        fast = plain and all(r in _TILE for r in taps) and taps != (1, 1)
        return _default(axes, taps, dtype) if algorithm == "auto" and fast else "direct"
    if not isinstance(algorithm, Algorithm):
        raise ValueError(f'algorithm must be an Algorithm, "direct" or "auto"; got {algorithm!r}.')
    if algorithm.dims != axes:
        raise ValueError(f"algorithm must have dims = {axes} for this layer; got {algorithm.dims}.")
    if algorithm.r != taps[-axes:]:
        raise ValueError(f"algorithm must have the filter's taps {taps[-axes:]}; {algorithm.size} has {algorithm.r}.")
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
    if not plain:
        raise ValueError('stride, dilation and groups must be 1 for a fast algorithm; use "direct" or "auto" instead.')
    return algorithm


def _default(axes: int, taps: tuple[int, int], dtype: str) -> Algorithm:
    transforms = tuple(_transform(r) for r in taps[-axes:])
    return Algorithm(transforms, order="huffman", passes=("share", "factor"), fma=True, dtype=dtype,
                     filter_dtype="float64")


def _transform(taps: int) -> Transform:
    n = _TILE[taps]
    return toom_cook(n + 1 - taps, taps, [*_POINTS[: n - 1], INF])
