"""Fast layers with any options are their emulation bit for bit: each layout, thread count, block and part."""

from dataclasses import replace

import numpy as np
import pytest

import kernels.tiled
import winograd as wg
from error_analysis.emulation.emulate import emulate
from kernels import Conv1d, Conv2d, Conv3d
from kernels.choice import candidates
from kernels.tiled import filter_phases

LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}

F43 = replace(wg.Algorithm(wg.toom_cook(4, 3, [0, -1, 1, "1/2", -2, wg.INF]), passes=("share", "factor"), fma=True),
              filter_dtype="float64")
F23 = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
PLANE = replace(F43, transforms=F43.transforms * 2, dims=2)
PHASE = next(candidates(2, (3, 3), (2, 2), (1, 1), "float32"))
SPACE = wg.Algorithm((wg.toom_cook(2, 2, [0, 1, wg.INF]), F23, F43.transforms[0]), fma=True)
PAIRS = wg.Algorithm(F23, dims=2, channel_sum="pairwise", channel_block=4, dtype="float64")

# Shape of x, shape of w, options, Algorithm.
CASES = {
    "padding": ((2, 3, 9, 35), (5, 3, 3, 3), {"padding": 1}, PLANE),
    "many channels and filters": ((1, 65, 10, 13), (49, 65, 3, 3), {"padding": ((2, 0), (1, 3))}, PLANE),
    "one pixel": ((2, 17, 1, 1), (3, 17, 3, 3), {"padding": 1}, PLANE),
    "filter as large as the input": ((1, 3, 3, 3), (17, 3, 3, 3), {}, PLANE),
    "padding beyond the filter": ((1, 3, 2, 5), (3, 3, 3, 3), {"padding": (5, 6)}, PLANE),
    "groups": ((1, 34, 7, 11), (10, 17, 3, 3), {"padding": 1}, PLANE),
    "depthwise": ((1, 18, 7, 11), (36, 1, 3, 3), {"padding": 1}, PLANE),
    "dilation": ((2, 5, 13, 19), (4, 5, 3, 3), {"dilation": (2, 3), "padding": 2}, PLANE),
    "dilation beyond the outputs": ((1, 5, 9, 12), (4, 5, 3, 3), {"dilation": 4}, PLANE),
    "dilation and groups": ((1, 6, 12, 11), (4, 3, 3, 3), {"dilation": (1, 2), "padding": 1}, PLANE),
    "stride": ((2, 5, 13, 21), (4, 5, 3, 3), {"stride": 2, "padding": 1}, PHASE),
    "stride, rows left over": ((1, 17, 12, 18), (33, 17, 3, 3), {"stride": 2}, PHASE),
    "stride, four taps": ((1, 3, 14, 12), (3, 3, 4, 4), {"stride": 2, "padding": 2}, PHASE),
    "stride and groups": ((1, 36, 9, 9), (6, 18, 3, 3), {"stride": 2, "padding": 1}, PHASE),
    "stride along one axis": ((1, 3, 11, 17), (3, 3, 9, 3), {"stride": (3, 1), "padding": (4, 1)}, PLANE),
    "pairwise": ((1, 21, 9, 11), (35, 21, 3, 3), {"padding": 1}, PAIRS),
    "pairwise, stride": ((1, 7, 19, 14), (3, 7, 5, 3), {"stride": (2, 1), "padding": 2}, PAIRS),
    "pairwise, dilation": ((1, 9, 12, 14), (3, 9, 3, 3), {"dilation": 3, "padding": 3}, PAIRS),
    "1-D": ((2, 19, 71), (35, 19, 3), {"padding": 2}, F43),
    "1-D stride": ((2, 3, 71), (5, 3, 8), {"stride": 3, "padding": 4}, F43),
    "1-D dilation": ((2, 18, 41), (5, 18, 3), {"dilation": 7, "padding": "same"}, F43),
    "3-D": ((2, 3, 4, 5, 11), (5, 3, 2, 3, 3), {"padding": (1, 1, 0)}, SPACE),
    "3-D many": ((1, 19, 3, 3, 6), (34, 19, 2, 3, 3), {"padding": 1}, SPACE),
    "3-D stride": ((1, 2, 9, 6, 9), (3, 2, 4, 3, 6), {"stride": (2, 1, 2), "padding": (1, 2, 0)}, SPACE),
    "3-D dilation": ((1, 3, 6, 7, 12), (3, 3, 2, 3, 3), {"dilation": (3, 1, 2), "padding": 1}, SPACE),
    "3-D groups": ((1, 4, 3, 4, 5), (6, 2, 2, 3, 3), {"padding": 1}, SPACE),
}


def bits(array):
    return array.view(f"i{array.itemsize}")


def layer_of(x, w, options, A, **others):
    return LAYERS[x.ndim - 2](w, algorithm=A, groups=x.shape[1] // w.shape[1], **options, **others)


def emulated_tiles(A, x, w, outputs):
    """Stride 1, no padding, one group: tiles from the first output on, as far as `outputs` go; zeros after x."""
    counts = [-(-out // m) for out, m in zip(outputs, A.m, strict=True)]
    room = [count * m + t - m for count, m, t in zip(counts, A.m, A.tile, strict=True)]
    x = x[(slice(None), slice(None), *map(slice, room))]
    x = np.pad(x, [(0, 0), (0, 0), *((0, n - length) for n, length in zip(room, x.shape[2:], strict=True))])
    tiles = np.lib.stride_tricks.sliding_window_view(x, A.tile, tuple(range(2, x.ndim)))
    tiles = tiles[(slice(None), slice(None), *(slice(None, None, m) for m in A.m))]
    tiles = np.moveaxis(tiles, 1, 1 + A.dims)[:, np.newaxis]  # image, filter, counts, channel, tile
    pairs = (len(x), len(w), *counts)
    d = np.broadcast_to(tiles, (*pairs, *tiles.shape[2 + A.dims :]))
    g = np.broadcast_to(w.reshape(1, len(w), *(1,) * A.dims, *w.shape[1:]), (*pairs, *w.shape[1:]))
    y = emulate(A, np.ascontiguousarray(d).reshape(-1, *d.shape[-1 - A.dims :]),
                np.ascontiguousarray(g).reshape(-1, *w.shape[1:])).reshape(*pairs, *A.m)
    for axis in range(A.dims):  # image, filter, whole axes, further counts, further m
        y = np.moveaxis(y, 2 + A.dims, 3 + axis)
        y = y.reshape(*y.shape[: 2 + axis], -1, *y.shape[4 + axis :])
    return y[(slice(None), slice(None), *map(slice, outputs))]


def phases_as_channels(x, stride, lengths):
    """x, with zeros up to lengths * stride, as its phases: phase by phase, each with all channels."""
    x = x[(slice(None), slice(None), *(slice(n * s) for n, s in zip(lengths, stride, strict=True)))]
    room = [(0, n * s - length) for n, s, length in zip(lengths, stride, x.shape[2:], strict=True)]
    x = np.pad(x, [(0, 0), (0, 0), *room])
    starts = np.ndindex(*stride)
    return np.concatenate([x[(..., *(slice(p, None, s) for p, s in zip(start, stride, strict=True)))]
                           for start in starts], axis=1)


def emulated(A, x, w, layer):
    """The layer's phases: those of the stride further channels, those of the dilation images of their own."""
    x = np.pad(x, [(0, 0), (0, 0), *layer.padding])
    per_group, filters = w.shape[1], len(w) // layer.groups
    outputs = [(n - d * (r - 1) - 1) // s + 1 for n, d, r, s in
               zip(x.shape[2:], layer.dilation, layer.taps, layer.stride, strict=True)]
    y = np.empty((len(x), len(w), *outputs), x.dtype)
    triple = (*(1,) * (3 - A.dims), *layer.stride)
    for group in range(layer.groups):
        mine = slice(group * filters, (group + 1) * filters)
        g = w[mine].reshape(filters, per_group, *(1,) * (3 - A.dims), *w.shape[2:])
        g = filter_phases(g, triple).reshape(filters, -1, *A.r)
        d = x[:, group * per_group : (group + 1) * per_group]
        if max(layer.stride) > 1:
            lengths = [-(-out // m) * m + t - m for out, m, t in zip(outputs, A.m, A.tile, strict=True)]
            d = phases_as_channels(d, layer.stride, lengths)
        for start in np.ndindex(*layer.dilation):
            every = (..., *(slice(p, None, step) for p, step in zip(start, layer.dilation, strict=True)))
            place = y[:, mine][every]
            if place.size:
                place[...] = emulated_tiles(A, d[every], g, place.shape[2:])
    return y


def arrays(x_shape, w_shape, dtype):
    rng = np.random.default_rng(sum(x_shape) + sum(w_shape))
    return [rng.uniform(-1, 1, shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1])]


def results(x, w, options, A, **others):
    """The layer in both layouts, with one to three threads; channels moved to axis 1."""
    for layout in LAYOUTS[x.ndim - 2]:
        last = layout[1] != "C"
        source = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
        for threads in (1, 2, 3):
            y = layer_of(x, w, options, A, layout=layout, threads=threads, **others)(source)
            yield f"{layout}, {threads} threads", np.ascontiguousarray(np.moveaxis(y, -1, 1)) if last else y


@pytest.mark.parametrize(("x_shape", "w_shape", "options", "A"), CASES.values(), ids=CASES)
def test_every_layer_is_its_emulation(x_shape, w_shape, options, A):
    x, w, bias = arrays(x_shape, w_shape, A.dtype)
    want = emulated(A, x, w, layer_of(x, w, options, A))
    for how, y in results(x, w, options, A):
        np.testing.assert_array_equal(bits(y), bits(want), err_msg=how)
    shifted = want + bias.reshape(-1, *(1,) * A.dims)
    for how, y in results(x, w, options, A, bias=bias):
        np.testing.assert_array_equal(bits(y), bits(shifted), err_msg=f"{how}, bias")
    for how, y in results(x, w, options, A, bias=bias, relu=True):
        want = np.where(shifted < 0, x.dtype.type(0), shifted)
        np.testing.assert_array_equal(bits(y), bits(want), err_msg=f"{how}, relu")


@pytest.mark.parametrize(("block", "parts"), [(1, 1), (3, 2), (5, 1), (16, 4), (10**9, 2)])
@pytest.mark.parametrize("name", ["many channels and filters", "dilation", "stride", "pairwise", "3-D many"])
def test_no_schedule_changes_a_bit(monkeypatch, name, block, parts):
    """Blocks of any number of tiles, that end within a row of tiles, and any number of parts of the panels."""
    x_shape, w_shape, options, A = CASES[name]
    x, w, _ = arrays(x_shape, w_shape, A.dtype)
    want = emulated(A, x, w, layer_of(x, w, options, A))
    actual = kernels.tiled.tiled_schedule

    def forced(problem, algorithm):
        schedule = actual(problem, algorithm)
        tiles = problem.images * np.prod(problem.dilation) * np.prod(kernels.tiled.tile_counts(
            problem, kernels.tiled.triple(algorithm.m)))
        return replace(schedule, block=min(block, int(tiles)), parts=parts)

    monkeypatch.setattr(kernels.tiled, "tiled_schedule", forced)
    for how, y in results(x, w, options, A):
        np.testing.assert_array_equal(bits(y), bits(want), err_msg=how)
