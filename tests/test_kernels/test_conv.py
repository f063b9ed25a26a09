"""The functions: as the layers, in one call; and what is refused at the door, in one sentence."""

import numpy as np
import pytest

import kernels
import winograd as wg
from kernels import conv1d, conv2d, conv3d

F43 = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF]), dims=2, passes=("share", "factor"), fma=True)
F32 = wg.Algorithm(wg.toom_cook(3, 2, [0, 1, -1, wg.INF]), dims=2, passes=("share", "factor"), fma=True)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_function_is_its_layer_called_once(axes):
    rng = np.random.default_rng(axes)
    x, w, bias = (rng.uniform(-1, 1, shape).astype(np.float32) for shape in
                  ((2, 6, *(9, 8, 7)[:axes]), (4, 3, *(2, 3, 2)[:axes]), (4,)))  # fmt: skip
    function, layer = ((conv1d, kernels.Conv1d), (conv2d, kernels.Conv2d), (conv3d, kernels.Conv3d))[axes - 1]
    options = {"stride": 2, "padding": 1, "dilation": 1, "groups": 2, "algorithm": "direct", "threads": 2, "relu": True}
    np.testing.assert_array_equal(function(x, w, bias, **options), layer(w, bias, **options)(x))
    assert function(x, w, bias, **options).any()


X, W = np.ones((1, 3, 8, 8), np.float32), np.ones((4, 3, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d(X, W[:, :2]), ValueError, "x must have 2 channels .*; got 3"),
        (lambda: conv2d(X, W, layout="NHWC"), ValueError, "x must have 3 channels .*; got 8"),
        (lambda: conv2d(X[0], W), ValueError, r"x must have 4 dimensions \(N, C, H, W\); got shape \(3, 8, 8\)"),
        (lambda: conv2d(X, W[0]), ValueError, "w must have 4 dimensions"),
        (lambda: conv2d(X, W[:0]), ValueError, "w must not be empty"),
        (lambda: conv2d(X[:, :, :2], W), ValueError, "the filter must fit into the padded input; its height is 3"),
        (lambda: conv2d(X, W, dilation=4), ValueError, "its height is 9, the input's 8"),
        (lambda: conv2d(X.astype(int), W), TypeError, "x must be float32 or float64; got int64"),
        (lambda: conv2d(X, W.astype(np.int8)), TypeError, "w must be float32 or float64; got int8"),
        (lambda: conv2d(X.astype(np.float16), W), TypeError, "got float16: convert it with astype"),
        (lambda: conv2d(X, W.astype(np.float16)), TypeError, "got float16: convert it with astype"),
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
        (lambda: conv3d(X[None], W[None], layout="NHWC"), ValueError, "layout must be one of NCDHW, NDHWC; got 'NHWC'"),
        (lambda: conv2d(X, W, threads=0), ValueError, "threads must be an integer of at least 1"),
        (lambda: conv2d(X, W, algorithm="fast"), ValueError, "algorithm must be an Algorithm or one of"),
        (lambda: conv2d(X, W[..., :1, :1], algorithm="winograd"), ValueError, "needs a filter of 2 to 7 taps"),
        (lambda: conv2d(X, W, algorithm=F43, stride=2), ValueError, r"divided by the stride \(2, 2\), rounded up"),
        (lambda: conv2d(X, W, algorithm=F32, stride=2, dilation=2), ValueError, "must be 1 for a fast algorithm"),
        (lambda: conv2d(X, W[..., :2], algorithm=F43), ValueError, r"filter's taps, \(3, 2\); F\(4x4, 3x3\)"),
        (lambda: conv2d(X.astype(float), W.astype(float), algorithm=F43), ValueError, "arrays' dtype float64"),
        (lambda: conv1d(X[0], W[0], algorithm=F43), ValueError, "algorithm must have dims = 1"),
        (lambda: kernels.Conv2d(W, max_error=0), ValueError, "max_error must be a positive number; got 0"),
        (lambda: kernels.Conv2d(W, max_error="1e-6"), ValueError, "max_error must be a positive number"),
        (lambda: kernels.Conv2d(W, max_error=1e-6, algorithm="fft"), ValueError, "max_error must go with algorithm"),
        (lambda: kernels.Conv2d(W).algorithm_for((1, 3, 2, 8)), ValueError, "the filter must fit"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_one_sentence(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
