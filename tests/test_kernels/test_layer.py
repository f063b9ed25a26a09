"""The layers: against SciPy and PyTorch, every option, every odd shape, and what is refused at the door."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

import winograd as wg
from kernels import Conv1d, Conv2d, conv1d, conv2d

POINTS = [0, 1, -1, "1/2", -2, wg.INF]
F43 = wg.Algorithm(wg.toom_cook(4, 3, POINTS), dims=2, passes=("share", "factor"), fma=True)


def uniform(seed, shape, dtype=np.float32):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def tolerance(w, algorithm):
    """The a-priori bound on the error of an output, for data in [-1, 1] and filters w.

    A sum of products, however it is ordered, errs by at most k u (1 + ...) times the sum of the sizes of its terms,
    k the number of roundings a term can pass: here at most all operations of the programs, and one for each channel.
    The sizes of the terms: direct, at most sum |w|; fast, |AT| (|U| * |BT| 1), at most channels times the largest
    row sum of |AT| |G| |BT| along each axis. The factor 1.01 covers the terms of higher order.
    """
    u = 2.0 ** -(np.finfo(w.dtype).nmant + 1)
    channels, size = w.shape[1], float(np.abs(w).max())
    if algorithm == "direct":
        return 1.01 * 2 * w[0].size * u * w[0].size * size
    growth, roundings = 1.0, 2 * channels + 1
    for transform, programs in zip(algorithm.transforms, algorithm.programs, strict=True):
        AT, G, BT = (np.abs(matrix) for matrix in transform.matrices())
        growth *= float((AT @ (G.sum(1) * BT.sum(1))).max())
        roundings += sum(len(program.ops) for program in programs)
    return 1.01 * roundings * u * growth * channels * size


def assert_near(y, exact, w, algorithm):
    """Within the bound, and the bound far below the values: a kernel that returns zeros would be seen."""
    bound = tolerance(w, algorithm)
    np.testing.assert_allclose(y, exact, rtol=0, atol=bound)
    assert y.size < 50 or bound < np.abs(exact).max() / 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["direct", "auto"])
def test_equals_scipy_correlate(dtype, algorithm):
    x, w = uniform(0, (2, 5, 9, 12), dtype), uniform(1, (3, 5, 3, 3), dtype)
    y = conv2d(x, w, algorithm=algorithm)
    exact = [[sum(correlate(x[n, c].astype(float), w[k, c].astype(float), "valid") for c in range(5)) for k in range(3)]
             for n in range(2)]
    assert y.dtype == dtype
    assert_near(y, exact, w, Conv2d(w, algorithm=algorithm).algorithm)


def torch_conv(x, w, bias, **options):
    tensors = [None if a is None else torch.tensor(np.ascontiguousarray(a), dtype=torch.float64) for a in (x, w, bias)]
    function = torch.nn.functional.conv2d if x.ndim == 4 else torch.nn.functional.conv1d
    return function(*tensors, **options).numpy()


@settings(max_examples=60)
@given(
    images=st.integers(1, 3),
    channels=st.sampled_from([1, 2, 3, 15, 16, 17, 33, 65]),
    filters=st.sampled_from([1, 3, 16, 31, 33, 70]),
    size=st.tuples(st.integers(1, 40), st.integers(1, 70)),
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    biased=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_winograd_equals_torch_on_any_shape(images, channels, filters, size, padding, biased, seed):
    size = tuple(max(s, 3 - 2 * p) for s, p in zip(size, padding, strict=True))
    x, w = uniform(seed, (images, channels, *size)), uniform(seed + 1, (filters, channels, 3, 3))
    bias = uniform(seed + 2, filters) if biased else None
    y = conv2d(x, w, bias, padding=padding, algorithm=F43)
    assert_near(y, torch_conv(x, w, bias, padding=padding), w, F43)


@settings(max_examples=60)
@given(
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    groups=st.sampled_from([1, 2, 6]),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    taps=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 2**32 - 1),
)
def test_direct_equals_torch_for_every_option(stride, dilation, groups, padding, taps, seed):
    x, w = uniform(seed, (2, 6, 11, 10)), uniform(seed + 1, (12, 6 // groups, *taps))
    bias = uniform(seed + 2, 12)
    options = {"stride": stride, "dilation": dilation, "groups": groups, "padding": padding}
    y = conv2d(x, w, bias, algorithm="direct", **options)
    assert_near(y, torch_conv(x, w, bias, **options), w, "direct")


@pytest.mark.parametrize("padding", [0, 1, "same", "valid", ((2, 1),)])
@pytest.mark.parametrize("algorithm", ["direct", "auto"])
def test_conv1d_equals_torch(padding, algorithm):
    x, w, bias = uniform(3, (2, 17, 50)), uniform(4, (33, 17, 3)), uniform(5, 33)
    y = conv1d(x, w, bias, padding=padding, algorithm=algorithm)
    sides = padding[0] if isinstance(padding, tuple) else (0, 0)
    padded = np.pad(x, ((0, 0), (0, 0), sides))
    exact = torch_conv(padded, w, bias, padding=0 if isinstance(padding, tuple) else padding)
    assert_near(y, exact, w, Conv1d(w, algorithm=algorithm).algorithm)


@pytest.mark.parametrize("taps", [(3, 3), (2, 3), (4, 4), (1, 3), (5, 5)])
def test_same_padding_follows_torch_for_even_filters(taps):
    x, w = uniform(0, (1, 2, 8, 9)), uniform(1, (2, 2, *taps))
    for algorithm in ("direct", "auto"):
        y = conv2d(x, w, padding="same", algorithm=algorithm)
        assert y.shape == x.shape
        # PyTorch warns that an uneven "same" copies; pad by hand, left half first.
        total = [t - 1 for t in taps]
        padded = np.pad(x, ((0, 0), (0, 0), *((t // 2, t - t // 2) for t in total)))
        assert_near(y, torch_conv(padded, w, None), w, Conv2d(w, algorithm=algorithm).algorithm)


def test_asymmetric_padding_is_zeros_on_each_side():
    x, w = uniform(0, (1, 3, 7, 8)), uniform(1, (4, 3, 3, 3))
    padded = np.pad(x, ((0, 0), (0, 0), (2, 0), (1, 3)))
    np.testing.assert_array_equal(
        conv2d(x, w, padding=((2, 0), (1, 3)), algorithm=F43), conv2d(padded, w, algorithm=F43)
    )


def test_result_does_not_depend_on_the_number_of_threads_or_the_batch():
    x, w = uniform(0, (3, 20, 30, 31)), uniform(1, (40, 20, 3, 3))
    one = conv2d(x, w, padding=1, algorithm=F43, threads=1)
    for threads in (2, 3, 7):
        np.testing.assert_array_equal(conv2d(x, w, padding=1, algorithm=F43, threads=threads), one)
    for n in range(3):
        np.testing.assert_array_equal(conv2d(x[n : n + 1], w, padding=1, algorithm=F43)[0], one[n])


def test_a_layer_is_reentrant_and_keeps_its_filters():
    w = uniform(1, (16, 16, 3, 3))
    layers = [Conv2d(w, padding=1, algorithm=a) for a in (F43, "direct")]
    inputs = [uniform(seed, (1, 16, 10 + seed % 3, 20)) for seed in range(12)]
    expected = [[layer(x) for x in inputs] for layer in layers]
    w[:] = 0  # the layers hold their own
    for layer, want in zip(layers, expected, strict=True):
        with ThreadPoolExecutor(4) as pool:
            for got, y in zip(pool.map(layer, inputs * 4), want * 4, strict=True):
                np.testing.assert_array_equal(got, y)


@pytest.mark.parametrize("algorithm", [F43, "direct"])
def test_non_contiguous_and_byte_swapped_arrays_give_the_same_bits(algorithm):
    x, w, bias = uniform(0, (2, 8, 12, 13)), uniform(1, (8, 8, 3, 3)), uniform(2, 8)
    y = conv2d(x, w, bias, algorithm=algorithm)
    strided = np.zeros((2, 8, 24, 26), np.float32)
    strided[:, :, ::2, ::2] = x
    np.testing.assert_array_equal(conv2d(strided[:, :, ::2, ::2], w[::-1][::-1], bias, algorithm=algorithm), y)
    channels_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(conv2d(channels_last, np.asfortranarray(w), bias, algorithm=algorithm), y)
    swapped = [a.astype(a.dtype.newbyteorder()) for a in (x, w, bias)]
    np.testing.assert_array_equal(conv2d(*swapped, algorithm=algorithm), y)
    for array in (x, w, bias):
        array.flags.writeable = False
    np.testing.assert_array_equal(conv2d(x, w, bias, algorithm=algorithm), y)


@pytest.mark.parametrize("algorithm", [F43, "direct"])
def test_channels_last_give_the_same_bits(algorithm):
    x, w = uniform(0, (2, 8, 12, 13)), uniform(1, (5, 8, 3, 3))
    last = conv2d(np.ascontiguousarray(x.transpose(0, 2, 3, 1)), w, padding=1, layout="NHWC", algorithm=algorithm)
    assert last.flags.c_contiguous
    np.testing.assert_array_equal(last.transpose(0, 3, 1, 2), conv2d(x, w, padding=1, algorithm=algorithm))
    line = conv1d(np.ascontiguousarray(x[:, :, 0].transpose(0, 2, 1)), w[:, :, 0], layout="NWC", algorithm="direct")
    np.testing.assert_array_equal(line.transpose(0, 2, 1), conv1d(x[:, :, 0], w[:, :, 0], algorithm="direct"))


@pytest.mark.parametrize("algorithm", [F43, "direct"])
def test_empty_batch_gives_an_empty_result(algorithm):
    y = conv2d(np.empty((0, 3, 8, 9), np.float32), uniform(1, (4, 3, 3, 3)), padding=1, algorithm=algorithm)
    assert y.shape == (0, 4, 8, 9) and y.dtype == np.float32


@pytest.mark.parametrize("size", [(3, 3), (3, 40), (40, 3), (4, 5)])
def test_input_as_large_as_the_filter(size):
    x, w = uniform(0, (2, 3, *size)), uniform(1, (5, 3, 3, 3))
    y = conv2d(x, w, algorithm=F43)
    assert_near(y, torch_conv(x, w, None), w, F43)


def test_infinity_stays_within_the_tiles_that_hold_it():
    x, w = uniform(0, (1, 4, 20, 20)), uniform(1, (4, 4, 3, 3))
    clean = conv2d(x, w, algorithm=F43)
    x[0, 2, 0, 0] = np.inf
    y = conv2d(x, w, algorithm=F43)
    assert not np.isfinite(y[..., 0, 0]).any()  # the only output that has it in its receptive field
    np.testing.assert_array_equal(y[..., 4:, :], clean[..., 4:, :])
    np.testing.assert_array_equal(y[..., :, 4:], clean[..., :, 4:])


def test_auto_takes_a_fast_algorithm_where_there_is_one():
    w = uniform(0, (4, 4, 3, 3))
    assert isinstance(Conv2d(w).algorithm, wg.Algorithm)
    assert Conv2d(w).algorithm.r == (3, 3)
    assert isinstance(Conv1d(w[0], algorithm="auto").algorithm, wg.Algorithm)
    for layer in (Conv2d(w, stride=2), Conv2d(w, dilation=2), Conv2d(w, groups=2), Conv2d(uniform(0, (4, 4, 1, 1)))):
        assert layer.algorithm == "direct"


X, W = np.ones((1, 3, 8, 8), np.float32), np.ones((4, 3, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d(X, W[:, :2]), ValueError, "x must have 2 channels .*; got 3"),
        (lambda: conv2d(X[0], W), ValueError, r"x must have 4 dimensions \(N, C, H, W\); got shape \(3, 8, 8\)"),
        (lambda: conv2d(X, W[0]), ValueError, "w must have 4 dimensions"),
        (lambda: conv2d(X, W[:0]), ValueError, "w must not be empty"),
        (lambda: conv2d(X[:, :, :2], W), ValueError, "the filter must fit into the padded input; its height is 3"),
        (lambda: conv2d(X, W, dilation=4), ValueError, "its height is 9, the input's 8"),
        (lambda: conv2d(X.astype(int), W), TypeError, "x must be float32 or float64; got int64"),
        (lambda: conv2d(X, W.astype(np.int8)), TypeError, "w must be float32 or float64; got int8"),
        (lambda: conv2d(X.astype(np.float16), W), TypeError, "got float16: convert it with astype"),
        (lambda: conv2d(X.astype(float), W), TypeError, "one dtype; got float64 and float32"),
        (lambda: conv2d(X.tolist(), W), TypeError, "x must be a NumPy array; got list"),
        (lambda: conv2d(X, W, np.ones(3, np.float32)), ValueError, r"bias must be float32 of shape \(4,\)"),
        (lambda: conv2d(X, W, np.ones(4)), ValueError, "bias must be float32"),
        (lambda: conv2d(X, W, padding=-1), ValueError, "padding must be at least 0; got -1"),
        (lambda: conv2d(X, W, padding=1.5), ValueError, "padding must be an integer or 2 of them"),
        (lambda: conv2d(X, W, padding=(1, 2, 3)), ValueError, "padding must be an integer or 2 of them"),
        (lambda: conv2d(X, W, padding="full"), ValueError, 'padding must be numbers, "same" or "valid"'),
        (lambda: conv2d(X, W, padding="same", stride=2), ValueError, "needs stride 1"),
        (lambda: conv2d(X, W, stride=0), ValueError, "stride must be at least 1; got 0"),
        (lambda: conv2d(X, W, dilation=0), ValueError, "dilation must be at least 1"),
        (lambda: conv2d(X, W, groups=3), ValueError, "groups must be a positive divisor of the 4 filters; got 3"),
        (lambda: conv2d(X, W, layout="CHWN"), ValueError, "layout must be one of NCHW, NHWC; got 'CHWN'"),
        (lambda: conv2d(X, W, threads=0), ValueError, "threads must be an integer of at least 1"),
        (lambda: conv2d(X, W, algorithm="winograd"), ValueError, "algorithm must be an Algorithm"),
        (lambda: conv2d(X, W, algorithm=F43, stride=2), ValueError, "must be 1 for a fast algorithm"),
        (lambda: conv2d(X, W[..., :2], algorithm=F43), ValueError, r"filter's taps \(3, 2\); F\(4x4, 3x3\)"),
        (lambda: conv2d(X.astype(float), W.astype(float), algorithm=F43), ValueError, "arrays' dtype float64"),
        (lambda: conv1d(X[0], W[0], algorithm=F43), ValueError, "algorithm must have dims = 1"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_float64_filter_transform_is_nearer_to_the_truth():
    x, w = uniform(0, (1, 32, 40, 40)), uniform(1, (32, 32, 3, 3))
    exact = torch_conv(x, w, None)
    algorithms = [replace(F43, filter_dtype=dtype) for dtype in ("float32", "float64")]
    errors = [np.abs(conv2d(x, w, algorithm=A) - exact).mean() for A in algorithms]
    assert errors[1] < errors[0]
