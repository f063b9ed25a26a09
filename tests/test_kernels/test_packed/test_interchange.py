"""Bytes as ONNX lays them out, and ml_dtypes' arrays. Oracles: ml_dtypes, and NumPy's packbits."""

import ml_dtypes
import numpy as np
import pytest

from kernels import packed
from kernels.packed.arguments import value_range


def bit_stream(x, bits):
    """Least significant bit of the first element first, by NumPy."""
    planes = (x.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(planes.astype(np.uint8).reshape(-1), bitorder="little").tobytes()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_bytes_are_a_stream_of_bits_and_come_back(bits, signed):
    low, high = value_range(bits, signed)
    x = np.random.default_rng(bits).integers(low, high + 1, (3, 7, 11))
    for axis, spacer in ((0, False), (1, True), (2, False)):
        data = packed.to_bytes(packed.pack(x, bits, signed, axis, spacer))
        assert data == bit_stream(x, bits)
        back = packed.from_bytes(data, bits, signed, x.shape, axis, spacer)
        assert (back.bits, back.signed, back.axis, back.spacer) == (bits, signed, axis, spacer)
        assert np.array_equal(back.unpack(), x)
        assert back.to_bytes() == data


def test_the_example_of_the_onnx_standard():
    # Two elements to a byte, the first in the lower half; an odd number leaves the last upper half zero.
    assert packed.to_bytes(packed.pack([0x1, 0x2, 0x3], 4, False)) == bytes([0x21, 0x03])
    assert packed.to_bytes(packed.pack([-1, 1, 0, -2, 1], 2, True)) == bytes([0b10_00_01_11, 0b01])


@pytest.mark.parametrize("name", ["int4", "uint4", "int2", "uint2", "int1", "uint1"])
def test_ml_dtypes_there_and_back(name):
    dtype = np.dtype(getattr(ml_dtypes, name))
    low, high = value_range(int(name[-1]), name[0] == "i")
    x = np.resize(np.arange(low, high + 1), (5, 70)).astype(np.int8)
    for view in (x.astype(dtype), x.astype(dtype)[:, ::-3], x.astype(dtype).T):
        a = packed.from_ml_dtypes(view)
        assert f"{'int' if a.signed else 'uint'}{a.bits}" == name
        assert np.array_equal(a.unpack(), view.astype(np.int8))
        back = packed.to_ml_dtypes(a)
        assert back.dtype == dtype and np.array_equal(back.view(np.uint8), np.ascontiguousarray(view).view(np.uint8))


def test_only_the_lowest_bits_of_ml_dtypes_count():
    x = np.array([0xF7, 0x0F, 0x88], np.uint8).view(ml_dtypes.int4)
    assert packed.from_ml_dtypes(x).unpack().tolist() == x.astype(int).tolist() == [7, -1, -8]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: packed.from_bytes(b"\0", 4, True, 3),
            ValueError,
            "data must be 2 bytes for 3 elements of 4 bits; got 1",
        ),
        (lambda: packed.from_bytes(b"\0\0\0", 4, True, (1, 3)), ValueError, "data must be 2 bytes for 3 elements"),
        (lambda: packed.from_bytes(b"", 3, True, (-1, 2)), ValueError, "shape must not be negative; got (-1, 2)"),
        (lambda: packed.from_bytes(b"", 3, True, (2.0,)), TypeError, "shape must be an integer; got 2.0"),
        (lambda: packed.from_bytes(b"", 3, True, (0,), axis=1), ValueError, "axis must be one of the 1"),
        (lambda: packed.from_bytes(b"", 17, True, (0,)), ValueError, "bits must be 1 to 16; got 17"),
        (lambda: packed.from_ml_dtypes(np.zeros(1, np.int8)), TypeError, "x must be of ml_dtypes' int4"),
        (lambda: packed.to_ml_dtypes(packed.pack([1], 3, True)), ValueError, "a must have a width that ml_dtypes has"),
        (lambda: packed.to_ml_dtypes(packed.pack([1], 8, True)), ValueError, "a must have a width that ml_dtypes has"),
        (lambda: packed.to_ml_dtypes(packed.pack_bipolar([1])), ValueError, "a must have a width that ml_dtypes has"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
