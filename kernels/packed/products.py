"""Convolution by one wide multiplication: how many lanes fit, why nothing overflows, and the multiplication itself.

With S bits from lane to lane, a word is a polynomial at x = 2**S:

    A = a[0] + a[1] 2**S + ... + a[N-1] 2**(S (N-1))         N lanes of activations
    W = w[0] + w[1] 2**S + ... + w[K-1] 2**(S (K-1))         K lanes of weights
    A W = c[0] + c[1] 2**S + ... + c[N+K-2] 2**(S (N+K-2))   c[j] = sum of a[i] w[k] over i + k = j

So one multiplication gives the N K products and adds them up into the N + K - 1 elements of the convolution of a and w,
as long as each c[j] keeps to its lane. `lanes_for` says when it does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.packed.array import PackedArray
from kernels.packed.layout import WORD_BITS
from kernels.packed.plan import LanePlan, lanes_for

__all__ = ["convolve", "lane_words", "product_lanes"]


def lane_words(elements: Any, lane_bits: int, product_bits: int = WORD_BITS) -> Any:
    """The sum of elements[..., i] * 2**(i * lane_bits), modulo 2**product_bits.

    Negative elements borrow from the lanes above them, which the product needs: it is the polynomial that is right, not
    each lane by itself.

    Parameters
    ----------
    elements : list of int, or ndarray of int64 of shape (..., lanes)
    lane_bits, product_bits : int
        For arrays, product_bits is 64.

    Returns
    -------
    int, or ndarray of uint64 of shape (...)

    Examples
    --------
    >>> f"{lane_words([1, 2, 3], 8):06x}", f"{lane_words([-1, 2], 8):x}"
    ('030201', '1ff')
    """
    if isinstance(elements, np.ndarray):
        places = np.arange(elements.shape[-1], dtype=np.uint64) * np.uint64(lane_bits)
        return (elements.astype(np.int64).view(np.uint64) << places).sum(-1, dtype=np.uint64)
    total = sum(int(v) << lane_bits * i for i, v in enumerate(elements))
    return total & ((1 << product_bits) - 1)


def product_lanes(total: Any, plan: LanePlan) -> Any:
    """The elements c[0], ..., c[N+K-2] of a product A W, or of a sum of at most `plan.most_words` of them.

    Parameters
    ----------
    total : int, or ndarray of uint64 of shape (...)
        Modulo 2**product_bits.
    plan : LanePlan

    Returns
    -------
    list of int, or ndarray of int64 of shape (..., outputs)

    Rounding
    --------
    None: exact, as `lanes_for` proves.

    Examples
    --------
    >>> plan = lanes_for(2, 2, taps=2, a_signed=True, w_signed=True)
    >>> product = lane_words([1, -2], plan.lane_bits) * lane_words([-1, 1], plan.lane_bits)
    >>> product_lanes(product % 2**64, plan)[:3]
    [-1, 3, -2]
    """
    last = plan.outputs - 1
    widths = [plan.lane_bits] * last + [plan.product_bits - plan.lane_bits * last]
    signed = plan.product_range[0] < 0
    raised_by = [1 << width - 1 if signed else 0 for width in widths]
    bias = sum(r << plan.lane_bits * j for j, r in enumerate(raised_by))
    whole = (1 << plan.product_bits) - 1
    if isinstance(total, np.ndarray):
        raised = total + np.uint64(bias & whole)
        columns = []
        for j, (width, by) in enumerate(zip(widths, raised_by, strict=True)):
            digit = (raised >> np.uint64(plan.lane_bits * j)) & np.uint64((1 << width) - 1)
            columns.append((digit - np.uint64(by)).view(np.int64))
        return np.stack(columns, axis=-1)
    raised = (total + bias) & whole
    return [
        ((raised >> plan.lane_bits * j) & ((1 << width) - 1)) - by
        for j, (width, by) in enumerate(zip(widths, raised_by, strict=True))
    ]


def convolve(a: PackedArray, w: PackedArray) -> np.ndarray:
    """Full convolution along the packed axis, c[j] = sum of a[i] w[j - i], by wide multiplications.

    a is cut into words of N elements and w into words of K; each pair of words takes one multiplication, and what
    overlaps is added up.

    Parameters
    ----------
    a : PackedArray of shape (..., n)
        Packed along its last axis.
    w : PackedArray of shape (r,)

    Returns
    -------
    ndarray of int64, shape (..., n + r - 1)

    Raises
    ------
    TypeError, ValueError
        If an operand is not packed, or of another shape, or empty.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> from kernels.packed import pack
    >>> convolve(pack([1, -2, 3], 3, True), pack([2, 1], 2, False))
    array([ 2, -3,  4,  3])
    """
    for name, operand in (("a", a), ("w", w)):
        if not isinstance(operand, PackedArray):
            raise TypeError(f"{name} must be a PackedArray; got {type(operand).__name__}: pack it first.")
        if operand.axis != operand.ndim - 1 or not operand.shape[-1]:
            raise ValueError(f"{name} must be packed along its last axis, which has elements; got {operand!r}.")
    if w.ndim != 1:
        raise ValueError(f"w must have one axis; got shape {w.shape}.")
    x: np.ndarray = a.unpack(np.int64)
    taps: np.ndarray = w.unpack(np.int64)
    a_bits, w_bits = (2 if v.bipolar else v.bits for v in (a, w))
    plan = lanes_for(a_bits, w_bits, taps.size, a_signed=a.signed, w_signed=w.signed)
    n, outputs = x.shape[-1], x.shape[-1] + taps.size - 1
    a_blocks, w_blocks = -(-n // plan.a_lanes), -(-taps.size // plan.w_lanes)
    x = np.concatenate([x, np.zeros((*x.shape[:-1], a_blocks * plan.a_lanes - n), np.int64)], axis=-1)
    taps = np.concatenate([taps, np.zeros(w_blocks * plan.w_lanes - taps.size, np.int64)])
    a_words = lane_words(x.reshape(*x.shape[:-1], a_blocks, plan.a_lanes), plan.lane_bits)
    w_words = lane_words(taps.reshape(w_blocks, plan.w_lanes), plan.lane_bits)
    # Word q of a times word k of w begins at element q N + k K of the result.
    result = np.zeros((*x.shape[:-1], x.shape[-1] + taps.size + plan.outputs), np.int64)
    for k, word in enumerate(w_words):
        lanes = product_lanes(a_words * word, plan)
        for j in range(plan.outputs):
            first = k * plan.w_lanes + j
            result[..., first : first + a_blocks * plan.a_lanes : plan.a_lanes] += lanes[..., j]
    return result[..., :outputs]
