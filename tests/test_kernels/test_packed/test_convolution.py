"""Convolution of packed numbers against int64 NumPy: all kinds of numbers, all options, both schemes."""

import itertools

import numpy as np
import pytest

from kernels import packed
from kernels.packed.arguments import value_range
from kernels.packed.lookups import has_lookup

SCHEMES = ("planes", *(["tables"] if has_lookup() else []), "int8", "packed")
KINDS = ["uint1", "int1", "bipolar", "ternary", "uint2", "int3", "uint7", "uint8", "int8"]


def values(kind, shape, random):
    """Numbers of a kind; both ends of its range among them, and as the packed array along axis 1."""
    if kind == "bipolar":
        x = random.choice([-1, 1], shape)
        return x, packed.pack_bipolar(x, axis=1)
    if kind == "ternary":
        x = random.integers(-1, 2, shape)
        return x, packed.pack_ternary(x, axis=1)
    signed, bits = not kind.startswith("u"), int(kind.lstrip("uint"))
    low, high = value_range(bits, signed)
    x = random.integers(low, high + 1, shape)
    x.reshape(-1)[:2] = low, high
    return x, packed.pack(x, bits, signed, axis=1)


def expected(x, w, stride=1, padding=0, dilation=1, groups=1):
    """The sum as it is written, in int64."""
    images, channels, *_ = x.shape
    filters, each, rows, columns = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    down = (x.shape[2] - (rows - 1) * dilation - 1) // stride + 1
    across = (x.shape[3] - (columns - 1) * dilation - 1) // stride + 1
    y = np.zeros((images, groups, filters // groups, down, across), np.int64)
    x = x.reshape(images, groups, channels // groups, *x.shape[2:])
    w = w.reshape(groups, filters // groups, each, rows, columns)
    for r, s in itertools.product(range(rows), range(columns)):
        top, left = r * dilation, s * dilation
        part = x[..., top : top + (down - 1) * stride + 1 : stride, left : left + (across - 1) * stride + 1 : stride]
        y += np.einsum("ngchw,gkc->ngkhw", part, w[..., r, s])
    return y.reshape(images, filters, down, across)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("a_kind", KINDS)
def test_every_pair_of_kinds(a_kind, scheme):
    random = np.random.default_rng(1)
    for w_kind in KINDS:
        x, a = values(a_kind, (2, 67, 5, 9), random)
        w, packed_w = values(w_kind, (18, 67, 3, 2), random)
        y = packed.conv2d(a, packed_w, padding=1, scheme=scheme)
        assert y.dtype == np.int32
        np.testing.assert_array_equal(y, expected(x, w, padding=1), err_msg=w_kind)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "kinds", [("uint2", "bipolar"), ("bipolar", "int2"), ("bipolar", "bipolar"), ("int5", "uint3")]
)
@pytest.mark.parametrize("stride, padding, dilation, groups", [(2, 0, 1, 1), (1, 2, 2, 3), (3, 1, 1, 2), (2, 3, 3, 6)])
def test_options(kinds, scheme, stride, padding, dilation, groups):
    random = np.random.default_rng(2)
    x, a = values(kinds[0], (2, 12, 17, 8), random)
    w, packed_w = values(kinds[1], (6, 12 // groups, 2, 3), random)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    y = packed.conv2d(a, packed_w, scheme=scheme, **options)
    np.testing.assert_array_equal(y, expected(x, w, **options))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bits", itertools.product((1, 2, 3), repeat=2))
@pytest.mark.parametrize("signs", itertools.product((False, True), repeat=2))
def test_every_product_of_small_numbers(bits, signs, scheme):
    """One channel, one tap: pixel i times filter k is every product that there is."""
    (x_low, x_high), (w_low, w_high) = (value_range(*kind) for kind in zip(bits, signs, strict=True))
    x, w = np.arange(x_low, x_high + 1).reshape(1, 1, -1), np.arange(w_low, w_high + 1).reshape(-1, 1, 1)
    a, packed_w = packed.pack(x, bits[0], signs[0], axis=1), packed.pack(w, bits[1], signs[1], axis=1)
    np.testing.assert_array_equal(packed.conv1d(a, packed_w, scheme=scheme)[0], w[:, 0] * x[0])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bits, signed", [(1, True), (4, False), (8, False), (8, True)])
def test_sums_at_the_ends_of_the_range(bits, signed, scheme):
    """All numbers at one end: the dot products of the CPU must not saturate."""
    for x_end, w_end in itertools.product(range(2), repeat=2):
        x, w = (np.full((1, 300, 1, 1), value_range(bits, signed)[end]) for end in (x_end, w_end))
        a, packed_w = (packed.pack(v, bits, signed, axis=1) for v in (x, w))
        assert packed.conv2d(a, packed_w, scheme=scheme).item() == (x * w).sum()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_rows_longer_than_a_block_and_lanes_with_spacers(scheme):
    random = np.random.default_rng(3)
    x, w = random.integers(-4, 4, (2, 70, 1000)), random.integers(0, 2, (3, 70, 5))
    a, packed_w = packed.pack(x, 3, True, axis=1, spacer=True), packed.pack(w, 1, False, axis=1, spacer=True)
    y = packed.conv1d(a, packed_w, stride=2, padding=2, scheme=scheme)
    np.testing.assert_array_equal(y[:, :, None], expected(
        np.pad(x, ((0, 0), (0, 0), (2, 2)))[:, :, None], w[:, :, None], stride=2))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bits, signed", [(8, False), (8, True), (16, True)])
def test_lanes_that_fill_a_field_and_have_spacers(bits, signed, scheme):
    if scheme == "tables" and bits > 8:
        return  # see test_matrices
    low, high = value_range(bits, signed)
    x, w = np.array([low, high, 0, 1, high, low, high]), np.ones((7, 1), int)
    a, packed_w = packed.pack(x, bits, signed, spacer=True), packed.pack(w, 8, True, axis=0, spacer=True)
    assert packed.matmul(a, packed_w, scheme=scheme).item() == x.sum()
    image, taps = (packed.pack(v.reshape(1, 7, 1, 1), v_bits, v_signed, axis=1, spacer=True)
                   for v, v_bits, v_signed in ((x, bits, signed), (w, 8, True)))
    assert packed.conv2d(image, taps, scheme=scheme).item() == x.sum()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_threads_share_an_image(scheme):
    random = np.random.default_rng(4)
    x, a = values("uint2", (1, 64, 40, 30), random)
    w, packed_w = values("ternary", (40, 64, 3, 3), random)
    layer = packed.Convolution(packed_w, padding=1, scheme=scheme)
    for threads in (1, 2, 5):
        np.testing.assert_array_equal(layer(a, threads=threads), expected(x, w, padding=1))


def test_no_images():
    a = packed.pack(np.zeros((0, 3, 4, 4), int), 2, False, axis=1)
    w = packed.pack(np.ones((5, 3, 3, 3), int), 2, False, axis=1)
    assert packed.conv2d(a, w).shape == (0, 5, 2, 2)


def test_the_weights_are_copied():
    a, w = (packed.pack(np.ones((1, 3, 4), int), 2, False, axis=1) for _ in range(2))
    layer = packed.Convolution(w)
    w.words[...] = 0
    assert layer(a).item() == 12


def test_the_largest_sum_that_fits():
    """46340**2 < 2**31 <= 2**16 * 2**15: sums of 16-bit numbers are refused with the numbers."""
    a = packed.pack(np.full((1, 3, 1), -(1 << 15)), 16, True, axis=1)
    w = packed.pack(np.full((1, 3, 1), -(1 << 15)), 16, True, axis=1)
    with pytest.raises(ValueError, match=r"sum of 3 products of int16 and int16 .* to 3221225472: the most is 1\."):
        packed.conv1d(a, w)


def test_what_is_refused():
    a = packed.pack(np.ones((1, 4, 5, 5), int), 2, False, axis=1)
    w = packed.pack(np.ones((6, 4, 3, 3), int), 2, False, axis=1)
    with pytest.raises(TypeError, match="a must be a PackedArray; got ndarray"):
        packed.conv2d(a.unpack(), w)
    with pytest.raises(ValueError, match="be packed along axis 1"):
        packed.conv2d(packed.pack(np.ones((1, 4, 5, 5), int), 2, False, axis=0), w)
    with pytest.raises(ValueError, match="a must have 8 channels"):
        packed.conv2d(a, w, groups=2)
    with pytest.raises(ValueError, match="groups must be a positive divisor"):
        packed.conv2d(a, w, groups=4)
    with pytest.raises(ValueError, match="the filter must fit"):
        packed.conv2d(a, w, dilation=3)
    with pytest.raises(ValueError, match=r"scheme must be 'auto', .*'fields', 'int8', 'packed'; got 'fast'"):
        packed.conv2d(a, w, scheme="fast")
    wide = packed.pack(np.ones((1, 1, 5), int), 16, False, axis=1)
    with pytest.raises(ValueError, match='scheme must be "planes" or "packed" for uint16 and uint2'):
        packed.conv1d(wide, packed.pack(np.ones((1, 1, 1), int), 2, False, axis=1), scheme="int8")


def test_what_was_taken_and_why_is_told():
    a = packed.pack(np.ones((1, 4, 5, 5), int), 2, False, axis=1)
    w = packed.pack(np.ones((6, 4, 3, 3), int), 2, False, axis=1)
    y, why = packed.conv2d(a, w, scheme="planes", explain=True)
    assert why == "planes: asked for" and (y == 36).all()
    y, why = packed.conv2d(a, w, explain=True)
    assert why.split(":")[0] in SCHEMES and "step times" in why and (y == 36).all()
    row, column = packed.pack([1, 2], 2, False), packed.pack([1, 3], 2, False)
    assert packed.dot(row, column, scheme="int8", explain=True) == (7, "int8: asked for")
