"""Quantised layers against the definition in int64 and float64 NumPy, and against PyTorch's quantised layers."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from kernels import packed
from kernels.packed import Affine
from kernels.packed.lookups import has_lookup

SCHEMES = ("planes", *(["tables"] if has_lookup() else []), "int8", "packed")


def operand(affine, shape, random, axis=1):
    if affine.bipolar:
        x = random.choice([-1, 1], shape)
        return x, packed.pack_bipolar(x, axis=axis)
    x = random.integers(affine.range[0], affine.range[1] + 1, shape)
    return x, packed.pack(x, affine.bits, affine.signed, axis=axis)


def sums(x, w, zero, padding, stride):
    """Exact sums of (x - zero) w; zeros around."""
    x = np.pad(x.astype(np.int64) - zero, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    down, across = ((n - r) // stride + 1 for n, r in zip(x.shape[2:], w.shape[2:], strict=True))
    return sum(
        np.einsum("nchw,kc->nkhw", x[:, :, r : r + stride * down : stride, s : s + stride * across : stride],
                  w[:, :, r, s])
        for r, s in itertools.product(range(w.shape[2]), range(w.shape[3]))
    )


INPUTS = [
    Affine(4, False, 0.5, 5), Affine(3, True, 0.25, -4), Affine(8, False, 0.1, 255), Affine(8, True, 0.3, 17),
    Affine(1, False, 1.0, 1), Affine(1, True, 0.7, bipolar=True),
]
WEIGHTS = [Affine(2, True, 1.0), Affine(1, True, 1.0, bipolar=True), Affine(8, True, 1.0)]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("input", INPUTS, ids=lambda a: str(a.kind))
def test_zero_points_and_padding(input, scheme):
    random = np.random.default_rng(1)
    for of_w, stride in itertools.product(WEIGHTS, (1, 2)):
        x, a = operand(input, (2, 67, 6, 7), random)
        w, packed_w = operand(of_w, (19, 67, 3, 3), random)
        bias = random.integers(-1000, 1000, 19)
        layer = packed.Conv2d(packed_w, bias=bias, input=input, output="int32", padding=1, stride=stride, scheme=scheme)
        expected = sums(x, w, int(input.zero_points), 1, stride) + bias[:, None, None]
        np.testing.assert_array_equal(layer(a), expected, err_msg=f"{of_w} {stride}")


OUTPUTS = [Affine(4, False, 3.7, 3), Affine(3, True, 11.0, -1), Affine(8, False, 0.5), Affine(9, True, 0.31, 40)]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("output", OUTPUTS, ids=lambda a: str(a.kind))
def test_requantisation(output, scheme, relu):
    """In float64, as the docstring says, with Python's exact rounding of the last step."""
    random = np.random.default_rng(2)
    input = Affine(4, False, 0.37, 6)
    x, a = operand(input, (2, 40, 5, 6), random)
    w, packed_w = operand(Affine(3, True, 1.0), (37, 40, 3, 3), random)
    w_scale, bias = random.uniform(0.01, 0.2, 37), random.normal(size=37) * 10
    options = {"input": input, "padding": 1, "scheme": scheme, "relu": relu}
    layer = packed.Conv2d(packed_w, w_scale, bias, output=output, **options)
    y = layer(a)
    assert (y.bits, y.signed, y.axis, y.shape) == (output.bits, output.signed, 1, (2, 37, 5, 6))
    exact = sums(x, w, 6, 1, 1)
    factor = (0.37 * w_scale) / float(output.scales)
    addition = bias / float(output.scales)
    real = exact * factor[:, None, None] + addition[:, None, None]
    low, high = output.range
    low = max(low, output.zero_point) if relu else low
    rounded = np.array([round(Fraction(v)) for v in real.reshape(-1)]).reshape(real.shape)
    np.testing.assert_array_equal(y.unpack(), np.clip(rounded + output.zero_point, low, high))
    floats = packed.Conv2d(packed_w, w_scale, bias, output="float32", **options)(a)
    assert floats.dtype == np.float32
    real = exact * (0.37 * w_scale)[:, None, None] + bias[:, None, None]
    np.testing.assert_array_equal(floats, (np.maximum(real, 0) if relu else real).astype(np.float32))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_halves_go_to_the_even_neighbour(scheme):
    """One channel, one tap, half a step each: every other sum lies half way between two integers."""
    x = np.arange(16).reshape(1, 1, 4, 4)
    w = packed.pack(np.array([1, -1]).reshape(2, 1, 1, 1), 2, True, axis=1)
    for zero in (0, 1):
        layer = packed.Conv2d(w, 0.5, input=Affine(4, False, 1.0), output=Affine(5, True, 1.0, zero), scheme=scheme)
        y = layer(packed.pack(x, 4, False, axis=1)).unpack().reshape(2, 16)
        expected = np.array([[round(Fraction(sign * v, 2)) + zero for v in range(16)] for sign in (1, -1)])
        np.testing.assert_array_equal(y, expected)


def test_bipolar_output_is_the_sign():
    random = np.random.default_rng(4)
    bipolar = Affine(1, True, 1.0, bipolar=True)
    x, a = operand(bipolar, (1, 64, 5, 5), random)
    w, packed_w = operand(bipolar, (20, 64, 3, 3), random)
    threshold = random.integers(-8, 8, 20) * 2.0
    y = packed.Conv2d(packed_w, 1.0, threshold, input=bipolar, output=bipolar, padding=1)(a)
    real = sums(x, w, 0, 1, 1) + threshold[:, None, None]
    assert y.bipolar and (real == 0).any()
    np.testing.assert_array_equal(y.unpack(), np.where(real >= 0, 1, -1))


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # deprecated by PyTorch, and still the peer
@pytest.mark.parametrize("scheme", SCHEMES)
def test_as_pytorch_where_its_float32_is_exact(scheme):
    """Scales are powers of two, so that neither side rounds before the last step; ties are among the results.

    The zero point is even: PyTorch adds it before it rounds, and so would send ties to the odd neighbour otherwise.
    """
    random = np.random.default_rng(5)
    x = (random.integers(0, 128, (2, 16, 6, 6)) - 30).astype(np.float32) * 0.5
    w = random.integers(-64, 64, (10, 16, 3, 3)).astype(np.float32) * 0.25
    bias = random.integers(-300, 300, 10).astype(np.float32) * 0.125
    theirs = torch.ao.nn.quantized.functional.conv2d(
        torch.quantize_per_tensor(torch.from_numpy(x), 0.5, 30, torch.quint8),
        torch.quantize_per_tensor(torch.from_numpy(w), 0.25, 0, torch.qint8),
        torch.from_numpy(bias), padding=1, scale=32.0, zero_point=76, dtype=torch.quint8,
    ).int_repr().numpy()
    layer = packed.Conv2d(
        packed.quantize(w, Affine(8, True, 0.25), axis=1), 0.25, bias, input=Affine(8, False, 0.5, 30),
        output=Affine(8, False, 32.0, 76), padding=1, scheme=scheme,
    )
    np.testing.assert_array_equal(layer(x).unpack(), theirs)
    real = packed.Conv2d(packed.quantize(w, Affine(8, True, 0.25), axis=1), 0.25, bias,
                         input=Affine(8, False, 0.5, 30), padding=1)(x)
    assert (real / 32 % 1 == 0.5).any()
    with_integers = packed.Conv2d(
        packed.quantize(w, Affine(8, True, 0.25), axis=1), 0.25, (bias / 0.125).astype(int),
        input=Affine(8, False, 0.5, 30), output=Affine(8, False, 32.0, 76), padding=1, scheme=scheme,
    )
    np.testing.assert_array_equal(with_integers(x).unpack(), theirs)


def test_scales_from_each_input():
    random = np.random.default_rng(6)
    _, packed_w = operand(Affine(4, True, 1.0), (8, 5, 3, 3), random)
    layer = packed.Conv2d(packed_w, 0.1, input=Affine(6, False), padding=1)
    for shift in (0.0, -3.0, 5.0):
        x = random.normal(size=(1, 5, 7, 7)).astype(np.float32) + np.float32(shift)
        affine = Affine.of(x, 6, False)
        still = packed.Conv2d(packed_w, 0.1, input=affine, padding=1)
        np.testing.assert_array_equal(layer(x), still(x))


@pytest.mark.parametrize("rows", [(), (1,), (3,), (2, 5), (100,)])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_linear(rows, scheme):
    """Few rows, whose planes are multiplied apart, and many."""
    random = np.random.default_rng(7)
    for input, of_w in itertools.product(INPUTS, WEIGHTS):
        x, a = operand(input, (*rows, 150), random, axis=-1)
        w, packed_w = operand(of_w, (37, 150), random)
        bias = random.integers(-99, 99, 37)
        exact = (x.astype(np.int64) - int(input.zero_points)) @ w.T + bias
        layer = packed.Linear(packed_w, 0.5, bias, input=input, output="int32", scheme=scheme)
        np.testing.assert_array_equal(layer(a), exact, err_msg=f"{input} {of_w}")
        output = Affine(5, True, 16.0, 2)
        y = packed.Linear(packed_w, 0.5, bias, input=input, output=output, scheme=scheme, relu=True)(a)
        real = exact * (float(input.scales) * 0.5 / 16)
        np.testing.assert_array_equal(y.unpack(), np.clip(np.rint(real) + 2, 2, 15))


def test_layers_follow_each_other_in_packed_form():
    random = np.random.default_rng(8)
    first, middle = Affine(8, False, 0.1, 120), Affine(3, False, 0.5)
    w1, w2 = (operand(Affine(3, True, 1.0), shape, random) for shape in ((12, 3, 3, 3), (5, 12, 3, 3)))
    x = random.normal(size=(1, 3, 8, 8)).astype(np.float32)
    hidden = packed.Conv2d(w1[1], 0.1, input=first, output=middle, relu=True)(x)
    y = packed.Conv2d(w2[1], 0.2, input=middle)(hidden)
    expected = sums(hidden.unpack(), w2[0], 0, 0, 1) * (0.5 * 0.2)
    np.testing.assert_array_equal(y, expected.astype(np.float32))


@pytest.mark.parametrize("bits", range(1, 9))
def test_weights_take_their_bits(bits):
    layer = packed.Linear(packed.pack(np.zeros((64, 320), int), bits, True), input=Affine(4, False, 1.0),
                          scheme="planes")
    layer(packed.pack(np.zeros((1, 320), int), 4, False))
    assert layer.nbytes == 64 * 320 * bits // 8


def test_what_is_refused():
    w = packed.pack(np.ones((4, 3, 2, 2), int), 2, True, axis=1)
    input = Affine(4, False, 1.0)
    with pytest.raises(TypeError, match="w must be a PackedArray of 4 dimensions"):
        packed.Conv2d(w.unpack(), input=input)
    with pytest.raises(TypeError, match="w must be a PackedArray of 2 dimensions"):
        packed.Linear(w, input=input)
    with pytest.raises(TypeError, match="input must be an Affine"):
        packed.Conv2d(w, input=4)
    with pytest.raises(ValueError, match="input must have one scale"):
        packed.Conv2d(w, input=Affine(4, False, [1.0, 2.0]))
    with pytest.raises(ValueError, match="output must have one scale"):
        packed.Conv2d(w, input=input, output=Affine(4, False))
    with pytest.raises(ValueError, match='output must be "float32", "int32" or an Affine'):
        packed.Conv2d(w, input=input, output="int8")
    with pytest.raises(ValueError, match="w_scale must be above 0: one number, or one for each of 4"):
        packed.Conv2d(w, [1.0, 2.0], input=input)
    with pytest.raises(ValueError, match=r"bias must have shape \(4,\)"):
        packed.Conv2d(w, 1.0, [1, 2], input=input)
    with pytest.raises(ValueError, match="bias must hold finite numbers"):
        packed.Conv2d(w, 1.0, [1.0, 2.0, 3.0, np.inf], input=input)
    with pytest.raises(ValueError, match="bias must be integers"):
        packed.Conv2d(w, 1.0, [1.0, 2.0, 3.0, 4.0], input=input, output="int32")
    layer = packed.Conv2d(w, input=input)
    with pytest.raises(ValueError, match="x must be of uint4, as input says"):
        layer(packed.pack(np.ones((1, 3, 4, 4), int), 3, False, axis=1))
    with pytest.raises(TypeError, match="x must be float32 or float64"):
        layer(np.ones((1, 3, 4, 4), int))
    with pytest.raises(ValueError, match="x must be real numbers where input has no scale"):
        packed.Conv2d(w, input=Affine(4, False))(packed.pack(np.ones((1, 3, 4, 4), int), 4, False, axis=1))
    with pytest.raises(ValueError, match="channels"):
        layer(np.ones((1, 4, 4, 4), np.float32))
    with pytest.raises(ValueError, match="zero_point must lie in 0 to 15 for uint4; got 16"):
        packed.conv2d(packed.pack(np.ones((1, 3, 4, 4), int), 4, False, axis=1), w, zero_point=16)
    large = packed.pack(np.ones((1, 3, 1, 1), int), 8, True, axis=1)
    with pytest.raises(ValueError, match="a bias of 2147483000 to 2147483000 must fit int32"):
        packed.Conv2d(large, 1.0, [2147483000], input=Affine(8, False, 1.0))(np.ones((1, 3, 1, 1)))
