"""The product stage alone against the sgemm rate: blocks of tiles times panels of filters, no transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import ModuleType

import numpy as np

import winograd as wg
from convolution.comparison import Row
from convolution.contestants import own
from convolution.exactness import drawn, filter_parts
from convolution.layers import Layer
from convolution.markdown import digits, percent, table
from convolution.settings import Settings
from convolution.sgemm import OPERATIONS, sgemm
from convolution.shape import Shape
from convolution.timing import measured
from kernels.compilation import header, load_module
from kernels.generation import panels_module
from kernels.host import host

AIM = 0.85

_BLOCK_BYTES = 768 * 1024
_MOST_ROWS = 8
# A block is as many register tiles as the second-level cache holds, its V with one panel of M.

_LOOP = """
from kernels.compilation import kernel
from {panels} import product

@kernel
def products(begin, end, block, v_stride, channels, panels, positions, columns, odd, V, U, M):
    v_plane = block * v_stride + odd
    m_plane = block * columns + odd
    for start in range(begin, end, block):
        count = min(block, end - start)
        for panel in range(panels):
            for p in range(positions):
                product(V, p * v_plane, v_stride, count, U, (p * panels + panel) * channels * columns,
                        M, p * m_plane, columns, channels)
"""


@lru_cache(maxsize=4)
def _module(dtype: str, fma: bool) -> ModuleType:
    tile = host().tile(dtype)
    panels = panels_module(dtype, fma, tile)
    return load_module(header(tile.length) + _LOOP.format(panels=panels.__name__), f"product stage {dtype}")


def row(shape: Shape, layers: Sequence[Layer], settings: Settings) -> Row | None:
    """Time of all products of the layer in its blocks; None where it does not run a fast Algorithm."""
    x, w = drawn(shape, settings.batch)
    algorithm = own("winograd NCHW", x, w, shape, settings.threads, settings.algorithm).algorithm
    if not isinstance(algorithm, wg.Algorithm) or not shape.is_dense or algorithm.r != shape.taps:
        return None
    operations, call = product_stage(algorithm, shape, settings)
    multiplier, multiplied = sgemm(settings.threads)
    times = measured({"products": call, "sgemm": multiplied}, settings.rounds, settings.turn)
    return {
        "shape": str(shape),
        "layers": [[found.network, found.name, found.count] for found in layers],
        "algorithm": algorithm.size,
        "product_s": times["products"].median_s,
        "rate": operations / times["products"].median_s,
        "sgemm": OPERATIONS / times["sgemm"].median_s,
        "sgemm by": multiplier,
    }


def product_stage(algorithm: wg.Algorithm, shape: Shape, settings: Settings) -> tuple[int, Callable[[], None]]:
    """Operations of the products (multiply-adds count two), and a function that runs them.

    Layouts are those of the kernels: V[p][tile][channel], U[p][panel][channel][columns], M[p][tile][columns].
    """
    tile = host().tile(algorithm.dtype)
    item = np.dtype(algorithm.dtype).itemsize
    tiles = settings.batch * math.prod(-(-out // m) for out, m in zip(shape.output, algorithm.m, strict=True))
    positions, channels = math.prod(algorithm.n), shape.channels * filter_parts(algorithm, shape)
    panels = -(-shape.filters // tile.columns)
    v_stride = -(-channels // tile.length) * tile.length
    v_stride += tile.length * (v_stride * item % 4096 == 0)  # else rows would share one set of the first-level cache
    share = -(-tiles // settings.threads)
    per_tile = positions * item * (v_stride + tile.columns)
    most = max(1, min(_MOST_ROWS, _BLOCK_BYTES // (per_tile * tile.rows))) * tile.rows
    block = -(-share // -(-share // most))
    U = np.ones(positions * panels * channels * tile.columns, algorithm.dtype)
    buffers = [
        (np.ones(positions * (block * v_stride + tile.length), algorithm.dtype), U,
         np.ones(positions * (block * tile.columns + tile.length), algorithm.dtype))
        for _ in range(settings.threads)
    ]
    products = _module(algorithm.dtype, algorithm.fma).products
    pool = ThreadPoolExecutor(settings.threads)

    def work(thread: int) -> None:
        products(thread * share, min(tiles, (thread + 1) * share), block, v_stride, channels, panels, positions,
                 tile.columns, tile.length, *buffers[thread])

    def call() -> None:
        for _ in pool.map(work, range(settings.threads)):
            pass

    return 2 * tiles * positions * channels * shape.filters, call


def line(row: Row) -> str:
    """One row for the terminal."""
    return (f"{row['shape']:42} {row['algorithm']:10} products {digits(1e-9 * row['rate'])} GFLOP/s, "
            f"{percent(row['rate'] / row['sgemm'])} of sgemm")


def text(rows: Sequence[Row], made_by: str) -> str:
    """The section."""
    lines = []
    for row in rows:
        share = row["rate"] / row["sgemm"]
        lines.append([
            ", ".join(f"{network} {name}" for network, name, _ in row["layers"]), row["shape"], row["algorithm"],
            digits(1e3 * row["product_s"]), digits(1e-9 * row["rate"]), digits(1e-9 * row["sgemm"]),
            f"**{percent(share)}**" if share < AIM else percent(share),
        ])
    headers = ["layer", "shape", "algorithm", "products, ms", "GFLOP/s", "sgemm, GFLOP/s", "share"]
    return "\n\n".join([
        f"The products of a layer's algorithm alone, by its microkernels, in blocks; padded filters count nothing. In "
        f"bold what is below the aim, {percent(AIM)} of the sgemm rate in the same run.",
        table(headers, lines, words=3), made_by,
    ])
