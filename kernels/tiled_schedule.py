"""How the tiles of a fast algorithm are cut into units for threads and caches, and the time it should then take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kernels.cost import PRODUCT_ENDS, THREAD_BYTES, makespan, padded_stride, product_cost, reading, remembered
from kernels.host import host
from kernels.problem import Problem, Triple, triple
from kernels.rates import rates
from winograd import Algorithm

__all__ = ["TiledSchedule", "tile_counts", "tiled_schedule"]

_BLOCK_BYTES = 448 * 1024
"""What V and one panel of M may take: of a second-level cache of one MiB, common on servers, U takes the rest."""

_MOST_ROWS = 8
"""Register tiles a block has at most; more reuse of U gains nothing."""

_SMALL_BYTES = 640 * 1024
"""What of that is kept for the small buffers of the fast kernels: all but V and M."""


@dataclass(frozen=True)
class TiledSchedule:
    """Tiles of a block, parts of the panels; distance of rows of V; time."""

    block: int
    parts: int
    v_stride: int
    cost: float


def tile_counts(problem: Problem, m: Triple) -> Triple:
    """Tiles of m outputs along each axis, of one phase of the dilation."""
    z, first, second = (
        math.ceil(math.ceil(out / dilation) / outputs)
        for out, dilation, outputs in zip(problem.out, problem.dilation, m, strict=True)
    )
    return z, first, second


@remembered
def tiled_schedule(problem: Problem, algorithm: Algorithm) -> TiledSchedule:
    """The schedule of least expected time for a fast algorithm."""
    model, tile, item = rates(), host().tile(problem.dtype), np.dtype(problem.dtype).itemsize
    phases = math.prod(problem.stride)
    channels = problem.channels * phases
    # Each phase writes whole vectors, the last ones of which may be less than full.
    used = (phases - 1) * problem.channels + -(-problem.channels // tile.length) * tile.length
    v_stride = padded_stride(used, tile, item)
    products = math.prod(algorithm.n)
    m = triple(algorithm.m)
    tiles = problem.images * math.prod(problem.dilation) * math.prod(tile_counts(problem, m))
    panels = -(-problem.filters // tile.columns)
    filter_bytes = problem.groups * products * panels * tile.columns * channels * item
    per_row = products * item * (v_stride + tile.columns) * tile.rows
    most = max(1, min(_MOST_ROWS, _BLOCK_BYTES // per_row)) * tile.rows
    most = max(1, min(most, (THREAD_BYTES - _SMALL_BYTES) * tile.rows // per_row))
    fewest = -(-tiles // most)
    taken = phases * -(-problem.channels // tile.length)  # vectors of channels, each phase's by themselves
    gathering = 0.0
    if max(problem.stride + problem.dilation) > 1:
        picked = problem.x_steps[4] == 1 and max(problem.stride[2], problem.dilation[2]) > 1
        gathering = (model.pick if picked else model.copy) * math.prod(triple(algorithm.tile)) * taken
    best: TiledSchedule | None = None
    for blocks in range(fewest, min(tiles, fewest + 4 * problem.threads) + 1):
        for whole in (tile.rows, 1):  # blocks of whole register tiles, or as equal as can be
            block = min(tiles, most, math.ceil(math.ceil(tiles / blocks) / whole) * whole)
            count, last = -(-tiles // block), tiles % block or block
            for parts in sorted({1, min(panels, problem.threads), min(panels, 2 * problem.threads)}):
                share = -(-panels // parts)
                vectors = products * share * tile.vectors * channels

                def cost(size: int, share: int = share, vectors: int = vectors) -> float:
                    return (
                        product_cost(size, tile) * (vectors + PRODUCT_ENDS * products * share * tile.vectors)
                        + model.transform * products * size * (taken + share * tile.vectors)
                        + gathering * size
                        + reading(vectors, filter_bytes, model)
                        + model.unit
                    )

                mean = ((count - 1) * cost(block) + cost(last)) / count
                total = makespan(count * problem.groups * parts, problem.threads, mean, model)
                if best is None or total < best.cost:
                    best = TiledSchedule(block, parts, v_stride, total)
    assert best is not None
    return best
