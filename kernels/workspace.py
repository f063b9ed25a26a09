"""Buffers of one thread, and how many tiles go through the stages together."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from kernels.generation import chunk_channels
from kernels.host import host
from winograd import Algorithm

_BLOCK_BYTES = 768 * 1024
"""What V and one panel of M may take: most of a second-level cache of one MiB, common on servers."""

_MOST_ROWS = 8
"""Register tiles a block has at most; more reuse of U gains nothing, and small images need blocks for all threads."""


@dataclass(frozen=True)
class Workspace:
    """The buffers of one thread, in the order the kernel takes them: V, M, sums, strip, stage, out."""

    block: int
    run: int
    v_stride: int
    buffers: tuple[np.ndarray, ...]

    @classmethod
    def for_layer(cls, algorithm: Algorithm, channels: int, block: int, run: int) -> Workspace:
        """Buffers for blocks of `block` tiles, with at most `run` neighbours in a row of tiles."""
        tile = host().tile(algorithm.dtype)
        length, columns = tile.length, tile.columns
        m0, m1 = (1, *algorithm.m)[-2:]
        n0, n1 = (1, *algorithm.n)[-2:]
        tile0, tile1 = (1, *algorithm.tile)[-2:]
        width = (run - 1) * m1 + tile1
        leaves = 0 if algorithm.channel_sum == "linear" else -(-channels // algorithm.channel_block)
        depth = 2 + leaves.bit_length() if leaves else 0
        v_stride = -(-channels // length) * length
        if v_stride * np.dtype(algorithm.dtype).itemsize % 4096 == 0:
            v_stride += length  # rows a multiple of 4096 bytes apart would share one set of the first-level cache
        sizes = (
            n0 * n1 * (block * v_stride + length),
            n0 * n1 * (block * columns + length),
            depth * block * columns,
            tile0 * width * chunk_channels(tile),
            max(n0 * width, m0 * n1) * length,
            m0 * run * m1 * length,
        )
        return cls(block, run, v_stride, tuple(np.empty(size, algorithm.dtype) for size in sizes))

    def serves(self, block: int, run: int) -> bool:
        """Whether a call with these sizes fits."""
        return self.block >= block and self.run >= run

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(b.nbytes for b in self.buffers)


def tile_shares(algorithm: Algorithm, tiles: int, threads: int) -> list[tuple[int, int]]:
    """Ranges of tiles, one for each thread: neighbours, as equal as whole register tiles allow, none empty."""
    rows = host().tile(algorithm.dtype).rows
    units = -(-tiles // rows)
    threads = min(threads, units)
    ends = [min(tiles, units * share // threads * rows) for share in range(threads + 1)]
    return list(itertools.pairwise(ends))


def block_tiles_for(algorithm: Algorithm, channels: int, share: int) -> int:
    """Tiles in a block: as many register tiles as the cache holds, evenly spread over a thread's share."""
    tile = host().tile(algorithm.dtype)
    size = np.dtype(algorithm.dtype).itemsize
    per_tile = math.prod(algorithm.n) * size * (-(-channels // tile.length) * tile.length + tile.columns)
    most = max(1, min(_MOST_ROWS, _BLOCK_BYTES // (per_tile * tile.rows)))
    units = -(-share // tile.rows)
    return -(-units // -(-units // most)) * tile.rows
