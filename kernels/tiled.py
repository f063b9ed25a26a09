"""Fast convolution: the transformed filter of an Algorithm, and how tiles fall into blocks."""

from __future__ import annotations

import math

import numpy as np

from kernels.direct import product_cost
from kernels.generation import algorithm_module, chunk_channels
from kernels.host import host
from kernels.problem import Plan, Problem, Triple, makespan
from winograd import Algorithm

__all__ = ["TransformedFilter"]

_BLOCK_BYTES = 768 * 1024
"""What V and one panel of M may take: most of a second-level cache of one MiB, common on servers."""

_MOST_ROWS = 8
"""Register tiles a block has at most; more reuse of U gains nothing."""


def triple(values: tuple[int, ...]) -> Triple:
    """One to three numbers as (z, 0, 1)."""
    z, first, second = (1, 1, *values)[-3:]
    return z, first, second


class TransformedFilter:
    """U = G g G^T of all filters, for `algorithm`.

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, RZ, R0, R1)
    groups : int
    algorithm : Algorithm
        Its taps are the filter's; of a strided layer, those of one phase: the filter's divided by the stride, rounded
        up.
    stride : (int, int, int)
    """

    def __init__(self, w: np.ndarray, groups: int, algorithm: Algorithm, stride: Triple) -> None:
        self.algorithm = algorithm
        self.tile = host().tile(algorithm.dtype)
        self.module = algorithm_module(algorithm)
        self.stride = stride
        phases = filter_phases(w, stride)
        filters, self.channels = w.shape[0] // groups, phases.shape[1]
        panels = -(-filters // self.tile.columns)
        each = math.prod(algorithm.n) * panels * self.channels * self.tile.columns
        self.packed = np.empty(groups * each, algorithm.dtype)
        for group in range(groups):
            part = np.ascontiguousarray(phases[group * filters : (group + 1) * filters]).reshape(-1)
            self.module.transform_filter(part, filters, self.channels, self.packed[group * each : (group + 1) * each])

    def plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        """How a problem is run."""
        m, n = triple(self.algorithm.m), triple(self.algorithm.n)
        length = triple(self.algorithm.tile)
        counts = tuple(
            -(-(-(-out // dilation)) // outputs)
            for out, dilation, outputs in zip(problem.out, problem.dilation, m, strict=True)
        )
        tiles = problem.images * math.prod(problem.dilation) * math.prod(counts)
        block, parts = self._blocks(problem, tiles, counts)
        v_stride = self._v_stride()
        fields = problem.fields() | {
            "TILES": tiles, "BLOCK": block, "PARTS": parts, "V_STRIDE": v_stride,
            "UNITS": -(-tiles // block) * problem.groups * parts,
        }
        for name, values in (("TILES", counts), ("STEPS", problem.stride), ("PHASES", problem.dilation)):
            ends = ("DEEP", "DOWN", "ACROSS") if name == "TILES" else ("Z", "0", "1")
            fields |= {f"{name}_{end}": value for end, value in zip(ends, values, strict=True)}
        run = min(block, counts[2])
        width = (run - 1) * m[2] + length[2]
        vector, columns = self.tile.length, self.tile.columns
        leaves = 0 if self.algorithm.channel_sum == "linear" else -(-self.channels // self.algorithm.channel_block)
        depth = 2 + leaves.bit_length() if leaves else 0
        products = math.prod(n)
        deep = n[0] > 1
        sizes = (
            products * (block * v_stride + vector),
            products * (block * columns + vector),
            depth * block * columns,
            length[0] * length[1] * width * chunk_channels(self.tile),
            max(n[0] * length[1] * width, m[0] * n[1] * n[2]) * vector if deep else 0,
            max(n[1] * width, m[1] * n[2]) * vector,
            m[0] * m[1] * run * m[2] * vector,
        )
        return Plan.of(self.module.run_units, self.packed, bias, problem, fields, sizes)

    def _v_stride(self) -> int:
        # Each phase writes whole vectors, the last ones of which may be less than full.
        phases = math.prod(self.stride)
        channels = self.channels // phases
        length = self.tile.length
        used = (phases - 1) * channels + -(-channels // length) * length
        stride = -(-used // length) * length
        if stride * np.dtype(self.algorithm.dtype).itemsize % 4096 == 0:
            stride += self.tile.length  # rows a multiple of 4096 bytes apart would share one set of the first-level cache
        return stride

    def _blocks(self, problem: Problem, tiles: int, counts: tuple[int, ...]) -> tuple[int, int]:
        """Tiles in a block, and parts of the panels, so that all threads end soon and together."""
        tile = self.tile
        products = math.prod(self.algorithm.n)
        item = np.dtype(self.algorithm.dtype).itemsize
        panels = -(-problem.filters // tile.columns)
        per_tile = products * item * (self._v_stride() + tile.columns)
        most = max(1, min(_MOST_ROWS, _BLOCK_BYTES // (per_tile * tile.rows))) * tile.rows
        best: tuple[float, int, int] | None = None
        for blocks in range(-(-tiles // most), -(-tiles // most) + 4 * problem.threads):
            for whole in (tile.rows, 1):  # blocks of whole register tiles, or as equal as can be
                block = min(tiles, most, -(-(-(-tiles // blocks)) // whole) * whole)
                units = -(-tiles // block) * problem.groups
                rows = product_cost(block, tile)
                for parts in sorted({1, min(panels, problem.threads), min(panels, 2 * problem.threads)}):
                    product = products * rows * tile.vectors * self.channels * -(-panels // parts)
                    transforms = 8 * products * block * (
                        self.channels / tile.length + -(-panels // parts) * tile.vectors
                    )
                    reading = -(-panels // parts) * products * self.channels * tile.vectors * 2
                    # The part of the last block that is not there costs nothing.
                    share = tiles / (-(-tiles // block) * block) if units * parts > 4 * problem.threads else 1.0
                    total = makespan(units * parts, problem.threads, (product + transforms + reading) * share)
                    if best is None or total < best[0]:
                        best = total, block, parts
        assert best is not None
        return best[1:]


def filter_phases(w: np.ndarray, stride: Triple) -> np.ndarray:
    """The filters of the stride's phases as further channels: phase by phase, every stride-th tap, zeros at the end.

    Shape (K, C, RZ, R0, R1) becomes (K, C * phases, RZ', R0', R1').
    """
    if stride == (1, 1, 1):
        return w
    taps = tuple(-(-r // s) for r, s in zip(w.shape[2:], stride, strict=True))
    padded = np.zeros((*w.shape[:2], *(t * s for t, s in zip(taps, stride, strict=True))), w.dtype)
    padded[:, :, : w.shape[2], : w.shape[3], : w.shape[4]] = w
    split = padded.reshape(*w.shape[:2], taps[0], stride[0], taps[1], stride[1], taps[2], stride[2])
    return split.transpose(0, 3, 5, 7, 1, 2, 4, 6).reshape(w.shape[0], -1, *taps)
