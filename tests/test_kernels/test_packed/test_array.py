"""PackedArray: its fields fit together, it unpacks to the dtype asked for, it says what it is."""

import numpy as np
import pytest

from kernels import packed


def test_words_keep_the_axes():
    a = packed.pack(np.zeros((2, 50, 3, 4), int), 3, True, axis=1)
    assert a.words.shape == (2, 3, 3, 4) and a.words.dtype == np.uint64
    assert (a.shape, a.axis, a.ndim, a.size, len(a)) == ((2, 50, 3, 4), 1, 4, 1200, 2)
    assert a.nbytes == 8 * 2 * 3 * 3 * 4


@pytest.mark.parametrize("bits", range(1, 17))
def test_a_row_takes_its_lanes_and_less_than_one_word_more(bits):
    lanes = 64 // bits
    for length in (1, lanes, lanes + 1, 1000):
        a = packed.pack(np.zeros((5, length), int), bits, True)
        assert a.nbytes / 8 / 5 < length / lanes + 1


@pytest.mark.parametrize(
    ("bits", "signed", "expected"), [(1, False, "u1"), (8, True, "i1"), (9, True, "i2"), (16, False, "u2")]
)
def test_the_smallest_dtype_is_the_default(bits, signed, expected):
    a = packed.pack([0, 0], bits, signed)
    assert a.unpack().dtype == expected
    assert np.asarray(a).dtype == expected
    assert np.asarray(a, np.float32).dtype == np.float32


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
@pytest.mark.parametrize("axis", [0, 1])
def test_any_dtype_that_holds_the_values(dtype, axis):
    for bits, signed in ((5, False), (8, False), (8, True), (13, True), (16, False)):
        limits = np.iinfo(dtype)
        a = packed.pack(np.arange(12).reshape(4, 3), bits, signed, axis)
        if a.range[0] >= limits.min and a.range[1] <= limits.max:
            assert a.unpack(dtype).dtype == dtype
            assert np.array_equal(a.unpack(dtype), np.arange(12).reshape(4, 3))
        else:
            with pytest.raises(TypeError, match=f"dtype must hold {a.range[0]} to {a.range[1]}; got {limits.dtype}"):
                a.unpack(dtype)


def test_unpack_into_an_array_at_hand():
    x = np.arange(-4, 4)
    a = packed.pack(x, 3, True)
    out = np.empty(8, np.int32)
    assert a.unpack(out=out) is out and np.array_equal(out, x)
    for wrong in (np.empty(7, np.int32), np.empty(16, np.int32)[::2]):
        with pytest.raises(ValueError, match=r"out must be a writable C-contiguous array of shape \(8,\)"):
            a.unpack(out=wrong)
    for dtype in (float, ">i4", bool):
        with pytest.raises(TypeError, match="dtype must be an integer dtype"):
            a.unpack(dtype)


def test_a_view_is_refused_and_a_copy_has_its_own_words():
    a = packed.pack([1], 2, True)
    with pytest.raises(ValueError, match="copy=False"):
        np.array(a, copy=False)
    b = a.copy()
    b.words[0] = 0
    assert a.unpack().tolist() == [1] and b.unpack().tolist() == [0]


def test_repr():
    assert repr(packed.pack([[1]], 3, False, 0, True)) == "PackedArray(uint3, shape=(1, 1), axis=0, spacer, 8 bytes)"
    assert repr(packed.pack_bipolar([1])) == "PackedArray(bipolar, shape=(1,), axis=0, 8 bytes)"


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"bits": 0}, ValueError, "bits must be 1 to 16; got 0"),
        ({"axis": 2}, ValueError, "axis must be one of the 2"),
        ({"words": np.zeros((2, 2), np.int64)}, TypeError, "words must be a C-contiguous array of uint64"),
        ({"words": np.zeros((4, 2), np.uint64)[::2]}, TypeError, "words must be a C-contiguous array of uint64"),
        ({"words": np.zeros((2, 3), np.uint64)}, ValueError, r"words must have shape (2, 2) for shape (2, 40)"),
        ({"bipolar": True}, ValueError, "bipolar lanes must be signed and of 1 bit; got 3, signed=True"),
    ],
)
def test_fields_that_do_not_fit(fields, error, message):
    good = {"words": np.zeros((2, 2), np.uint64), "bits": 3, "signed": True, "shape": (2, 40), "axis": 1}
    packed.PackedArray(**good)
    with pytest.raises(error) as caught:
        packed.PackedArray(**(good | fields))
    assert message in str(caught.value)
