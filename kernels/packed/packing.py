"""Arrays of one shape as packed words: integers, or real numbers, which are quantised; by several threads."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from kernels.compilation import load_module
from kernels.packed.array import PackedArray
from kernels.packed.layout import lane_layout
from kernels.packed.numbers import Numbers
from kernels.packed.staging import elements_module, lane_constants, storage_module, word_header
from kernels.problem import flat_memory
from kernels.sharing import Job

__all__ = ["Packing", "real_numbers"]

_TEMPLATES = Path(__file__).parent.parent / "templates"
_FIELDS = ("LENGTH_ALONG", "INNER", "ROW_WORDS", "BLOCK", "BIPOLAR", "UNITS")

_STAGED_ELEMENTS = 16384
"""Of a unit, at most: they should stay in the first-level cache, as bytes."""

_THREAD_ELEMENTS = 8192
"""A thread more for each so many elements: waking it takes as long as these do."""

_UNUSED = np.zeros(6)


@cache
def _module(dtype: str, field: int) -> ModuleType:
    real = np.dtype(dtype).kind == "f"
    element = f"uint{field}"
    kind = element if real else dtype
    lines = (
        word_header(),
        "from kernels.atomic import claimed_unit, fetch_add",
        f"from {elements_module(kind, field, False).__name__} import pack_block",
        f"from {storage_module(field).__name__} import squeeze\n",
        *(f"{name} = {place}" for place, name in enumerate(_FIELDS)),
        f"REAL, ELEMENT, KIND = {real}, np.{element}, np.{kind}\n\n",
        (_TEMPLATES / "packed_packing.py").read_text(),
    )
    return load_module("\n".join(lines), f"packed packing {dtype}")


def real_numbers(scale: float, zero: int, kind: Numbers) -> np.ndarray:
    """What quantising needs of an Affine with one scale, and a zero to count from.

    Examples
    --------
    >>> real_numbers(0.5, 1, Numbers(4, False))
    array([ 0.5,  2. , -1. , 14. ,  1. ,  0. ])
    """
    inverse = 1 / scale if scale < 1e300 else math.nan  # it would be subnormal; divisions are taken then
    if math.isinf(inverse):
        inverse = math.nan
    low, high = kind.range
    return np.array([scale, inverse, low - zero, high - zero, zero, 0.0])


class Packing:
    """Arrays of one shape to words; it may be called from several threads.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
        float32 or float64: quantised; or int32, whose lowest bits are taken.
    axis : int
        The packed axis, not negative.
    kind : Numbers
        What is packed.
    threads : int
        At most so many.

    Examples
    --------
    >>> packing = Packing((2, 2), np.dtype("float32"), 1, Numbers(4, False), 1)
    >>> packing(np.array([[0, 1], [2.5, 99]], "float32"), real_numbers(0.5, 1, Numbers(4, False))).unpack()
    array([[ 1,  3],
           [ 6, 15]], dtype=uint8)
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, axis: int, kind: Numbers, threads: int) -> None:
        lane = lane_layout(kind.bits, kind.signed)
        self._shape, self._axis = shape, axis
        outer, length, inner = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
        row_words = -(-length // lane.lanes)
        self._words_shape = (*shape[:axis], row_words, *shape[axis + 1 :])
        self._like = PackedArray(np.empty(0, np.uint64), kind.bits, kind.signed, (0,), 0, bipolar=kind.bipolar)
        if inner == 1 and length % lane.lanes == 0:  # no row ends inside a word
            outer, length, row_words = 1, outer * length, outer * row_words
        block = max(1, _STAGED_ELEMENTS // lane.lanes)
        if inner > 1:
            block = min(block, inner)
            units = outer * row_words * -(-inner // block)
        else:
            block = max(1, block // 4)
            units = outer * -(-row_words // block)
        self._job = None
        if math.prod(shape):
            geometry = np.array([length, inner, row_words, block, kind.bipolar, units], np.int64)
            field = 8 if kind.bits <= 8 else 16
            module = _module(dtype.name, field)
            size = -(-(block * lane.lanes + 8) * field // 64)
            others = (geometry, lane_constants(lane, field), _UNUSED)
            crew = min(threads, 1 + math.prod(shape) // _THREAD_ELEMENTS)
            self._job = Job(module.run_packing, others, (size,), "uint64", 0, units, crew)

    def __call__(self, x: np.ndarray, reals: np.ndarray = _UNUSED) -> PackedArray:
        """The packed array.

        Parameters
        ----------
        x : ndarray
            C-contiguous, of the shape and the dtype.
        reals : ndarray of float64
            From `real_numbers`, for real ones.

        Raises
        ------
        ValueError
            If there is a NaN.
        """
        words = np.empty(self._words_shape, np.uint64)
        if self._job is not None:
            state = reals.copy()
            self._job(flat_memory(x), words.reshape(-1), (state,))
            if missing := int(state.view(np.int64)[5]):
                raise ValueError(f"x must not hold NaN; got {missing} of them.")
        return self._like.with_words(words, self._shape, self._axis)
