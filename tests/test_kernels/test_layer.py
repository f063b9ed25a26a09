"""The layers: against SciPy and PyTorch in float64, every option, every odd shape, and what is refused at the door."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

import winograd as wg
from kernels import Conv1d, Conv2d, Conv3d, conv1d, conv2d, conv3d

# Plane and line are those of other tests too, as each is compiled.
POINTS = [0, -1, 1, "1/2", -2, wg.INF]
FAST = {"passes": ("share", "factor"), "fma": True, "filter_dtype": "float64"}
T23, T43 = wg.toom_cook(2, 3, [*POINTS[:3], wg.INF]), wg.toom_cook(4, 3, POINTS)
F43 = wg.Algorithm(T43, dims=2, **FAST)
F43_LINE = wg.Algorithm(T43, **FAST)
F23_BOX = wg.Algorithm(T23, dims=3, **FAST)
F32 = wg.Algorithm(wg.toom_cook(3, 2, [*POINTS[:3], wg.INF]), dims=2, **FAST)  # the phases of 3 or 4 taps, stride 2
OWN = {1: F43_LINE, 2: F43, 3: F23_BOX}
LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
FUNCTIONS = {1: conv1d, 2: conv2d, 3: conv3d}


def uniform(seed, shape, dtype=np.float32):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def tolerance(w, algorithm):
    """The a-priori bound on the error of an output, for data in [-1, 1] and filters w.

    A sum of products, however it is ordered, errs by at most k u (1 + ...) times the sum of the sizes of its terms,
    k the number of roundings a term can pass: here at most all operations of the programs, and one for each channel
    (of a strided layer: of each phase). The sizes of the terms: direct, at most sum |w|; fast, |AT| (|U| * |BT| 1), at
    most channels times the largest row sum of |AT| |G| |BT| along each axis. The factor 1.01 covers the terms of higher
    order.
    """
    u = 2.0 ** -(np.finfo(w.dtype).nmant + 1)
    channels, size = w.shape[1], float(np.abs(w).max())
    if algorithm in ("direct", "im2col"):
        return 1.01 * 2 * (w[0].size + 1) * u * (w[0].size * size + 1)
    channels *= math.prod(-(-taps // r) for taps, r in zip(w.shape[2:], algorithm.r, strict=True))
    growth, roundings = 1.0, 2 * channels + 1
    for transform, programs in zip(algorithm.transforms, algorithm.programs, strict=True):
        AT, G, BT = (np.abs(matrix) for matrix in transform.matrices())
        growth *= float((AT @ (G.sum(1) * BT.sum(1))).max())
        roundings += sum(len(program.ops) for program in programs)
    return 1.01 * roundings * u * (growth * channels * size + 1)


def assert_near(y, exact, w, algorithm):
    """Within the bound, and that far below the values (unless all is padding): who returns zeros would be seen."""
    bound = tolerance(w, algorithm)
    assert y.shape == exact.shape
    np.testing.assert_allclose(y, exact, rtol=0, atol=bound)
    assert y.size < 50 or not exact.any() or bound < np.abs(exact).max() / 4


def torch_conv(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1, relu=False):
    """In float64, padded by hand: PyTorch takes no uneven padding."""
    axes = x.ndim - 2
    if not isinstance(padding, (tuple, list)):
        padding = (padding,) * axes
    sides = [p if isinstance(p, (tuple, list)) else (p, p) for p in padding]
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), *sides))
    tensors = [None if a is None else torch.tensor(np.array(a, np.float64)) for a in (padded, w, bias)]
    y = getattr(torch.nn.functional, f"conv{axes}d")(*tensors, stride, 0, dilation, groups).numpy()
    return np.maximum(y, 0) if relu else y


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def layout_last(axes):
    return f"N{'DHW'[3 - axes :]}C"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_equals_scipy_correlate(dtype, algorithm):
    x, w = uniform(0, (2, 5, 9, 12), dtype), uniform(1, (3, 5, 3, 3), dtype)
    layer = Conv2d(w, algorithm=algorithm)
    y = layer(x)
    exact = [[sum(correlate(x[n, c].astype(float), w[k, c].astype(float), "valid") for c in range(5)) for k in range(3)]
             for n in range(2)]  # fmt: skip
    assert y.dtype == dtype
    assert_near(y, np.array(exact), w, layer.algorithm_for(x.shape))


# ---- every option, every shape, against PyTorch -------------------------------------------------------------------


ONE, UP_TO_3, UP_TO_4 = st.just(1), st.integers(1, 3), st.integers(1, 4)


@st.composite
def problems(draw, axes, taps=UP_TO_4, stride=UP_TO_3, dilation=UP_TO_3, groups=None):
    """(x, w, options): float32 numbers in [-1, 1], options as PyTorch and the layers both take them."""
    several = lambda numbers: tuple(draw(numbers) for _ in range(axes))  # noqa: E731
    taps, stride, dilation = several(taps), several(stride), several(dilation)
    padding = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(axes))
    least = [max(1, d * (r - 1) + 1 - sum(p)) for r, d, p in zip(taps, dilation, padding, strict=True)]
    size = [n + draw(st.one_of(st.integers(0, 3), st.integers(0, {1: 80, 2: 30, 3: 7}[axes]))) for n in least]
    groups = draw(st.sampled_from([1, 1, 1, 2, 3])) if groups is None else groups
    few = axes == 3 or groups > 1
    # One channel a group is a kernel of its own, compiled for each shape of its taps: see below.
    channels = draw(st.sampled_from([2, 3, 17] if groups > 1 else [1, 3, 17] if few else [1, 2, 3, 15, 16, 17, 33, 65]))
    filters = draw(st.sampled_from([1, 3, 17, 33] if few else [1, 3, 16, 17, 31, 33, 65, 70]))
    seed = draw(st.integers(0, 2**32 - 1))
    x = uniform(seed, (draw(st.integers(1, 3)), groups * channels, *size))
    w = uniform(seed + 1, (groups * filters, channels, *taps))
    bias = uniform(seed + 2, len(w)) if draw(st.booleans()) else None
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return x, w, {"bias": bias, "relu": draw(st.booleans()), **options}


def assert_equals_torch(problem, algorithm, last=False, threads=None):
    x, w, options = problem
    axes = x.ndim - 2
    exact = torch_conv(x, w, **options)
    if last:
        options, x = options | {"layout": layout_last(axes)}, channels_last(x)
    y = FUNCTIONS[axes](x, w, algorithm=algorithm, threads=threads, **options)
    assert y.flags.c_contiguous and y.dtype == np.float32
    if last:
        y = np.moveaxis(y, -1, 1)
    assert_near(y, exact, w, algorithm)


@pytest.mark.parametrize("axes", [1, 2, 3])
@settings(max_examples=40)
@given(data=st.data(), last=st.booleans(), threads=st.integers(1, 3))
def test_direct_equals_torch_for_every_option(axes, data, last, threads):
    assert_equals_torch(data.draw(problems(axes)), "direct", last, threads)


@pytest.mark.parametrize("axes", [1, 2, 3])
@settings(max_examples=40)
@given(data=st.data(), last=st.booleans(), threads=st.integers(1, 3))
def test_one_tap_equals_torch(axes, data, last, threads):
    x, w, options = data.draw(problems(axes, ONE, ONE, ONE))
    assert_equals_torch((x, w, options | {"padding": 0}), "direct", last, threads)


@pytest.mark.parametrize("axes", [1, 2, 3])
@settings(max_examples=40)
@given(data=st.data(), last=st.booleans(), threads=st.integers(1, 3))
def test_fast_equals_torch_for_every_option(axes, data, last, threads):
    problem = data.draw(problems(axes, taps=st.just(3), stride=ONE))
    assert_equals_torch(problem, OWN[axes], last, threads)


@settings(max_examples=40)
@given(data=st.data(), last=st.booleans(), threads=st.integers(1, 3))
def test_fast_equals_torch_with_stride(data, last, threads):
    problem = data.draw(problems(2, taps=st.integers(3, 4), stride=st.just(2), dilation=ONE))
    assert_equals_torch(problem, F32, last, threads)


@settings(max_examples=15)
@given(problem=problems(1, taps=st.just(6), stride=st.just(2), dilation=ONE), last=st.booleans())
def test_fast_equals_torch_with_stride_along_a_line(problem, last):
    assert_equals_torch(problem, F43_LINE, last)


# Each is compiled, for planes and for channels last, though alike for two axes and three: few of them, and those that
# are compiled elsewhere too.
@pytest.mark.parametrize("axes, taps, stride, dilation", [
    (1, 3, 1, 1), (1, 2, 2, 3), *((axes, *kind) for axes in (2, 3) for kind in ((3, 1, 1), (3, 2, 1), (2, 1, 3)))
])
@settings(max_examples=15)
@given(data=st.data(), last=st.booleans(), threads=st.integers(1, 3))
def test_depthwise_equals_torch(axes, taps, stride, dilation, data, last, threads):
    x, w, options = data.draw(problems(axes, *map(st.just, (taps, stride, dilation)), groups=1))
    groups = data.draw(st.sampled_from([2, 3, 16, 17, 65]))
    each = data.draw(st.sampled_from([1, 1, 2, 3]))
    x = uniform(int(1e6 * abs(x).max()), (len(x), groups, *x.shape[2:]))
    w = uniform(7, (groups * each, 1, *w.shape[2:]))
    bias = uniform(8, len(w)) if options["bias"] is not None else None
    assert_equals_torch((x, w, options | {"groups": groups, "bias": bias}), "direct", last, threads)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("algorithm", ["im2col", "fft"])
@settings(max_examples=8)
@given(data=st.data(), last=st.booleans())
def test_other_algorithms_agree_with_torch(axes, algorithm, data, last):
    """Loosely: im2col and fft have exact tests of their own. A wrong axis, side or sign would be seen."""
    x, w, options = data.draw(problems(axes, stride=st.integers(1, 2)))
    layer = LAYERS[axes](w, algorithm=algorithm, layout=layout_last(axes) if last else None, **options)
    y = layer(channels_last(x) if last else x)
    exact = torch_conv(x, w, **options)
    terms = w[0].size + 1  # each of size at most 1; 2^-24 * 2^8 of their sum is beyond the bound of any of the three
    np.testing.assert_allclose(np.moveaxis(y, -1, 1) if last else y, exact, rtol=0, atol=2.0**-16 * terms)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_auto_and_winograd_agree_with_torch(axes):
    x, w = uniform(0, (1, 17, *(24, 13, 14)[:axes])), uniform(1, (33, 17, 3, 3, 3)[: axes + 2])
    for name in ("auto", "winograd"):
        layer = LAYERS[axes](w, padding=1, algorithm=name)
        assert_near(layer(x), torch_conv(x, w, padding=1), w, layer.algorithm_for(x.shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_same_and_valid_padding(axes, dtype):
    x = uniform(0, (1, 3, *(9, 8, 7)[:axes]), dtype)
    for taps, dilation in [((3, 3, 3), 1), ((2, 4, 3), 1), ((3, 2, 4), 2)]:
        w = uniform(1, (4, 3, *taps[:axes]), dtype)
        totals = [dilation * (r - 1) for r in taps[:axes]]
        for padding, sides in (("same", [(t // 2, t - t // 2) for t in totals]), ("valid", 0)):
            layer = LAYERS[axes](w, padding=padding, dilation=dilation, algorithm="direct")
            y = layer(x)
            assert y.dtype == dtype and (padding == "valid" or y.shape == (1, 4, *x.shape[2:]))
            assert_near(y, torch_conv(x, w, padding=sides, dilation=dilation), w, "direct")


@pytest.mark.parametrize("algorithm", ["direct", F43])
@pytest.mark.parametrize("size", [(3, 3), (3, 40), (40, 3), (4, 5)])
def test_input_as_large_as_the_filter(size, algorithm):
    x, w = uniform(0, (2, 3, *size)), uniform(1, (5, 3, 3, 3))
    assert_near(conv2d(x, w, algorithm=algorithm), torch_conv(x, w), w, algorithm)


@pytest.mark.parametrize("algorithm", ["direct", F43, "im2col", "fft"])
def test_one_pixel(algorithm):
    x, w, bias = uniform(0, (2, 3, 1, 1)), uniform(1, (5, 3, 3, 3)), uniform(2, 5)
    y = conv2d(x, w, bias, padding=1, algorithm=algorithm)
    np.testing.assert_allclose(y, torch_conv(x, w, bias, padding=1), rtol=0, atol=tolerance(w, F43))


@pytest.mark.parametrize("algorithm", ["direct", F43, "im2col", "fft"])
def test_an_image_of_no_width_is_all_padding(algorithm):
    """As PyTorch says of an image with no pixels along an axis: the outputs are sums over zeros."""
    w, bias = uniform(1, (4, 3, 3, 3)), uniform(2, 4)
    for x in (np.empty((1, 3, 5, 0), np.float32), channels_last(np.empty((1, 3, 5, 0), np.float32))):
        last = x.shape[-1] == 3
        y = conv2d(x, w, bias, padding=2, algorithm=algorithm, layout="NHWC" if last else "NCHW")
        y = y if last else np.moveaxis(y, 1, -1)
        np.testing.assert_array_equal(y, np.broadcast_to(bias, (1, 7, 2, 4)))


@pytest.mark.parametrize("algorithm", [F43, "direct", "im2col", "fft"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_empty_batch_gives_an_empty_result(algorithm, layout):
    x = np.empty((0, 3, 8, 9) if layout == "NCHW" else (0, 8, 9, 3), np.float32)
    y = conv2d(x, uniform(1, (4, 3, 3, 3)), padding=1, algorithm=algorithm, layout=layout)
    assert y.shape == ((0, 4, 8, 9) if layout == "NCHW" else (0, 8, 9, 4)) and y.dtype == np.float32


# ---- the same bits, however it is run ------------------------------------------------------------------------------

KINDS = {
    "fast": ({"algorithm": F43, "padding": 1}, (40, 20, 3, 3)),
    "strided fast": ({"algorithm": F32, "stride": 2, "padding": 1}, (40, 20, 3, 3)),
    "dilated fast": ({"algorithm": F43, "dilation": 2}, (40, 20, 3, 3)),
    "direct": ({"algorithm": "direct", "padding": 1}, (40, 20, 3, 3)),
    "strided direct": ({"algorithm": "direct", "stride": 2}, (40, 20, 3, 3)),
    "product": ({"algorithm": "direct"}, (40, 20, 1, 1)),
    "groups": ({"algorithm": "direct", "groups": 4, "padding": 1}, (40, 5, 3, 3)),
    "depthwise": ({"algorithm": "direct", "groups": 20, "padding": 1}, (20, 1, 3, 3)),
    "depthwise, two filters a channel": ({"algorithm": "direct", "groups": 20, "padding": 1}, (40, 1, 3, 3)),
}
LAYOUTS_OF = {"NCHW": lambda a: a, "NHWC": channels_last}


@pytest.fixture(params=KINDS)
def kind(request):
    options, shape = KINDS[request.param]
    return {"w": uniform(1, shape), "bias": uniform(2, shape[0]), "relu": True, **options}


@pytest.mark.parametrize("layout", LAYOUTS_OF)
def test_the_result_depends_on_neither_threads_nor_batch(kind, layout):
    x = LAYOUTS_OF[layout](uniform(0, (3, 20, 30, 31)))
    one = Conv2d(**kind, layout=layout, threads=1)(x)
    for threads in (2, 3, 7):
        np.testing.assert_array_equal(Conv2d(**kind, layout=layout, threads=threads)(x), one)
    for n in range(3):
        np.testing.assert_array_equal(Conv2d(**kind, layout=layout, threads=2)(x[n : n + 1])[0], one[n])


def strided(x):
    wide = np.full((*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3]), np.nan, x.dtype)
    wide[:, :, ::2, ::2] = x
    return wide[:, :, ::2, ::2]


def part(x):
    larger = np.full(tuple(n + 3 for n in x.shape), np.nan, x.dtype)
    larger[1:-2, 2:-1, 3:, 1:-2] = x
    return larger[1:-2, 2:-1, 3:, 1:-2]


def read_only(x):
    copy = x.copy()
    copy.flags.writeable = False
    return copy


def unaligned(x):
    raw = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    raw[...] = x
    return raw


MEMORY = {
    "strided": strided,
    "a part": part,
    "a part of channels last": lambda x: np.moveaxis(part(channels_last(x)), -1, 1),
    "channels last": lambda x: np.moveaxis(channels_last(x), -1, 1),
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "read-only part": lambda x: read_only(part(x))[...],
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "negative strides": lambda x: x[:, ::-1, ::-1, ::-1].copy()[:, ::-1, ::-1, ::-1],
    "batch innermost": lambda x: np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2),
    "unaligned": unaligned,
}


@pytest.mark.parametrize("memory", MEMORY)
def test_the_result_does_not_depend_on_how_the_input_lies_in_memory(kind, memory):
    x = uniform(0, (2, 20, 12, 13))
    layer = Conv2d(**kind)
    y = layer(x)
    before = MEMORY[memory](x)
    kept = before.copy()
    np.testing.assert_array_equal(before, x)
    np.testing.assert_array_equal(layer(before), y)
    np.testing.assert_array_equal(before, kept)
    last = Conv2d(**kind, layout="NHWC")
    np.testing.assert_array_equal(last(np.moveaxis(before, 1, -1)), np.moveaxis(y, 1, -1))


def test_one_number_in_the_place_of_an_image():
    x = np.broadcast_to(np.float32(0.5), (2, 20, 12, 13))
    for algorithm in ("direct", F43):
        layer = Conv2d(uniform(1, (5, 20, 3, 3)), algorithm=algorithm)
        np.testing.assert_array_equal(layer(x), layer(x.copy()))


@pytest.mark.parametrize("algorithm", [F43, "direct"])
def test_filters_of_any_kind_of_memory_give_the_same_bits(algorithm):
    x, w, bias = uniform(0, (2, 8, 12, 13)), uniform(1, (8, 8, 3, 3)), uniform(2, 8)
    y = conv2d(x, w, bias, algorithm=algorithm)
    for same in (np.asfortranarray(w), strided(w), read_only(w), w.astype(">f4"), w[::-1].copy()[::-1]):
        np.testing.assert_array_equal(conv2d(x, same, np.repeat(bias, 2)[::2], algorithm=algorithm), y)
    np.testing.assert_array_equal(conv2d(x, w, bias.astype(">f4"), algorithm=algorithm), y)


def test_a_layer_is_reentrant_and_keeps_its_filters():
    w, bias = uniform(1, (16, 16, 3, 3)), uniform(2, 16)
    layers = [Conv2d(w, bias, padding=1, algorithm=a, threads=t) for a in (F43, "direct") for t in (1, 3)]
    inputs = [uniform(seed, (1, 16, 10 + seed % 3, 20)) for seed in range(12)]
    expected = [[Conv2d(w, bias, padding=1, algorithm=layer.algorithm)(x) for x in inputs] for layer in layers]
    w[:] = bias[:] = 0  # the layers hold their own
    for layer, want in zip(layers, expected, strict=True):
        with ThreadPoolExecutor(4) as pool:
            for got, y in zip(pool.map(layer, inputs * 4), want * 4, strict=True):
                np.testing.assert_array_equal(got, y)


def test_results_stay_when_the_layer_is_called_again():
    layer = Conv2d(uniform(1, (16, 16, 3, 3)), algorithm=F43)
    x = uniform(0, (1, 16, 10, 10))
    first = layer(x)
    kept = first.copy()
    layer(-x)
    np.testing.assert_array_equal(first, kept)


# ---- infinity and NaN ----------------------------------------------------------------------------------------------


def test_infinity_stays_within_the_tiles_that_hold_it():
    x, w = uniform(0, (1, 4, 20, 20)), uniform(1, (4, 4, 3, 3))
    clean = conv2d(x, w, algorithm=F43)
    x[0, 2, 0, 0] = np.inf
    y = conv2d(x, w, algorithm=F43)
    assert not np.isfinite(y[..., 0, 0]).any()  # the only output that has it in its receptive field
    np.testing.assert_array_equal(y[..., 4:, :], clean[..., 4:, :])
    np.testing.assert_array_equal(y[..., :, 4:], clean[..., :, 4:])


@pytest.mark.parametrize("layout", LAYOUTS_OF)
@pytest.mark.parametrize("groups", [1, 20])
def test_direct_passes_nan_to_its_receptive_field_only(layout, groups):
    x, w = uniform(0, (1, 20, 12, 12)), uniform(1, (20, 20 // groups, 3, 3))
    layer = Conv2d(w, padding=1, groups=groups, layout=layout, algorithm="direct", relu=True)
    clean = layer(LAYOUTS_OF[layout](x))
    x[0, 7, 5, 6] = np.nan
    y = layer(LAYOUTS_OF[layout](x))
    y, clean = (np.moveaxis(a, -1, 1) if layout == "NHWC" else a for a in (y, clean))
    field = np.zeros(y.shape, bool)
    field[:, slice(None) if groups == 1 else 7, 4:7, 5:8] = True
    np.testing.assert_array_equal(np.isnan(y), field)
    np.testing.assert_array_equal(y[~field], clean[~field])


# ---- what a layer tells --------------------------------------------------------------------------------------------


def test_a_layer_tells_its_plan_and_its_memory():
    layer = Conv2d(uniform(0, (32, 32, 3, 3)), padding=1, threads=2)
    assert layer.plan == "no input seen yet" and layer.workspace_bytes == 0
    x = uniform(0, (1, 32, 28, 28))
    layer(x)
    small = layer.workspace_bytes
    assert 0 < small <= 4 * 2**20
    layer(uniform(0, (1, 32, 56, 56)))
    lines = layer.plan.splitlines()
    assert len(lines) == 2 and lines[0].startswith("x (1, 32, 28, 28): ") and "(1, 32, 56, 56)" in lines[1]
    assert str(layer.algorithm_for(x.shape)) in lines[0] and "of work for at most 2 threads" in lines[0]
    assert layer.workspace_bytes >= small
    assert repr(layer) == "Conv2d(32 -> 32, taps (3, 3), float32, auto)"


def test_plans_of_libraries_say_so():
    layer = Conv2d(uniform(0, (4, 4, 3, 3)), algorithm="im2col")
    layer(uniform(1, (1, 4, 5, 5)))
    assert layer.plan == "x (1, 4, 5, 5): im2col (asked for)" and layer.workspace_bytes == 0


@pytest.mark.parametrize("layout", LAYOUTS_OF)
def test_the_algorithm_told_is_the_one_that_runs(layout):
    for channels, size, taps in [(3, 32, 3), (64, 28, 3), (16, 9, 5), (64, 14, 1)]:
        layer = Conv2d(uniform(0, (channels, channels, taps, taps)), padding=taps // 2, layout=layout)
        x = LAYOUTS_OF[layout](uniform(1, (1, channels, size, size)))
        told = layer.algorithm_for(x.shape)
        layer(x)
        assert layer.plan.startswith(f"x {x.shape}: {told} ")


def test_old_plans_are_forgotten_not_kept_without_end():
    layer = Conv1d(uniform(0, (1, 1, 3)), algorithm="direct")
    for length in range(3, 150):
        layer(uniform(0, (1, 1, length)))
    assert len(layer.plan.splitlines()) <= 64


def test_a_float64_filter_transform_is_nearer_to_the_truth():
    x, w = uniform(0, (1, 32, 40, 40)), uniform(1, (32, 32, 3, 3))
    exact = torch_conv(x, w)
    algorithms = [replace(F43, filter_dtype=dtype) for dtype in ("float32", "float64")]
    errors = [np.abs(conv2d(x, w, algorithm=A) - exact).mean() for A in algorithms]
    assert errors[1] < errors[0]
