"""Packing and unpacking against a plain copy of the unpacked bytes, as a ratio of speeds on one core.

"At hand": all arrays are there before, as for `numpy.copyto`; "fresh": the result is allocated by the call, as by
`x.copy()`, so that the system's handing out of pages is in both. Arrays are far larger than the last cache.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convolution.markdown import table
from kernels import packed
from kernels.packed.staging import packed_words, unpack_into
from quantised.timing import against, seconds

ASKED = 0.5
UNPACKED_BYTES = 96_000_000
CASES = [  # dtype, widths, packed axis of a two-dimensional array
    ("int8", range(1, 9), 1),
    ("int8", (1, 2, 4, 8), 0),
    ("int16", range(9, 17), 1),
    ("int64", (1, 4, 8, 16), 1),
]


def ratios(dtype: str, bits: int, axis: int) -> list[float]:
    """Of one width: pack and unpack at hand, pack and unpack fresh; last the speed of the copy in GB/s."""
    size = UNPACKED_BYTES // np.dtype(dtype).itemsize
    x = np.random.default_rng(bits).integers(-(1 << bits - 1), 1 << bits - 1, size, dtype=dtype).reshape(-1, 4000)
    a, out = packed.pack(x, bits, True, axis), np.empty_like(x)
    words = a.words.copy()
    copy, fresh_copy, pack, unpack, fresh_pack, fresh_unpack = seconds(
        lambda: np.copyto(out, x),
        lambda: x.copy(),
        lambda: packed_words(x, axis, a.layout, *a.range, "error", words),
        lambda: unpack_into(out, a.words, axis, a.layout),
        lambda: packed.pack(x, bits, True, axis),
        lambda: a.unpack(dtype),
    )
    unpack_into(out, a.words, axis, a.layout)
    assert np.array_equal(out, x) and np.array_equal(words, a.words)
    return [copy / pack, copy / unpack, fresh_copy / fresh_pack, fresh_copy / fresh_unpack, x.nbytes / copy / 1e9]


def section(threads: int) -> Iterator[str]:
    """Markdown, piece by piece; one core whatever `threads` is."""
    rows = []
    for dtype, widths, axis in CASES:
        for bits in widths:
            *parts, speed = ratios(dtype, bits, axis)
            rows.append([dtype, str(axis), str(bits), *(against(part, ASKED) for part in parts), f"{speed:.1f}"])
    yield f"Speed over that of a copy; asked for: {ASKED}.\n\n" + table(
        ["dtype", "axis", "bits", "pack, at hand", "unpack, at hand", "pack, fresh", "unpack, fresh", "copy, GB/s"],
        rows, 3,
    )
