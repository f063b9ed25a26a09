"""Comparison and choice, against NumPy on the unpacked arrays."""

import operator

import numpy as np
import pytest

from kernels import packed
from kernels.packed.arguments import value_range

COMPARISONS = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}
A = packed.pack(np.zeros((4, 6), int), 3, True)


def holds(a, expected):
    """The elements are these, and no bit is set that holds none."""
    again = packed.pack(a.unpack(), a.bits, a.signed, a.axis, a.spacer)
    return np.array_equal(a.unpack(np.int64), expected) and np.array_equal(again.words, a.words)


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_every_width(bits, signed, spacer):
    low, high = value_range(bits, signed)
    random = np.random.default_rng(bits)
    x, y = random.integers(low, high + 1, (2, 2, 75, 3))
    x[0, 0], y[0, 0] = (low, high, low), (high, low, low)
    for axis in range(3):
        a, b = packed.pack(x, bits, signed, axis, spacer), packed.pack(y, bits, signed, axis, spacer)
        for other, z in ((b, y), (low, low), (high, high), (0, 0)):
            for name, function in COMPARISONS.items():
                result = getattr(packed, name)(a, other)
                assert (result.bits, result.signed, result.axis) == (1, False, axis)
                assert holds(result, function(x, z))
                assert holds(getattr(packed, name)(other, a), function(z, x))
            assert holds(packed.minimum(a, other), np.minimum(x, z))
            assert holds(packed.maximum(other, a), np.maximum(x, z))
            condition = packed.less(a, b)
            assert holds(packed.select(condition, a, other), np.where(x < y, x, z))
            assert holds(packed.select(condition, other, a), np.where(x < y, z, x))
        assert holds(packed.relu(a), np.maximum(x, 0))


def test_a_condition_broadcasts():
    x, where = np.arange(24).reshape(2, 3, 4) - 12, np.array([[1, 0, 1, 1]])
    a, condition = packed.pack(x, 5, True), packed.pack(where, 1, False)
    assert holds(packed.select(condition, a, -1), np.where(where, x, -1))
    small = packed.pack(x[0, 0], 5, True)
    wide = packed.pack(np.broadcast_to(where, (2, 3, 4)), 1, False)
    assert holds(packed.select(wide, small, 0), np.where(where, x[0, 0], np.zeros((2, 3, 4), int)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: packed.relu(np.zeros(3, int)), TypeError, "a must be a PackedArray; got ndarray: pack it first"),
        (lambda: packed.select(A, A, A), ValueError, "condition must be unsigned and of one bit"),
        (lambda: packed.select(True, A, A), TypeError, "condition must be a PackedArray; got bool"),
        (lambda: packed.select(packed.pack(np.ones((4, 6), int), 1, False, 0), A, A), ValueError, "along one axis"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
