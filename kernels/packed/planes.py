"""Scheme "planes": the inner product of two numbers in bits is a sum over pairs of bit planes.

    a = sum of 2**i a_i,  w = sum of 2**j w_j      a . w = sum of 2**(i+j) popcount(a_i & w_j)

where a_i holds bit i of 64 channels in one word. The top plane of a signed number has the weight -2**(bits-1), so pairs
of which one plane is such a top count negatively. Of bipolar numbers, -1 and +1 in the bits 0 and 1, a = 2 a_0 - 1:

    both        a . w = C - 2 popcount(a_0 ^ w_0)
    only a      a . w = 2 (a_0 . w) - sum of w
    only w      a . w = 2 (a . w_0) - sum of a
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kernels.packed.layout import LaneLayout
from kernels.packed.numbers import Numbers

__all__ = ["bit_planes", "plane_constants", "plane_pairs"]


def plane_pairs(a: Numbers, w: Numbers) -> np.ndarray:
    """For each pair: plane of a, place of w's plane, and how the sums change after it: shift, and 0 or -1 for the sign.

    The planes of w lie in memory with the top one first.

    Returns
    -------
    ndarray of int64, shape (4 * pairs,)

    Examples
    --------
    >>> plane_pairs(Numbers(2, False), Numbers(1, True)).reshape(-1, 4).tolist()
    [[1, 0, 1, 0], [0, 0, 0, -1]]
    """
    if a.bipolar and w.bipolar:
        return np.array([0, 0, 1, -1], np.int64)

    def negative(i: int, j: int) -> bool:
        return (a.negative_top and i == a.bits - 1) != (w.negative_top and j == w.bits - 1)

    order = sorted(((i, j) for i in range(a.bits) for j in range(w.bits)), key=lambda p: (-sum(p), negative(*p), p))
    doubled = int(a.bipolar or w.bipolar)
    rows = []
    for number, (i, j) in enumerate(order):
        last = number + 1 == len(order)
        next_sum, next_sign = (-doubled, False) if last else (sum(order[number + 1]), negative(*order[number + 1]))
        rows.append((i, w.bits - 1 - j, i + j - next_sum, -1 if next_sign != negative(i, j) else 0))
    return np.array(rows, np.int64).reshape(-1)


def bit_planes(values: np.ndarray, kind: Numbers) -> np.ndarray:
    """Bits of numbers, 64 of the last axis to a word: shape (bits, ..., words)."""
    raw = (values > 0).astype(np.uint8) if kind.bipolar else values
    words = -(-values.shape[-1] // 64)
    padded = np.zeros((*values.shape[:-1], 64 * words), np.uint8)
    planes = np.empty((kind.bits, *values.shape[:-1], words), np.uint64)
    for i in range(kind.bits):
        padded[..., : values.shape[-1]] = (raw >> i) & 1
        planes[i] = np.packbits(padded, axis=-1, bitorder="little").view("<u8")
    return planes


@cache
def plane_constants(lane: LaneLayout) -> np.ndarray:
    """What the template of planes calls `c`.

    After the step of distance d = 1, 2, 4, ..., groups of 2 d bits lie next to each other, 2 d pitches apart.
    """
    masks = []
    group = 2
    while group < 2 * lane.lanes and lane.pitch > 1:
        apart = group * lane.pitch
        masks.append(sum(((1 << group) - 1) << k for k in range(0, 64, apart)) & (2**64 - 1))
        group *= 2
    return np.array([lane.pitch, lane.lanes, len(masks), lane.bits, lane.ones, *masks], np.uint64)
