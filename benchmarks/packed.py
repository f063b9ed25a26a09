"""How fast packed integers are: `python benchmarks/packed.py`.

Packing and unpacking against a plain copy of the unpacked bytes, as a ratio of speeds in one process on one core; asked
for is 0.5. "At hand": all arrays are there before, as for `numpy.copyto`; "fresh": the result is allocated by the call,
as by `x.copy()`, so that the system's handing out of pages is in both. Arrays are far larger than the last cache.

Additions, wrapping, against NumPy's of int8, for arrays that the caches hold and for larger ones; asked for is
0.8 * 8 / bits. Each time is the best of several runs, in turns; every result is checked.

Convolutions of ResNet-18's 3x3 layers, one core, in 1e9 operations (products and additions) per second: each pair
of widths by bit planes and by the CPU's int8 dot product, beside PyTorch's quantised int8 convolution (oneDNN) in
processes of its own, limited by ONEDNN_MAX_CPU_ISA. `python benchmarks/packed.py products` runs that part only.
"""

import os
import subprocess
import sys
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


LAYERS = [(64, 56), (128, 28), (256, 14), (512, 7)]  # channels, and filters; height, and width
PAIRS = [("bipolar", "bipolar"), (1, 1), (2, "bipolar"), (2, 1), (2, 2), (4, 4), (8, 8)]
INSTRUCTION_SETS = ["AVX2", "AVX512_CORE_VNNI", "ALL"]
RATE_CALLS = 30


def best_rate(channels, size, function, *arguments):
    """1e9 operations per second of the best call."""
    function(*arguments)
    best = float("inf")
    for _ in range(RATE_CALLS):
        start = time.perf_counter()
        function(*arguments)
        best = min(best, time.perf_counter() - start)
    return 2 * channels**2 * 9 * size**2 / best / 1e9


def vendor_rates():
    """What this process' oneDNN reaches on each layer, printed as one line; to be run in a process of its own."""
    import torch

    torch.set_num_threads(1)
    torch.backends.quantized.engine = "onednn"
    random = np.random.default_rng(1)
    rates = []
    for channels, size in LAYERS:
        x = random.integers(0, 128, (1, channels, size, size)).astype(np.float32)
        w = random.integers(-64, 64, (channels, channels, 3, 3)).astype(np.float32)
        quantised_w = torch.quantize_per_tensor(torch.from_numpy(w), 1.0, 0, torch.qint8)
        quantised_x = torch.quantize_per_tensor(torch.from_numpy(x), 1.0, 0, torch.quint8)
        quantised_x = quantised_x.contiguous(memory_format=torch.channels_last)
        prepared = torch.ops.quantized.conv2d_prepack(quantised_w, None, [1, 1], [1, 1], [1, 1], 1)
        scale = 4096.0
        y = torch.ops.quantized.conv2d(quantised_x, prepared, scale, 128).int_repr().numpy()
        exact = torch.conv2d(torch.from_numpy(x).double(), torch.from_numpy(w).double(), padding=1).numpy()
        assert np.array_equal(y, np.clip(np.round(exact / scale) + 128, 0, 255))
        rates.append(best_rate(channels, size, torch.ops.quantized.conv2d, quantised_x, prepared, scale, 128))
    print(*rates)


def packed_operand(bits, signed, shape, random):
    """Random numbers and their packed form along axis 1."""
    if bits == "bipolar":
        x = random.choice([-1, 1], shape)
        return x, packed.pack_bipolar(x, axis=1)
    x = random.integers(-(1 << bits - 1) if signed else 0, 1 << bits - signed, shape)
    return x, packed.pack(x, bits, signed, axis=1)


def packed_rates(a_bits, w_bits, scheme):
    """What our convolution reaches on each layer; results are checked against int64 NumPy."""
    random = np.random.default_rng(2)
    rates = []
    for channels, size in LAYERS:
        x, a = packed_operand(a_bits, False, (1, channels, size, size), random)
        w, weights = packed_operand(w_bits, True, (channels, channels, 3, 3), random)
        layer = packed.Convolution(weights, padding=1, scheme=scheme)
        y = layer(a, threads=1)
        x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        for k in range(0, channels, 16):  # some filters in full
            # float64 holds these sums exactly, and is multiplied faster than int64
            exact = sum(
                np.tensordot(w[k, :, r, s].astype(float), x[0, :, r : r + size, s : s + size].astype(float), 1)
                for r in range(3)
                for s in range(3)
            )
            assert np.array_equal(y[0, k], exact.astype(np.int64))
        rates.append(best_rate(channels, size, layer, a, 1))
    return rates


def products():
    """Print the rates of all layers, and the ratio of each to the vendor's, in the geometric mean over the layers."""
    vendor = {}
    head = "".join(f"{c:>7}x{s:<3}" for c, s in LAYERS)
    print(f"\n1e9 operations per second, one core; ratios to PyTorch int8 limited to those instructions\n{'':32}{head}")
    for name in INSTRUCTION_SETS:
        settings = os.environ | {"ONEDNN_MAX_CPU_ISA": name, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "vendor"]
        output = subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout
        vendor[name] = np.array(output.split(), float)
        print(f"{'PyTorch int8, ' + name:32}" + "".join(f"{rate:11.0f}" for rate in vendor[name]), flush=True)
    for a_bits, w_bits in PAIRS:
        for scheme in ("planes", "int8"):
            rates = np.array(packed_rates(a_bits, w_bits, scheme))
            ratios = [np.exp(np.log(rates / v).mean()) for v in vendor.values()]
            print(f"{f'{a_bits} x {w_bits}, {scheme}':32}" + "".join(f"{rate:11.0f}" for rate in rates)
                  + "".join(f"{ratio:8.2f}" for ratio in ratios), flush=True)


def main():
    """Print one line for each dtype, axis and width, for each sum, and for each product."""
    if "vendor" in sys.argv:
        return vendor_rates()
    if "products" in sys.argv:
        return products()
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
    return products()


if __name__ == "__main__":
    main()
