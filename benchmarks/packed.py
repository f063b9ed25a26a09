"""How fast packed integers are: `python benchmarks/packed.py`.

Packing and unpacking against a plain copy of the unpacked bytes, as a ratio of speeds in one process on one core; asked
for is 0.5. "At hand": all arrays are there before, as for `numpy.copyto`; "fresh": the result is allocated by the call,
as by `x.copy()`, so that the system's handing out of pages is in both. Arrays are far larger than the last cache.

Additions, wrapping, against NumPy's of int8, for arrays that the caches hold and for larger ones; asked for is
0.8 * 8 / bits. Each time is the best of several runs, in turns; every result is checked.
"""

import time

import numpy as np

from kernels import packed
from kernels.packed.elementwise import run_lanes
from kernels.packed.staging import packed_words, unpack_into

RUNS = 5
UNPACKED_BYTES = 96_000_000
CASES = [  # dtype, widths, packed axis of a two-dimensional array
    ("int8", range(1, 9), 1),
    ("int8", (1, 2, 4, 8), 0),
    ("int16", range(9, 17), 1),
    ("int64", (1, 4, 8, 16), 1),
]


def seconds(*functions, repeats=1):
    """Best time of each function, each run of so many calls; they take turns."""
    best = [float("inf")] * len(functions)
    for _ in range(RUNS):
        for k, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(repeats):
                function()
            best[k] = min(best[k], (time.perf_counter() - start) / repeats)
    return best


def storage_line(dtype, bits, axis):
    """Ratios of one width: pack and unpack at hand, pack and unpack fresh; and the speed of the copy."""
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
    return copy / pack, copy / unpack, fresh_copy / fresh_pack, fresh_copy / fresh_unpack, x.nbytes / copy / 1e9


def addition_line(bits, spacer, size):
    """Ratio of additions per second to NumPy's int8, at hand and fresh, and what is asked for."""
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
    return plain / lanes, fresh_plain / fresh_lanes, 0.8 * 8 / bits


def main():
    """Print one line for each dtype, axis and width, and for each sum."""
    print(f"{'':22}{'at hand':>16}{'fresh':>16}")
    print(f"{'dtype  axis  bits':22}{'pack':>8}{'unpack':>8}{'pack':>8}{'unpack':>8}{'copy, GB/s':>12}")
    for dtype, widths, axis in CASES:
        for bits in widths:
            *ratios, speed = storage_line(dtype, bits, axis)
            print(
                f"{dtype:7}{axis:4}{bits:6}{'':5}" + "".join(f"{r:8.2f}" for r in ratios) + f"{speed:12.1f}", flush=True
            )

    print("\nadditions per second over NumPy's int8")
    print(f"{'elements':>10}{'bits':>6}{'spacer':>8}{'at hand':>9}{'fresh':>8}{'asked':>8}")
    for size in (2_000_000, 40_000_000):
        for bits, spacer in [(b, False) for b in range(1, 9)] + [(3, True), (7, True)]:
            at_hand, fresh, asked = addition_line(bits, spacer, size)
            print(f"{size:10}{bits:6}{spacer!s:>8}{at_hand:9.2f}{fresh:8.2f}{asked:8.2f}", flush=True)


if __name__ == "__main__":
    main()
