"""Schedules: their blocks and parts cover the work exactly, and fit into the memory that a thread may take."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from kernels.arguments import output_size
from kernels.choice import candidates
from kernels.cost import SET_BYTES, padded_stride, product_cost
from kernels.depthwise import DepthwiseFilter
from kernels.depthwise_schedule import depthwise_pixels_schedule, depthwise_planes_schedule
from kernels.direct import DirectFilter
from kernels.direct_schedule import flattened, has_planes, pixels_schedule, planes_pitch, planes_schedule
from kernels.host import Tile, host
from kernels.microkernel import row_counts, splits
from kernels.problem import Problem, triple
from kernels.tiled import TransformedFilter
from kernels.tiled_schedule import tile_counts, tiled_schedule

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
    more = st.integers(1, 60 if axes < 3 else 12)
    size = tuple(d * (r - 1) + draw(more) for r, d in zip(taps, dilation, strict=True))
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
def test_direct_blocks_of_pixels_cover_the_outputs(given):
    panels = -(-given.filters // host().tile(given.dtype).columns)
    assert_direct_pieces_are_whole(given, pixels_schedule(given), panels)


@given(problems())
def test_direct_blocks_of_planes_cover_the_outputs(given):
    assert_direct_pieces_are_whole(given, planes_schedule(given), given.filters)


@given(problems())
def test_channels_of_a_strip_do_not_overlap(given):
    found, tile = planes_schedule(given), host().tile(given.dtype)
    _, down, across = given.window(found.rows, found.columns)
    down = found.rows if given.taps[1] == 1 else down
    needed = found.columns if given.taps[2] == 1 else across
    assert planes_pitch(given, tile, found.rows, found.columns) >= given.taps[0] * down * needed


def addresses(given, steps):
    """Where each number of the space of outputs lies, image by image, in the order of its axes."""
    counts = (given.images, *given.out)
    places = np.indices(counts).reshape(4, -1)
    return np.tensordot([steps[0], *steps[2:]], places, 1)


@given(problems(), st.integers(0, 3))
def test_pixels_that_stand_alone_become_one_row_where_they_follow_each_other(given, gap):
    one = {"taps": (1, 1, 1), "stride": (1, 1, 1), "dilation": (1, 1, 1), "pad": (0, 0, 0), "out": given.size}
    y_steps = (*given.y_steps[:2], *given.x_steps[2:]) if given.x_steps[1] != 1 else given.y_steps
    given = Problem(**(vars(given) | one | {"y_steps": y_steps}))
    gapped = list(given.x_steps)
    gapped[gap if gap == 0 else gap + 1] += 1000 * gap  # after images (0), planes, rows or columns
    for case in (given, Problem(**(vars(given) | {"x_steps": tuple(gapped)}))):
        flat = flattened(case)
        assert flat.size == flat.out and flat.images * math.prod(flat.out) == case.images * math.prod(case.out)
        for steps in ("x_steps", "y_steps"):
            assert getattr(flat, steps) == getattr(case, steps)
            np.testing.assert_array_equal(addresses(flat, getattr(flat, steps)), addresses(case, getattr(case, steps)))


def test_what_is_flattened():
    whole = problem((8, 9), 1, 5, 6, images=2)
    assert flattened(whole).out == (1, 1, 72) and flattened(whole).images == 2, "channels lie between images"
    last = flattened(problem((8, 9), 1, 5, 6, images=2, last=True))
    assert last.out == (1, 1, 144) and last.images == 1
    assert flattened(problem((8, 9), 1, 5, 6, stride=2)).out == (1, 4, 5)
    assert flattened(problem((8, 9), 3, 5, 6)).out == (1, 6, 7)
    assert flattened(problem((8, 9), 1, 5, 6, padding=1)).out == (1, 10, 11)


def test_planes_have_columns_side_by_side():
    assert has_planes(problem((8, 9), 3, 5, 6, stride=2)) and not has_planes(problem((8, 9), 1, 5, 6, last=True))


@given(problems(), st.booleans())
def test_depthwise_blocks_and_parts_cover_the_outputs(given, in_place):
    chunks = -(-given.groups // host().tile(given.dtype).length)
    assert_direct_pieces_are_whole(given, depthwise_pixels_schedule(given, in_place), chunks)


@given(problems(), st.integers(1, 8))
def test_depthwise_blocks_of_planes_cover_the_outputs(given, down):
    planes = given.images * given.groups * given.filters
    found = depthwise_planes_schedule(given, down)
    assert 1 <= found.parts <= planes * given.out[0] and found.columns == given.out[2], "rows are whole"
    assert sum(pieces(given.out[1], found.rows)) == given.out[1] and found.rows <= given.out[1]
    assert found.rows == given.out[1] or found.rows % down == 0, "only the last tile of a plane overlaps another"
    assert found.cost > 0 and math.isfinite(found.cost)


@pytest.mark.parametrize("last", [False, True])
def test_little_depthwise_work_is_one_unit_and_much_some_for_each_thread(last):
    def units(size, channels, threads):
        layer = problem((size, size), 3, channels, channels, channels, padding=1, threads=threads, last=last)
        return prepared(DepthwiseFilter, layer).plan(layer, NOTHING).fields["UNITS"]

    assert [units(7, 32, threads) for threads in (1, 2, 64)] == [1, 1, 1]
    assert units(112, 64, 1) == 1
    assert units(112, 64, 2) >= 8 and units(112, 64, 8) >= 32
    assert units(224, 2, 4) >= 8, "planes are cut where there are few"


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
        assert product_cost(rows, tile) >= rows


def test_more_threads_than_work_are_no_harm():
    for threads in (1, 2, 64):
        one = problem((1, 1), 1, threads=threads)
        for find in (pixels_schedule, planes_schedule):
            assert (find(one).rows, find(one).columns, find(one).parts) == (1, 1, 1)
        small = problem((3, 3), 3, threads=threads)
        assert tiled_schedule(small, F43).block == 1


def test_the_expected_time_falls_with_threads_and_grows_with_work():
    kinds = (pixels_schedule, planes_schedule, lambda p: tiled_schedule(p, F43),
             lambda p: depthwise_pixels_schedule(p, True), lambda p: depthwise_planes_schedule(p, 7))
    for find in kinds:
        layer = {"size": (56, 56), "taps": 3, "channels": 64, "filters": 64}
        assert find(problem(**layer, threads=2)).cost < find(problem(**layer)).cost
        assert find(problem(**layer, images=4)).cost > 2 * find(problem(**layer)).cost


# ---- memory ---------------------------------------------------------------------------------------------------

LIMIT_BYTES = 4 * 2**20  # what a thread may take beside filter, input and output
NOTHING = np.zeros(0, np.float32)


def prepared(kind, layer, algorithm=None):
    """Filters of the kind, without their memory; of compiled code no more than its text."""
    one = kind.__new__(kind)
    one.tile, one.module = host().tile(layer.dtype), SimpleNamespace(run_units=None)
    one.packed = one._packed = NOTHING
    one.length, one.each, one.algorithm = one.tile.length, layer.filters, algorithm
    one.channels = layer.channels * math.prod(layer.stride)
    one._w = np.broadcast_to(np.zeros(1, layer.dtype), (layer.filters * layer.groups, layer.channels))
    return one


def workspace(layer, algorithm=None):
    """Bytes for one thread."""
    kind = TransformedFilter if algorithm else DepthwiseFilter if layer.channels == 1 < layer.groups else DirectFilter
    return prepared(kind, layer, algorithm).plan(layer, NOTHING).workspace_bytes


CHANNELS = (1, 3, 17, 64, 100, 256, 512, 1024, 2048)
SIZES = (1, 7, 14, 28, 56, 112, 224, 512)
TAPS = (1, 2, 3, 4, 5, 7, 9, 11)


@pytest.fixture(autouse=True)
def no_compilation(monkeypatch):
    monkeypatch.setattr("kernels.direct.planes_module", lambda *_: SimpleNamespace(run_units=None))


def over_the_limit(layers):
    found = []
    for layer, algorithm in layers:
        size = workspace(layer, algorithm)
        # Direct copies at least the window of one output.
        pixel = (layer.channels + host().tile(layer.dtype).columns) * np.dtype(layer.dtype).itemsize
        least = 0 if algorithm else math.prod(layer.window(1, 1)) * pixel + 4096
        if size > max(LIMIT_BYTES, least):
            found.append(f"{size / 2**20:.2f} MiB: {algorithm and algorithm.size} {layer}")
    return found


def planes(dtype, stride=1, dilation=1, taps=TAPS, last=False, threads=2):
    for channels, size, r in itertools.product(CHANNELS, SIZES, taps):
        if size + 2 * (r // 2) * dilation < dilation * (r - 1) + 1:
            continue
        yield problem((size, size), r, channels, 128, 1, stride, dilation, r // 2 * dilation, 1, threads, last, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2), (4, 1)])
def test_direct_stays_within_the_memory_of_a_thread(dtype, stride, dilation):
    assert over_the_limit((layer, None) for layer in planes(dtype, stride, dilation)) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_rows_stay_within_the_memory_of_a_thread(dtype):
    layers = [
        problem((length,), taps, channels, 64, 1, 1, dilation, dtype=dtype, threads=threads)
        for length, taps, channels, dilation, threads in itertools.product(
            (1000, 16000, 441000), (1, 3, 7, 11), (1, 16, 256), (1, 16), (1, 2)
        )
    ]
    assert over_the_limit((layer, None) for layer in layers) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_stays_within_the_memory_of_a_thread(dtype):
    layers = [
        problem((size, size), taps, channels, channels, channels, stride, dilation, taps // 2, 1, threads, last, dtype)
        for size, taps, channels, stride, dilation, last, threads in itertools.product(
            SIZES, (1, 3, 5, 7, 11), (3, 17, 1024), (1, 2, 4), (1, 4), (False, True), (1, 2)
        )
        if size + taps // 2 * 2 >= dilation * (taps - 1) + 1
    ]
    assert over_the_limit((layer, None) for layer in layers) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2)])
def test_fast_algorithms_stay_within_the_memory_of_a_thread(dtype, stride, dilation):
    layers = (
        (layer, algorithm)
        for layer in planes(dtype, stride, dilation, (2, 3, 5, 7))
        for algorithm in candidates(2, layer.taps[1:], layer.stride[1:], layer.dilation[1:], dtype)
    )
    assert over_the_limit(layers) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_volumes_stay_within_the_memory_of_a_thread(dtype):
    volumes = [
        problem((size,) * 3, taps, channels, 64, 1, 1, 1, taps // 2, 1, 2, False, dtype)
        for size, taps, channels in itertools.product((4, 16, 64), (1, 3, 5), (1, 16, 128, 512))
    ]
    layers = ((layer, a) for layer in volumes for a in (None, *candidates(3, layer.taps, (1,) * 3, (1,) * 3, dtype)))
    assert over_the_limit(layers) == []
