"""The plain gradient for the filter: its blocks, its groups side by side, and the zeros around images."""

import numpy as np
import pytest
import torch

from kernels import filter_gradient as module
from kernels.filter_gradient import blocks, filled, filter_gradient, zero_padded


@pytest.mark.parametrize("most_bytes", [1, 7, 30, 100, 1000])
@pytest.mark.parametrize("rows", [1, 3, 10])
def test_blocks_hold_every_row_once_and_no_more_than_the_bytes(rows, most_bytes):
    seen = []
    for image, row in blocks(4, rows, 7, most_bytes):
        count = (image.stop - image.start) * (row.stop - row.start)
        assert count == 1 or count * 7 <= most_bytes
        seen += [(n, i) for n in range(image.start, image.stop) for i in range(row.start, row.stop)]
    assert sorted(seen) == [(n, i) for n in range(4) for i in range(rows)]


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("block_bytes", [1, 5000, 4 << 20])
@pytest.mark.parametrize(("stride", "dilation", "groups"), [(1, 1, 1), (2, 1, 2), (3, 2, 4), (2, 2, 2)])
def test_equals_torch_exactly_in_integers(monkeypatch, axes, block_bytes, stride, dilation, groups):
    monkeypatch.setattr(module, "_BLOCK_BYTES", block_bytes)
    rng = np.random.default_rng(0)
    taps, strides, dilations = (3, 2, 3)[:axes], (stride,) * axes, (dilation,) * axes
    padding = ((2, 1), (0, 3), (1, 1))[:axes]
    x = rng.integers(-9, 9, (3, 4, *(9, 8, 7)[:axes])).astype(float)
    w = torch.zeros((8, 4 // groups, *taps), dtype=torch.float64, requires_grad=True)
    padded = torch.tensor(np.pad(x, ((0, 0), (0, 0), *padding)))
    y = getattr(torch.nn.functional, f"conv{axes}d")(padded, w, None, strides, 0, dilations, groups)
    dy = rng.integers(-9, 9, y.shape).astype(float)
    (exact,) = torch.autograd.grad(y, w, torch.tensor(dy))
    dw = filter_gradient(x, dy, taps, strides, padding, dilations, groups)
    np.testing.assert_array_equal(dw, exact.numpy())


@pytest.mark.parametrize("channels_last", [False, True])
def test_zero_padded_is_a_box_of_the_endless_image(channels_last):
    x = np.arange(1.0, 25.0).reshape(1, 2, 3, 4)
    endless = np.pad(x, ((0, 0), (0, 0), (20, 20), (20, 20)))
    for top, left in [(0, 0), (-2, 1), (2, -3), (-7, 0), (1, 9)]:
        for height, width in [(1, 1), (3, 4), (6, 7)]:
            box = zero_padded(x, [top, left], [height, width], channels_last)
            exact = endless[:, :, 20 + top : 20 + top + height, 20 + left : 20 + left + width]
            np.testing.assert_array_equal(box, np.moveaxis(exact, 1, -1) if channels_last else exact)


def test_filled_leaves_the_rest_of_the_store():
    store = np.full(10, 7.0)
    held = filled(store, np.arange(6.0).reshape(2, 3).T)
    np.testing.assert_array_equal(held, [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(store[6:], 7)
    assert np.shares_memory(held, store)
