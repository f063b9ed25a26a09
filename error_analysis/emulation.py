"""An Algorithm emulated operation by operation, and direct correlation to set beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.arithmetic import Emulated, emulated_dtype
from winograd import Algorithm, Arithmetic, Program, evaluate


def emulate(A: Algorithm, d: np.ndarray, g: np.ndarray) -> np.ndarray:
    """What the algorithm computes on single tiles, every operation rounded as the Algorithm says.

    Parameters
    ----------
    A : Algorithm
    d : array, shape (trials, C, *A.tile), dtype A.dtype
        Data tiles.
    g : array, shape (trials, C, *A.r), dtype A.dtype
        Filters, one for each tile.

    Returns
    -------
    array, shape (trials, *A.m), dtype A.dtype
        y[t, i] = sum over c, k of d[t, c, i + k] g[t, c, k], approximately.

    Raises
    ------
    ValueError
        If a shape does not fit the algorithm.
    TypeError
        If a dtype is not that of the algorithm.

    Rounding
    --------
    As documented at `winograd.Algorithm`: filter transform in `filter_dtype`, then rounded to `dtype`; everything
    else in `dtype`; fma only where the algorithm asks for it.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]))
    >>> emulate(A, np.float32([[[1, 2, 3, 4]]]), np.float32([[[1, 0, -1]]]))
    array([[-2., -2.]], dtype=float32)
    """
    check_tiles(d, g, A.tile, A.r)
    for name, array in (("d", d), ("g", g)):
        if array.dtype != A.dtype:
            raise TypeError(f"{name} must have the dtype of the algorithm, {A.dtype}; got {array.dtype}.")
    working, offline = Emulated(A.dtype), Emulated(A.filter_dtype)
    with np.errstate(all="ignore"):  # overflow and underflow are results, not accidents
        U = transformed([p.G for p in A.programs], trials_last(g).astype(offline.dtype, copy=False), offline)
        V = transformed([p.BT for p in A.programs], trials_last(d), working)
        M = channel_total(A, V, U.astype(working.dtype, copy=False), working)
        y = transformed([p.AT for p in A.programs], M, working)
    return np.ascontiguousarray(np.moveaxis(y, -1, 0))


def trials_last(tiles: np.ndarray) -> np.ndarray:
    """(trials, C, *tile) as (*tile, C, trials): one value of a Program is then one contiguous array."""
    return np.ascontiguousarray(tiles.T.swapaxes(0, 1) if tiles.ndim == 4 else tiles.T)


def transformed(programs: Sequence[Program], x: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    """One program along each leading axis of x, axis 0 first."""
    for axis, program in enumerate(programs):
        x = np.stack(evaluate(program, list(np.moveaxis(x, axis, 0)), arithmetic), axis)
    return x


def channel_total(A: Algorithm, V: np.ndarray, U: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    """Sum over channels of V * U, in the order of the algorithm; V and U are (*n, C, trials).

    Linear has one leaf. Blocked adds the leaves left to right. Pairwise is a binary counter: a leaf of rank 0 is
    pushed, two sums of equal rank on top become one of the next rank, and what is left is folded from the top.
    """
    channels = V.shape[-2]
    size = channels if A.channel_sum == "linear" else A.channel_block
    leaves = (_leaf(A.fma, V, U, range(i, min(i + size, channels)), arithmetic) for i in range(0, channels, size))
    if A.channel_sum != "pairwise":
        total = next(leaves)
        for leaf in leaves:
            total = arithmetic.add(total, leaf)
        return np.asarray(total)
    stack: list[tuple[int, Any]] = []
    for leaf in leaves:
        stack.append((0, leaf))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            rank, later = stack.pop()
            stack[-1] = (rank + 1, arithmetic.add(stack[-1][1], later))
    total = stack.pop()[1]
    while stack:
        total = arithmetic.add(stack.pop()[1], total)
    return np.asarray(total)


def _leaf(fused: bool, V: np.ndarray, U: np.ndarray, channels: range, arithmetic: Arithmetic) -> Any:
    total = arithmetic.constant(0)
    for c in channels:
        v, u = V[..., c, :], U[..., c, :]
        total = arithmetic.fma(v, u, total) if fused else arithmetic.add(total, arithmetic.mul(v, u))
    return total


def direct(d: np.ndarray, g: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Direct correlation in linear order: from +0, over channel, filter row, filter column, acc + round(d * g).

    Parameters
    ----------
    d : array, shape (trials, C, *tile)
    g : array, shape (trials, C, *r)
    dtype : float32 or float64
        Both arrays must have it.

    Returns
    -------
    array, shape (trials, *m), with m = tile - r + 1

    Raises
    ------
    ValueError, TypeError
        As `emulate`.

    Rounding
    --------
    Two for each product, to nearest even.

    Examples
    --------
    >>> direct(np.float32([[[1, 2, 3, 4]]]), np.float32([[[1, 0, -1]]]), "float32")
    array([[-2., -2.]], dtype=float32)
    """
    kind = emulated_dtype(dtype)
    check_tiles(d, g)
    for name, array in (("d", d), ("g", g)):
        if array.dtype != kind:
            raise TypeError(f"{name} must have the dtype {kind}; got {array.dtype}.")
    x, w = trials_last(d), trials_last(g)
    m, r, channels = output_shape(d, g), g.shape[2:], d.shape[1]
    total = np.zeros((*m, len(d)), kind)
    with np.errstate(all="ignore"):
        for c, *k in product(range(channels), *map(range, r)):
            window: tuple[Any, ...] = tuple(slice(a, a + length) for a, length in zip(k, m, strict=True))
            total += x[(*window, c)] * w[(*k, c)]
    return np.ascontiguousarray(np.moveaxis(total, -1, 0))


def output_shape(d: np.ndarray, g: np.ndarray) -> tuple[int, ...]:
    """Outputs by axis: tile - r + 1."""
    return tuple(t - k + 1 for t, k in zip(d.shape[2:], g.shape[2:], strict=True))


def check_tiles(
    d: np.ndarray, g: np.ndarray, tile: tuple[int, ...] | None = None, r: tuple[int, ...] | None = None
) -> None:
    """Refuse data and filters that are no arrays (trials, C, *tile) and (trials, C, *r) of one another."""
    for name, array, wanted in (("d", d, tile), ("g", g, r)):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} must be a NumPy array; got {type(array).__name__}.")
        if array.ndim not in (3, 4) or (wanted is not None and array.shape[2:] != wanted):
            shape = "trials, C, " + ("one or two axes" if wanted is None else ", ".join(map(str, wanted)))
            raise ValueError(f"{name} must have the shape ({shape}); got {array.shape}.")
    if d.shape[:2] != g.shape[:2] or d.ndim != g.ndim:
        raise ValueError(f"d and g must have the same trials, channels and axes; got {d.shape} and {g.shape}.")
    if d.shape[1] < 1:
        raise ValueError(f"channels must be at least 1; got {d.shape[1]}.")
    if min(output_shape(d, g)) < 1:
        raise ValueError(f"the filter must fit into the tile; got {g.shape[2:]} and {d.shape[2:]}.")
