"""Convolutions of ResNet-18's 3x3 layers against PyTorch's quantised int8 convolution (oneDNN).

PyTorch runs in processes of its own, limited by ONEDNN_MAX_CPU_ISA, so that all three kinds of machine are seen: AVX2,
int8 dot products (VNNI), and whatever there is, which may be matrix tiles (AMX). Ours runs on this CPU as it is; in the
rows "for AVX2" it is compiled in another process for a CPU without AVX-512, which has no population count of vectors.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from convolution.markdown import table
from kernels.host import host
from kernels.packed.lookups import has_lookup
from quantised.layers import LAYERS, our_layer, our_rates
from quantised.timing import against, seconds

INSTRUCTION_SETS = ["AVX2", "AVX512_CORE_VNNI", "ALL"]
ASKED = {  # bits of activations and of weights, 0 for bipolar: times PyTorch on AVX2, and with dot products
    (0, 0): (6.0, 2.0), (1, 1): (6.0, 2.0), (2, 0): (4.0, 1.2), (2, 1): (4.0, 1.2), (2, 2): (2.0, None),
    (4, 4): (None, None), (8, 8): (None, 0.8),
}
AVX2_ROWS = [  # numbers, scheme, what is asked for times PyTorch on AVX2
    ((0, 0), "planes", 0.0), ((0, 0), "tables", 6.0), ((1, 1), "tables", 6.0), ((2, 0), "planes", 0.0),
    ((2, 0), "tables", 4.0), ((2, 2), "planes", 0.0), ((2, 2), "tables", 2.0), ((8, 8), "int8", 0.8),
]
HASWELL = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+popcnt,+bmi,+bmi2,+f16c"}
WIDE_LAYER = (128, 28)


def _other_process(arguments: list[str], environment: dict[str, str]) -> np.ndarray:
    here = Path(__file__).resolve()
    paths = os.pathsep.join([str(here.parents[2]), str(here.parents[1])])
    settings = os.environ | {"PYTHONPATH": paths} | environment
    command = [sys.executable, str(here.with_name("layers.py")), *arguments]
    return np.array(subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.split(),
                    float)


def _mean(rates: np.ndarray, others: np.ndarray) -> float:
    return float(np.exp(np.log(rates / others).mean()))


def _name(bits: int) -> str:
    return str(bits) if bits else "bipolar"


def section(threads: int) -> Iterator[str]:
    """Markdown, piece by piece: the layers on one core and on `threads`, then all pairs of widths."""
    for count in sorted({1, threads}):
        yield from _layers(count)
    yield _all_widths()


def _layers(threads: int) -> Iterator[str]:
    heads = [f"{c} × {s} × {s}" for c, s in LAYERS]
    vendor = {
        name: _other_process(
            ["vendor", str(threads)], {"ONEDNN_MAX_CPU_ISA": name, "OMP_NUM_THREADS": str(threads)}
        )
        for name in INSTRUCTION_SETS
    }
    rows = [
        [f"PyTorch int8, {name}", *(f"{r:.0f}" for r in rates), *("" for _ in vendor)]
        for name, rates in vendor.items()
    ]
    ours: dict[tuple[int, int, str], np.ndarray] = {}
    schemes = ("planes", *(["tables"] if has_lookup() else []), "int8")
    for (a, w), asked in ASKED.items():
        for scheme in schemes:
            ours[a, w, scheme] = np.array(our_rates(a, w, scheme, threads, LAYERS))
        best = max(schemes, key=lambda scheme: ours[a, w, scheme].sum())
        for scheme in schemes:
            rates = ours[a, w, scheme]
            is_better = scheme == best
            limits = [*(limit if is_better and limit else 0.0 for limit in asked), 0.0]
            cells = [
                against(_mean(rates, v), limit) + (f" (asked {limit:g})" if limit else "")
                for v, limit in zip(vendor.values(), limits, strict=True)
            ]
            rows.append([f"{_name(a)} × {_name(w)}, {scheme}", *(f"{r:.0f}" for r in rates), *cells])
    if threads == 1:
        for (a, w), scheme, asked in AVX2_ROWS:
            rates = _other_process(["ours", "1", str(a), str(w), scheme], HASWELL)
            cell = against(_mean(rates, vendor["AVX2"]), asked) + (f" (asked {asked:g})" if asked else "")
            rows.append([f"{_name(a)} × {_name(w)}, {scheme}, for AVX2", *(f"{r:.0f}" for r in rates), cell, "", ""])
    cores = "One core" if threads == 1 else f"{threads} threads"
    yield (
        f"{cores}: 1e9 operations per second (products and additions), and in the geometric mean over the layers how "
        "many times as fast as PyTorch limited to those instructions. In bold what is below what is asked for.\n\n"
        + table(["", *heads, *(f"/ {name}" for name in vendor)], rows)
    )
    if "+amx-int8" in host().features.split(","):
        yield "This CPU has matrix tiles (AMX), which PyTorch uses in the last column: there vendor int8 wins."
    else:
        yield (
            "This CPU has no matrix tiles (AMX). Where there are, vendor int8 reaches about 2400 on one core, and wins "
            "over all of these widths."
        )


def _all_widths() -> str:
    channels, size = WIDE_LAYER
    *_, b, base = our_layer(8, 8, "int8", channels, size)
    widths = (1, 2, 3, 4, 6, 8)
    rows = []
    for a in widths:
        cells = []
        for w in widths:
            *_, x, layer = our_layer(a, w, "auto", channels, size)
            mine, its = seconds(
                lambda layer=layer, x=x: layer(x, threads=1), lambda: base(b, threads=1), repeats=5, runs=10
            )
            cells.append(against(its / mine, 0.95))
        rows.append([f"**{a}**", *cells])
    count = len(list(itertools.product(widths, repeat=2)))
    return (
        f"Every pair of widths by `auto` over our own 8 × 8 int8, {channels} channels, {size} × {size}, one core: "
        f"{count} pairs, in turns with it, activations down, weights across. Asked for is 1; in bold what is slower by "
        "more than the 5 % that runs differ by.\n\n" + table(["bits", *map(str, widths)], rows)
    )
