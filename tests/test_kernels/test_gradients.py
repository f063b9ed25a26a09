"""Gradients: PyTorch's, exactly in integers and within bounds in floats; the adjoint identity; bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import winograd as wg
from kernels import conv1d, conv2d, gradients
from kernels.filter_gradient_fast import default_transforms, fast_filter_gradient
from kernels.gradients import (
    conv1d_backward_filter,
    conv1d_backward_input,
    conv2d_backward_filter,
    conv2d_backward_input,
    conv3d_backward_filter,
)

FORWARD = {1: conv1d, 2: conv2d}
BACKWARD_INPUT = {1: conv1d_backward_input, 2: conv2d_backward_input}
BACKWARD_FILTER = {1: conv1d_backward_filter, 2: conv2d_backward_filter, 3: conv3d_backward_filter}
LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
POINTS = [0, -1, 1, "1/2", -2, wg.INF]
F34 = wg.Algorithm(wg.toom_cook(3, 4, POINTS), dims=2)
# The same as in other tests, as it is compiled.
F43 = wg.Algorithm(wg.toom_cook(4, 3, POINTS), dims=2, passes=("share", "factor"), fma=True, filter_dtype="float64")
# Taps, stride and dilation of rows and columns: each phase of each is compiled.
DEPTHWISE_KINDS = [((2, 2), (1, 1), (3, 3)), ((2, 3), (2, 2), (1, 1))]


@st.composite
def problems(draw, most_axes):
    """(x, w, dy, options of the convolution), numbers uniform on [-1, 1]."""
    axes, groups = draw(st.integers(1, most_axes)), draw(st.sampled_from([1, 1, 2, 3]))
    taps, stride, dilation = (
        tuple(draw(st.integers(1, most)) for _ in range(axes)) for most in (4 if axes < 3 else 3, 4, 3)
    )
    per_group, filters = (draw(st.sampled_from([1, 3, 17] if groups == 1 else [1, 2])) for _ in range(2))
    if groups > 1 and 1 in (per_group, filters):
        kind = zip((taps, stride, dilation), draw(st.sampled_from(DEPTHWISE_KINDS)), strict=True)
        taps, stride, dilation = ((*any_number[:-2], *pair[-axes:]) for any_number, pair in kind)
    padding = tuple((draw(st.integers(0, 5)), draw(st.integers(0, 5))) for _ in range(axes))
    least = [max(1, d * (r - 1) + 1 - sum(p)) for r, d, p in zip(taps, dilation, padding, strict=True)]
    lengths = [n + draw(st.integers(0, 9 if axes < 3 else 3)) for n in least]
    outputs = [
        (n + sum(p) - d * (r - 1) - 1) // s + 1
        for n, r, s, p, d in zip(lengths, taps, stride, padding, dilation, strict=True)
    ]
    images = draw(st.integers(0, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = ((images, groups * per_group, *lengths), (groups * filters, per_group, *taps),
              (images, groups * filters, *outputs))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return *(rng.uniform(-1, 1, shape) for shape in shapes), options


def torch_gradients(x, w, dy, stride, padding, dilation, groups):
    """(dx, dw) in float64; padded beforehand: PyTorch takes no uneven padding."""
    x, w, dy = (torch.tensor(np.ascontiguousarray(a, float), requires_grad=True) for a in (x, w, dy))
    padded = torch.nn.functional.pad(x, [side for sides in reversed(padding) for side in sides])
    function = getattr(torch.nn.functional, f"conv{len(stride)}d")
    y = function(padded, w, None, stride, 0, dilation, groups)
    assert y.shape == dy.shape
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, (x, w), dy))


@given(problem=problems(2))
def test_input_gradient_equals_torch_exactly_in_integers(problem):
    x, w, dy, options = problem
    w, dy = np.rint(9 * w), np.rint(9 * dy)
    axes = w.ndim - 2
    dx = BACKWARD_INPUT[axes](dy, w, x.shape[2:], **options, algorithm="direct")
    np.testing.assert_array_equal(dx, torch_gradients(x, w, dy, **options)[0])


@given(problem=problems(3))
def test_filter_gradient_equals_torch_exactly_in_integers(problem):
    x, w, dy, options = problem
    x, dy = np.rint(9 * x), np.rint(9 * dy)
    dw = BACKWARD_FILTER[w.ndim - 2](x, dy, w.shape[2:], **options, algorithm="direct")
    np.testing.assert_array_equal(dw, torch_gradients(x, w, dy, **options)[1])


@given(problem=problems(2))
def test_gradients_are_the_adjoints_of_the_convolution(problem):
    """<conv(x, w), dy> = <x, dx> = <w, dw>, and no number of integers is rounded in float64."""
    x, w, dy, options = problem
    x, w, dy = (np.rint(9 * a) for a in (x, w, dy))
    axes = w.ndim - 2
    product = (FORWARD[axes](x, w, **options, algorithm="direct") * dy).sum()
    assert (x * BACKWARD_INPUT[axes](dy, w, x.shape[2:], **options, algorithm="direct")).sum() == product
    assert (w * BACKWARD_FILTER[axes](x, dy, w.shape[2:], **options, algorithm="direct")).sum() == product


@given(problem=problems(2), dtype=st.sampled_from([np.float32, np.float64]))
def test_direct_gradients_are_within_the_bound_of_a_sum_of_products(problem, dtype):
    """Terms summed in any order err by at most (their number + 2) u times the sum of their sizes.

    In float64 the reference errs by as much.
    """
    *arrays, options = problem
    x, w, dy = (a.astype(dtype) for a in arrays)
    axes = w.ndim - 2
    exact, sizes = torch_gradients(x, w, dy, **options), torch_gradients(abs(x), abs(w), abs(dy), **options)
    found = (
        BACKWARD_INPUT[axes](dy, w, x.shape[2:], **options, algorithm="direct"),
        BACKWARD_FILTER[axes](x, dy, w.shape[2:], **options, algorithm="direct"),
    )
    terms = (w.size // w.shape[1] // options["groups"], dy.size // dy.shape[1])
    for gradient, right, size, count in zip(found, exact, sizes, terms, strict=True):
        assert gradient.dtype == dtype
        bound = (2 if dtype == np.float64 else 1.01) * (count + 2) * np.finfo(dtype).eps / 2 * size
        assert (abs(gradient - right) <= bound).all()


def tolerance(algorithm, w):
    """The a-priori bound of a forward convolution, for data in [-1, 1] and filters w; derived in test_layer.py."""
    growth, roundings = 1.0, 2 * w.shape[1] + 1
    for transform, programs in zip(algorithm.transforms, algorithm.programs, strict=True):
        AT, G, BT = (np.abs(matrix) for matrix in transform.matrices())
        growth *= float((AT @ (G.sum(1) * BT.sum(1))).max())
        roundings += sum(len(program.ops) for program in programs)
    return 1.01 * roundings * np.finfo(w.dtype).eps / 2 * growth * w.shape[1] * float(np.abs(w).max())


@settings(max_examples=20)
@given(padding=st.tuples(st.integers(0, 3), st.integers(0, 3)), seed=st.integers(0, 2**32 - 1))
def test_input_gradient_by_an_algorithm(padding, seed):
    rng = np.random.default_rng(seed)
    x, w = (rng.uniform(-1, 1, shape).astype("f") for shape in [(2, 5, 9, 14), (17, 5, 3, 3)])
    dy = rng.uniform(-1, 1, (2, 17, *(n + 2 * p - 2 for n, p in zip((9, 14), padding, strict=True)))).astype("f")
    exact, _ = torch_gradients(x, w, dy, (1, 1), tuple((p, p) for p in padding), (1, 1), 1)
    dx = conv2d_backward_input(dy, w, (9, 14), padding=padding, algorithm=F43)
    limit = tolerance(F43, w.swapaxes(0, 1))
    np.testing.assert_allclose(dx, exact, rtol=0, atol=limit)
    assert limit < abs(exact).max() / 4


@pytest.mark.parametrize("algorithm", ["auto", "direct"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_channels_last(axes, algorithm):
    rng = np.random.default_rng(0)
    x, w, dy = (rng.integers(-9, 9, (*shape, *(n,) * axes)).astype(float) for shape, n in
                [((2, 4), 6), ((6, 2), 3), ((2, 6), 3)])
    options = {"stride": 2, "padding": 1, "groups": 2}
    x_last, dy_last = np.moveaxis(x, 1, -1), np.moveaxis(dy, 1, -1)
    dw = BACKWARD_FILTER[axes](x_last, dy_last, 3, **options, layout=LAST[axes], algorithm=algorithm)
    np.testing.assert_array_equal(dw, BACKWARD_FILTER[axes](x, dy, 3, **options, algorithm=algorithm))
    if axes in BACKWARD_INPUT:
        given_sizes = (6,) * axes
        dx = BACKWARD_INPUT[axes](dy_last, w, given_sizes, **options, layout=LAST[axes], algorithm="direct")
        exact = BACKWARD_INPUT[axes](dy, w, given_sizes, **options, algorithm="direct")
        np.testing.assert_array_equal(np.moveaxis(dx, -1, 1), exact)


def test_auto_and_winograd_take_the_fast_algorithm_and_an_algorithm_its_transforms():
    rng = np.random.default_rng(0)
    x, dy = (rng.uniform(-1, 1, (2, 32, 30, 30)).astype("f") for _ in range(2))
    padding = ((1, 1), (1, 1))
    fast = fast_filter_gradient(x, dy, padding, default_transforms((3, 3)))
    for algorithm in ("auto", "winograd"):
        np.testing.assert_array_equal(conv2d_backward_filter(x, dy, 3, padding=1, algorithm=algorithm), fast)
    np.testing.assert_array_equal(
        conv2d_backward_filter(x, dy, 3, padding=1, algorithm=F34),
        fast_filter_gradient(x, dy, padding, F34.transforms),
    )
    for direct in ({"algorithm": "direct"}, {"algorithm": "auto", "groups": 2}):
        result = conv2d_backward_filter(x, dy, 3, padding=1, **direct)
        assert not np.array_equal(result, fast[:, : result.shape[1]])


def test_any_memory_of_the_arrays():
    rng = np.random.default_rng(0)
    x, w, dy = (rng.integers(-9, 9, shape).astype(float) for shape in [(2, 3, 6, 7), (4, 3, 3, 3), (2, 4, 4, 5)])
    dx = conv2d_backward_input(dy, w, (6, 7), algorithm="direct")
    dw = conv2d_backward_filter(x, dy, 3)

    def odd(a):
        """The same numbers in reverse memory order, byte-swapped, read-only."""
        swapped = np.asarray(a[::-1, :, ::-1], a.dtype.newbyteorder()).copy()[::-1, :, ::-1]
        swapped.flags.writeable = False
        return swapped

    np.testing.assert_array_equal(conv2d_backward_input(odd(dy), odd(w), (6, 7), algorithm="direct"), dx)
    np.testing.assert_array_equal(conv2d_backward_filter(odd(x), odd(dy), 3), dw)


def test_same_padding_and_every_input_size_of_a_strided_output():
    rng = np.random.default_rng(0)
    w, dy = rng.integers(-9, 9, (3, 2, 2, 3)).astype(float), rng.integers(-9, 9, (1, 3, 4, 5)).astype(float)
    dx = conv2d_backward_input(dy, w, (4, 5), padding="same", algorithm="direct")
    exact, _ = torch_gradients(np.zeros((1, 2, 4, 5)), w, dy, (1, 1), ((0, 1), (1, 1)), (1, 1), 1)
    np.testing.assert_array_equal(dx, exact)
    for height in (8, 9):
        dx = conv2d_backward_input(dy, w, (height, 11), stride=2, algorithm="direct")
        exact, _ = torch_gradients(np.zeros((1, 2, height, 11)), w, dy, (2, 2), ((0, 0), (0, 0)), (1, 1), 1)
        np.testing.assert_array_equal(dx, exact)


def test_a_phase_of_single_taps_is_no_case_for_winograd(monkeypatch):
    """With stride 2 the nine taps fall into phases of 4, 2, 2 and 1; the last is a product of matrices."""
    names = []

    def forward(x, w, *options):
        names.append((math.prod(w.shape[2:]), options[-2]))
        return conv2d(x, w, *options[:-2], "direct", options[-1])

    monkeypatch.setitem(gradients._FORWARD, 2, forward)
    conv2d_backward_input(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), (9, 9), stride=2, algorithm="winograd")
    assert sorted(names) == [(1, "auto"), (2, "winograd"), (2, "winograd"), (4, "winograd")]


X, W, DY = np.ones((2, 4, 8, 9)), np.ones((6, 4, 3, 3)), np.ones((2, 6, 6, 7))


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ValueError, "input_size must have the height 8 for 6 outputs; got 9", {"input_size": (9, 9)}),
        (ValueError, "input_size must have the width 15 to 16 for 7 outputs; got 9",
         {"stride": (1, 2)}),
        (ValueError, "no input has 6 along its height", {"padding": (7, 0)}),
        (ValueError, "input_size must be an integer or 2 of them", {"input_size": (8,)}),
        (ValueError, "input_size must be at least 1", {"input_size": 0}),
        (ValueError, "layout must be one of NCHW, NHWC", {"layout": "HWNC"}),
        (ValueError, r"dy must have 4 dimensions \(N, C, H, W\)", {"dy": DY[0]}),
        (ValueError, r"w must have 4 dimensions \(K, C / groups, R, S\)", {"w": W[0]}),
        (ValueError, "w must not be empty", {"w": W[:, :0]}),
        (TypeError, "w and dy must have one dtype", {"dy": DY.astype("f")}),
        (TypeError, "dy must be a NumPy array", {"dy": DY.tolist()}),
        (TypeError, "dy must be float32 or float64", {"dy": DY.astype(int)}),
        (ValueError, "dy must have 6 channels, one for each filter of w; got 5", {"dy": DY[:, :5]}),
        (ValueError, "groups must be a positive divisor of the 6 filters", {"groups": 4}),
        (ValueError, "stride must be at least 1", {"stride": 0}),
        (ValueError, "padding must be at least 0", {"padding": -1}),
        (ValueError, "threads must be an integer of at least 1", {"threads": 0}),
        (ValueError, "algorithm must be given by name where stride is not 1",
         {"stride": 2, "input_size": (13, 15), "algorithm": F43.with_formats("float64")}),
        (ValueError, "algorithm must", {"algorithm": "fastest"}),
    ],
)
def test_bad_input_of_the_input_gradient(error, message, change):
    arguments = {"dy": DY, "w": W, "input_size": (8, 9), "algorithm": "direct"}
    conv2d_backward_input(**arguments)
    with pytest.raises(error, match=message):
        conv2d_backward_input(**arguments | change)


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ValueError, r"dy must have the size \(7, 8\) that x, taps and the options give; got \(6, 7\)", {"taps": 2}),
        (ValueError, "the filter must fit into the padded input; its height is 9", {"taps": 9}),
        (ValueError, "taps must be at least 1", {"taps": (0, 1)}),
        (ValueError, "taps must be an integer or 2 of them", {"taps": (3, 3, 3)}),
        (ValueError, "layout must be one of NCHW, NHWC", {"layout": "NCW"}),
        (ValueError, "x must have 4 dimensions", {"x": X[0]}),
        (TypeError, "x and dy must have one dtype", {"x": X.astype("f")}),
        (TypeError, "x must be float32 or float64", {"x": X.astype(np.float16)}),
        (ValueError, "x and dy must have one number of images; got 1 and 2", {"x": X[:1]}),
        (ValueError, "x and dy must have channels that groups = 3 divides; got 4 and 6", {"groups": 3}),
        (ValueError, "groups must be a positive divisor of the 6 filters", {"groups": 4}),
        (ValueError, "threads must be an integer of at least 1", {"threads": True}),
        (ValueError, 'algorithm must be an Algorithm, "direct", "winograd" or "auto"', {"algorithm": "fft"}),
        (ValueError, r"algorithm must be F\(r, m\) with r the taps \(3, 3\) as its outputs; got F\(4x4, 3x3\)",
         {"algorithm": F43}),
        (ValueError, "algorithm must work in the arrays' dtype float64", {"algorithm": F34}),
        (ValueError, "algorithm must round to nearest and sum linearly",
         {"algorithm": wg.Algorithm(F34.transforms, channel_sum="kahan", dtype="float64")}),
        (ValueError, "stride, dilation and groups must be 1 for a fast algorithm",
         {"groups": 2, "algorithm": "winograd"}),
    ],
)
def test_bad_input_of_the_filter_gradient(error, message, change):
    arguments = {"x": X, "dy": DY, "taps": 3}
    conv2d_backward_filter(**arguments)
    with pytest.raises(error, match=message):
        conv2d_backward_filter(**arguments | change)
