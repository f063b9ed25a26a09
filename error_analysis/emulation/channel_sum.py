"""The channel sum of an algorithm, in its order: linear, blocked, pairwise or Kahan's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from winograd import Algorithm, Arithmetic


def channel_total(A: Algorithm, V: np.ndarray, U: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    """Sum over channels of V * U, in the order of the algorithm; V and U are (*n, C, trials).

    Linear has one leaf. Blocked adds the leaves left to right. Pairwise is a binary counter: a leaf of rank 0 is
    pushed, two sums of equal rank on top become one of the next rank, and what is left is folded from the top. Kahan
    carries what each addition lost into the next term: from sum = lost = +0, for each channel

        term = V*U - lost;  next = sum + term;  lost = (next - sum) - term;  sum = next

    where the term is one fma, of -lost, if the algorithm fuses, else a product and a subtraction.
    """
    channels = V.shape[-2]
    if A.channel_sum == "kahan":
        return _kahan(A.fma, V, U, arithmetic)
    size = channels if A.channel_sum == "linear" else A.channel_block
    leaves = (_leaf(A.fma, V, U, range(i, min(i + size, channels)), arithmetic) for i in range(0, channels, size))
    return _sum_of_leaves(leaves, A.channel_sum == "pairwise", arithmetic)


def _leaf(fused: bool, V: np.ndarray, U: np.ndarray, channels: range, arithmetic: Arithmetic) -> Any:
    total = arithmetic.constant(0)
    for c in channels:
        v, u = V[..., c, :], U[..., c, :]
        total = arithmetic.fma(v, u, total) if fused else arithmetic.add(total, arithmetic.mul(v, u))
    return total


def _sum_of_leaves(leaves: Iterator[Any], pairwise: bool, arithmetic: Arithmetic) -> np.ndarray:
    if not pairwise:
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


def _kahan(fused: bool, V: np.ndarray, U: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    total: Any = arithmetic.constant(0)
    lost: Any = arithmetic.constant(0)
    for c in range(V.shape[-2]):
        v, u = V[..., c, :], U[..., c, :]
        if fused:
            term = arithmetic.fma(v, u, arithmetic.neg(lost))
        else:
            term = arithmetic.sub(arithmetic.mul(v, u), lost)
        following = arithmetic.add(total, term)
        lost = arithmetic.sub(arithmetic.sub(following, total), term)
        total = following
    return np.asarray(total)
