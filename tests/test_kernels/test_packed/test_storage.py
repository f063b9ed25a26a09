"""Packing: every value of every width, any dtype, any axis; the memory order; what is out of range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kernels import packed
from kernels.packed.arguments import value_range

DTYPES = [np.dtype(kind + size) for kind in "iu" for size in "1248"]


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_every_value_comes_back_from_every_axis(bits, signed, spacer):
    low, high = value_range(bits, signed)
    x = np.arange(low, high + 1)
    # Lengths that fill words exactly, that do not, and blocks of more words than are staged at a time.
    x = np.resize(x, (3, max(x.size, 131), 2)) if bits < 12 else np.resize(x, (1, x.size, 2))
    for axis in (0, 1, 2, -1):
        assert np.array_equal(packed.pack(x, bits, signed, axis, spacer).unpack(), x)


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_words_are_the_lanes_shifted_to_their_places(bits, spacer):
    x = np.random.default_rng(bits).integers(-(1 << bits - 1), 1 << bits - 1, (2, 150))
    a = packed.pack(x, bits, True, spacer=spacer)
    pitch = bits + spacer
    lanes = 64 // pitch
    for row, words in zip(x.tolist(), a.words.tolist(), strict=True):
        for k, word in enumerate(words):
            members = row[k * lanes : (k + 1) * lanes]
            assert word == sum((v % (1 << bits)) << (i * pitch) for i, v in enumerate(members))


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(bool), np.dtype(">i4"), np.dtype(">u2")], ids=str)
@pytest.mark.parametrize("bits", [1, 5, 8, 11, 16])
def test_every_integer_dtype(bits, dtype):
    low, high = value_range(bits, True)
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    for signed in (True, False):
        low, high = value_range(bits, signed)
        values = np.array([max(low, limits[0]), min(high, limits[1]), 0] * 40).astype(dtype)
        for x in (values, values.reshape(2, 30, 2), values[::-2]):
            if x.max(initial=0) <= high:
                assert np.array_equal(packed.pack(x, bits, signed, axis=x.ndim // 2).unpack(np.int64), x.astype(int))


@given(
    x=arrays.arrays(
        st.sampled_from([d.newbyteorder("=") for d in DTYPES]), arrays.array_shapes(max_dims=4, min_side=0, max_side=40)
    ),
    bits=st.integers(1, 16),
    signed=st.booleans(),
    spacer=st.booleans(),
    data=st.data(),
)
def test_overflow_does_what_its_name_says(x, bits, signed, spacer, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    low, high = value_range(bits, signed)
    exact = x.astype(object)
    wrapped = (exact - low) % (1 << bits) + low
    saturated = np.clip(exact, low, high)
    for overflow, expected in (("wrap", wrapped), ("saturate", saturated)):
        a = packed.pack(x, bits, signed, axis, spacer, overflow)
        assert np.array_equal(a.unpack(np.int64), expected.astype(np.int64))
    if np.array_equal(exact, wrapped):
        assert np.array_equal(packed.pack(x, bits, signed, axis, spacer).unpack(np.int64), x)
    else:
        first = np.argwhere(exact != wrapped)[0]
        with pytest.raises(ValueError) as caught:
            packed.pack(x, bits, signed, axis, spacer)
        place = ", ".join(map(str, first))
        assert f"got {exact[tuple(first)]} at [{place}] " in str(caught.value)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("at", [0, 5000, 29_999])
def test_one_value_out_of_range_is_found_anywhere(at, axis):
    x = np.zeros(30_000, np.int8)
    x[at] = 2
    x[-1] = -3
    place = at if axis else f"{at // 3}, {at % 3}"
    with pytest.raises(ValueError, match=rf"x must lie in -2 to 1 for int2; got {x[at]} at \[{place}\]"):
        packed.pack(x if axis else x.reshape(-1, 3), 2, True, axis=0)


def test_no_elements():
    for shape in ((0,), (3, 0), (0, 5)):
        assert packed.pack(np.zeros(shape, int), 3, True).unpack().shape == shape


def test_ternary():
    x = np.resize([-1, 0, 1, 1], (3, 70))
    a = packed.pack_ternary(x)
    assert (a.bits, a.signed) == (2, True) and np.array_equal(a.unpack(), x)
    assert np.array_equal(packed.pack_ternary(x * 5, overflow="saturate").unpack(), x)
    with pytest.raises(ValueError, match=r"x must lie in -1 to 1 for ternary values; got -2 at \[1\]"):
        packed.pack_ternary([0, -2, 2])
    with pytest.raises(ValueError, match="overflow must be 'error', 'saturate'"):
        packed.pack_ternary([0], overflow="wrap")


@pytest.mark.parametrize("bits", [1, 2])
@pytest.mark.parametrize("axis", [0, 1])
def test_bipolar(bits, axis):
    x = np.resize([-1, 1, 1], (70, 5))
    a = packed.pack_bipolar(x, bits, axis)
    assert a.bits == bits and a.bipolar == (bits == 1) and np.array_equal(a.unpack(), x)
    with pytest.raises(ValueError, match=r"x must be -1 or \+1; got 0 at \[1, 0\]"):
        packed.pack_bipolar([[1, 1], [0, 1]], bits, axis)


def test_bipolar_of_three_bits_is_refused():
    with pytest.raises(ValueError, match="bits must be 1 or 2 for bipolar values; got 3"):
        packed.pack_bipolar([1], 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1], 0, True), ValueError, "bits must be 1 to 16; got 0"),
        (([1], 17, True), ValueError, "bits must be 1 to 16; got 17"),
        (([1], 2.0, True), TypeError, "bits must be an integer; got 2.0"),
        (([1], True, True), TypeError, "bits must be an integer; got True"),
        (([1.5], 2, True), TypeError, "x must hold integers; got float64: quantize or round it first"),
        (([1j], 2, True), TypeError, "x must hold integers; got complex128"),
        ((["a"], 2, True), TypeError, "x must hold integers; got <U1"),
        (([1], 2, True, 1), ValueError, "axis must be one of the 1 that the array has; got 1"),
        (([1], 2, True, -2), ValueError, "axis must be one of the 1 that the array has; got -2"),
        ((1, 2, True), ValueError, "axis must be one of the 0"),
        (([1], 2, True, 0.0), TypeError, "axis must be an integer; got 0.0"),
        (([1], 2, True, 0, False, "clip"), ValueError, "overflow must be 'error', 'wrap', 'saturate'; got 'clip'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error) as caught:
        packed.pack(*arguments)
    assert message in str(caught.value)
