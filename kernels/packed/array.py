"""`PackedArray`: integers of 1 to 16 bits, packed along one axis into 64-bit words.

The memory order. An array of shape (2, 23), 3 bits, packed along its last axis; 64 // 3 = 21 lanes to a word:

            bit 63      62..60                5..3     2..0
    words[0, 0]    .   x[0, 20]    ...    x[0, 1]  x[0, 0]       the first element in the lowest bits, as in ONNX
    words[0, 1]    .          . ...       x[0,22]  x[0,21]       each row begins with a word of its own
    words[1, 0]    .   x[1, 20]    ...    x[1, 1]  x[1, 0]
    words[1, 1]    .          . ...       x[1,22]  x[1,21]       bits with no element are zero

Words keep the array's axes, with the packed axis shortened: (N, C, H, W) packed along C has words of shape
(N, ceil(C / lanes), H, W). With `spacer`, each lane has a spare zero bit above it. Negative
values are in two's complement.

No lane straddles two words, so that one plain instruction on a word works on whole lanes. Where the lane width does not
divide 64 this leaves a few bits of each word empty: 1 of 64 for 3, 7 and 9 bits, 4 for 5, 6, 10, 12 and 15 bits.
`to_bytes` gives the dense form, `bits` / 8 of a byte each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kernels.packed.arguments import as_axis, check_bits, value_range
from kernels.packed.layout import LaneLayout, lane_layout
from kernels.packed.operators import LaneOperators
from kernels.packed.staging import unpack_into

__all__ = ["PackedArray"]


@dataclass(frozen=True, eq=False, repr=False)
class PackedArray(LaneOperators):
    """Integers packed into words; made by `pack`.

    Attributes
    ----------
    words : ndarray of uint64
        C-contiguous, with the packed axis shortened. Bits with no element are zero, spacers too.
    bits : int
        Width of an element, 1 to 16.
    signed : bool
        Two's complement, or from 0 up.
    shape : tuple of int
        That of the unpacked array.
    axis : int
        The packed axis, counted from the front.
    spacer : bool
        A spare zero bit above each lane.
    bipolar : bool
        One bit that stands for -1 (0) and +1 (1); see `pack_bipolar`.

    Raises
    ------
    ValueError, TypeError
        If the fields do not fit together.
    """

    words: np.ndarray
    bits: int
    signed: bool
    shape: tuple[int, ...]
    axis: int
    spacer: bool = False
    bipolar: bool = False

    # NumPy leaves `array + packed` to this class, which refuses it, instead of trying each element.
    __array_ufunc__ = None

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if self.bipolar and (self.bits, self.signed) != (1, True):
            raise ValueError(f"bipolar lanes must be signed and of 1 bit; got {self.bits}, signed={self.signed}.")
        axis = as_axis(self.axis, len(self.shape))
        words = self.words
        if not isinstance(words, np.ndarray) or words.dtype != np.uint64 or not words.flags.c_contiguous:
            raise TypeError("words must be a C-contiguous array of uint64.")
        expected = (*self.shape[:axis], -(-self.shape[axis] // self.layout.lanes), *self.shape[axis + 1 :])
        if words.shape != expected:
            raise ValueError(f"words must have shape {expected} for shape {self.shape}; got {words.shape}.")
        object.__setattr__(self, "axis", axis)

    @property
    def layout(self) -> LaneLayout:
        """Where the lanes of a word lie."""
        return lane_layout(self.bits, self.signed, self.spacer)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes of the words."""
        return self.words.nbytes

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value of an element."""
        return (-1, 1) if self.bipolar else value_range(self.bits, self.signed)

    def __repr__(self) -> str:
        kind = "bipolar" if self.bipolar else f"{'int' if self.signed else 'uint'}{self.bits}"
        spacer = ", spacer" if self.spacer else ""
        return f"PackedArray({kind}, shape={self.shape}, axis={self.axis}{spacer}, {self.nbytes} bytes)"

    def __len__(self) -> int:
        return self.shape[0]

    def unpack(self, dtype: Any = None, out: np.ndarray | None = None) -> np.ndarray:
        """The elements as a NumPy array.

        Parameters
        ----------
        dtype : integer dtype, optional
            By default the smallest that holds every value: (u)int8 up to 8 bits, else (u)int16.
        out : ndarray, optional
            C-contiguous array of this shape to write to, which is returned.

        Raises
        ------
        TypeError, ValueError
            If the dtype cannot hold every value, or `out` does not fit.

        Examples
        --------
        >>> from kernels import packed
        >>> packed.pack([1, -2, 3], bits=3, signed=True).unpack()
        array([ 1, -2,  3], dtype=int8)
        """
        smallest = np.dtype(f"{'i' if self.signed else 'u'}{1 if self.bits <= 8 else 2}")
        wanted = np.dtype(smallest if dtype is None else dtype) if out is None else out.dtype
        if wanted.kind not in "iu" or not wanted.isnative:
            raise TypeError(f"dtype must be an integer dtype in native byte order; got {wanted}.")
        limits = np.iinfo(wanted)
        if self.range[0] < limits.min or self.range[1] > limits.max:
            raise TypeError(f"dtype must hold {self.range[0]} to {self.range[1]}; got {wanted}.")
        if out is None:
            out = np.empty(self.shape, wanted)
        elif out.shape != self.shape or not out.flags.c_contiguous or not out.flags.writeable:
            raise ValueError(f"out must be a writable C-contiguous array of shape {self.shape}; got {out.shape}.")
        unpack_into(out, self.words, self.axis, self.layout)
        if self.bipolar:  # 0 and -1 of one bit in two's complement
            np.multiply(out, -2, out=out)
            out -= 1
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a PackedArray must be copied to become a NumPy array; got copy=False.")
        x = self.unpack()
        return x if dtype is None else x.astype(dtype)

    def with_words(self, words: np.ndarray, shape: tuple[int, ...], axis: int) -> PackedArray:
        """An array of the same kind, whose words are known to fit: nothing is checked, which would take microseconds.

        Examples
        --------
        >>> from kernels import packed
        >>> a = packed.pack([1, 2], 3, True)
        >>> a.with_words(np.array([[10]], np.uint64), (1, 2), 1).unpack()
        array([[2, 1]], dtype=int8)
        """
        made = object.__new__(PackedArray)
        made.__dict__.update(self.__dict__, words=words, shape=shape, axis=axis)
        return made

    def copy(self) -> PackedArray:
        """The same with words of its own."""
        return replace(self, words=self.words.copy())

    def to_bytes(self) -> bytes:
        """The dense form; see `kernels.packed.interchange.to_bytes`."""
        from kernels.packed.interchange import to_bytes

        return to_bytes(self)
