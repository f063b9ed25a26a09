"""Matrix times vector with packed weights beyond the last cache, against the memory's bandwidth in the same run."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

from convolution.markdown import table
from kernels import packed
from quantised.timing import against, seconds

CHANNELS = 8192
WEIGHT_BYTES = 1 << 26
A_WIDTHS = (1, 2, 4, 8)
W_WIDTHS = (1, 2, 3, 4, 8)
ASKED_SHARE, ASKED_TIMES = 0.7, 3.0


def bandwidth(threads: int) -> float:
    """Bytes per second at which so many threads read an array of twice that size, each its part of it."""
    words = np.ones(2 * WEIGHT_BYTES // 8, np.int64)
    parts = np.split(words, threads)

    def read() -> None:
        others = [threading.Thread(target=part.max) for part in parts[1:]]
        for thread in others:
            thread.start()
        parts[0].max()
        for thread in others:
            thread.join()

    return words.nbytes / seconds(read)[0]


def rates(w_bits: int, scheme: str, threads: int) -> Iterator[tuple[int, float, int]]:
    """For each width of activations: weights per second, and bytes of the weights; results are checked."""
    random = np.random.default_rng(w_bits)
    filters = WEIGHT_BYTES * 8 // w_bits // CHANNELS // 64 * 64
    few = random.integers(-(1 << w_bits - 1), 1 << w_bits - 1, (64, CHANNELS), np.int8)
    w = packed.pack(np.broadcast_to(few[:, None], (64, filters // 64, CHANNELS)).reshape(filters, CHANNELS), w_bits,
                    True)
    for bits in A_WIDTHS:
        layer = packed.Linear(w, input=packed.Affine(bits, False, 1.0), output="int32", scheme=scheme, threads=threads)
        x = random.integers(0, 1 << bits, CHANNELS)
        a = packed.pack(x, bits, False)
        y = layer(a)
        assert np.array_equal(y, (few.astype(np.int64) @ x).repeat(filters // 64))
        read = layer.nbytes if scheme == "planes" else layer.nbytes - filters * CHANNELS * w_bits // 8
        yield bits, filters * CHANNELS / seconds(lambda layer=layer, a=a: layer(a))[0], read


def section(threads: int) -> Iterator[str]:
    """Markdown, piece by piece, for one core and for `threads`."""
    for count in sorted({1, threads}):
        limit = max(bandwidth(count) for _ in range(3))
        int8 = {bits: rate for bits, rate, _ in rates(8, "int8", count)}
        rows = [
            ["8, int8", *(f"{int8[a]:.3g}" for a in A_WIDTHS), *(f"{int8[a] / limit:.2f}" for a in A_WIDTHS),
             *("1.00" for _ in A_WIDTHS)]
        ]
        for bits in W_WIDTHS:
            speed = {a: rate for a, rate, _ in rates(bits, "planes", count)}
            rows.append([
                f"{bits}, planes", *(f"{speed[a]:.3g}" for a in A_WIDTHS),
                *(against(speed[a] * bits / 8 / limit, ASKED_SHARE) for a in A_WIDTHS),
                *(against(speed[a] / int8[a], ASKED_TIMES if bits == 2 else 0.0) for a in A_WIDTHS),
            ])
        heads = [f"{what}, a {a}" for what in ("weights/s", "share", "/ int8") for a in A_WIDTHS]
        yield (
            f"{count} thread{'s' if count > 1 else ''}: memory is read at {limit / 1e9:.1f} GB/s. "
            f"{WEIGHT_BYTES >> 20} MiB of weights, rows of {CHANNELS}; activations of `a` bits. Share: bytes of "
            f"weights per second over that bandwidth, asked for {ASKED_SHARE}; / int8: weights per second over our "
            f"int8, asked for {ASKED_TIMES:g} at 2 bits.\n\n" + table(["weights", *heads], rows)
        )
