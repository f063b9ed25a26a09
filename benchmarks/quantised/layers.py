"""The 3x3 layers of ResNet-18, and what our convolution and PyTorch's quantised one reach on them.

Run as a script, it prints what its own process reaches, on one line: `layers.py vendor 1`, `layers.py ours 1 1 2`
(threads; bits of activations and weights, 0 for bipolar).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

LAYERS = [(64, 56), (128, 28), (256, 14), (512, 7)]  # channels, and filters; height, and width
CALLS = 30


def best_rate(channels: int, size: int, function: Callable[..., object], *arguments: object) -> float:
    """1e9 operations per second of the best call."""
    function(*arguments)
    best = float("inf")
    for _ in range(CALLS):
        start = time.perf_counter()
        function(*arguments)
        best = min(best, time.perf_counter() - start)
    return 2 * channels**2 * 9 * size**2 / best / 1e9


def vendor_rates(threads: int) -> list[float]:
    """What this process' oneDNN reaches on each layer."""
    import torch

    torch.set_num_threads(threads)
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
    return rates


def our_layer(
    a_bits: int, w_bits: int, scheme: str, channels: int, size: int
) -> tuple[np.ndarray, np.ndarray, Any, Callable[..., np.ndarray]]:
    """Random activations and weights, the packed activations, and the layer with these weights."""
    from kernels import packed

    random = np.random.default_rng(2)

    def operand(bits: int, signed: bool, shape: tuple[int, ...]) -> tuple[np.ndarray, packed.PackedArray]:
        if not bits:
            x = random.choice([-1, 1], shape)
            return x, packed.pack_bipolar(x, axis=1)
        x = random.integers(-(1 << bits - 1) if signed else 0, 1 << bits - signed, shape)
        return x, packed.pack(x, bits, signed, axis=1)

    x, a = operand(a_bits, False, (1, channels, size, size))
    w, weights = operand(w_bits, True, (channels, channels, 3, 3))
    return x, w, a, packed.Convolution(weights, padding=1, scheme=scheme)


def our_rates(a_bits: int, w_bits: int, scheme: str, threads: int, layers: list[tuple[int, int]]) -> list[float]:
    """What our convolution reaches on each layer, 0 bits for bipolar; results are checked against exact sums."""
    rates = []
    for channels, size in layers:
        x, w, a, layer = our_layer(a_bits, w_bits, scheme, channels, size)
        y = layer(a, threads=threads)
        x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        for k in range(0, channels, 16):  # some filters in full
            # float64 holds these sums exactly, and is multiplied faster than int64
            exact = sum(
                np.tensordot(w[k, :, r, s].astype(float), x[0, :, r : r + size, s : s + size].astype(float), 1)
                for r in range(3)
                for s in range(3)
            )
            assert np.array_equal(y[0, k], exact.astype(np.int64))
        rates.append(best_rate(channels, size, layer, a, threads))
    return rates


if __name__ == "__main__":
    if sys.argv[1] == "vendor":
        print(*vendor_rates(int(sys.argv[2])))
    else:
        count, activations, weights = map(int, sys.argv[2:5])
        print(*our_rates(activations, weights, sys.argv[5], count, LAYERS))
