"""Phases against the sum they stand for, exhaustively; input gradients of one to three axes through im2col."""

import itertools

import numpy as np
import pytest
import torch

from kernels import im2col
from kernels.arguments import output_size
from kernels.input_gradient import input_gradient, phases


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("dilation", [1, 2, 3, 4])
def test_phases_write_every_product_once(stride, dilation):
    """As sets of (position in dx, position in dy, tap): what the phases do, and what the definition says."""
    for taps, before, after, length in itertools.product((1, 2, 3, 5), (0, 1, 4, 9), (0, 5), (1, 2, 7, 12)):
        if length + before + after < dilation * (taps - 1) + 1:
            continue
        outputs = output_size(length, taps, (before, after), stride, dilation, "width")
        expected = sorted(
            (i * stride + a * dilation - before, i, a)
            for i, a in itertools.product(range(outputs), range(taps))
            if 0 <= i * stride + a * dilation - before < length
        )
        found, written = [], []
        for phase in phases(length, outputs, taps, stride, before, dilation):
            positions = range(length)[phase.written]
            padded = [None] * phase.padding[0] + list(range(outputs)[phase.read]) + [None] * phase.padding[1]
            taken = range(taps)[phase.taps]
            assert min(phase.padding) >= 0
            assert len(positions) == len(padded) - phase.dilation * (len(taken) - 1)
            written += positions
            found += [
                (t, padded[q + j * phase.dilation], a)
                for q, t in enumerate(positions)
                for j, a in enumerate(taken)
                if padded[q + j * phase.dilation] is not None
            ]
        assert sorted(found) == expected
        assert len(set(written)) == len(written)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(("stride", "dilation", "groups"), [(1, 1, 1), (2, 1, 2), (3, 2, 1), (2, 2, 2), (1, 3, 2)])
def test_equals_torch_exactly_in_integers(axes, channels_last, stride, dilation, groups):
    rng = np.random.default_rng(0)
    lengths, taps = (9, 8, 7)[:axes], (3, 2, 3)[:axes]
    strides, dilations, padding = (stride,) * axes, (dilation,) * axes, ((2, 1), (0, 3), (1, 1))[:axes]
    x = torch.tensor(rng.integers(-9, 9, (2, 4, *lengths)).astype(float), requires_grad=True)
    w = rng.integers(-9, 9, (6, 4 // groups, *taps)).astype(float)
    sides = [side for pair in reversed(padding) for side in pair]
    padded = torch.nn.functional.pad(x, sides)
    y = getattr(torch.nn.functional, f"conv{axes}d")(padded, torch.tensor(w), None, strides, 0, dilations, groups)
    dy = rng.integers(-9, 9, y.shape).astype(float)
    (exact,) = torch.autograd.grad(y, x, torch.tensor(dy))

    def forward(part, filters, padding, spacing):
        part = np.moveaxis(part, -1, 1) if channels_last else part
        result = im2col.run(part, filters, (1,) * axes, padding, spacing, groups)
        return np.moveaxis(result, 1, -1) if channels_last else result

    given = np.moveaxis(dy, 1, -1) if channels_last else dy
    dx = input_gradient(given, w, lengths, strides, padding, dilations, groups, channels_last, forward)
    np.testing.assert_array_equal(np.moveaxis(dx, -1, 1) if channels_last else dx, exact.numpy())


def test_inputs_that_no_output_reads_are_zero():
    """A filter of one tap with stride 3 reads every third input; padding larger than the filter, no input at all."""
    calls = []

    def forward(part, filters, padding, spacing):
        calls.append(part.shape)
        return im2col.run(part, filters, (1,), padding, spacing)

    dx = input_gradient(np.ones((1, 1, 3)), np.ones((1, 1, 1)), (7,), (3,), ((0, 0),), (1,), 1, False, forward)
    np.testing.assert_array_equal(dx, [[[1, 0, 0, 1, 0, 0, 1]]])
    assert len(calls) == 1
    dx = input_gradient(np.ones((1, 1, 1)), np.ones((1, 1, 2)), (2,), (9,), ((4, 0),), (1,), 1, False, forward)
    np.testing.assert_array_equal(dx, [[[0, 0]]])
    assert len(calls) == 1
