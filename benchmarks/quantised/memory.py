"""Bytes that weights take, beside their bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convolution.markdown import table
from kernels import packed

SHAPES = [(64, 3, 7, 7), (64, 64, 3, 3), (512, 512, 3, 3), (1000, 512), (1000, 500)]


def section(threads: int) -> Iterator[str]:
    """Markdown, piece by piece."""
    rows = []
    for shape in SHAPES:
        for bits in (1, 2, 3, 4, 5, 8):
            w = packed.pack(np.zeros(shape, int), bits, True, axis=1)
            real = w.size * bits / 8
            input = packed.Affine(4, False, 1.0)
            layer = packed.Conv2d(w, input=input) if len(shape) == 4 else packed.Linear(w, input=input)
            each = (layer.nbytes - real) / (shape[0] * 8 * int(np.prod(shape[2:])))
            rows.append(["×".join(map(str, shape)), str(bits), f"{real:.0f}", f"{w.nbytes / real:.3f}",
                         f"{layer.nbytes / real:.3f}", f"{each:.2f}"])
    yield (
        "Bytes over bits / 8 a weight: `PackedArray`, whose lanes never straddle words, and layers, which hold bit "
        "planes; padding of a layer in words for each row of channels.\n\n"
        + table(["weights", "bits", "bits / 8", "PackedArray", "layer", "padding, words"], rows, 2)
    )
