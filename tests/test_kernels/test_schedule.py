"""Schedules: their blocks and parts cover the work exactly, and fit into the memory that a thread may take."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from kernels import schedule
from kernels.arguments import output_size
from kernels.choice import candidates
from kernels.direct import DepthwiseFilter, DirectFilter
from kernels.host import Tile, host
from kernels.microkernel import row_counts, splits
from kernels.problem import Problem
from kernels.schedule import (
    SET_BYTES,
    depthwise_schedule,
    direct_schedule,
    padded_stride,
    tile_counts,
    tiled_schedule,
    triple,
)
from kernels.tiled import TransformedFilter

POINTS = (0, 1, -1, 2, -2, "1/2", "-1/2", wg.INF)
F43 = wg.Algorithm(wg.toom_cook(4, 3, [*POINTS[:5], wg.INF]), dims=2)


def problem(size, taps, channels=1, filters=1, groups=1, stride=1, dilation=1, padding=0, images=1, threads=1,
            last=False, dtype="float32"):  # fmt: skip
    """A problem with arrays as they usually lie in memory; numbers stand for all axes that the size has."""
    axes = len(size)
    taps, stride, dilation, padding = (
        v if isinstance(v, tuple) else (v,) * axes for v in (taps, stride, dilation, padding)
    )
    out = tuple(
        output_size(n, r, (p, p), s, d, "axis")
        for n, r, p, s, d in zip(size, taps, padding, stride, dilation, strict=True)
    )

    def steps(count, lengths):
        lengths = triple(lengths)
        inner = [math.prod(lengths[i:]) for i in (1, 2, 3)]
        plane = math.prod(lengths)
        return (count * plane, 1, *(count * i for i in inner)) if last else (count * plane, plane, *inner)

    pad = (0, 0, *padding)[-3:]
    return Problem(
        images=images, channels=channels // groups, filters=filters // groups, groups=groups, size=triple(size),
        out=triple(out), taps=triple(taps), stride=triple(stride), dilation=triple(dilation), pad=pad,
        x_steps=steps(channels, size), y_steps=steps(filters, out), dtype=dtype, threads=threads,
        has_bias=False, relu=False,
    )  # fmt: skip


@st.composite
def problems(draw):
    axes = draw(st.integers(1, 3))
    several = lambda most: tuple(draw(st.integers(1, most)) for _ in range(axes))  # noqa: E731
    taps, stride, dilation = several(5), several(3), several(3)
    size = tuple(d * (r - 1) + draw(st.integers(1, 60 if axes < 3 else 12)) for r, d in zip(taps, dilation, strict=True))
    groups = draw(st.sampled_from([1, 1, 2, 7]))
    return problem(
        size, taps, groups * draw(st.integers(1, 300)), groups * draw(st.integers(1, 300)), groups, stride, dilation,
        tuple(draw(st.integers(0, 3)) for _ in range(axes)), draw(st.integers(1, 3)), draw(st.integers(1, 17)),
        draw(st.booleans()), draw(st.sampled_from(["float32", "float64"])),
    )  # fmt: skip


def pieces(length, size):
    """Lengths of the blocks that a length falls into, as the kernels count them."""
    return [min(size, length - start) for start in range(0, length, size)]


def assert_direct_pieces_are_whole(given, found, panels):
    for length, size in ((given.out[1], found.rows), (given.out[2], found.columns)):
        assert 1 <= size <= length
        assert min(pieces(length, size)) >= 1 and sum(pieces(length, size)) == length
    assert 1 <= found.parts <= panels, "a part without a panel"
    ends = [panels * part // found.parts for part in range(found.parts + 1)]
    assert ends[0] == 0 and ends[-1] == panels and all(a < b for a, b in itertools.pairwise(ends))
    assert found.cost > 0 and math.isfinite(found.cost)


@given(problems())
def test_direct_blocks_and_parts_cover_the_outputs(given):
    panels = -(-given.filters // host().tile(given.dtype).columns)
    assert_direct_pieces_are_whole(given, direct_schedule(given), panels)


@given(problems(), st.booleans())
def test_depthwise_blocks_and_parts_cover_the_outputs(given, in_place):
    chunks = -(-given.groups // host().tile(given.dtype).length)
    assert_direct_pieces_are_whole(given, depthwise_schedule(given, in_place), chunks)


@given(problems())
def test_tiles_cover_the_outputs_of_every_phase_and_blocks_the_tiles(given):
    axes = 3 - given.size.count(1) or 1
    stride = given.stride if max(given.dilation) == 1 else (1, 1, 1)
    given = Problem(**(vars(given) | {"stride": stride}))
    algorithm = wg.Algorithm(F43.transforms[:1] * axes)
    m = triple(algorithm.m)
    for out, dilation, outputs, tiles in zip(given.out, given.dilation, m, tile_counts(given, m), strict=True):
        longest = len(range(0, out, dilation))  # outputs of the first phase: no other has more
        assert (tiles - 1) * outputs < longest <= tiles * outputs
    found, tile = tiled_schedule(given, algorithm), host().tile(given.dtype)
    tiles = given.images * math.prod(given.dilation) * math.prod(tile_counts(given, m))
    assert 1 <= found.block <= tiles and sum(pieces(tiles, found.block)) == tiles
    assert 1 <= found.parts <= -(-given.filters // tile.columns)
    # A row of V holds the channels of all phases, and the whole vectors in which the last of them is written.
    phases = math.prod(given.stride)
    assert found.v_stride >= (phases - 1) * given.channels + -(-given.channels // tile.length) * tile.length
    assert found.v_stride * np.dtype(given.dtype).itemsize % SET_BYTES != 0
    assert found.cost > 0 and math.isfinite(found.cost)


def test_rows_of_v_are_whole_vectors_off_each_others_cache_sets():
    tile = Tile(14, 2, 16)
    assert [padded_stride(n, tile, 4) for n in (1, 16, 17, 1024, 1025)] == [16, 16, 32, 1040, 1040]


@pytest.mark.parametrize("tile", [Tile(14, 2, 16), Tile(6, 2, 8)])
def test_the_cost_of_rows_is_that_of_the_microkernels_that_run(tile):
    heights = splits(row_counts(tile.rows))
    for rows in range(1, 100):
        left, calls = rows, []
        while left:
            calls.append(heights[min(left, 2 * tile.rows)])
            left -= calls[-1]
        assert sum(calls) == rows
        assert schedule._product_cost(rows, tile) >= rows


def test_more_threads_than_work_are_no_harm():
    for threads in (1, 2, 64):
        one = problem((1, 1), 1, threads=threads)
        assert (direct_schedule(one).rows, direct_schedule(one).columns, direct_schedule(one).parts) == (1, 1, 1)
        small = problem((3, 3), 3, threads=threads)
        assert tiled_schedule(small, F43).block == 1


def test_the_expected_time_falls_with_threads_and_grows_with_work():
    for find in (direct_schedule, lambda p: tiled_schedule(p, F43), lambda p: depthwise_schedule(p, True)):
        layer = {"size": (56, 56), "taps": 3, "channels": 64, "filters": 64}
        if find(problem(**layer)).cost:
            assert find(problem(**layer, threads=2)).cost < find(problem(**layer)).cost
            assert find(problem(**layer, images=4)).cost > 2 * find(problem(**layer)).cost


# ---- memory ---------------------------------------------------------------------------------------------------

LIMIT_BYTES = 4 * 2**20  # what a thread may take beside filter, input and output
NOTHING = np.zeros(0, np.float32)


def prepared(kind, given, algorithm=None):
    """Filters of the kind, without their memory and their compiled code."""
    one = kind.__new__(kind)
    one.tile, one.packed, one.module = host().tile(given.dtype), NOTHING, SimpleNamespace(run_units=None)
    one.length, one.each, one.algorithm = one.tile.length, given.filters, algorithm
    one.channels = given.channels * math.prod(given.stride)
    return one


def workspace(given, algorithm=None):
    """Bytes for one thread."""
    kind = TransformedFilter if algorithm else DepthwiseFilter if given.channels == 1 < given.groups else DirectFilter
    return prepared(kind, given, algorithm).plan(given, NOTHING).workspace_bytes


CHANNELS = (1, 3, 17, 64, 100, 256, 512, 1024, 2048)
SIZES = (1, 7, 14, 28, 56, 112, 224, 512)
TAPS = (1, 2, 3, 4, 5, 7, 9, 11)


def over_the_limit(layers):
    found = []
    for given, algorithm in layers:
        size = workspace(given, algorithm)
        # Direct copies at least the window of one output.
        pixel = (given.channels + host().tile(given.dtype).columns) * np.dtype(given.dtype).itemsize
        least = 0 if algorithm else math.prod(given.window(1, 1)) * pixel + 4096
        if size > max(LIMIT_BYTES, least):
            found.append(f"{size / 2**20:.2f} MiB: {algorithm and algorithm.size} {given}")
    return found


def planes(dtype, stride=1, dilation=1, taps=TAPS, last=False, threads=2):
    for channels, size, r in itertools.product(CHANNELS, SIZES, taps):
        if size + 2 * (r // 2) * dilation < dilation * (r - 1) + 1:
            continue
        yield problem((size, size), r, channels, 128, 1, stride, dilation, r // 2 * dilation, 1, threads, last, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2), (4, 1)])
def test_direct_stays_within_the_memory_of_a_thread(dtype, stride, dilation):
    assert over_the_limit((given, None) for given in planes(dtype, stride, dilation)) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_rows_stay_within_the_memory_of_a_thread(dtype):
    layers = [
        problem((length,), taps, channels, 64, 1, 1, dilation, dtype=dtype, threads=threads)
        for length, taps, channels, dilation, threads in itertools.product(
            (1000, 16000, 441000), (1, 3, 7, 11), (1, 16, 256), (1, 16), (1, 2)
        )
    ]
    assert over_the_limit((given, None) for given in layers) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_stays_within_the_memory_of_a_thread(dtype):
    layers = [
        problem((size, size), taps, channels, channels, channels, stride, dilation, taps // 2, 1, 2, last, dtype)
        for size, taps, channels, stride, dilation, last in itertools.product(
            SIZES, (1, 3, 5, 7, 11), (3, 17, 1024), (1, 2), (1, 4), (False, True)
        )
        if size + taps // 2 * 2 >= dilation * (taps - 1) + 1
    ]
    assert over_the_limit((given, None) for given in layers) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2)])
def test_fast_algorithms_stay_within_the_memory_of_a_thread(dtype, stride, dilation):
    layers = (
        (given, algorithm)
        for given in planes(dtype, stride, dilation, (2, 3, 5, 7))
        for algorithm in candidates(2, given.taps[1:], given.stride[1:], given.dilation[1:], dtype)
    )
    assert over_the_limit(layers) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_volumes_stay_within_the_memory_of_a_thread(dtype):
    volumes = [
        problem((size,) * 3, taps, channels, 64, 1, 1, 1, taps // 2, 1, 2, False, dtype)
        for size, taps, channels in itertools.product((4, 16, 64), (1, 3, 5), (1, 16, 128, 512))
    ]
    layers = ((given, a) for given in volumes for a in (None, *candidates(3, given.taps, (1,) * 3, (1,) * 3, dtype)))
    assert over_the_limit(layers) == []
