"""Weights made ready for a scheme: panels of the product microkernel, and what corrects its sums."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kernels.compilation import load_module
from kernels.host import host
from kernels.packed.dot_products import has_byte_dot
from kernels.packed.layout import lane_layout
from kernels.packed.microkernel import product_text, tile_rows
from kernels.packed.numbers import Numbers
from kernels.packed.planes import bit_planes, plane_constants, plane_pairs
from kernels.packed.staging import lane_constants, storage_module, word_header
from kernels.workspace import aligned_empty

__all__ = ["FIELDS", "Panels", "can_run_int8", "panels_of"]

_TEMPLATES = Path(__file__).parent.parent / "templates"

FIELDS = (
    *("CHANNELS", "FILTERS", "GROUPS"),  # of one group; CHANNELS counts the words of a row
    *("HEIGHT", "WIDTH", "OUT_HEIGHT", "OUT_WIDTH", "PAD_0", "PAD_1"),
    *("X_IMAGE", "X_CHANNEL", "X_ROW", "X_COLUMN", "Y_FILTER"),
    *("TAPS_0", "TAPS_1", "STRIDE_0", "STRIDE_1", "DILATION_0", "DILATION_1"),
    *("PARTS", "UNITS", "BLOCK_ROWS", "BLOCK_COLUMNS"),
    *("PIXEL", "WORDS", "STRIP_PIXELS", "STRIP_ROWS", "X_WORDS", "PAD_VALUE"),
    *("A_PLANES", "A_SIGNED", "W_PLANES", "PAIRS", "HAS_SUMS", "HAS_FIXES"),
)


@cache
def _module(combination: str) -> ModuleType:
    planes = combination in ("and", "xor")
    length = max(2, host().length(np.uint64))
    lines = [
        word_header(),
        "from kernels.atomic import fetch_add",
        "from kernels.packed.dot_products import dot_ops",
        "from kernels.lane_memory import lane_ops\n",
        "from kernels.simd import keep_rolled\n",
        "splat32, add32, store32, store_low, dot_bytes, dot_pairs = dot_ops(LENGTH)",
        f"WORD = np.uint{64 if planes else 32}",
        f"NUMBERS = {2 if planes else 4} * LENGTH",
        f"SQUARE = {2 * length}",
        "transpose_block, transpose_corner = lane_ops(SQUARE).transpose_block, lane_ops(SQUARE).transpose_corner",
        *(f"{name} = {place}" for place, name in enumerate(FIELDS)),
    ]
    if planes:
        stage = (_TEMPLATES / "packed_planes.py").read_text()
    else:
        field = 8 if combination == "bytes" else 16
        lines += [f"FIELD = {field}", f"from {storage_module(field).__name__} import extended, spread"]
        stage = (_TEMPLATES / "packed_bytes.py").read_text()
        stage += "\n\n@kernel\ndef pixel_sums(X, target, pixel, words, bits, signed, count, S, s_offset):\n    return\n"
    text = "\n".join([*lines, "\n", stage, "\n", product_text(combination, tile_rows()), "\n"])
    return load_module(text + (_TEMPLATES / "packed_units.py").read_text(), f"packed product {combination}")


class Panels:
    """Weights of shape (K, C / groups, R, S) as panels, for activations of one kind.

    Attributes
    ----------
    module : module
        Its `run_units` does the work.
    words : int
        Elements of X for one pixel and plane.
    pixel : int
        Elements of X from one pixel to the next.
    pad_value : int
        What an element of X is where the image is padded.
    numbers : int
        Filters in a panel.
    U, pairs, beta, fixes, constants : ndarray
        What the kernel takes by these names, and by `c`.
    """

    module: ModuleType
    numbers: int
    U: np.ndarray
    pairs: np.ndarray
    beta: np.ndarray
    fixes: np.ndarray
    constants: np.ndarray
    words: int
    pixel: int
    pad_value = 0
    has_sums = has_fixes = False
    a_planes = w_planes = 1

    def __init__(self, w: np.ndarray, kind: Numbers, a: Numbers, spacer: bool, groups: int) -> None:
        self.shape, self.groups, self.a, self.w = w.shape, groups, a, kind
        self.lane = lane_layout(a.bits, a.signed, spacer)
        self.filters, self.channels = w.shape[0] // groups, w.shape[1]
        self.taps = math.prod(w.shape[2:])
        self._length = max(2, host().length(np.uint64))
        # (groups, filters, taps, channels)
        self._prepare(np.moveaxis(w.reshape(groups, self.filters, self.channels, self.taps), 2, 3))

    def _prepare(self, w: np.ndarray) -> None:
        raise NotImplementedError

    def _in_panels(self, rows: np.ndarray, numbers: int, dtype: Any) -> np.ndarray:
        """Filters, axis 1, as (groups, panels, ..., numbers), flat; the last panel is filled up with zeros."""
        groups, filters = rows.shape[:2]
        panels = -(-filters // numbers)
        out = aligned_empty((groups, panels, *rows.shape[2:], numbers), np.dtype(dtype))
        out[...] = 0
        for panel in range(panels):
            part = rows[:, panel * numbers : (panel + 1) * numbers]
            out[:, panel, ..., : part.shape[1]] = np.moveaxis(part, 1, -1)
        return out.reshape(-1)


class PlanePanels(Panels):
    """Weights as bit planes."""

    def _prepare(self, w: np.ndarray) -> None:
        a, kind = self.a, self.w
        both = a.bipolar and kind.bipolar
        self.module = _module("xor" if both else "and")
        self.numbers = 2 * self._length
        self.constants = plane_constants(self.lane)
        self.pairs = plane_pairs(a, kind)
        self.words = -(-self.channels // 64)
        self.a_planes, self.w_planes = a.bits, kind.bits
        self.pixel = _spread_over_sets(self.words * a.bits, 8)
        planes = bit_planes(w, kind)  # (planes, groups, filters, taps, words)
        self.U = self._in_panels(np.moveaxis(planes, 0, 2), self.numbers, np.uint64)
        tap_sums = w.sum(-1, dtype=np.int64)
        beta = np.zeros(w.shape[:2], np.int64)
        if both:
            beta += self.channels * self.taps
        elif a.bipolar:
            beta -= tap_sums.sum(-1)
        self.beta = self._in_panels(beta, self.numbers, np.int64).view(np.uint64)
        self.has_sums = kind.bipolar and not a.bipolar
        # The padding of bipolar activations is taken for -1.
        self.has_fixes = a.bipolar
        self.fixes = np.zeros(1, np.uint64)
        if a.bipolar:
            self.fixes = self._in_panels(tap_sums, self.numbers, np.int32).view(np.uint64)


class DotPanels(Panels):
    """Weights as bytes, or numbers of 16 bits, for the CPU's dot products.

    The dot product of bytes takes activations that are not negative: signed ones are raised by 2**(bits-1), bipolar
    ones, doubled bits, by 1, padding too, and what that adds is the same for every output of a filter.
    """

    def _prepare(self, w: np.ndarray) -> None:
        a = self.a
        octets = has_byte_dot() and _fits(a, 8, False) and _fits(self.w, 8, True)
        self.module = _module("bytes" if octets else "pairs")
        field = 8 if octets else 16
        self.numbers = 4 * self._length
        raised = 1 if a.bipolar else 1 << a.bits - 1 if a.signed and octets else 0
        lane = self.lane if a.negative_top and not octets else self.lane._replace(signs=0)
        ones = sum(1 << k for k in range(0, 64, field))
        change = (1, 0) if a.bipolar else (0, raised * ones)
        self.constants = np.concatenate([lane_constants(lane, field), np.array(change, np.uint64)])
        self.pairs = np.zeros(4, np.int64)
        each = 32 // field
        self.words = -(-self.channels // each)
        # Chunks of a word reach beyond the channels.
        reach = (-(-self.channels // lane.lanes) - 1) * lane.lanes * field + -(-lane.lanes * field // 64) * 64
        self.pixel = _spread_over_sets(max(self.words, -(-reach // 32)), 4)
        self.pad_value = raised * ones & 0xFFFFFFFF
        rows = np.zeros((*w.shape[:3], self.words * each), f"i{field // 8}")
        rows[..., : self.channels] = w
        self.U = self._in_panels(rows.view(np.uint32), self.numbers, np.uint32).view(np.uint64)
        beta = -raised * w.sum((-1, -2), dtype=np.int64)
        self.beta = self._in_panels(beta.astype(np.int32), self.numbers, np.int32).view(np.uint64)
        self.fixes = np.zeros(1, np.uint64)


def _spread_over_sets(elements: int, item: int) -> int:
    """The distance of pixels with a cache line more where neighbouring pixels would share few sets of the cache."""
    return elements + 64 // item if elements * item % 256 == 0 else elements


def _fits(kind: Numbers, bits: int, signed: bool) -> bool:
    low, high = kind.range
    if signed:
        return low >= -(1 << bits - 1) and high < 1 << bits - 1
    return high - low < 1 << bits


def can_run_int8(a: Numbers, w: Numbers) -> bool:
    """Whether the CPU's dot products take these numbers: all but unsigned ones of 16 bits."""
    return _fits(a, 16, True) and _fits(w, 16, True)


def panels_of(w: np.ndarray, kind: Numbers, a: Numbers, spacer: bool, groups: int, scheme: str) -> Panels:
    """The panels of a scheme."""
    return {"planes": PlanePanels, "int8": DotPanels}[scheme](w, kind, a, spacer, groups)
