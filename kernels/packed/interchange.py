"""To and from other libraries' forms: ONNX's bytes, and arrays of ml_dtypes' small integers.

ONNX stores the elements of an INT4 or UINT4 tensor in C order, two to a byte, of an INT2 or UINT2 tensor four, the
first in the lowest bits; the last byte is filled up with zeros:

    byte 0: x[1] x[0]     byte 1: x[3] x[2]  ...       (4 bits)

For other widths the same rule, one stream of bits, is followed, with elements across the borders of bytes: n elements
take ceil(n bits / 8) bytes, and nothing is lost to padding between rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kernels.compilation import load_module
from kernels.packed.arguments import as_axis, as_integer, check_bits
from kernels.packed.array import PackedArray
from kernels.packed.layout import WORD_BITS, lane_layout
from kernels.packed.staging import packed_words, word_header
from kernels.packed.storage import pack

__all__ = ["from_bytes", "from_ml_dtypes", "to_bytes", "to_ml_dtypes"]

_TEMPLATES = Path(__file__).parent.parent / "templates"


@cache
def _stream_module() -> ModuleType:
    return load_module(f"{word_header()}\n\n{(_TEMPLATES / 'packed_stream.py').read_text()}", "packed stream")


def _bit_pattern(a: PackedArray) -> np.ndarray:
    """The elements' bits as unsigned numbers."""
    return replace(a, signed=False, bipolar=False).unpack()


def to_bytes(a: PackedArray) -> bytes:
    """The elements in C order as one dense stream of bits; for 2 and 4 bits, ONNX's layout.

    Parameters
    ----------
    a : PackedArray
        Of any axis; spacers are left out.

    Returns
    -------
    bytes
        ceil(size * bits / 8) of them.

    Source
    ------
    ONNX, onnx.proto, TensorProto.DataType: INT4, UINT4, INT2, UINT2.

    Examples
    --------
    >>> to_bytes(pack([1, -2, 3], bits=4, signed=True)).hex()
    'e103'
    """
    size = -(-a.size * a.bits // 8)
    pattern = _bit_pattern(a).reshape(-1)
    if WORD_BITS % a.bits == 0:
        words, _ = packed_words(pattern, 0, lane_layout(a.bits), 0, 0, "wrap")
        return words.astype("<u8", copy=False).tobytes()[:size]
    stream = np.empty(size, np.uint8)
    _stream_module().write_stream(pattern, a.bits, stream)
    return stream.tobytes()


def from_bytes(
    data: bytes, bits: int, signed: bool, shape: int | Sequence[int], axis: int = -1, spacer: bool = False
) -> PackedArray:
    """The inverse of `to_bytes`.

    Parameters
    ----------
    data : bytes-like
        Exactly ceil(size * bits / 8) bytes.
    bits, signed : int, bool
        Of the elements.
    shape : int or sequence of int
        Of the array, whose elements the bytes hold in C order.
    axis, spacer : int, bool
        As in `pack`.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError, ValueError
        If there are too few or too many bytes, or an argument is outside its range.

    Examples
    --------
    >>> from_bytes(bytes.fromhex("e103"), bits=4, signed=True, shape=3).unpack()
    array([ 1, -2,  3], dtype=int8)
    """
    bits = check_bits(bits)
    sizes = (shape,) if not isinstance(shape, Sequence) else tuple(shape)
    extents = tuple(as_integer(n, "shape") for n in sizes)
    if min(extents, default=0) < 0:
        raise ValueError(f"shape must not be negative; got {extents}.")
    place = as_axis(axis, len(extents))
    stream = np.frombuffer(data, np.uint8)
    size = int(np.prod(extents, dtype=object))
    if stream.size != -(-size * bits // 8):
        raise ValueError(
            f"data must be {-(-size * bits // 8)} bytes for {size} elements of {bits} bits; got {stream.size}."
        )
    elements = np.empty(size, np.uint8 if bits <= 8 else np.uint16)
    if WORD_BITS % bits == 0:
        words = np.zeros(-(-stream.size // 8), np.uint64)
        words.view(np.uint8)[: stream.size] = stream
        flat = PackedArray(words.astype(np.uint64, copy=False), bits, False, (size,), 0)
        flat.unpack(out=elements)
    else:
        _stream_module().read_stream(stream, bits, elements)
    return pack(_signed(elements, bits, signed).reshape(extents), bits, signed, place, spacer, overflow="wrap")


def _signed(elements: np.ndarray, bits: int, signed: bool) -> np.ndarray:
    return elements.view(f"i{elements.itemsize}") if signed else elements


def to_ml_dtypes(a: PackedArray) -> np.ndarray:
    """An array of ml_dtypes' integers of this width: one byte an element.

    Parameters
    ----------
    a : PackedArray
        Of 1, 2 or 4 bits.

    Returns
    -------
    ndarray of ml_dtypes.int4, uint4, int2, uint2, int1 or uint1

    Raises
    ------
    ValueError
        If ml_dtypes has no integers of this width.
    ImportError
        If ml_dtypes is not installed.

    Examples
    --------
    >>> to_ml_dtypes(pack([1, -2], bits=4, signed=True))
    array([1, -2], dtype=int4)
    """
    import ml_dtypes

    name = f"{'int' if a.signed else 'uint'}{a.bits}"
    if a.bits >= 8 or a.bipolar or not hasattr(ml_dtypes, name):
        raise ValueError(f"a must have a width that ml_dtypes has, such as 2 or 4 bits; got {a!r}.")
    return _bit_pattern(a).view(getattr(ml_dtypes, name))


def from_ml_dtypes(x: Any, axis: int = -1, spacer: bool = False) -> PackedArray:
    """Packed from an array of ml_dtypes' int4, uint4, int2, uint2, int1 or uint1.

    Parameters
    ----------
    x : ndarray
    axis, spacer : int, bool
        As in `pack`.

    Returns
    -------
    PackedArray

    Raises
    ------
    TypeError
        If x has another dtype.

    Examples
    --------
    >>> import ml_dtypes
    >>> from_ml_dtypes(np.array([1, -2], ml_dtypes.int4))
    PackedArray(int4, shape=(2,), axis=0, 8 bytes)
    """
    array = np.asarray(x)
    name = array.dtype.name
    if name not in ("int4", "uint4", "int2", "uint2", "int1", "uint1"):
        raise TypeError(f"x must be of ml_dtypes' int4, uint4, int2, uint2, int1 or uint1; got {array.dtype}.")
    place = as_axis(axis, array.ndim)
    # ml_dtypes looks at the lowest bits of each byte only, and so does overflow="wrap".
    pattern = np.ascontiguousarray(array).view(np.uint8)
    return pack(pattern, int(name[-1]), not name.startswith("u"), place, spacer, overflow="wrap")
