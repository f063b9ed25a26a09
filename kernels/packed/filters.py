"""Weights made ready for a scheme: panels of the product microkernel, and what corrects its sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from kernels.compilation import load_module
from kernels.host import host
from kernels.packed.dot_products import DotOps, has_byte_dot
from kernels.packed.fields import BLOCK, STEPS, field_text
from kernels.packed.fields import tile_rows as field_rows
from kernels.packed.layout import LaneLayout, lane_layout
from kernels.packed.lookups import (
    FILTERS,
    LENGTH,
    LookupOps,
    has_lookup,
    lookup_text,
    table_parts,
    tables_of,
)
from kernels.packed.lookups import tile_rows as table_rows
from kernels.packed.microkernel import product_text, tile_rows
from kernels.packed.numbers import Numbers
from kernels.packed.planes import plane_constants, plane_pairs
from kernels.packed.staging import elements_module, lane_constants, storage_module, word_header
from kernels.packed.weights import Weights, in_panels

__all__ = ["FIELDS", "Corrections", "Panels", "can_run_int8", "can_run_tables", "corrections_of", "panels_of",
           "product_module", "uses_bytes"]

_TEMPLATES = Path(__file__).parent.parent / "templates"
_PIXEL_SUMS = "pixel_sums(X, target, pixel, words, bits, signed, count, S, s_offset)"

FIELDS = (
    *("CHANNELS", "FILTERS", "GROUPS"),  # of one group; CHANNELS counts the words of a row
    *("HEIGHT", "WIDTH", "OUT_HEIGHT", "OUT_WIDTH", "PAD_0", "PAD_1"),
    *("X_IMAGE", "X_CHANNEL", "X_ROW", "X_COLUMN", "Y_FILTER"),
    *("TAPS_0", "TAPS_1", "STRIDE_0", "STRIDE_1", "DILATION_0", "DILATION_1"),
    *("PARTS", "UNITS", "BLOCK_ROWS", "BLOCK_COLUMNS"),
    *("PIXEL", "WORDS", "STRIP_PIXELS", "STRIP_ROWS", "X_WORDS"),
    *("A_PLANES", "A_SIGNED", "W_PLANES", "PAIRS", "HAS_SUMS", "HAS_FIXES", "APART"),
    *("OUTPUT", "LOW", "HIGH", "ZERO"),
    # Taps of a row that are joined with the channels, or 1; then where in X a row is staged before they are, the
    # distances of its pixels and planes, and the channels of one tap.
    *("JOINED", "ROW_AT", "ROW_PIXEL", "ROW_PLANE", "TAP_CHANNELS"),
    # Bits of the outputs where y is their words, else 0; words of a pixel of one group; where some of M is transposed.
    *("Y_BITS", "Y_WORDS", "T_AT"),
)


@cache
def product_module(combination: str) -> ModuleType:
    """The compiled product for a key of `kernels.packed.microkernel.COMBINATIONS`, "tables" or "fields" with bits."""
    planes, tables, fields = combination in ("and", "xor"), combination == "tables", combination.startswith("fields")
    square = 2 * max(2, host().length(np.uint64))
    numbers = str(FILTERS) if tables else f"{2 if planes else 4} * LENGTH"
    lines = [
        word_header(LENGTH if tables else None),
        "from kernels.atomic import claimed_unit, fetch_add",
        "from kernels.packed.dot_products import dot_ops",
        "from kernels.lane_memory import lane_ops, prefetch\n",
        "from kernels.packed.real_lanes import real_ops",
        "from kernels.simd import at_least, keep_rolled\n",
        f"from {elements_module('int32', 8, False).__name__} import pack_block",
        f"{', '.join(DotOps._fields)} = dot_ops(LENGTH)",
        "load_integers, store_integers, store_floats, store_signs = real_ops(LENGTH)",
        "load_reals, splat_real = lane_ops(LENGTH).load, lane_ops(LENGTH).splat",
        f"WORD = np.uint{64 if planes or tables else 32}",
        f"NUMBERS = {numbers}",
        f"BETA_WORDS = NUMBERS // {1 if planes else 2}",
        "AHEAD = 1024",
        f"SQUARE = {square}",
        "transpose_block, transpose_corner = lane_ops(SQUARE).transpose_block, lane_ops(SQUARE).transpose_corner",
        *(f"{name} = {place}" for place, name in enumerate(FIELDS)),
    ]
    if planes:
        stage = (_TEMPLATES / "packed_planes.py").read_text()
    else:
        field = 16 if combination == "pairs" else 8
        lines += [f"FIELD = {field}", f"from {storage_module(field).__name__} import extended, spread"]
        stage = (_TEMPLATES / "packed_bytes.py").read_text()
        if tables:
            lines += ["from kernels.packed.lookups import lookup_ops", f"{', '.join(LookupOps._fields)} = lookup_ops()"]
            stage += "\n\n" + (_TEMPLATES / "packed_tables.py").read_text()
        elif fields:
            lines += [f"STEPS = {STEPS}"]
            stage += "\n\n" + (_TEMPLATES / "packed_fields.py").read_text()
        else:
            stage += "\n\nstage = stage_fields\n"
        if not fields:
            stage += f"\n\n@kernel\ndef {_PIXEL_SUMS}:\n    return\n"
        stage += "\n\n@kernel\ndef join_taps(X, target, count, words, geometry):\n    return\n"
    if tables:
        product = lookup_text(table_rows())
    else:
        product = (field_text(int(combination.split()[1]), field_rows()) if fields else
                   product_text(combination, tile_rows()))
    parts = [*lines, "\n", stage, "\n", product, "\n"]
    parts += [(_TEMPLATES / "packed_units.py").read_text()]
    return load_module("\n".join(parts), f"packed product {combination}")


@dataclass(frozen=True)
class Panels:
    """Weights as the product reads them, for activations of one kind.

    Attributes
    ----------
    weights : Weights
    a : Numbers
        The kind of the activations.
    lane : LaneLayout
        Theirs.
    combination : str
        What the product does, a key of `kernels.packed.microkernel.COMBINATIONS`, or "tables".
    U : ndarray of uint64
    pairs, pairs_apart : ndarray of int64
        Pairs of planes (see `kernels.packed.planes.plane_pairs`); those of a single plane of activations.
    constants : ndarray of uint64
        What the template that stages the activations calls `c`.
    numbers : int
        Filters in a panel.
    words : int
        Elements of X for one pixel and plane; for tables, steps of 8 channels.
    pixel : int
        Elements of X from one pixel to the next.
    a_planes, w_planes : int
    raised : int
        What is added to each activation when it is staged.
    field_ones : int
        An element of X of which every activation is 1; 0 for planes and tables.
    """

    weights: Weights
    a: Numbers
    lane: LaneLayout
    combination: str
    U: np.ndarray
    pairs: np.ndarray
    pairs_apart: np.ndarray
    constants: np.ndarray
    numbers: int
    words: int
    pixel: int
    a_planes: int = 1
    w_planes: int = 1
    raised: int = 0
    field_ones: int = 0

    @property
    def module(self) -> ModuleType:
        """Its `run_units` does the work."""
        return product_module(self.combination)

    @property
    def has_sums(self) -> bool:
        """Whether the sum of the activations is taken from each result."""
        kind = self.weights.kind
        if self.combination.startswith("fields"):
            return kind.signed or kind.bipolar
        return self.combination == "and" and kind.bipolar and not self.a.bipolar


def _plane_panels(weights: Weights, a: Numbers, spacer: bool) -> Panels:
    """Weights as bit planes: as they are held."""
    lane, kind = lane_layout(a.bits, a.signed, spacer), weights.kind
    return Panels(
        weights, a, lane, "xor" if a.bipolar and kind.bipolar else "and", weights.planes.reshape(-1),
        plane_pairs(a, kind), plane_pairs(Numbers(1, False), kind), plane_constants(lane), weights.numbers,
        weights.words, _spread_over_sets(weights.words * a.bits, 8), a.bits, kind.bits,
    )


def _dot_panels(weights: Weights, a: Numbers, spacer: bool) -> Panels:
    """Weights as bytes, or numbers of 16 bits, for the CPU's dot products.

    The dot product of bytes takes one operand that is not negative. That is the activations, of which signed ones are
    raised by 2**(bits-1) and bipolar ones, doubled bits, by 1, padding too; what that adds is the same for every output
    of a filter. But weights of 8 bits without a sign have to be that operand; then activations without a sign are
    lowered by 2**7, for which sign bits are flipped just the same.
    """
    lane = lane_layout(a.bits, a.signed, spacer)
    octets = uses_bytes(a, weights.kind)
    swapped = octets and not _fits(weights.kind, 8, True)
    field = 8 if octets else 16
    ones = sum(1 << k for k in range(0, 64, field))
    if a.bipolar:
        raised, change = 1, (1, 0)
    elif swapped:
        flipped = 0 if _fits(a, 8, True) else 1 << 7
        raised, change = -flipped, (0, flipped * ones)
    else:
        raised = 1 << a.bits - 1 if a.signed and octets else 0
        change = 0, raised * ones
    if not a.negative_top or (octets and not swapped):
        lane = lane._replace(signs=0)
    words = -(-weights.channels // (32 // field))
    return Panels(
        weights, a, lane, ("swapped" if swapped else "bytes") if octets else "pairs",
        weights.as_numbers(field), np.zeros(4, np.int64), np.zeros(4, np.int64),
        np.concatenate([lane_constants(lane, field), np.array(change, np.uint64)]), 2 * weights.numbers, words,
        _spread_over_sets(max(words, _staged_words(weights.channels, lane, field)), 4), raised=raised,
        field_ones=ones & 0xFFFFFFFF,
    )


def _field_panels(weights: Weights, a: Numbers, spacer: bool) -> Panels:
    """Weights as fields in bytes, activations raised as for the dot product of bytes; see `kernels.packed.fields`."""
    lane, kind, channels = lane_layout(a.bits, False, spacer), weights.kind, weights.channels
    raised = 1 if a.bipolar else 1 << a.bits - 1 if a.signed else 0
    ones = sum(1 << k for k in range(0, 64, 8))
    change = (1, 0) if a.bipolar else (0, raised * ones)
    words = -(-channels // BLOCK)
    last = (channels - 1) // 4, (1 << 8 * ((channels - 1) % 4 + 1)) - 1
    # Whether sums are doubled; by how many bits the sums of the activations are shifted.
    pair = 0, 0, int(kind.bipolar), kind.bits - 1
    return Panels(
        weights, a, lane, f"fields {kind.bits}", weights.as_fields(), np.array(pair, np.int64), np.zeros(4, np.int64),
        np.concatenate([lane_constants(lane, 8), np.array([*change, *last], np.uint64)]), 2 * weights.numbers, words,
        _spread_over_sets(max(STEPS * words, _staged_words(channels, lane, 8)), 4), w_planes=kind.bits, raised=raised,
        field_ones=ones & 0xFFFFFFFF,
    )


def _staged_words(channels: int, lane: LaneLayout, field: int) -> int:
    """Elements of X that are written for a pixel: chunks of a word reach beyond the channels."""
    reach = (-(-channels // lane.lanes) - 1) * lane.lanes * field + -(-lane.lanes * field // 64) * 64
    return -(-reach // 32)


def _table_panels(weights: Weights, a: Numbers, spacer: bool) -> Panels:
    """Weights as places in tables; see `kernels.packed.lookups`."""
    lane, kind, parts = lane_layout(a.bits, False, spacer), weights.kind, table_parts(a)
    raised = 1 if a.bipolar else 1 << a.bits - 1 if a.signed else 0
    octets = sum(1 << k for k in range(0, 64, 8))
    change = (1, 0) if a.bipolar else (0, raised * octets)
    steps = -(-weights.channels // 8)
    pairs = [
        (part, place, kind.bits - 1 - place + part * parts.bits, -1 if kind.negative_top and place == 0 else 0)
        for place in range(kind.bits) for part in range(parts.number)
    ]
    limits = 255 // (8 * parts.largest), 65535 // (8 * parts.largest)
    # Channel k of four is in the sums at the places with bit k; a place of 128 and more looks up nothing.
    places = np.arange(16) >> np.arange(4)[:, None] & 1
    chosen = np.where(places[:, None], np.arange(4)[:, None, None] + np.array([[0], [4]]), 128).astype(np.uint8)
    zeros = np.tile(parts.largest * (4 - np.bitwise_count(np.arange(16))), 2).astype(np.uint8)
    constants = (
        *change, parts.number, parts.bits, ((1 << parts.bits) - 1) * octets, int(kind.bipolar),
        (1 << 8 * (weights.channels - 8 * (steps - 1))) - 1,
    )
    # Chunks of a word reach beyond the channels: in words of 8 bytes.
    reach = (-(-weights.channels // lane.lanes) - 1) * lane.lanes // 8 + -(-lane.lanes // 8) + 1
    pixel = 4 * parts.number * steps + -(-max(0, reach - steps) // 4) * 4
    return Panels(
        weights, a, lane, "tables", weights.as_places(), np.array([*np.ravel(pairs), *limits], np.int64),
        np.zeros(4, np.int64),
        np.concatenate([lane_constants(lane, 8), np.array(constants, np.uint64), chosen.reshape(-1).view("<u8"),
                        zeros.view("<u8")]),
        FILTERS, steps, _spread_over_sets(pixel, 8), w_planes=kind.bits, raised=raised,
    )


@dataclass(frozen=True)
class Corrections:
    """What is added to the sums, for a zero point of the activations and a bias.

    Attributes
    ----------
    beta : ndarray of uint64
        For each filter, in panels; of int64 for planes, else of int32.
    fixes : ndarray of uint64
        For each filter and tap, int32: added where the tap lies outside of the image.
    padding : ndarray of uint64
        What the elements of X are for such a pixel.
    """

    beta: np.ndarray
    fixes: np.ndarray | None
    padding: np.ndarray


def corrections_of(panels: Panels, zero_point: int, bias: np.ndarray | None, padded: bool) -> Corrections:
    """The corrections: sum of (a - z) w + bias = sum of a w - z (sum of w) + bias.

    Parameters
    ----------
    panels : Panels
    zero_point : int
        z; what padding counts as.
    bias : ndarray of integers, shape (K,), optional
    padded : bool
        Whether taps may lie outside of the image.
    """
    weights, a = panels.weights, panels.a
    planes, tables = panels.combination in ("and", "xor"), panels.combination == "tables"
    taps = weights.tap_sums()
    sums = taps.sum(2)
    beta = -(zero_point + panels.raised) * sums
    fixes = None
    if tables and weights.kind.bipolar:
        # Where a weight is -1 its place holds A - a instead of -a; zeros that fill up the last step count too.
        parts = table_parts(a)
        ones = (sums + weights.channels * weights.taps) // 2
        largest = sum(parts.largest << part * parts.bits for part in range(parts.number))
        beta = beta - largest * (8 * panels.words * weights.taps - ones)
    if planes:
        # Padding is staged as zero bits, which stand for -1 in bipolar activations.
        missing = -1 if a.bipolar else 0
        if a.bipolar:
            beta += weights.channels * weights.taps if weights.kind.bipolar else -sums
        if padded and zero_point != missing:
            fixes = ((zero_point - missing) * taps).astype(np.int32)
    beta = beta.reshape(weights.groups, -1)[:, : weights.filters]
    if bias is not None:
        beta = beta + bias.astype(np.int64).reshape(weights.groups, -1)
    # Modulo 2**32, as the sums are; that the whole fits is checked before.
    flat = in_panels(beta if planes else beta.astype(np.int32), panels.numbers, np.int64 if planes else np.int32)
    field = 16 if panels.combination == "pairs" else 8
    pad = ((zero_point + panels.raised) & ((1 << field) - 1)) * panels.field_ones
    padding = np.full(panels.pixel, pad, np.uint64)
    if panels.combination.startswith("fields"):
        octets = padding.astype("<u4").view(np.uint8)
        octets[weights.channels :] = 0
        padding = octets.view("<u4").astype(np.uint64)
    if tables:
        pixel = np.full(weights.channels, zero_point + panels.raised)
        made = tables_of(pixel, table_parts(a), weights.kind.bipolar).reshape(-1).view("<u8")
        padding[: made.size] = made
    return Corrections(
        flat.reshape(-1).view(np.uint64), None if fixes is None else fixes.reshape(-1).view(np.uint64), padding
    )


def _spread_over_sets(elements: int, item: int) -> int:
    """The distance of pixels with a cache line more where neighbouring pixels would share few sets of the cache."""
    return elements + 64 // item if elements * item % 256 == 0 else elements


def _fits(kind: Numbers, bits: int, signed: bool) -> bool:
    low, high = kind.range
    if signed:
        return low >= -(1 << bits - 1) and high < 1 << bits - 1
    return high - low < 1 << bits


def uses_bytes(a: Numbers, w: Numbers) -> bool:
    """Whether scheme "int8" takes the CPU's dot product of bytes for these numbers, else the one of 16 bits."""
    return has_byte_dot() and _fits(a, 8, False) and _fits(w, 8, False)


def can_run_int8(a: Numbers, w: Numbers) -> bool:
    """Whether the CPU's dot products take these numbers: all but unsigned ones of 16 bits."""
    return _fits(a, 16, True) and _fits(w, 16, True)


def can_run_tables(a: Numbers) -> bool:
    """Whether scheme "tables" takes such activations: up to 8 bits, on a CPU that looks up bytes."""
    return has_lookup() and a.bits <= 8


def panels_of(weights: Weights, a: Numbers, spacer: bool, scheme: str) -> Panels:
    """The panels of a scheme."""
    return {"planes": _plane_panels, "int8": _dot_panels, "tables": _table_panels, "fields": _field_panels}[scheme](
        weights, a, spacer
    )
