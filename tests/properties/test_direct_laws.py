"""Laws of "direct", which are exact where every sum is: on small integers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import Conv2d

# 17 channels of 3 x 3 products of at most 81 each, times 9 and twice: far below 2^24.
small = st.integers(-9, 9)
shapes = st.fixed_dictionaries({
    "channels": st.sampled_from([1, 3, 17]), "filters": st.sampled_from([1, 5, 33]),
    "taps": st.tuples(st.integers(1, 3), st.integers(1, 3)), "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)), "padding": st.integers(0, 2),
    "layout": st.sampled_from(["NCHW", "NHWC"]), "seed": st.integers(0, 2**32 - 1),
})  # fmt: skip


def whole(seed, shape):
    return np.random.default_rng(seed).integers(-9, 9, shape, endpoint=True).astype(np.float32)


def layer_of(shape):
    w = whole(shape["seed"], (shape["filters"], shape["channels"], *shape["taps"]))
    options = {name: shape[name] for name in ("stride", "dilation", "padding", "layout")}
    layer = Conv2d(w, algorithm="direct", **options)
    if layer.layout == "NCHW":
        return w, layer
    return w, lambda x: layer(np.ascontiguousarray(x.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


@settings(max_examples=50)
@given(shapes, small, small)
def test_linearity(shape, a, b):
    _, layer = layer_of(shape)
    x, z = (whole(shape["seed"] + i, (2, shape["channels"], 9, 11)) for i in (1, 2))
    np.testing.assert_array_equal(layer(a * x + b * z), a * layer(x) + b * layer(z))


@settings(max_examples=50)
@given(shapes, st.integers(0, 8), st.integers(0, 10))
def test_an_impulse_shows_the_filters(shape, i, j):
    """x that is 1 at one place gives y[k, o, q] = w[k, c, a, b] where o s + a d - p is that place, and 0 elsewhere."""
    w, layer = layer_of(shape)
    c = shape["seed"] % shape["channels"]
    x = np.zeros((1, shape["channels"], 9, 11), np.float32)
    x[0, c, i, j] = 1
    y = layer(x)
    want = np.zeros_like(y)
    for k, o, q in np.ndindex(*y.shape[1:]):
        for a, b in np.ndindex(*shape["taps"]):
            at = [n * s + t * d - shape["padding"] for n, s, t, d in
                  zip((o, q), shape["stride"], (a, b), shape["dilation"], strict=True)]
            if at == [i, j]:
                want[0, k, o, q] = w[k, c, a, b]
    np.testing.assert_array_equal(y, want)


@settings(max_examples=50)
@given(shapes, st.integers(1, 2), st.integers(1, 2))
def test_a_shift_by_strides_shifts_the_outputs(shape, down, across):
    _, layer = layer_of(shape)
    x = whole(shape["seed"] + 1, (1, shape["channels"], 12, 14))
    rows, columns = down * shape["stride"][0], across * shape["stride"][1]
    shifted = np.zeros((1, shape["channels"], 12 + rows, 14 + columns), np.float32)
    shifted[:, :, rows:, columns:] = x
    y = layer(x)
    np.testing.assert_array_equal(layer(shifted)[:, :, down:, across:][:, :, : y.shape[2], : y.shape[3]], y)
