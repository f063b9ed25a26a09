"""One product or convolution of packed numbers as a compiled job: blocks, buffers, threads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kernels.packed.filters import FIELDS, Corrections, Panels
from kernels.packed.layout import WORD_BITS
from kernels.packed.output import SUMS, Output
from kernels.sharing import Job

__all__ = ["Call", "job_of"]

_STRIP_BYTES = 1 << 18
"""Staged input of a block of outputs, at most, if it is more than a row: it should stay in the second-level cache."""

_PART_BYTES, _MOST_PARTS = 1 << 19, 8
"""Weights of a part of the filters, at least, and parts for each thread, at most, where a single block shares them:
two for each thread left one waiting, up to a fifth of the time, for memory does not serve both alike."""

_MOST_COLUMNS = 448
"""Outputs of a row that are in one block."""

_MOST_ROWS_APART = 28
"""Planes of activations, in a product of few rows, up to which each is a row of its own: weights are read once then."""

_TRANSPOSED_PIXELS = 64
"""As the template says."""

_NO_FIXES = np.zeros(1, np.uint64)
_NO_CONSTANTS = np.zeros(256, np.uint64)  # more than any panel has filters


@dataclass(frozen=True)
class Call:
    """Shapes and options of a call. Pairs are (height, width).

    Attributes
    ----------
    images : int
        One for each group of each image.
    size, out, taps, stride, dilation : (int, int)
    pad : (int, int)
        Before the first row and column.
    x_steps : tuple of four int
        Distances of the words in memory: image, word of a row, row, column.
    y_filter : int
        Distance of the filters in y; 1 where they come last.
    threads : int
    """

    images: int
    size: tuple[int, int]
    out: tuple[int, int]
    taps: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    x_steps: tuple[int, int, int, int]
    y_filter: int
    threads: int

    @property
    def pixels(self) -> int:
        """Outputs of a filter, in an image."""
        return self.out[0] * self.out[1]


def _extent(outputs: int, taps: int, stride: int, dilation: int) -> int:
    return (outputs - 1) * stride + (taps - 1) * dilation + 1


def _block(call: Call, row_bytes: int, panels: int, weight_bytes: int) -> tuple[int, int, int]:
    """Rows of a block, and parts of the filters, and units in all: enough units for all threads, if there can be."""
    columns = min(call.out[1], _MOST_COLUMNS)
    across = -(-call.out[1] // columns)
    lines = max(1, _STRIP_BYTES // row_bytes - (call.taps[0] - 1) * call.dilation[0])
    down = -(-call.out[0] // max(1, min(call.out[0], lines // call.stride[0])))
    wanted = 1 if call.threads == 1 else 2 * call.threads
    while call.images * across * down < wanted and call.out[0] >= 8 * down:
        down += 1
    rows = -(-call.out[0] // down)
    blocks = call.images * across * -(-call.out[0] // rows)
    parts = min(panels, -(-wanted // max(1, blocks)))
    if call.threads > 1 and blocks == 1:
        parts = max(parts, min(panels, _MOST_PARTS * call.threads, weight_bytes // _PART_BYTES))
    return rows, parts, blocks * parts


def job_of(
    panels: Panels, corrections: Corrections, call: Call, output: Output = SUMS
) -> tuple[Job | None, bool]:
    """What fills y from the words of the activations; None: nothing to do. And whether it fills words with lanes.

    Else y has 4 bytes each, as the output stage says: no two threads may write to one word. The last arrays of the job
    are the output's factors and additions.
    """
    weights = panels.weights
    item = np.dtype(panels.module.WORD).itemsize
    columns = min(call.out[1], _MOST_COLUMNS)
    apart = panels.a_planes > 1 and call.y_filter == 1 and call.out[1] * panels.a_planes <= _MOST_ROWS_APART
    planes = panels.a_planes if apart else 1
    pixel = panels.words * planes if apart else panels.pixel
    width = _extent(columns, call.taps[1], call.stride[1], call.dilation[1])
    joined = weights.joined
    strip = columns if joined > 1 else width
    rows, parts, units = _block(call, strip * pixel * item, -(-weights.filters // panels.numbers), panels.U.nbytes)
    if not units or not call.pixels:
        return None, False
    strip_rows = _extent(rows, call.taps[0], call.stride[0], call.dilation[0])
    row_at = strip_rows * strip * pixel
    channels = weights.channels // joined
    tap_words = -(-channels // WORD_BITS)
    words = -(-channels // panels.lane.lanes)
    # A row that is staged before its taps are joined: plane by plane where a pixel's lanes fill one word of a plane.
    is_one = words * panels.lane.lanes <= WORD_BITS
    row_steps = (1, width) if is_one else (tap_words * panels.a_planes, tap_words)
    row_words = width * tap_words * panels.a_planes if joined > 1 else 0
    x_words = -(-(row_at + row_words) * item // 64) * 8
    pairs = panels.pairs_apart if apart else panels.pairs
    fixes = corrections.fixes
    t_at = -(-rows * columns * planes * panels.numbers // 16) * 16
    packs = _packs(panels, output, parts)
    y_words = -(-weights.filters // (WORD_BITS // output.bits)) if packs else 0
    values = {
        "CHANNELS": words, "FILTERS": weights.filters, "GROUPS": weights.groups,
        "Y_FILTER": call.y_filter, "PARTS": parts, "UNITS": units, "BLOCK_ROWS": rows, "BLOCK_COLUMNS": columns,
        "PIXEL": pixel, "WORDS": panels.words, "STRIP_PIXELS": strip, "STRIP_ROWS": strip_rows,
        "X_WORDS": x_words, "A_PLANES": panels.a_planes,
        "A_SIGNED": int(panels.a.negative_top), "W_PLANES": panels.w_planes, "PAIRS": pairs.size // 4,
        "HAS_SUMS": int(panels.has_sums), "HAS_FIXES": int(fixes is not None), "APART": int(apart),
        "OUTPUT": output.number, "LOW": output.low, "HIGH": output.high, "ZERO": output.zero,
        "JOINED": joined, "ROW_AT": row_at, "ROW_PIXEL": row_steps[0], "ROW_PLANE": row_steps[1],
        "TAP_CHANNELS": channels, "Y_BITS": output.bits if packs else 0, "Y_WORDS": y_words, "T_AT": t_at,
    }
    values |= dict(zip(("X_IMAGE", "X_CHANNEL", "X_ROW", "X_COLUMN"), call.x_steps, strict=True))
    for name, pair in (("TAPS", call.taps), ("STRIDE", call.stride), ("DILATION", call.dilation), ("PAD", call.pad)):
        values |= {f"{name}_0": pair[0], f"{name}_1": pair[1]}
    values |= {"HEIGHT": call.size[0], "WIDTH": call.size[1], "OUT_HEIGHT": call.out[0], "OUT_WIDTH": call.out[1]}
    geometry = np.array([values[name] for name in FIELDS], np.int64)
    shifts = np.array([
        (r * call.dilation[0] * strip + s * call.dilation[1]) * pixel
        for r in range(call.taps[0]) for s in range(call.taps[1] // joined)
    ], np.int64)
    sizes = (x_words + t_at // 2 + (_TRANSPOSED_PIXELS * panels.numbers // 2 if packs else 0),)
    # Sums of the strip's pixels, and of windows.
    integers = strip_rows * strip + rows * columns if panels.has_sums else 1
    others = (
        panels.U, pairs, shifts, corrections.beta, _NO_CONSTANTS if apart else corrections.beta, corrections.padding,
        _NO_FIXES if fixes is None else fixes, panels.constants, geometry, output.factors, output.additions,
    )
    return Job(panels.module.run_units, others, sizes, "uint64", integers, units, call.threads), packs


def _packs(panels: Panels, output: Output, parts: int) -> bool:
    """Whether each word of lanes of the output comes from one part of the filters of one group."""
    if not output.bits:
        return False
    weights, lanes = panels.weights, WORD_BITS // output.bits
    aligned = lanes // math.gcd(lanes, panels.numbers)  # panels from one that begins with a word to the next
    count = -(-weights.filters // panels.numbers)
    return (weights.groups == 1 or weights.filters % lanes == 0) and (parts == 1 or count % (parts * aligned) == 0)
