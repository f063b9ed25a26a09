"""Convolution through the BLAS: exactly PyTorch's in integers, within the bound of a sum of products in floats."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernels import im2col


@st.composite
def problems(draw):
    """(x, w, stride, padding, dilation, groups) of one to three axes, numbers uniform on [-1, 1]."""
    axes, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    taps, stride, dilation = (
        tuple(draw(st.integers(1, most)) for _ in range(axes)) for most in (4 if axes < 3 else 3, 3, 3)
    )
    padding = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(axes))
    least = [max(1, d * (r - 1) + 1 - sum(p)) for r, d, p in zip(taps, dilation, padding, strict=True)]
    lengths = [n + draw(st.integers(0, 8 if axes < 3 else 3)) for n in least]
    per_group, filters = (draw(st.sampled_from([1, 3, 17] if groups == 1 else [1, 2])) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.uniform(-1, 1, (draw(st.integers(0, 2)), groups * per_group, *lengths))
    return x, rng.uniform(-1, 1, (groups * filters, per_group, *taps)), stride, padding, dilation, groups


def torch_conv(x, w, stride, padding, dilation, groups):
    """In float64, padded by hand: PyTorch takes no uneven padding."""
    padded = torch.tensor(np.pad(x.astype(float), ((0, 0), (0, 0), *padding)))
    function = getattr(torch.nn.functional, f"conv{len(stride)}d")
    return function(padded, torch.tensor(w.astype(float)), None, stride, 0, dilation, groups).numpy()


@given(problem=problems())
def test_equals_torch_exactly_in_integers(problem):
    x, w, *options = problem
    x, w = np.rint(9 * x), np.rint(9 * w)
    np.testing.assert_array_equal(im2col.run(x, w, *options), torch_conv(x, w, *options))


@given(problem=problems(), dtype=st.sampled_from([np.float32, np.float64]))
def test_within_the_bound_of_a_sum_of_products(problem, dtype):
    """Summed in any order, w[0].size products err by at most (their number + 2) u times the sum of their sizes.

    In float64 the reference errs by as much.
    """
    x, w, *options = problem
    x, w = x.astype(dtype), w.astype(dtype)
    y = im2col.run(x, w, *options)
    assert y.dtype == dtype and y.flags.c_contiguous
    sizes = torch_conv(abs(x), abs(w), *options)
    bound = (2 if dtype == np.float64 else 1.01) * (w[0].size + 2) * np.finfo(dtype).eps / 2 * sizes
    assert (abs(y - torch_conv(x, w, *options)) <= bound).all()


def test_any_strides_of_the_input():
    x = np.arange(2 * 3 * 10 * 8, dtype=float).reshape(2, 10, 8, 3).transpose(0, 3, 1, 2)[:, :, ::-2]
    w = np.arange(2.0 * 3 * 4).reshape(2, 3, 2, 2)
    options = ((1, 1), ((0, 0), (1, 0)), (1, 1))
    np.testing.assert_array_equal(im2col.run(x, w, *options), im2col.run(x.copy(), w, *options))
    x.flags.writeable = False
    im2col.run(x, w, *options)


def test_a_filter_larger_than_the_padded_input_is_refused():
    with pytest.raises(ValueError, match="its height is 5, the input's 4"):
        im2col.run(np.ones((1, 1, 3, 9)), np.ones((1, 1, 3, 3)), (1, 1), ((1, 0), (0, 0)), (2, 2))
