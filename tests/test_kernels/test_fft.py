"""Convolution through the FFT: within its norm-wise bound of PyTorch's float64, for every option, tile and block."""

import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernels import fft


@st.composite
def problems(draw):
    """(x, w, stride, padding, dilation, groups) of one to three axes, numbers uniform on [-1, 1]."""
    axes, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    taps, stride, dilation = (
        tuple(draw(st.integers(1, most)) for _ in range(axes)) for most in (9 if axes < 3 else 4, 3, 3)
    )
    padding = tuple((draw(st.integers(0, 8)), draw(st.integers(0, 8))) for _ in range(axes))
    least = [max(1, d * (r - 1) + 1 - sum(p)) for r, d, p in zip(taps, dilation, padding, strict=True)]
    lengths = [n + draw(st.integers(0, 40 if axes < 3 else 6)) for n in least]
    per_group, filters = (draw(st.sampled_from([1, 3, 17] if groups == 1 else [1, 2])) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.uniform(-1, 1, (draw(st.integers(0, 2)), groups * per_group, *lengths))
    return x, rng.uniform(-1, 1, (groups * filters, per_group, *taps)), stride, padding, dilation, groups


def torch_conv(x, w, stride, padding, dilation, groups):
    """In float64, padded by hand: PyTorch takes no uneven padding."""
    padded = torch.tensor(np.pad(x.astype(float), ((0, 0), (0, 0), *padding)))
    function = getattr(torch.nn.functional, f"conv{len(stride)}d")
    return function(padded, torch.tensor(w.astype(float)), None, stride, 0, dilation, groups).numpy()


def roundings(length):
    """A bound on the relative error of an FFT, in u and the Euclidean norm.

    A step of radix p multiplies by twiddle factors and by the DFT matrix F of p numbers, whose entries are of size 1:
    computed in any order it errs by at most (p + 4) u |F| |v|, and the norm of |F| is p, sqrt(p) times that of F.
    The steps are multiples of unitary matrices, so their relative errors add (Higham, Accuracy and Stability of
    Numerical Algorithms, 2nd ed., chapter 24, for p = 2).
    """
    total, p = 0.0, 2
    while length > 1:
        while length % p == 0:
            total += math.sqrt(p) * (p + 4)
            length //= p
        p += 1
    return total


def bound(x, w, groups, tile):
    """On the error of each output, shape (N, K): three FFTs, and the complex products summed over channels.

    As in Percival, Math. Comp. 72, 2003, 387-395: with spectra of norms sqrt(P) ||x|| and sqrt(P) ||w|| the sum of
    |V U| over the P frequencies is at most P ||x|| ||w||, and the inverse FFT divides by P, so an output errs by at
    most u ||x|| ||w|| times the roundings that anything passes. Norms over a whole image are above those of a tile.
    """
    u = np.finfo(x.dtype).eps / 2
    steps = 3 * sum(roundings(L) for L in tile) + 2 * w.shape[1] + 8
    by_channel = np.sqrt((x.astype(float) ** 2).sum(tuple(range(2, x.ndim))))
    filters = np.sqrt((w.astype(float) ** 2).sum(tuple(range(2, w.ndim))))
    per_group = w.shape[1]
    by_group = by_channel.reshape(len(x), groups, per_group), filters.reshape(groups, -1, per_group)
    together = np.einsum("ngc,gkc->ngk", *by_group)
    return 1.01 * steps * u * together.reshape(len(x), len(w))


def assert_near(y, x, w, options, tile):
    exact = torch_conv(x, w, *options)
    assert y.shape == exact.shape and y.dtype == x.dtype
    limits = bound(x, w, options[-1], tile)
    error = abs(y - exact).max(tuple(range(2, y.ndim)), initial=0)
    assert (error <= limits).all()


@given(problem=problems(), dtype=st.sampled_from([np.float32, np.float64]))
def test_within_the_bound_of_three_transforms(problem, dtype):
    x, w, *options = problem
    x, w = x.astype(dtype), w.astype(dtype)
    layer = fft.transformed(w, x.shape[2:], *options)
    assert layer.U.dtype == np.result_type(dtype, 1j)
    assert layer.U.shape[0] == math.prod(layer.tile[:-1]) * (layer.tile[-1] // 2 + 1)
    assert_near(layer(x), x, w, options, layer.tile)
    np.testing.assert_array_equal(fft.run(x, w, *options, threads=2), layer(x))


@given(problem=problems(), data=st.data())
def test_any_tile_gives_the_convolution(problem, data):
    """Not only the one that is expected to be fastest: longer ones, uneven ones, with fewer outputs than they have."""
    x, w, *options = problem
    chosen = fft._chosen_tile

    def another_tile(*arguments):
        tile, per_tile = chosen(*arguments)
        longer = tuple(L + data.draw(st.integers(0, 9)) for L in tile)
        return longer, tuple(data.draw(st.integers(1, q)) for q in per_tile)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fft, "_chosen_tile", another_tile)
        layer = fft.transformed(w, x.shape[2:], *options)
    assert_near(layer(x), x, w, options, layer.tile)


@pytest.mark.parametrize("outputs", [(1,), (7, 5), (400,), (30, 200), (4, 5, 6)])
@pytest.mark.parametrize("stride", [1, 3])
def test_tiles_hold_the_windows_of_their_outputs(outputs, stride):
    extents, strides = (5,) * len(outputs), (stride,) * len(outputs)
    tile, per_tile = fft._chosen_tile(outputs, extents, strides, 16, 16, 1)
    for L, q, count in zip(tile, per_tile, outputs, strict=True):
        assert 1 <= q <= count
        assert (q - 1) * stride + 5 <= L


def test_long_inputs_are_cut_into_tiles_and_large_batches_into_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    x, w = rng.uniform(-1, 1, (5, 8, 3000)).astype(np.float32), rng.uniform(-1, 1, (8, 8, 65)).astype(np.float32)
    options = ((1,), ((32, 32),), (1,), 1)
    layer = fft.transformed(w, (3000,), *options)
    assert layer.tile[0] < 3000
    y = layer(x)
    assert_near(y, x, w, options, layer.tile)
    assert bound(x, w, 1, layer.tile).max() < abs(y).max() / 100  # it would see a kernel that returns zeros
    blocks = []
    run_block = fft.TransformedFilters._run_block
    monkeypatch.setattr(fft, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(
        fft.TransformedFilters, "_run_block", lambda self, x, y, n: (blocks.append(len(x)), run_block(self, x, y, n))
    )
    assert_near(layer(x), x, w, options, layer.tile)
    assert blocks == [1] * 5


def test_a_nan_stays_in_the_tiles_that_read_it():
    x, w = np.zeros((2, 3, 3000)), np.ones((2, 3, 65))
    layer = fft.transformed(w, (3000,), (1,), ((0, 0),), (1,))
    x[1, 2, 1500] = np.nan
    y = layer(x)
    tile, step = layer.tile[0], layer.per_tile[0]
    reading = [t for t in range(-(-y.shape[2] // step)) if t * step <= 1500 < t * step + tile]
    reached = np.zeros(y.shape[2], bool)
    for t in reading:
        reached[t * step : (t + 1) * step] = True
    assert 0 < reached.sum() < reached.size
    assert np.isfinite(y[0]).all()
    assert np.isnan(y[1][:, reached]).all()
    assert np.isfinite(y[1][:, ~reached]).all()


def test_any_strides_of_the_input():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2, 20, 16, 3)).transpose(0, 3, 1, 2)[:, :, ::-2]
    w = rng.uniform(-1, 1, (2, 3, 5, 5))
    options = ((1, 1), ((0, 0), (2, 1)), (1, 1))
    np.testing.assert_array_equal(fft.run(x, w, *options), fft.run(x.copy(), w, *options))


def test_bad_input():
    with pytest.raises(ValueError, match="its width is 5, the input's 4"):
        fft.run(np.ones((1, 1, 4)), np.ones((1, 1, 3)), (1,), ((0, 0),), (2,))
    layer = fft.transformed(np.ones((2, 3, 2, 2)), (8, 9), (1, 1), ((0, 0), (0, 0)), (1, 1))
    for shape in [(1, 3, 9, 8), (1, 2, 8, 9), (3, 8, 9)]:
        with pytest.raises(ValueError, match=r"x must have the shape \(N, 3, 8, 9\)"):
            layer(np.ones(shape))


def test_missing_scipy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.fft", None)
    with pytest.raises(ImportError, match=r'"fft" needs SciPy; install it with: pip install "winograd\[fft\]"\.'):
        fft.run(np.ones((1, 1, 4)), np.ones((1, 1, 3)), (1,), ((0, 0),), (1,))
