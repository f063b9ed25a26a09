"""Additions of lanes, wrapping, against NumPy's of int8; one core."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convolution.markdown import table
from kernels import packed
from kernels.packed.elementwise import run_lanes
from quantised.timing import against, seconds

SIZES = (100_000, 2_000_000, 40_000_000)
WIDTHS = [(bits, False) for bits in range(1, 9)] + [(3, True), (7, True)]


def ratios(bits: int, spacer: bool, size: int) -> tuple[float, float]:
    """Additions per second over NumPy's int8, at hand and fresh."""
    random = np.random.default_rng(bits)
    x, y = random.integers(-(1 << bits - 1), 1 << bits - 1, (2, size), np.int8)
    a, b = packed.pack(x, bits, True, 0, spacer), packed.pack(y, bits, True, 0, spacer)
    out, words, lane = np.empty_like(x), np.empty_like(a.words), a.layout
    name = "add_spaced" if spacer else "add"
    plain, lanes, fresh_plain, fresh_lanes = seconds(
        lambda: np.add(x, y, out=out),
        lambda: run_lanes(name, lane, (a.words, b.words), words.shape, words),
        lambda: x + y,
        lambda: a + b,
        repeats=max(1, 10_000_000 // size),
    )
    low = a.range[0]
    assert np.array_equal((a + b).unpack(), (x.astype(int) + y - low) % (1 << bits) + low)
    return plain / lanes, fresh_plain / fresh_lanes


def section(threads: int) -> Iterator[str]:
    """Markdown, piece by piece."""
    rows = []
    for size in SIZES:
        for bits, spacer in WIDTHS:
            asked = 0.8 * 8 / (bits + spacer)  # a lane with a spacer takes a bit more
            at_hand, fresh = ratios(bits, spacer, size)
            rows.append([f"{size:,}", str(bits), "yes" if spacer else "no", against(at_hand, asked),
                         against(fresh, asked), f"{asked:.2f}"])
    yield (
        "Additions per second over NumPy's int8. At hand: into an array that is there, as `numpy.add(x, y, out=)`; "
        "fresh: by the operator `+`, with all that Python does around it. A lane with a spacer is a bit wider.\n\n"
    ) + table(
        ["numbers", "bits", "spacer", "at hand", "fresh", "asked"], rows, 3
    )
