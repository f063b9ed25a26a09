"""Packing and unpacking, compiled: elements pass through a small buffer in the first-level cache.

    any integer dtype  <-- stage: check, narrow -->  8, 16 or 32 bits each  <-- squeeze, spread -->  lanes of words

The first step is compiled for each dtype and vectorised by LLVM, the second one for each size of field, with the lane
width as data. Both run faster than memory, so packing costs about what reading and writing costs.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kernels.compilation import load_module
from kernels.host import host
from kernels.packed.bit_moves import has_bit_moves
from kernels.packed.layout import WORD_BITS, LaneLayout

__all__ = ["elements_module", "lane_constants", "packed_words", "storage_module", "unpack_into", "word_header"]

_TEMPLATES = Path(__file__).parent.parent / "templates"
_STAGED_ELEMENTS = 4096  # 4 to 16 KiB


def word_header(length: int | None = None) -> str:
    """The lines that open a generated module with vectors of so many words, or as long as this host's registers."""
    length = length or max(2, host().length(np.uint64))
    return (
        "from __future__ import annotations\n"
        "import numpy as np\n"
        "from kernels.compilation import inlined, kernel\n"
        "from kernels.packed.words import popcount, word_ops\n\n"
        f"LENGTH = {length}\n"
        "load, store, splat, gather, scatter, peek, poke, get, put = word_ops(LENGTH)\n"
    )


def _field_bits(lane: LaneLayout) -> int:
    return 8 if lane.pitch <= 8 else 16 if lane.pitch <= 16 else 32


@cache
def storage_module(field: int) -> ModuleType:
    """The compiled functions between lanes and fields of so many bits."""
    text = (_TEMPLATES / "packed_storage.py").read_text()
    lines = (
        f"{word_header()}from kernels.packed.bit_moves import gathered_bits, poke_two, scattered_bits\n"
        "from kernels.simd import keep_rolled\n",
        f"FIELD = {field}",
        f"ONES = np.uint64({sum(1 << k for k in range(0, WORD_BITS, field))})",
        f"BIT_MOVES = {has_bit_moves()}\n\n",
        text,
    )
    return load_module("\n".join(lines), f"packed storage {field}")


@cache
def elements_module(dtype: str, field: int, saturate: bool) -> ModuleType:
    """The compiled functions between elements and lanes, by way of fields of so many bits."""
    lines = (
        word_header(),
        f"from {storage_module(field).__name__} import expand, squeeze\n",
        f"ELEMENT = np.{dtype}",
        f"UNSIGNED = np.uint{8 * np.dtype(dtype).itemsize}",
        f"SATURATE = {saturate}",
        f"DIRECT = {field == 8 * np.dtype(dtype).itemsize and not saturate}  # elements are as wide as staged ones\n\n",
        (_TEMPLATES / "packed_elements.py").read_text(),
    )
    return load_module("\n".join(lines), f"packed {dtype}")


@cache
def lane_constants(lane: LaneLayout, field: int = 0) -> np.ndarray:
    """What the templates call `c`, for fields of 8, 16 or 32 bits; 0 for the narrowest that holds a lane."""
    field = field or _field_bits(lane)
    per_chunk = 64 // field
    chunks = -(-lane.lanes // per_chunk)
    tail = lane.lanes - (chunks - 1) * per_chunk

    def repeated(bits: int, apart: int) -> int:
        return sum(((1 << bits) - 1) << k for k in range(0, WORD_BITS, apart))

    sign = 1 << lane.top if lane.signs else 0
    fields = repeated(1, field)  # unsigned lanes need no sign extended: zeros, for a field may be full to the brim
    constants = (
        lane.pitch,
        lane.lanes,
        chunks,
        (1 << field * tail) - 1,
        field - lane.pitch,
        repeated(lane.bits, 2 * field),
        repeated(2 * lane.pitch, 4 * field) if field <= 16 else 0,
        (1 << 4 * lane.pitch) - 1 if field == 8 else 0,
        (1 << lane.pitch * per_chunk) - 1,
        fields * sign,
        fields * ((1 << field - 1) - sign) if sign else 0,
        fields << field - 1 if sign else 0,
        lane.pitch * per_chunk,
        max(1, _STAGED_ELEMENTS // lane.lanes),
        (1 << lane.bits) - 1,
        sign,
        tail,
    )
    return np.array(constants, np.uint64)


def _staging(lane: LaneLayout, signed: bool) -> np.ndarray:
    block = max(1, _STAGED_ELEMENTS // lane.lanes)
    return np.empty(block * lane.lanes + 8, f"{'i' if signed else 'u'}{_field_bits(lane) // 8}")


def _split(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """Elements outside of, along and inside of an axis."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def packed_words(
    x: np.ndarray, axis: int, lane: LaneLayout, low: int, high: int, overflow: str, out: np.ndarray | None = None
) -> tuple[np.ndarray, bool]:
    """The words of an array of integers, and whether all values lay in [low, high] where `overflow` is "error".

    Parameters
    ----------
    x : ndarray
        Of an integer dtype in native byte order.
    axis : int
        Not negative.
    lane : LaneLayout
    low, high : int
        Smallest and largest value allowed; whatever the dtype cannot hold is not asked for.
    overflow : str
        "error", "wrap" or "saturate".
    out : ndarray, optional
        C-contiguous words to write to.
    """
    x = np.ascontiguousarray(x)
    limits = np.iinfo(x.dtype)
    if overflow == "wrap":
        low, high = limits.min, limits.max
    bounds = x.dtype.type(max(low, limits.min)), x.dtype.type(min(high, limits.max))
    mask: Any = (np.int64 if limits.min else np.uint64)((1 << lane.bits) - 1)
    module = elements_module(x.dtype.name, _field_bits(lane), overflow == "saturate")
    outer, length, inner = _split(x.shape, axis)
    row_words = -(-length // lane.lanes)
    words = np.empty((*x.shape[:axis], row_words, *x.shape[axis + 1 :]), np.uint64) if out is None else out
    flat, c = words.reshape(-1), lane_constants(lane)
    if not words.size:
        return words, True
    if inner > 1:
        return words, module.pack_planes(x.reshape(-1), outer, length, inner, *bounds, mask, flat, row_words, c)
    if length % lane.lanes == 0:  # no row ends inside a word
        outer, length, row_words = 1, outer * length, outer * row_words
    staging = _staging(lane, signed=False)
    return words, module.pack_rows(x.reshape(-1), outer, length, *bounds, mask, flat, row_words, staging, c)


def unpack_into(x: np.ndarray, words: np.ndarray, axis: int, lane: LaneLayout) -> None:
    """The inverse of `packed_words`, into a C-contiguous array; values that its dtype cannot hold wrap around."""
    if not x.size:
        return
    module = elements_module(x.dtype.name, _field_bits(lane), False)
    outer, length, inner = _split(x.shape, axis)
    row_words = words.shape[axis]
    flat, c = np.ascontiguousarray(words).reshape(-1), lane_constants(lane)
    if inner > 1:
        module.unpack_planes(flat, outer, row_words, x.reshape(-1), length, inner, c)
        return
    if length % lane.lanes == 0:
        outer, length, row_words = 1, outer * length, outer * row_words
    module.unpack_rows(flat, outer, row_words, x.reshape(-1), length, _staging(lane, bool(lane.signs)), c)
