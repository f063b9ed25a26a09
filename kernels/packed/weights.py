"""The weights of a product or a convolution, held as bit planes: exactly `bits` bits each, whichever width that is.

The order is the one that the product of planes reads them in, lowest stride last:

    planes   [group][panel][plane, the top one first][tap][word of 64 channels][filter of the panel]

so that a product which needs each weight once goes through memory from its beginning to its end. Channels are filled up
to whole words and filters to whole panels, both with zeros. Everything else that a scheme needs is computed from these.
"""

from __future__ import annotations

import math

import numpy as np

from kernels.host import host
from kernels.packed.fields import BLOCK, STEPS, field_vectors
from kernels.packed.layout import WORD_BITS
from kernels.packed.lookups import FILTERS
from kernels.packed.numbers import Numbers
from kernels.packed.planes import bit_planes
from kernels.workspace import aligned_empty

__all__ = ["Shape", "Weights", "in_panels"]

Shape = tuple[int, int, tuple[int, ...]]
"""Filters of all groups, channels of one, and taps."""


def in_panels(rows: np.ndarray, numbers: int, dtype: type | str) -> np.ndarray:
    """Filters, axis 1, as (groups, panels, ..., numbers), at a cache line; the last panel is filled up with zeros.

    Examples
    --------
    >>> in_panels(np.arange(3).reshape(1, 3), 2, "int32").tolist()
    [[[0, 1], [2, 0]]]
    """
    groups, filters = rows.shape[:2]
    panels = -(-filters // numbers)
    out = aligned_empty((groups, panels, *rows.shape[2:], numbers), np.dtype(dtype))
    out[...] = 0
    for panel in range(panels):
        part = rows[:, panel * numbers : (panel + 1) * numbers]
        out[:, panel, ..., : part.shape[1]] = np.moveaxis(part, 1, -1)
    return out


class Weights:
    """Weights of shape (K, C / groups, taps...) of one kind.

    Parameters
    ----------
    w : ndarray of integers, shape (K, C / groups, ...)
        It may be changed afterwards.
    kind : Numbers
    groups : int

    Attributes
    ----------
    filters, channels, taps : int
        Of one group.
    tap_shape : tuple of int
        Empty for a matrix.
    numbers : int
        Filters in a panel.
    words : int
        Words of a plane for one filter and tap.
    planes : ndarray of uint64, shape (groups, panels, bits, taps, words, numbers)
    joined : int
        Taps whose channels follow each other in a word; see `kernels.packed.joined`.
    """

    joined = 1

    def __init__(self, w: np.ndarray, kind: Numbers, groups: int = 1) -> None:
        self.kind, self.groups, self.tap_shape = kind, groups, w.shape[2:]
        self.filters, self.channels, self.taps = w.shape[0] // groups, w.shape[1], math.prod(w.shape[2:])
        self._fields: dict[int, np.ndarray] = {}
        self.numbers = 2 * max(2, host().length(np.uint64))
        self.words = -(-self.channels // WORD_BITS)
        # (groups, filters, taps, channels), then planes (bits, groups, filters, taps, words)
        planes = bit_planes(np.moveaxis(w.reshape(groups, self.filters, self.channels, self.taps), 2, 3), kind)
        self.planes = in_panels(np.moveaxis(planes[::-1], 0, 2), self.numbers, np.uint64)

    def shape_for(self, scheme: str) -> Shape:
        """What a scheme sees."""
        return self.filters * self.groups, self.channels, self.tap_shape

    def apart(self) -> Weights:
        """The same weights, with no taps joined."""
        return self

    @property
    def nbytes(self) -> int:
        """Bytes of the planes, and of the fields that were asked for."""
        return self.planes.nbytes + sum(fields.nbytes for fields in self._fields.values())

    def as_numbers(self, bits: int) -> np.ndarray:
        """Numbers of 8 or 16 bits in panels of twice as many filters, as uint64; made once.

        [group][panel][tap][4 bytes of neighbouring channels][filter], channels filled up with zeros.
        """
        if bits not in self._fields:
            each = 32 // bits
            rows = np.zeros((self.groups, self.filters, self.taps, -(-self.channels // each) * each), f"i{bits // 8}")
            rows[..., : self.channels] = self.values()
            panels = in_panels(rows.view(np.uint32), 2 * self.numbers, np.uint32)
            self._fields[bits] = panels.reshape(-1).view(np.uint64)
        return self._fields[bits]

    def as_fields(self) -> np.ndarray:
        """As many bits as there are, as `kernels.packed.fields` draws them, as uint64; made once."""
        if 0 not in self._fields:
            groups, panels, bits, taps, _, numbers = self.planes.shape
            blocks = -(-self.channels // BLOCK)
            out = aligned_empty((groups, -(-panels // 2), taps, blocks, bits, 2, numbers, 4), np.dtype(np.uint8))
            out[...] = 0
            for group, panel in np.ndindex(groups, panels):
                octets = np.ascontiguousarray(self.planes[group, panel].astype("<u8").swapaxes(-1, -2)).view(np.uint8)
                # From (bit, tap, filter, channel) to (bit, tap, block, step, filter, channel of the step).
                ones = np.unpackbits(octets, axis=-1, bitorder="little")[..., : BLOCK * blocks]
                ones = ones.reshape(bits, taps, numbers, blocks, STEPS, 4).transpose(0, 1, 3, 4, 2, 5)
                if self.kind.negative_top:
                    ones[0] ^= 1  # raised
                for place, (width, offset, first) in enumerate(field_vectors(bits)):
                    to = out[group, panel // 2, :, :, place, panel % 2]
                    for k, bit in np.ndindex(STEPS // width, width):
                        to |= ones[bits - 1 - offset - bit, :, :, first + k] << np.uint8(width * k + bit)
            self._fields[0] = out.reshape(-1).view(np.uint64)
        return self._fields[0]

    def as_places(self) -> np.ndarray:
        """The bits of 8 channels to a byte, as `kernels.packed.lookups` reads them, as uint64; made once.

        [group][panel of 64][plane, the top one first][tap][8 channels][vector][16][2 filters, 16 apart]
        """
        if 1 not in self._fields:
            groups, panels, bits, taps, words, numbers = self.planes.shape
            steps, wide = -(-self.channels // 8), -(-self.filters // FILTERS)
            octets = self.planes.astype("<u8").view(np.uint8).reshape(groups, panels, bits, taps, words, numbers, 8)
            octets = octets.transpose(0, 2, 3, 4, 6, 1, 5).reshape(groups, bits, taps, 8 * words, panels * numbers)
            filled = np.zeros((groups, bits, taps, steps, wide * FILTERS), np.uint8)
            filled[..., : self.filters] = octets[..., :steps, : self.filters]
            vectors = filled.reshape(groups, bits, taps, steps, wide, 2, 2, 16).transpose(0, 4, 1, 2, 3, 5, 7, 6)
            places = aligned_empty(vectors.shape, np.dtype(np.uint8))
            places[...] = vectors
            self._fields[1] = places.reshape(-1).view(np.uint64)
        return self._fields[1]

    def tap_sums(self) -> np.ndarray:
        """Sums over the channels: int64, shape (groups, panels, taps, numbers)."""
        # Shape (groups, panels, bits, taps, numbers).
        ones = np.bitwise_count(self.planes).sum(-2, dtype=np.int64)
        if self.kind.bipolar:
            sums = 2 * ones[:, :, 0] - self.channels
            # What fills up the last panel is 0, not -1.
            filled = np.arange(sums.shape[1] * self.numbers).reshape(-1, 1, self.numbers) < self.filters
            return np.where(filled, sums, 0)
        places = np.array([1 << i for i in reversed(range(self.kind.bits))], np.int64)
        if self.kind.negative_top:
            places[0] = -places[0]
        return np.einsum("gpbtn,b->gptn", ones, places)

    def values(self) -> np.ndarray:
        """The weights again: int32, shape (groups, filters, taps, channels)."""
        groups, panels, bits, taps, words, numbers = self.planes.shape
        planes = np.moveaxis(self.planes, -1, 2).reshape(groups, panels * numbers, bits, taps, words)[:, : self.filters]
        octets = np.ascontiguousarray(planes, "<u8").view(np.uint8)
        ones = np.unpackbits(octets, axis=-1, count=self.channels, bitorder="little")
        if self.kind.bipolar:
            return 2 * ones[:, :, 0].astype(np.int32) - 1
        out = np.zeros((groups, self.filters, taps, self.channels), np.int32)
        for plane in range(bits):
            bit = ones[:, :, plane].astype(np.int32)
            out = 2 * out - bit if plane == 0 and self.kind.negative_top else 2 * out + bit
        return out
