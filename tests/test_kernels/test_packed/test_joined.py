"""Taps of a row joined with few channels: fewer words, the same sums as int64 NumPy."""

import itertools

import numpy as np
import pytest

from kernels import packed
from kernels.packed import running
from kernels.packed.joined import JoinedWeights, saves_words, weights_for
from kernels.packed.numbers import Numbers, numbers_of
from kernels.packed.weights import Weights

KINDS = [Numbers(1, False), Numbers(1, True, True), Numbers(3, True), Numbers(5, False)]


def values(kind, shape, random, spacer=False):
    if kind.bipolar:
        x = random.choice([-1, 1], shape)
        return x, packed.pack_bipolar(x, axis=1, spacer=spacer)
    x = random.integers(kind.range[0], kind.range[1] + 1, shape)
    return x, packed.pack(x, kind.bits, kind.signed, axis=1, spacer=spacer)


def expected(x, w, stride, padding, dilation, groups, zero=0):
    """Sums of (x - zero) w as they are written, in int64; pairs are (height, width)."""
    images, channels = x.shape[:2]
    filters, _, rows, columns = w.shape
    x = np.pad(x.astype(np.int64) - zero, ((0, 0), (0, 0), *padding))
    down, across = ((n - (t - 1) * d - 1) // s + 1
                    for n, t, d, s in zip(x.shape[2:], w.shape[2:], dilation, stride, strict=True))
    x, w = x.reshape(images, groups, channels // groups, *x.shape[2:]), w.reshape(groups, -1, *w.shape[1:])
    y = np.zeros((images, groups, filters // groups, down, across), np.int64)
    for r, s in itertools.product(range(rows), range(columns)):
        part = x[..., r * dilation[0] :, s * dilation[1] :]
        part = part[..., : (down - 1) * stride[0] + 1 : stride[0], : (across - 1) * stride[1] + 1 : stride[1]]
        y += np.einsum("ngchw,gkc->ngkhw", part, w[..., r, s])
    return y.reshape(images, filters, down, across)


@pytest.mark.parametrize("channels", range(1, 41))
def test_few_channels(channels):
    """Options change with the channels, so that all meet; in each a zero point, and padding on all sides."""
    random = np.random.default_rng(channels)
    stride, dilation = ((1, 1), (2, 1), (1, 2), (3, 3))[channels % 4], ((1, 1), (2, 2), (1, 3))[channels % 3]
    padding = (((1, 2), (3, 0)), ((0, 0), (0, 0)), ((2, 2), (1, 5)))[channels // 3 % 3]
    taps, groups = ((2, 3), (1, 5), (3, 2), (2, 7))[channels // 4 % 4], (1, 2)[channels // 5 % 2]
    for number, a_kind in enumerate(KINDS):
        x, a = values(a_kind, (2, channels * groups, 9, 26), random, spacer=channels % 2 == 0)
        for w_kind in (KINDS[(number + channels) % 4], KINDS[(number + channels + 1) % 4]):
            w, packed_w = values(w_kind, (18 * groups, channels, *taps), random)
            zero = 0 if a_kind.bipolar else int(random.integers(a_kind.range[0], a_kind.range[1] + 1))
            assert saves_words(w.shape) == (channels <= 32 or taps[1] > 2)
            layer = packed.Convolution(packed_w, stride, padding, dilation, groups, "planes")
            y = layer(a, zero_point=zero, threads=1 + channels % 2)
            np.testing.assert_array_equal(y, expected(x, w, stride, padding, dilation, groups, zero), f"{w_kind}")


@pytest.mark.parametrize("channels", [61, 63, 65, 70, 96, 100, 130])
@pytest.mark.parametrize("a_kind", [Numbers(1, False), Numbers(3, True), Numbers(5, False), Numbers(6, True)], ids=str)
def test_channels_about_a_word(a_kind, channels):
    """Where a word's lanes end beyond the channels, and where a tap has several words."""
    random = np.random.default_rng(channels)
    x, a = values(a_kind, (1, channels, 4, 21), random)
    for w_kind, taps in itertools.product((Numbers(2, True), Numbers(1, True, True)), ((2, 3), (1, 2), (1, 65))):
        w, packed_w = values(w_kind, (3, channels, *taps), random)
        layer = packed.Convolution(packed_w, padding=((0, 1), (40, 30)), scheme="planes")
        np.testing.assert_array_equal(layer(a), expected(x, w, (1, 1), ((0, 1), (40, 30)), (1, 1), 1))


def test_one_axis_and_blocks_of_columns(monkeypatch):
    monkeypatch.setattr(running, "_MOST_COLUMNS", 13)
    monkeypatch.setattr(running, "_STRIP_BYTES", 1)
    random = np.random.default_rng(3)
    x, a = values(Numbers(2, True), (3, 5, 100), random)
    w, packed_w = values(Numbers(1, True, True), (20, 5, 6), random)
    for stride, dilation in ((1, 1), (2, 3), (5, 1)):
        y = packed.conv1d(a, packed_w, stride, 4, dilation, scheme="planes", zero_point=-2)
        exact = expected(x[:, :, None], w[:, :, None], (1, stride), ((0, 0), (4, 4)), (1, dilation), 1, -2)
        np.testing.assert_array_equal(y, exact[:, :, 0])


def test_layers_with_real_input_and_every_scheme():
    """The first layer of a network: each scheme gives the same bits, and the planes take few words."""
    random = np.random.default_rng(4)
    x = random.normal(size=(1, 3, 20, 20)).astype(np.float32)
    _, w = values(Numbers(2, True), (8, 3, 7, 7), random)
    options = {"input": packed.Affine(4, False, 0.3, 8), "output": packed.Affine(2, False, 4.0), "padding": 3}
    layers = {scheme: packed.Conv2d(w, 0.1, stride=2, scheme=scheme, **options)
              for scheme in ("planes", "int8", "packed", "auto")}
    results = {scheme: layer(x).unpack() for scheme, layer in layers.items()}
    for result in results.values():
        np.testing.assert_array_equal(result, results["planes"])
    panel = w.shape[0] + -w.shape[0] % Weights(np.ones((1, 1), int), numbers_of(w)).numbers
    assert layers["planes"].nbytes == panel * 7 * 2 * 8  # a word for a row of taps, and 2 planes


@pytest.mark.parametrize("kind", [Numbers(1, True, True), Numbers(3, True)], ids=str)
def test_joined_weights_are_those_apart(kind):
    random = np.random.default_rng(5)
    w, _ = values(kind, (22, 5, 3, 4), random)
    joined, plain = JoinedWeights(w, kind, 2), Weights(w, kind, 2)
    np.testing.assert_array_equal(joined.tap_sums(), plain.tap_sums())
    np.testing.assert_array_equal(joined.apart().planes, plain.planes)
    assert (joined.channels, joined.taps, joined.joined, joined.words) == (20, 3, 4, 1)
    assert joined.shape_for("planes") == (22, 20, (3, 1)) and joined.shape_for("int8") == plain.shape_for("int8")
    assert isinstance(weights_for(w, kind, 1, "auto"), JoinedWeights)
    assert not isinstance(weights_for(w, kind, 1, "int8"), JoinedWeights)
    assert not isinstance(weights_for(w[:, :, :, :1], kind, 1, "planes"), JoinedWeights)
