"""Products of packed matrices and vectors, exact in int32: a convolution with one tap, whose pixels are rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.packed.array import PackedArray
from kernels.packed.numbers import Numbers, check_sum, check_zero_point, numbers_of
from kernels.packed.output import Stage
from kernels.packed.prepared import Prepared, group_words
from kernels.packed.running import Call
from kernels.packed.schemes import check_scheme
from kernels.packed.weights import Weights

__all__ = ["Product", "dot", "matmul"]


def _check_packed(value: Any, name: str) -> PackedArray:
    if not isinstance(value, PackedArray):
        raise TypeError(f"{name} must be a PackedArray; got {type(value).__name__}: pack it first.")
    return value


class Product:
    """A matrix made ready to be multiplied: y[..., k] = bias[k] + sum over c of (a[..., c] - z) w[k, c].

    Parameters
    ----------
    w : ndarray of integers, shape (K, C)
    kind : Numbers
        Its numbers.
    scheme, bias
        As for `kernels.packed.Convolution`.
    """

    def __init__(self, w: np.ndarray, kind: Numbers, scheme: str = "auto", bias: Any = None) -> None:
        self.filters, self.channels = w.shape
        self._prepared = Prepared(Weights(w, kind), scheme, bias, padded=False)

    def explain(self, a: PackedArray) -> str:
        """Which scheme such activations take, and why."""
        return self._prepared.explain(a, a.size // self.channels)

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held: bit planes, and bytes where the CPU's dot products took them."""
        return self._prepared.nbytes

    def __call__(
        self, a: PackedArray, threads: int | None = None, zero_point: int = 0, stage: Stage | None = None,
        scale: float = 1.0,
    ) -> np.ndarray:
        """The product with activations of shape (..., C), packed along their last axis, after an output stage."""
        return self._prepared(self._frame, a, threads, zero_point, stage, scale)

    def _frame(self, a: PackedArray, threads: int) -> tuple[Call, tuple[int, ...], int]:
        _check_packed(a, "a")
        if a.axis != a.ndim - 1:
            raise ValueError(f"a must be packed along its last axis, over which the product sums; got {a!r}.")
        if a.shape[-1] != self.channels:
            raise ValueError(f"a must have {self.channels} numbers along its last axis; got {a.shape[-1]}.")
        rows, words = a.size // self.channels, group_words(a, 1)
        one = (1, 1)
        call = Call(
            images=1, size=(1, rows), out=(1, rows), taps=one, stride=one, dilation=one, pad=(0, 0),
            x_steps=(rows * words, 1, rows * words, words), y_filter=1, threads=threads,
        )
        return call, (*a.shape[:-1], self.filters), a.ndim - 1


def matmul(
    a: PackedArray, b: PackedArray, *, zero_point: int = 0, scheme: str = "auto", threads: int | None = None,
    explain: bool = False,
) -> Any:
    """The matrix product of packed numbers: y[..., k] = sum over c of a[..., c] b[c, k].

    Parameters
    ----------
    a : PackedArray, shape (..., C)
        Packed along its last axis.
    b : PackedArray, shape (C, K)
        Packed along its first axis, of any width and signedness. It is made ready in each call: `kernels.packed.Linear`
        does that once.
    zero_point : int
        Taken from each number of a.
    scheme : str
        As for `kernels.packed.Convolution`.
    threads : int, optional
        By default as many as Numba has.
    explain : bool
        Give a pair instead: the result, and a sentence that says which scheme was taken and why.

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
    kinds = numbers_of(a), numbers_of(b)
    check_sum(*kinds, b.shape[0], check_zero_point(kinds[0], zero_point))
    if not b.size:
        y, why = np.zeros((*a.shape[:-1], b.shape[1]), np.int32), "none: there is nothing to multiply"
        check_scheme(scheme)
    else:
        product = Product(b.unpack().T, kinds[1], scheme)
        y, why = product(a, threads, zero_point), product.explain(a)
    return (y, why) if explain else y


def dot(
    a: PackedArray, b: PackedArray, *, zero_point: int = 0, scheme: str = "auto", threads: int | None = None,
    explain: bool = False,
) -> Any:
    """The product of two vectors, or of a matrix and a vector, or of two matrices, as `numpy.dot`.

    Parameters
    ----------
    a : PackedArray, shape (..., C)
        Packed along its last axis.
    b : PackedArray, shape (C,) or (C, K)
        Packed along its first axis.
    zero_point, scheme, threads, explain
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
    if b.ndim == 1:
        # A vector's words are those of a matrix with one column.
        column = PackedArray(b.words.reshape(-1, 1), b.bits, b.signed, (*b.shape, 1), 0, b.spacer, b.bipolar)
    else:
        column = b
    y, why = matmul(a, column, zero_point=zero_point, scheme=scheme, threads=threads, explain=True)
    if b.ndim == 1:
        y = int(y[..., 0]) if a.ndim == 1 else y[..., 0]
    return (y, why) if explain else y
