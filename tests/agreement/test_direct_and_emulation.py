"""Compiled "direct" is the emulation of its order bit for bit: every option, layout, thread count and schedule."""

import itertools
import math
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

import kernels.depthwise
import kernels.direct
from error_analysis.emulation.emulate import direct
from kernels import Conv1d, Conv2d, Conv3d

LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}

# Shape of x, shape of w, options, dtypes. Odd sizes and channel counts leave tails of every kind.
DENSE = {
    "plain": ((2, 3, 9, 11), (5, 3, 3, 3), {}, "fd"),
    "padding": ((1, 17, 8, 23), (33, 17, 3, 3), {"padding": 1}, "f"),
    "one row of many columns": ((1, 3, 1, 61), (70, 3, 1, 3), {"padding": (0, 1)}, "f"),
    "stride": ((1, 20, 13, 14), (40, 20, 3, 2), {"stride": (2, 3), "padding": ((1, 0), (2, 1))}, "fd"),
    "dilation": ((1, 16, 12, 13), (16, 16, 3, 3), {"dilation": (2, 3), "padding": 2}, "f"),
    "stride and dilation": ((2, 5, 15, 14), (6, 5, 2, 3), {"stride": (3, 2), "dilation": (2, 2), "padding": 1}, "f"),
    "groups": ((1, 8, 7, 9), (12, 2, 3, 3), {"stride": 2, "padding": 1}, "fd"),
    "groups of whole vectors": ((1, 32, 5, 9), (32, 16, 3, 3), {"padding": 1}, "f"),
    "pointwise": ((2, 65, 7, 7), (70, 65, 1, 1), {}, "fd"),
    "pointwise with stride": ((1, 16, 9, 70), (17, 16, 1, 1), {"stride": 2}, "f"),
    "pointwise with longer stride": ((2, 18, 9, 40), (17, 18, 1, 1), {"stride": 3}, "f"),
    "pointwise with padding": ((1, 3, 4, 5), (4, 3, 1, 1), {"padding": 2, "stride": (2, 1)}, "f"),
    "rows that share a cache set": ((1, 1024, 2, 9), (3, 1024, 1, 1), {}, "f"),
    "one pixel": ((1, 3, 1, 1), (4, 3, 1, 1), {}, "f"),
    "one pixel, large filter": ((3, 3, 1, 1), (4, 3, 5, 5), {"padding": 2}, "f"),
    "filter as large as the input": ((1, 5, 4, 6), (3, 5, 4, 6), {}, "f"),
    "padding beyond the filter": ((1, 2, 3, 4), (3, 2, 2, 2), {"padding": ((5, 4), (3, 6))}, "f"),
    "1-D": ((2, 5, 40), (7, 5, 4), {"stride": 2, "padding": 1}, "fd"),
    "1-D dilated": ((1, 33, 50), (18, 33, 3), {"dilation": 4, "padding": "same"}, "f"),
    "3-D": ((1, 4, 5, 6, 7), (6, 4, 2, 3, 3), {"stride": (1, 2, 1), "padding": (1, 0, 1)}, "fd"),
    "3-D dilated": ((2, 3, 7, 5, 8), (17, 3, 3, 1, 2), {"dilation": (2, 1, 3), "padding": (3, 1, 0)}, "f"),
}
# Each shape of rows and columns is compiled, for either layout: few of them, and those that other tests run too.
DEPTHWISE = {
    "plain": ((1, 5, 9, 10), (5, 1, 3, 3), {"padding": 1}, "f"),
    "stride": ((2, 37, 9, 16), (37, 1, 3, 3), {"stride": 2, "padding": 1}, "f"),
    "whole vectors": ((1, 64, 6, 19), (64, 1, 3, 3), {"padding": 1}, "f"),
    "more filters than channels": ((1, 18, 8, 8), (54, 1, 3, 3), {"padding": (0, 2)}, "f"),
    "dilation": ((1, 33, 12, 21), (33, 1, 2, 2), {"dilation": 3, "padding": 2}, "fd"),
    "padding beyond the filter": ((1, 16, 3, 2), (16, 1, 3, 3), {"padding": 5}, "f"),
    "steps of three columns": ((1, 20, 7, 23), (20, 1, 2, 2), {"stride": (1, 3), "padding": 1}, "f"),
    "large filters": ((1, 18, 14, 40), (18, 1, 5, 6), {"stride": (2, 1), "dilation": (3, 1), "padding": 4}, "f"),
    "1-D": ((2, 20, 45), (20, 1, 3), {"padding": 1}, "f"),
    "3-D": ((1, 19, 4, 5, 9), (19, 1, 2, 3, 3), {"stride": (2, 1, 1), "padding": 1}, "f"),
}
CASES = [
    pytest.param(*shapes, options, {"f": np.float32, "d": np.float64}[letter], id=f"{kind}{name} {letter}")
    for kind, table in (("", DENSE), ("depthwise, ", DEPTHWISE))
    for name, (*shapes, options, letters) in table.items()
    for letter in letters
]


def bits(array):
    return array.view(f"i{array.itemsize}")


def layer_of(x, w, options, **others):
    groups = x.shape[1] // w.shape[1]
    return LAYERS[x.ndim - 2](w, algorithm="direct", groups=groups, **options, **others)


def emulated(x, w, layer):
    """One trial for each output: the zero-padded window that it sees, of the channels of its group."""
    axes = tuple(range(2, x.ndim))
    padded = np.pad(x, [(0, 0), (0, 0), *layer.padding])
    reach = tuple(d * (r - 1) + 1 for d, r in zip(layer.dilation, layer.taps, strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axes)
    steps = (*layer.stride, *layer.dilation)
    windows = windows[:, :, *(slice(None, None, step) for step in steps)]
    windows = np.moveaxis(windows, 1, len(axes) + 1)  # image, outputs, channel, taps
    y = np.empty((len(x), len(w), *windows.shape[1 : 1 + len(axes)]), x.dtype)
    channels, filters = w.shape[1], len(w) // layer.groups
    for k, g in enumerate(w):
        group = k // filters
        seen = windows[(slice(None),) * (1 + len(axes)) + (slice(group * channels, (group + 1) * channels),)]
        d = np.ascontiguousarray(seen).reshape(-1, *g.shape)
        y[:, k] = direct(d, np.broadcast_to(g, d.shape).copy(), x.dtype, fma=True).reshape(y[:, k].shape)
    return y


def arrays(x_shape, w_shape, dtype):
    rng = np.random.default_rng(sum(x_shape) + sum(w_shape))
    return [rng.uniform(-1, 1, shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1])]


def results(x, w, options, **others):
    """The layer in both layouts, with one to three threads, by each kernel there is; channels moved to axis 1."""
    found = kernels.direct.planes_schedule
    for layout in LAYOUTS[x.ndim - 2]:
        last = layout[1] != "C"
        source = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
        depthwise = w.shape[1] == 1 < x.shape[1]
        for threads, cost in itertools.product((1, 2, 3), (0,) if last or depthwise else (0, math.inf)):
            with mock.patch.object(kernels.direct, "planes_schedule",
                                   lambda problem, cost=cost: replace(found(problem), cost=cost)):
                y = layer_of(x, w, options, layout=layout, threads=threads, **others)(source)
            how = f"{layout}, {threads} threads" + ", as pixels" * (cost > 0)
            yield how, np.ascontiguousarray(np.moveaxis(y, -1, 1)) if last else y


@pytest.mark.parametrize(("x_shape", "w_shape", "options", "dtype"), CASES)
def test_every_layer_is_its_emulation(x_shape, w_shape, options, dtype):
    x, w, bias = arrays(x_shape, w_shape, dtype)
    want = emulated(x, w, layer_of(x, w, options))
    for how, y in results(x, w, options):
        np.testing.assert_array_equal(bits(y), bits(want), err_msg=how)
    shifted = want + bias.reshape(-1, *(1,) * (x.ndim - 2))
    for how, y in results(x, w, options, bias=bias):
        np.testing.assert_array_equal(bits(y), bits(shifted), err_msg=f"{how}, bias")
    for how, y in results(x, w, options, bias=bias, relu=True):
        np.testing.assert_array_equal(bits(y), bits(np.where(shifted < 0, dtype(0), shifted)), err_msg=f"{how}, relu")


@pytest.mark.parametrize("schedule", [(1, 1, 1), (1, 5, 2), (2, 3, 1), (3, 50, 5), (50, 50, 2)])
@pytest.mark.parametrize(
    ("x_shape", "w_shape", "options"),
    [
        ((2, 18, 7, 33), (49, 18, 3, 3), {"padding": 1}),
        ((1, 18, 9, 16), (49, 18, 3, 2), {"stride": 2, "padding": (1, 2), "dilation": 2}),
        ((1, 18, 7, 9), (49, 18, 1, 1), {}),
        ((2, 18, 4, 64), (49, 18, 1, 1), {}),
        ((1, 18, 9, 64), (49, 18, 1, 1), {"stride": 2}),
        ((1, 35, 7, 33), (35, 1, 3, 3), {"padding": 1}),
        ((1, 35, 7, 33), (70, 1, 3, 3), {"stride": 2, "padding": 3}),
    ],
    ids=["padding", "stride and dilation", "pointwise", "whole panels", "pointwise with stride", "depthwise",
         "depthwise with stride"],
)
def test_no_schedule_changes_a_bit(monkeypatch, x_shape, w_shape, options, schedule):
    """Blocks of any rows and columns, and any number of parts, up to more than there are."""
    x, w, _ = arrays(x_shape, w_shape, np.float32)
    want = emulated(x, w, layer_of(x, w, options))
    panels = -(-len(w) // kernels.direct.host().tile(w.dtype).length)

    def forced(actual):
        def schedule_of(problem, *arguments):
            rows, columns, parts = (
                min(a, b) for a, b in zip(schedule, (problem.out[1], problem.out[2], panels), strict=True)
            )
            return replace(actual(problem, *arguments), rows=rows, columns=columns, parts=parts)

        return schedule_of

    for module, name in ((kernels.direct, "pixels_schedule"), (kernels.direct, "planes_schedule"),
                         (kernels.depthwise, "depthwise_pixels_schedule"),
                         (kernels.depthwise, "depthwise_planes_schedule")):
        monkeypatch.setattr(module, name, forced(getattr(module, name)))
    for how, y in results(x, w, options):
        np.testing.assert_array_equal(bits(y), bits(want), err_msg=how)


def test_zeros_have_the_sign_of_an_empty_sum():
    """From +0, no sum of zeros of either sign is -0, whether a tap meets padding or is left out there."""
    x, w = np.full((1, 16, 3, 3), -0.0, np.float32), np.ones((16, 1, 3, 3), np.float32)
    for how, y in results(x, w, {"padding": 2}):
        assert not np.signbit(y).any(), how
