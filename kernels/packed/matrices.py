"""Products of packed matrices and vectors, exact in int32: a convolution with one tap, whose pixels are rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.packed.array import PackedArray
from kernels.packed.filters import panels_of
from kernels.packed.numbers import check_sum, numbers_of
from kernels.packed.running import Call, run
from kernels.packed.schemes import chosen_scheme
from kernels.team import thread_count

__all__ = ["dot", "matmul"]


def _check_packed(value: Any, name: str) -> PackedArray:
    if not isinstance(value, PackedArray):
        raise TypeError(f"{name} must be a PackedArray; got {type(value).__name__}: pack it first.")
    return value


def matmul(a: PackedArray, b: PackedArray, *, scheme: str = "auto", threads: int | None = None) -> np.ndarray:
    """The matrix product of packed numbers: y[..., k] = sum over c of a[..., c] b[c, k].

    Parameters
    ----------
    a : PackedArray, shape (..., C)
        Packed along its last axis.
    b : PackedArray, shape (C, K)
        Packed along its first axis, of any width and signedness.
    scheme : str
        As for `kernels.packed.Convolution`.
    threads : int, optional
        By default as many as Numba has.

    Returns
    -------
    ndarray of int32, shape (..., K)

    Raises
    ------
    TypeError, ValueError
        If operands are not packed so, shapes do not fit, or the sums might not fit int32.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> from kernels import packed
    >>> matmul(packed.pack([[1, 2], [3, 0]], 2, False), packed.pack([[1, -1], [-2, 1]], 2, True, axis=0))
    array([[-3,  1],
           [ 3, -3]], dtype=int32)
    """
    _check_packed(a, "a"), _check_packed(b, "b")
    if a.axis != a.ndim - 1:
        raise ValueError(f"a must be packed along its last axis, over which the product sums; got {a!r}.")
    if b.ndim != 2 or b.axis != 0:
        raise ValueError(f"b must have 2 dimensions (C, K) and be packed along axis 0; got {b!r}.")
    if a.shape[-1] != b.shape[0]:
        raise ValueError(f"a must have {b.shape[0]} numbers along its last axis, as b has rows; got {a.shape[-1]}.")
    channels, filters = b.shape
    a_kind, b_kind = numbers_of(a), numbers_of(b)
    check_sum(a_kind, b_kind, channels)
    count = thread_count(threads)
    name = chosen_scheme(scheme, a_kind, b_kind)[0]
    rows = a.size // channels if channels else 0
    y = np.zeros((*a.shape[:-1], filters), np.int32)
    if not y.size or not channels:
        return y
    weights = np.ascontiguousarray(b.unpack().T).reshape(filters, channels, 1, 1)
    panels = panels_of(weights, b_kind, a_kind, a.spacer, 1, name)
    row_words = a.words.shape[-1]
    one = (1, 1)
    call = Call(
        images=1, size=(1, rows), out=(1, rows), taps=one, stride=one, dilation=one, pad=(0, 0),
        x_steps=(a.words.size, 1, a.words.size, row_words), y_filter=1, threads=count,
    )
    run(panels, a.words, y, call)
    return y


def dot(a: PackedArray, b: PackedArray, *, scheme: str = "auto", threads: int | None = None) -> Any:
    """The product of two vectors, or of a matrix and a vector, or of two matrices, as `numpy.dot`.

    Parameters
    ----------
    a : PackedArray, shape (..., C)
        Packed along its last axis.
    b : PackedArray, shape (C,) or (C, K)
        Packed along its first axis.
    scheme, threads
        As for `matmul`.

    Returns
    -------
    int, for two vectors; else ndarray of int32, shape (...) or (..., K)

    Raises
    ------
    TypeError, ValueError
        As `matmul`.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> from kernels import packed
    >>> dot(packed.pack([1, 2, 3], 2, False), packed.pack_bipolar([1, -1, 1]))
    2
    """
    _check_packed(a, "a"), _check_packed(b, "b")
    if b.ndim != 1:
        return matmul(a, b, scheme=scheme, threads=threads)
    # A vector's words are those of a matrix with one column.
    column = PackedArray(b.words.reshape(-1, 1), b.bits, b.signed, (*b.shape, 1), 0, b.spacer, b.bipolar)
    y = matmul(a, column, scheme=scheme, threads=threads)[..., 0]
    return int(y) if a.ndim == 1 else y
