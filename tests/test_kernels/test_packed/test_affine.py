"""Quantising: rounded once to the nearest integer, ties to the even one, against exact fractions and PyTorch."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from kernels import packed
from kernels.packed import Affine, dequantize, quantize


def exact(x, scale, zero, low, high):
    """The definition; float64 division is the only rounding before the last."""
    return np.array([min(high, max(low, round(Fraction(float(v) / scale)) + zero)) for v in x.reshape(-1)]).reshape(
        x.shape
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "bits, signed, zero", [(1, False, 0), (2, True, -1), (4, False, 7), (8, True, 0), (16, False, 9)]
)
def test_as_the_definition_says(bits, signed, zero, dtype):
    random = np.random.default_rng(bits)
    affine = Affine(bits, signed, 0.3, zero)
    x = (random.normal(size=(7, 33)) * 2**bits / 8).astype(dtype)
    expected = exact(x, 0.3, zero, *affine.range)
    for axis in (0, 1):
        a = quantize(x, affine, axis)
        assert a.axis == axis
        np.testing.assert_array_equal(a.unpack(), expected)


def test_halves_go_to_the_even_neighbour_before_the_zero_point_is_added():
    halves = np.arange(-12.5, 13, 1.0)
    for zero in (0, 1):
        a = quantize(halves * 0.25, Affine(6, True, 0.25, zero))
        np.testing.assert_array_equal(a.unpack(), np.array([2 * round(v / 2) for v in halves]) + zero)


def test_the_neighbours_of_halves():
    halves = np.arange(-7.5, 8)
    for direction in (-np.inf, np.inf):
        x = np.nextafter(halves, direction)
        expected = np.floor(halves) if direction < 0 else np.ceil(halves)
        np.testing.assert_array_equal(quantize(x, Affine(5, True, 1.0)).unpack(), expected)


def test_infinity_and_what_is_far_away():
    x = np.array([np.inf, -np.inf, 1e300, -1e300, -0.0])
    np.testing.assert_array_equal(quantize(x, Affine(3, True, 1.0, 1)).unpack(), [3, -4, 3, -4, 1])


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # deprecated by PyTorch, and still the peer
@pytest.mark.parametrize("kind, low, high", [("quint8", 0, 255), ("qint8", -128, 127)])
def test_as_pytorch_for_scales_that_are_powers_of_two(kind, low, high):
    # PyTorch multiplies by the inverse in float32, which is exact for these scales, and adds the zero point before it
    # rounds, which for even ones is the same.
    x = np.random.default_rng(0).normal(size=1000).astype(np.float32) * 100
    x[:50] = np.arange(-25, 25) + 0.5
    for scale, zero in ((1.0, 4), (0.5, low), (4.0, 100)):
        theirs = torch.quantize_per_tensor(torch.from_numpy(x), scale, zero, getattr(torch, kind))
        affine = Affine(8, low < 0, scale, zero)
        ours = quantize(x, affine)
        np.testing.assert_array_equal(ours.unpack(), theirs.int_repr().numpy())
        np.testing.assert_array_equal(dequantize(ours, affine), theirs.dequantize().numpy())


@pytest.mark.parametrize("channel_axis", [0, 1, 2])
def test_scales_of_channels(channel_axis):
    random = np.random.default_rng(3)
    x = random.normal(size=(3, 4, 5)).astype(np.float32)
    scales = random.uniform(0.1, 0.4, x.shape[channel_axis])
    zeros = random.integers(-3, 3, x.shape[channel_axis])
    affine = Affine(4, True, scales, zeros)
    a = quantize(x, affine, axis=1, channel_axis=channel_axis)
    real = dequantize(a, affine, channel_axis=channel_axis, dtype="float64")
    for k in range(x.shape[channel_axis]):
        part = np.take(x, k, channel_axis)
        expected = exact(part, scales[k], zeros[k], -8, 7)
        np.testing.assert_array_equal(np.take(a.unpack(), k, channel_axis), expected)
        np.testing.assert_array_equal(np.take(real, k, channel_axis), (expected - zeros[k]) * scales[k])


def test_bipolar():
    affine = Affine(1, True, 0.5, bipolar=True)
    a = quantize(np.array([-0.1, 0.0, -0.0, 3.0], np.float32), affine)
    np.testing.assert_array_equal(a.unpack(), [-1, 1, 1, 1])
    np.testing.assert_array_equal(dequantize(a, affine), [-0.5, 0.5, 0.5, 0.5])


def test_covering_an_array():
    x = np.array([[-1.0, 2.0], [0.5, 0.25], [0.0, 0.0]])
    whole = Affine.of(x, 8, False)
    assert whole.scale == 3 / 255 and whole.zero_point == 85
    assert Affine.of(x, 4, True).scale == 2 / 7
    rows = Affine.of(x, 4, True, channel_axis=0)
    assert rows.scales.tolist() == [2 / 7, 0.5 / 7, 1.0] and not rows.zero_points.any()
    assert Affine.of(x, 1, True, bipolar=True).scale == np.abs(x).mean()
    back = dequantize(quantize(x, whole), whole, dtype="float64")
    assert np.abs(back - x).max() <= whole.scale / 2 * (1 + 2 * np.finfo(float).eps * 256)  # half a step
    assert math.isclose(Affine.of(x, 4, True, symmetric=False).scale, 3 / 15)


def test_what_is_refused():
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="scale must be a number above 0"):
        Affine(4, True, -1.0)
    with pytest.raises(ValueError, match="scale must be a number above 0"):
        Affine(4, True, [1.0, np.nan])
    with pytest.raises(ValueError, match="zero_point must lie in -8 to 7 for int4; got 8"):
        Affine(4, True, 1.0, 8)
    with pytest.raises(TypeError, match="zero_point must hold integers"):
        Affine(4, True, 1.0, 0.5)
    with pytest.raises(ValueError, match="one number for each scale; got 3 for 2"):
        Affine(4, True, [1.0, 2.0], [0, 0, 0])
    with pytest.raises(ValueError, match="bits must be 1 to 16"):
        Affine(17, True, 1.0)
    with pytest.raises(ValueError, match="bipolar numbers must be signed"):
        Affine(2, True, 1.0, bipolar=True)
    with pytest.raises(ValueError, match="symmetric numbers must be signed"):
        Affine.of(x, 1, True)
    with pytest.raises(ValueError, match="x must have elements, all finite"):
        Affine.of(np.full(3, np.inf), 4, True)
    with pytest.raises(TypeError, match="x must be float32 or float64; got int64"):
        quantize(np.zeros(3, int), Affine(4, True, 1.0))
    for bipolar in (False, True):
        with pytest.raises(ValueError, match="x must not hold NaN; got 2"):
            quantize(np.array([np.nan, 1, np.nan]), Affine(1, True, 1.0, bipolar=bipolar))
    with pytest.raises(ValueError, match="channel_axis must be given, for there are 2 scales"):
        quantize(x, Affine(4, True, [1.0, 2.0]))
    with pytest.raises(ValueError, match="scale must have 3 numbers, as axis 1 has; got 2"):
        quantize(x, Affine(4, True, [1.0, 2.0]), channel_axis=1)
    with pytest.raises(ValueError, match="channel_axis must be None"):
        quantize(x, Affine(4, True, 1.0), channel_axis=0)
    with pytest.raises(ValueError, match="scale must be given here"):
        quantize(x, Affine(4, True))
    with pytest.raises(ValueError, match="axis must be one of the 2"):
        quantize(x, Affine(4, True, 1.0), axis=2)
    a = packed.pack(np.zeros(3, int), 3, True)
    with pytest.raises(ValueError, match="a must be of int4"):
        dequantize(a, Affine(4, True, 1.0))
    with pytest.raises(TypeError, match="a must be a PackedArray"):
        dequantize(x, Affine(4, True, 1.0))
    with pytest.raises(TypeError, match="dtype must be float32 or float64"):
        dequantize(a, Affine(3, True, 1.0), dtype="float16")
