"""Operands that match or not, in every operation of two; and padding, which stays zero."""

import numpy as np
import pytest

from kernels import packed

ARITHMETIC = ("add", "subtract", "multiply")
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "minimum", "maximum")
A = packed.pack(np.zeros((4, 6), int), 3, True)


@pytest.mark.parametrize(
    ("b", "error", "message"),
    [
        (packed.pack(np.zeros((4, 6), int), 4, True), ValueError, "a and b must have one bits; got 3 and 4"),
        (packed.pack(np.zeros((4, 6), int), 3, False), ValueError, "a and b must have one signed; got True and False"),
        (packed.pack(np.zeros((4, 6), int), 3, True, -1, True), ValueError, "a and b must have one spacer"),
        (
            packed.pack(np.zeros((4, 6), int), 3, True, 0),
            ValueError,
            "a and b must be packed along one axis; got axis 1",
        ),
        (packed.pack(np.zeros((4, 1), int), 3, True), ValueError, "a and b must have one length along the packed axis"),
        (packed.pack(np.zeros((3, 6), int), 3, True), ValueError, "shape mismatch"),
        (packed.pack_bipolar(np.ones((4, 6), int)), ValueError, "b must not be bipolar"),
        (4, ValueError, "b must lie in -4 to 3 beside PackedArray(int3, shape=(4, 6), axis=1, 32 bytes); got 4"),
        (-5, ValueError, "b must lie in -4 to 3"),
        (1.0, TypeError, "b must be an integer; got 1.0"),
        (True, TypeError, "b must be an integer; got True"),
        (None, TypeError, "b must be an integer; got None"),
        (np.zeros((4, 6), int), TypeError, "b must be a PackedArray or an integer; got an ndarray: pack it first"),
    ],
)
@pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
def test_operands_that_do_not_match(name, b, error, message):
    with pytest.raises(error) as caught:
        getattr(packed, name)(A, b)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
@pytest.mark.parametrize("length", [21, 22, 41])
def test_padding_stays_zero(name, length):
    a = packed.pack(np.full((2, length), 3), 3, False)
    for b in (1, 3, a):
        for result in (getattr(packed, name)(a, b), getattr(packed, name)(b, a)):
            used = sum(1 << k * result.layout.pitch for k in range(length % result.layout.lanes))
            outside = ~np.uint64(used * ((1 << result.bits) - 1))
            assert length % result.layout.lanes == 0 or not (result.words[:, -1] & outside).any()


def test_operands_of_fewer_axes():
    x, y = np.arange(24).reshape(2, 3, 4) - 12, np.arange(4) - 2
    a, b = packed.pack(x, 5, True), packed.pack(y, 5, True)
    assert np.array_equal((a + b).unpack(), x + y) and np.array_equal((b - a).unpack(), y - x)
    assert (b - a).axis == 2
