"""Plans of depthwise layers: which kernel runs, what it is given, and that it computes the sums, exact in integers."""

import itertools
import math

import numpy as np
import pytest

from kernels.depthwise import DepthwiseFilter
from kernels.generation import depthwise_module
from kernels.host import host
from kernels.problem import Problem

# Of (z, 0, 1). The two kinds of rows and columns are compiled, those of other tests.
PLAIN = {"taps": (1, 3, 3), "stride": (1, 1, 1), "dilation": (1, 1, 1), "pad": (0, 1, 1)}
STRIDED = {"taps": (2, 3, 3), "stride": (2, 2, 2), "dilation": (2, 1, 1), "pad": (1, 2, 0)}


def steps(count, sizes, last):
    """Contiguous: image, channel, z, row, column."""
    plane = math.prod(sizes)
    inner = (sizes[1] * sizes[2], sizes[2], 1)
    return (count * plane, 1, *(count * i for i in inner)) if last else (count * plane, plane, *inner)


def problem(kind=PLAIN, groups=5, each=1, size=(1, 6, 7), last=False, **changes):
    out = tuple(
        (n + 2 * p - d * (r - 1) - 1) // s + 1
        for n, p, d, r, s in zip(size, *(kind[name] for name in ("pad", "dilation", "taps", "stride")), strict=True)
    )
    values = {
        "images": 2, "channels": 1, "filters": each, "groups": groups, "size": size, "out": out, **kind,
        "x_steps": steps(groups, size, last), "y_steps": steps(groups * each, out, last), "dtype": "float32",
        "threads": 1, "has_bias": False, "relu": False,
    }
    return Problem(**(values | changes))


def filters(given, seed=0):
    shape = (given.groups * given.filters, 1, *given.taps)
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(given.dtype)


def padded(bias):
    """As layers pass it."""
    return np.concatenate([bias, np.zeros(host().tile(bias.dtype).columns, bias.dtype)])


def plan_of(given, bias=None):
    bias = np.zeros(given.groups * given.filters, given.dtype) if bias is None else bias
    return DepthwiseFilter(filters(given), given.groups).plan(given, padded(bias))


def runs(plan, given, planes):
    tile = host().tile(given.dtype)
    module = depthwise_module(given.dtype, tile, planes, given.taps[1:], given.stride[1:], given.dilation[1:])
    return plan.run is module.run_units


def test_planes_run_where_columns_lie_side_by_side():
    given = problem()
    assert runs(plan_of(given), given, True)
    assert runs(plan_of(problem(STRIDED, size=(3, 6, 7))), problem(STRIDED, size=(3, 6, 7)), True)
    wide_steps = (*given.x_steps[:4], 2)
    for other in (problem(last=True), problem(x_steps=wide_steps), problem(y_steps=wide_steps),
                  problem(PLAIN | {"stride": (1, 1, 3)})):
        assert runs(plan_of(other), other, False)


def test_planes_need_no_buffers_but_places_of_lines():
    plan = plan_of(problem())
    assert plan.sizes == () and plan.integers > 0
    assert plan_of(problem(last=True)).integers > 0


def test_whole_vectors_of_channels_that_are_read_in_place_need_no_strips():
    length = host().tile("float32").length
    for groups, needed in ((length, False), (3 * length, False), (length + 1, True), (length - 1, True)):
        plan = plan_of(problem(groups=groups, last=True, size=(1, 99, 100)))
        assert plan.fields["IN_PLACE"] == 1 and any(plan.sizes) == needed


def test_images_are_read_in_place_where_channels_come_last_one_filter_each():
    assert plan_of(problem(last=True)).fields["IN_PLACE"] == 1
    assert plan_of(problem(last=True, each=2)).fields["IN_PLACE"] == 0
    assert plan_of(problem(PLAIN | {"stride": (1, 1, 3)})).fields["IN_PLACE"] == 0
    mixed = problem(last=True)
    assert plan_of(problem(x_steps=mixed.x_steps)).fields["IN_PLACE"] == 0
    assert plan_of(problem(y_steps=mixed.y_steps)).fields["IN_PLACE"] == 0


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("groups, size", [(5, (1, 6, 7)), (2, (1, 200, 190)), (70, (3, 60, 50)), (33, (1, 1, 900))])
def test_units_are_all_blocks(groups, size, threads, last):
    given = problem(groups=groups, size=size, last=last, threads=threads)
    fields = plan_of(given).fields
    down = -(-given.out[1] // fields["BLOCK_ROWS"])
    if last:
        want = given.images * down * -(-given.out[2] // fields["BLOCK_COLUMNS"]) * fields["PARTS"]
    else:
        assert fields["TILES"] == given.images * groups
        want = down * -(-fields["TILES"] // fields["BLOCK"])
    assert fields["UNITS"] == want * given.out[0]


def test_pixels_have_filters_and_bias_in_vectors_of_channels():
    length, each = host().tile("float32").length, 3
    groups = length + 2
    given = problem(groups=groups, each=each, last=True, has_bias=True)
    prepared = DepthwiseFilter(filters(given), groups)
    bias = np.arange(1, groups * each + 1, dtype=np.float32)
    plan = prepared.plan(given, padded(bias))
    ordered = plan.bias.reshape(each, 2 * length)
    U = plan.filter.reshape(each, 2, math.prod(given.taps), length)
    w = filters(given).reshape(groups, each, -1)
    for q, c in itertools.product(range(each), range(2 * length)):
        inside = c < groups
        assert ordered[q, c] == (bias[c * each + q] if inside else 0)
        np.testing.assert_array_equal(U[q, c // length, :, c % length], w[c, q] if inside else 0)
    assert prepared.plan(problem(groups=groups, each=each, last=True), bias).filter is plan.filter, "packed once"


def test_planes_have_filters_and_bias_as_the_layer_has_them():
    given = problem(each=2, has_bias=True)
    bias = np.arange(10, dtype=np.float32)
    plan = plan_of(given, bias)
    np.testing.assert_array_equal(plan.filter, filters(given).ravel())
    np.testing.assert_array_equal(plan.bias[:10], bias)


def dull(x, w, given, bias):
    """y[n, k, z, i, j], one term after the other; exact, as they are small integers."""
    y = np.zeros((given.images, given.groups * given.filters, *given.out), np.float32)
    for tap in np.ndindex(*given.taps):
        for place in np.ndindex(*given.out):
            at = [o * s + t * d - p for o, s, t, d, p in
                  zip(place, given.stride, tap, given.dilation, given.pad, strict=True)]
            if all(0 <= i < n for i, n in zip(at, given.size, strict=True)):
                y[:, :, *place] += np.repeat(x[:, :, *at], given.filters, 1) * w[:, 0, *tap]
    return np.maximum(y + bias.reshape(-1, 1, 1, 1), 0)


@pytest.mark.parametrize("kind, size", [(PLAIN, (1, 9, 20)), (PLAIN, (2, 1, 3)), (STRIDED, (5, 16, 37))])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("groups, each", [(3, 1), (16, 1), (37, 1), (5, 3)])
def test_a_plan_computes_the_sums(kind, size, last, groups, each):
    given = problem(kind, groups, each, size, last, threads=2, has_bias=True, relu=True)
    rng = np.random.default_rng(1)
    x = rng.integers(-9, 10, (2, groups, *size)).astype(np.float32)
    w, bias = filters(given), rng.integers(-99, 99, groups * each).astype(np.float32)
    y = np.full((2, *given.out, groups * each) if last else (2, groups * each, *given.out), np.nan, np.float32)
    source = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
    DepthwiseFilter(w, groups).plan(given, padded(bias))(source.reshape(-1), y.reshape(-1))
    np.testing.assert_array_equal(np.moveaxis(y, -1, 1) if last else y, dull(x, w, given, bias))
