"""Fast convolution: the transformed filter of an Algorithm, and how tiles fall into blocks."""

from __future__ import annotations

import math

import numpy as np

from kernels.generation import algorithm_module, chunk_channels
from kernels.host import host
from kernels.problem import Plan, Problem, Triple, triple
from kernels.tiled_schedule import tile_counts, tiled_schedule
from kernels.workspace import aligned_empty
from winograd import Algorithm

__all__ = ["TransformedFilter"]

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
        self.packed = aligned_empty((groups * each,), np.dtype(algorithm.dtype))
        r, n = triple(algorithm.r), triple(algorithm.n)
        space = [np.empty(size, algorithm.filter_dtype) for size in (n[0] * r[1] * r[2], n[1] * r[2], math.prod(n))]
        for group in range(groups):
            part = np.ascontiguousarray(phases[group * filters : (group + 1) * filters]).reshape(-1)
            packed = self.packed[group * each : (group + 1) * each]
            self.module.transform_filter(part, filters, self.channels, *space, packed)

    def plan(self, problem: Problem, bias: np.ndarray) -> Plan:
        """How a problem is run."""
        m, n = triple(self.algorithm.m), triple(self.algorithm.n)
        length = triple(self.algorithm.tile)
        counts = tile_counts(problem, m)
        tiles = problem.images * math.prod(problem.dilation) * math.prod(counts)
        schedule = tiled_schedule(problem, self.algorithm)
        block, v_stride = schedule.block, schedule.v_stride
        fields = problem.fields() | {
            "TILES": tiles, "BLOCK": block, "PARTS": schedule.parts, "V_STRIDE": v_stride,
            "UNITS": -(-tiles // block) * problem.groups * schedule.parts,
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
