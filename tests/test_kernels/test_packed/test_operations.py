"""Lane arithmetic on arrays, against NumPy on the unpacked ones: broadcasting, overflow, padding, what is refused."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import packed
from kernels.packed.arguments import value_range

ARITHMETIC = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul}


def wrapped(x, bits, signed):
    low, _ = value_range(bits, signed)
    return (x - low) % (1 << bits) + low


def padding_is_zero(a):
    """Packed again, the words are the same: no bit is set that holds no element."""
    again = packed.pack(a.unpack(), a.bits, a.signed, a.axis, a.spacer)
    return np.array_equal(again.words, a.words)


def holds(a, expected):
    assert a.shape == expected.shape
    assert np.array_equal(a.unpack(np.int64), expected)
    assert padding_is_zero(a)
    return True


@st.composite
def operands(draw):
    """Two packed arrays that broadcast, or one and a number; and their values."""
    bits, signed, spacer = draw(st.integers(1, 16)), draw(st.booleans()), draw(st.booleans())
    low, high = value_range(bits, signed)
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(shape) - 1))
    shape[axis] = draw(st.integers(0, 140))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    arrays = []
    for _ in range(2):
        own = [n if k == axis else draw(st.sampled_from([n, 1])) for k, n in enumerate(shape)]
        x = random.integers(low, high + 1, own[draw(st.integers(0, axis)) :])
        arrays.append((packed.pack(x, bits, signed, axis - len(shape), spacer), x))
    number = draw(st.sampled_from([None, 0, 1]))
    if number is not None:
        value = draw(st.integers(low, high))
        arrays[number] = (value, np.int64(value))
    return arrays, bits, signed


@given(operands(), st.sampled_from(["wrap", "saturate", "widen"]))
def test_arithmetic(case, overflow):
    ((a, x), (b, y)), bits, signed = case
    for name, function in ARITHMETIC.items():
        exact = function(x, y)
        if overflow == "widen":
            wide = 2 * bits if name == "multiply" else bits + 1
            if wide > 16:
                with pytest.raises(ValueError, match=f"bits must be 1 to 16; got {wide}"):
                    getattr(packed, name)(a, b, overflow)
                continue
            result = getattr(packed, name)(a, b, overflow)
            assert (result.bits, result.signed) == (wide, signed or name == "subtract")
            assert holds(result, exact)
        else:
            fitted = wrapped(exact, bits, signed) if overflow == "wrap" else np.clip(exact, *value_range(bits, signed))
            assert holds(getattr(packed, name)(a, b, overflow), fitted)


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_one_operand(bits, signed, spacer):
    low, high = value_range(bits, signed)
    x = np.random.default_rng(bits).integers(low, high + 1, (2, 75, 3))
    x[0, 0] = low, high, 0
    for axis in range(3):
        a = packed.pack(x, bits, signed, axis, spacer)
        assert holds(packed.negate(a), wrapped(-x, bits, signed))
        assert holds(packed.negate(a, "saturate"), np.clip(-x, low, high))
        assert holds(packed.absolute(a), wrapped(abs(x), bits, signed))
        assert holds(packed.absolute(a, "saturate"), np.clip(abs(x), low, high))
        assert holds(packed.absolute(a, "widen"), abs(x)) and not packed.absolute(a, "widen").signed
        if bits < 16:
            assert holds(packed.negate(a, "widen"), -x)
        for k in (0, 1, bits - 1, bits, 200):
            assert holds(packed.shift_left(a, k), wrapped(x << min(k, 20), bits, signed))
            assert holds(packed.shift_right(a, k), x >> min(k, 20))
        assert packed.total(a) == x.sum()
        for along in (0, 1, 2, -1):
            sums = packed.total(a, along)
            assert sums.dtype == np.int64 and np.array_equal(sums, x.sum(along))


def test_sums_of_nothing():
    a = packed.pack(np.zeros((0, 5), int), 3, True)
    assert packed.total(a) == 0 and packed.total(a, 1).shape == (0,)
    assert packed.total(packed.pack(np.zeros((5, 0), int), 3, True), 1).tolist() == [0] * 5


A = packed.pack(np.zeros((4, 6), int), 3, True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: packed.add(1, 2), TypeError, "a must be a PackedArray; got int: pack it first"),
        (lambda: packed.negate(packed.pack_bipolar([1])), ValueError, "a must not be bipolar"),
        (lambda: packed.total(3), TypeError, "a must be a PackedArray; got int"),
        (lambda: packed.total(A, 2), ValueError, "axis must be one of the 2 that the array has; got 2"),
        (lambda: packed.add(A, A, "clip"), ValueError, "overflow must be 'wrap', 'saturate', 'widen'; got 'clip'"),
        (lambda: packed.shift_left(A, -1), ValueError, "count must not be negative; got -1"),
        (lambda: packed.shift_right(A, A), TypeError, "count must be one integer for all lanes; got PackedArray"),
        (lambda: packed.shift_left(A, 1.5), TypeError, "count must be an integer; got 1.5"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
