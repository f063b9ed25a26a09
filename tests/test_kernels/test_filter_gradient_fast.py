"""F(r, m) for the filter's gradient: exact where its constants are, within its bound elsewhere, for any block."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from kernels import filter_gradient_fast as module
from kernels.filter_gradient_fast import default_transforms, fast_filter_gradient, pays

DYADIC = {(r, m): wg.toom_cook(r, m, [0, 1, -1, wg.INF][-(r + m - 1) :]) for r, m in [(3, 2), (2, 3), (1, 2), (2, 2)]}


def torch_gradient(x, dy, taps, padding):
    padded = torch.tensor(np.pad(x.astype(float), ((0, 0), (0, 0), *padding)))
    w = torch.zeros((dy.shape[1], x.shape[1], *taps), dtype=torch.float64, requires_grad=True)
    y = getattr(torch.nn.functional, f"conv{len(taps)}d")(padded, w)
    return torch.autograd.grad(y, w, torch.tensor(dy.astype(float)))[0].numpy()


@st.composite
def problems(draw, pairs):
    """(x, dy, padding, sizes (r, m) by axis), numbers uniform on [-1, 1]."""
    axes = draw(st.integers(1, 3))
    sizes = [draw(st.sampled_from(pairs)) for _ in range(axes)]
    padding = tuple((draw(st.integers(0, 4)), draw(st.integers(0, 4))) for _ in sizes)
    least = [max(1, r - sum(p)) for (r, _), p in zip(sizes, padding, strict=True)]
    lengths = [n + draw(st.integers(0, 12 if axes < 3 else 4)) for n in least]
    outputs = [n + sum(p) - r + 1 for n, (r, _), p in zip(lengths, sizes, padding, strict=True)]
    images, channels, filters = draw(st.integers(0, 3)), *(draw(st.sampled_from([1, 3, 17])) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, dy = rng.uniform(-1, 1, (images, channels, *lengths)), rng.uniform(-1, 1, (images, filters, *outputs))
    return x, dy, padding, sizes


@given(problem=problems(sorted(DYADIC)), block_bytes=st.sampled_from([1, 3000, 1 << 22]))
def test_dyadic_constants_give_the_exact_gradient_of_integers(problem, block_bytes):
    """With constants 0, 1, -1 and 1/2 nothing is rounded in float64."""
    x, dy, padding, sizes = problem
    x, dy = np.rint(9 * x), np.rint(9 * dy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_BYTES", block_bytes)
        dw = fast_filter_gradient(x, dy, padding, [DYADIC[size] for size in sizes])
    np.testing.assert_array_equal(dw, torch_gradient(x, dy, [r for r, _ in sizes], padding))


def bound(transforms, x, dy):
    """On the error of an entry, for x and dy in [-1, 1].

    A term passes at most the roundings of three matrix products (as many as their inner length, and two for rounding
    the Kronecker product's factors and itself), of its product and of the sum over tiles. The sizes of the terms add
    up to at most |AT| (|G| 1 * |BT| 1) for each tile, along each axis.
    """
    growth, tiles = 1.0, len(x)
    for transform, outputs in zip(transforms, dy.shape[2:], strict=True):
        AT, G, BT = (abs(matrix) for matrix in transform.matrices())
        growth *= float((AT @ (G.sum(1) * BT.sum(1))).max())
        tiles *= -(-outputs // transform.r)
    inner = sum(math.prod(getattr(t, name) for t in transforms) for name in ("n", "r", "tile"))
    return 1.01 * (inner + 3 * 4 + tiles + 1) * np.finfo(x.dtype).eps / 2 * growth * tiles


DEFAULTS = [(1, 1), (2, 5), (3, 4), (4, 3), (5, 4), (6, 3)]


@given(problem=problems(DEFAULTS), dtype=st.sampled_from([np.float32, np.float64]))
def test_default_points_stay_within_the_bound(problem, dtype):
    x, dy, padding, sizes = problem
    x, dy = x.astype(dtype), dy.astype(dtype)
    transforms = default_transforms(tuple(r for r, _ in sizes))
    assert [(t.m, t.r) for t in transforms] == sizes
    dw = fast_filter_gradient(x, dy, padding, transforms)
    assert dw.dtype == dtype and dw.flags.c_contiguous
    np.testing.assert_allclose(
        dw, torch_gradient(x, dy, [r for r, _ in sizes], padding), rtol=0, atol=bound(transforms, x, dy)
    )


def test_the_bound_would_see_a_wrong_tap():
    transforms = default_transforms((3, 3))
    rng = np.random.default_rng(0)
    x, dy = rng.uniform(-1, 1, (2, 3, 20, 20)).astype("f"), rng.uniform(-1, 1, (2, 4, 18, 18)).astype("f")
    assert bound(transforms, x, dy) < abs(torch_gradient(x, dy, (3, 3), ((0, 0), (0, 0)))).max() / 4


def test_when_it_pays():
    assert pays(1, 64, 64, (56, 56), (3, 3))
    assert pays(16, 256, 256, (14, 14), (3, 3))
    assert not pays(1, 256, 256, (14, 14), (3, 3))  # few tiles for so large an M
    assert not pays(8, 3, 64, (56, 56), (3, 3))  # transforms that serve few filters or channels
    assert not pays(8, 64, 64, (56, 56), (1, 1))
    assert not pays(8, 64, 64, (56, 56), (1, 3))  # half of the products saved at most
    assert not pays(8, 64, 64, (56, 56), (7, 7))  # no default


def test_more_taps_than_points_are_refused():
    with pytest.raises(ValueError, match=r'"winograd" needs at most 6 taps along an axis; got \(3, 7\)'):
        default_transforms((3, 7))
