"""Matrix times vector with packed weights beyond the last cache, against the memory's bandwidth in the same run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np

from convolution.markdown import table
from kernels import packed
from quantised.timing import against, seconds

CHANNELS = 8192
WEIGHT_BYTES = 1 << 26
A_WIDTHS = (1, 2, 4, 8)
W_WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8)
ASKED_SHARE, ASKED_TIMES = 0.7, 3.0
RUNS = 15


def reader(threads: int) -> tuple[Callable[[], None], int]:
    """A function with which so many threads read an array of twice the weights' size, each its part, and its bytes."""
    words = np.ones(2 * WEIGHT_BYTES // 8, np.int64)
    parts = np.split(words, threads)

    def read() -> None:
        others = [threading.Thread(target=part.max) for part in parts[1:]]
        for thread in others:
            thread.start()
        parts[0].max()
        for thread in others:
            thread.join()

    return read, words.nbytes


def layers(w_bits: int, threads: int) -> Iterator[tuple[int, Callable[[], object], str, int]]:
    """For each width of activations: a call whose result was checked, the scheme that it takes, and its weights."""
    random = np.random.default_rng(w_bits)
    filters = WEIGHT_BYTES * 8 // w_bits // CHANNELS // 64 * 64
    few = random.integers(-(1 << w_bits - 1), 1 << w_bits - 1, (64, CHANNELS), np.int8)
    w = packed.pack(np.broadcast_to(few[:, None], (64, filters // 64, CHANNELS)).reshape(filters, CHANNELS), w_bits,
                    True)
    for bits in A_WIDTHS:
        scheme = "int8" if w_bits == 8 else "auto"
        layer = packed.Linear(w, input=packed.Affine(bits, False, 1.0), output="int32", scheme=scheme, threads=threads)
        x = random.integers(0, 1 << bits, CHANNELS)
        a = packed.pack(x, bits, False)
        assert np.array_equal(layer(a), (few.astype(np.int64) @ x).repeat(filters // 64))
        yield bits, lambda layer=layer, a=a: layer(a), layer.explain(a).split(":")[0], filters * CHANNELS


def section(threads: int) -> Iterator[str]:
    """Markdown, piece by piece, for one core and for `threads`."""
    for count in sorted({1, threads}):
        read, read_bytes = reader(count)
        int8 = {bits: (call, size) for bits, call, _, size in layers(8, count)}
        fastest, rows = 0.0, []
        for w_bits in W_WIDTHS:
            speed, share, times, schemes = [], [], [], []
            for a_bits, call, scheme, size in layers(w_bits, count):
                # In turns, for the memory is others' as well, and its bandwidth is another every second.
                ours, bytes_, memory = seconds(call, int8[a_bits][0], read, runs=RUNS)
                fastest = max(fastest, read_bytes / memory)
                speed.append(f"{size / ours:.3g}")
                share.append(against(size * w_bits / 8 / ours / (read_bytes / memory), ASKED_SHARE))
                over_int8 = size / ours / (int8[a_bits][1] / bytes_)
                times.append(against(over_int8, ASKED_TIMES if w_bits == 2 else 0.0))
                schemes.append(scheme)
            rows.append([str(w_bits), *schemes, *speed, *share, *times])
        heads = [f"{what}, a {a}" for what in ("scheme", "weights/s", "share", "/ int8") for a in A_WIDTHS]
        yield (
            f"{count} thread{'s' if count > 1 else ''}: memory is read at up to {fastest / 1e9:.1f} GB/s. "
            f"{WEIGHT_BYTES >> 20} MiB of weights, rows of {CHANNELS}; activations of `a` bits; schemes by `auto`. "
            f"Share: bytes of weights per second over the bandwidth, measured in turns, asked for {ASKED_SHARE}; "
            f"/ int8: weights per second over our int8, asked for {ASKED_TIMES:g} at 2 bits.\n\n"
            + table(["weights", *heads], rows, 1 + len(A_WIDTHS))
        )
