"""What is not finite in the input reaches the outputs whose receptive field or tile holds it, and no others.

"direct" and "im2col": exactly those whose receptive field holds it. Fast algorithms and "fft": those, and otherwise
only those of the same tile. Either way of its group only, and all others are bit for bit as without it.
"""

from dataclasses import replace

import numpy as np
import pytest

import kernels.fft
import winograd as wg
from kernels import Conv1d, Conv2d, Conv3d
from kernels.choice import candidates

LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}

F43 = wg.Algorithm(wg.toom_cook(4, 3, [0, -1, 1, "1/2", -2, wg.INF]), passes=("share", "factor"), fma=True,
                   filter_dtype="float64")
PLANE = replace(F43, transforms=F43.transforms * 2, dims=2)
PHASE = next(candidates(2, (3, 3), (2, 2), (1, 1), "float32"))
SPACE = wg.Algorithm((wg.toom_cook(2, 2, [0, 1, wg.INF]), wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), F43.transforms[0]),
                     fma=True)

# Shape of x, shape of w, options, algorithm.
CASES = {
    "direct": ((2, 19, 9, 21), (35, 19, 3, 3), {"padding": 1}, "direct"),
    "direct, whole vectors": ((1, 32, 5, 19), (32, 32, 3, 3), {}, "direct"),
    "direct, stride and dilation": ((1, 5, 12, 14), (3, 5, 3, 2), {"stride": (2, 3), "dilation": 2}, "direct"),
    "direct, groups": ((1, 34, 6, 9), (6, 17, 3, 3), {"padding": 1}, "direct"),
    "pointwise": ((2, 17, 5, 9), (33, 17, 1, 1), {}, "direct"),
    "pointwise, stride": ((1, 16, 7, 9), (5, 16, 1, 1), {"stride": 2}, "direct"),
    "direct, 1-D": ((2, 5, 50), (17, 5, 4), {"stride": 3, "padding": 2}, "direct"),
    "direct, 3-D": ((1, 4, 5, 6, 7), (6, 4, 2, 3, 3), {"padding": 1}, "direct"),
    "depthwise": ((2, 37, 9, 16), (37, 1, 3, 3), {"padding": 1}, "direct"),
    "depthwise, stride": ((1, 37, 9, 16), (37, 1, 3, 3), {"padding": 1, "stride": 2}, "direct"),
    "depthwise, two filters": ((1, 18, 9, 8), (36, 1, 3, 3), {"padding": 2}, "direct"),
    "im2col": ((2, 9, 9, 13), (6, 3, 3, 3), {"padding": 1, "stride": (1, 2)}, "im2col"),
    "fast": ((2, 19, 9, 21), (35, 19, 3, 3), {"padding": 1}, PLANE),
    "fast, groups": ((1, 34, 6, 9), (6, 17, 3, 3), {"padding": 1}, PLANE),
    "fast, dilation": ((1, 5, 15, 19), (4, 5, 3, 3), {"dilation": (2, 3), "padding": 2}, PLANE),
    "fast, stride": ((2, 5, 19, 21), (4, 5, 3, 3), {"stride": 2, "padding": 1}, PHASE),
    "fast, stride and groups": ((1, 36, 19, 9), (6, 18, 3, 3), {"stride": 2, "padding": 1}, PHASE),
    "fast, 1-D": ((2, 19, 71), (35, 19, 3), {"padding": 2}, F43),
    "fast, 3-D": ((1, 3, 4, 5, 11), (5, 3, 2, 3, 3), {"padding": (1, 1, 0)}, SPACE),
    "fft": ((2, 4, 60, 300), (6, 2, 5, 7), {"padding": 2}, "fft"),
    "fft, 1-D": ((1, 3, 5000), (2, 3, 31), {"dilation": 2, "stride": 2}, "fft"),
}


def sensitive(at, outputs, layer, axis, x):
    """The outputs along an axis whose receptive field holds the position."""
    taps = np.arange(layer.taps[axis]) * layer.dilation[axis]
    seen = np.arange(outputs)[:, np.newaxis] * layer.stride[axis] - layer.padding[axis][0] + taps
    return (seen == at).any(axis=1)


def tile_mates(at, outputs, layer, axis, x):
    """The outputs along an axis whose tile holds the position."""
    o, s, d, before = np.arange(outputs), layer.stride[axis], layer.dilation[axis], layer.padding[axis][0]
    if layer.algorithm == "fft":
        options = (layer.stride, layer.padding, layer.dilation, layer.groups)
        filters = kernels.fft.transformed(layer._w, x.shape[2:], *options)
        q, length = filters.per_tile[axis], filters.tile[axis]
        first = o // q * q * s - before
        return (first <= at) & (at < first + length)
    m, length = layer.algorithm.m[axis], layer.algorithm.tile[axis]
    if d > 1:  # tiles of every d-th output, from every d-th input
        first = o // d // m * m * d + o % d - before
        return (first <= at) & (at < first + length * d) & ((at - first) % d == 0)
    first = o // m * m * s - before  # tiles of all phases
    return (first <= at) & (at < first + length * s)


def outputs_of(rule, place, y, layer, x):
    """Which outputs, of the image and the filters of the group, the rule names along every axis."""
    image, channel, *spot = place
    group, per_group = channel * layer.groups // layer.channels, layer.filters // layer.groups
    mask = np.zeros(y.shape, bool)
    mask[image, group * per_group : (group + 1) * per_group] = True
    for axis, at in enumerate(spot):
        along = rule(at, y.shape[2 + axis], layer, axis, x)
        mask &= along.reshape(-1, *(1,) * (len(spot) - 1 - axis))
    return mask


def layouts(x, w, options, algorithm):
    """The layer in both layouts, and what takes and gives channels at axis 1."""
    groups = x.shape[1] // w.shape[1]
    for layout in LAYOUTS[x.ndim - 2]:
        layer = LAYERS[x.ndim - 2](w, algorithm=algorithm, groups=groups, layout=layout, **options)
        if layout[1] == "C":
            yield layer, layer
        else:
            yield layer, lambda x, layer=layer: np.moveaxis(
                layer(np.ascontiguousarray(np.moveaxis(x, 1, -1))), -1, 1)


@pytest.mark.parametrize("name", CASES)
def test_it_stays_where_it_must(name):
    x_shape, w_shape, options, algorithm = CASES[name]
    rng = np.random.default_rng(len(name))
    x, w = (rng.uniform(0.1, 1, shape).astype(np.float32) for shape in (x_shape, w_shape))
    ends = [(0, *(0,) * (x.ndim - 1)), tuple(n - 1 for n in x.shape)]
    places = [*ends, *(tuple(int(rng.integers(n)) for n in x.shape) for _ in range(10))]
    for layer, run in layouts(x, w, options, algorithm):
        clean = run(x)
        for number, place in enumerate(places):
            spoiled = x.copy()
            spoiled[place] = (np.nan, np.inf, -np.inf)[number % 3]
            y = run(spoiled)
            field = outputs_of(sensitive, place, y, layer, x)
            assert not np.isfinite(y[field]).any(), (layer.layout, place)
            reached = field
            if algorithm not in ("direct", "im2col"):
                reached = outputs_of(tile_mates, place, y, layer, x)
                assert (reached | ~field).all(), "a receptive field lies in its tile"
            np.testing.assert_array_equal(y[~reached], clean[~reached], err_msg=f"{layer.layout}, {place}")


@pytest.mark.parametrize("algorithm", ["direct", PLANE, "im2col"], ids=["direct", "fast", "im2col"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_relu_keeps_nan(algorithm, layout):
    x = np.full((1, 4, 6, 6) if layout == "NCHW" else (1, 6, 6, 4), np.nan, np.float32)
    assert np.isnan(Conv2d(np.ones((3, 4, 3, 3), np.float32), relu=True, algorithm=algorithm, layout=layout)(x)).all()
