"""Compiled convolution against PyTorch: `python benchmarks/conv.py`.

One process, two threads, batch 1, float32, 3 x 3 stride 1. The contestants take turns, a few calls each; a figure is
the median of the calls that count, a ratio says how many times as fast as the faster of PyTorch's two layouts. Errors
are against float64. The filter transform is done once, before.
"""

import time
from statistics import geometric_mean, median

import numpy as np
import torch

from kernels import Conv2d

ROUNDS, CALLS = 5, 5
UNCOUNTED = 2
# OpenMP's threads go on spinning after PyTorch's call has returned, and take a core from whoever comes next. So in
# each round a contestant is called several times in a row, and its first calls are not counted.
THREADS = 2
LAYERS = [  # channels, filters, size; the 3 x 3 stride-1 layers of VGG-16 and ResNet-18
    (64, 64, 224), (64, 128, 112), (128, 128, 112), (128, 256, 56), (256, 256, 56), (256, 512, 28), (512, 512, 28),
    (512, 512, 14), (64, 64, 56), (128, 128, 28), (256, 256, 14), (512, 512, 7),
]


def contestants(x, w):
    """Functions without arguments, by name; each returns (1, K, H, W)."""
    plain = torch.tensor(x), torch.tensor(w)
    last = [t.to(memory_format=torch.channels_last) for t in plain]
    layer = Conv2d(w, padding=1, threads=THREADS)
    return {
        "winograd": lambda: layer(x),
        "torch NCHW": lambda: torch.nn.functional.conv2d(*plain, padding=1).numpy(),
        "torch NHWC": lambda: torch.nn.functional.conv2d(*last, padding=1).numpy(),
    }


def medians(functions):
    """Median time of each function, in seconds; they take turns, see `UNCOUNTED`."""
    times = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            for call in range(CALLS):
                start = time.perf_counter()
                function()
                if call >= UNCOUNTED:
                    times[name].append(time.perf_counter() - start)
    return {name: median(taken) for name, taken in times.items()}


def main():
    """Print one line for each layer, and the geometric mean of the ratios."""
    torch.set_num_threads(THREADS)
    generator = np.random.default_rng(0)
    ratios = []
    print(f"{'channels, filters, size':26} {'ms':>8} {'torch ms':>9} {'ratio':>6} {'error':>8} {'torch':>8}")
    for channels, filters, size in LAYERS:
        x = generator.uniform(-1, 1, (1, channels, size, size)).astype(np.float32)
        w = generator.uniform(-1, 1, (filters, channels, 3, 3)).astype(np.float32)
        exact = torch.nn.functional.conv2d(torch.tensor(x).double(), torch.tensor(w).double(), padding=1).numpy()
        functions = contestants(x, w)
        errors = {name: float(np.abs(function() - exact).mean()) for name, function in functions.items()}
        times = medians(functions)
        peer = min(times["torch NCHW"], times["torch NHWC"])
        ratios.append(peer / times["winograd"])
        print(f"{f'{channels}, {filters}, {size} x {size}':26} {1e3 * times['winograd']:8.2f} {1e3 * peer:9.2f} "
              f"{ratios[-1]:6.2f} {errors['winograd']:8.1e} {errors['torch NCHW']:8.1e}")
    print(f"geometric mean of the ratios: {geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
