"""What the packed functions take for an integer, a width, an axis, an array."""

import numpy as np
import pytest

from kernels.packed import arguments


def test_integers_of_python_and_numpy():
    assert [arguments.as_integer(v, "n") for v in (3, np.int8(3), np.uint64(3), np.array(3))] == [3] * 4
    for value in (True, np.True_, 3.0, "3", None, [3]):
        with pytest.raises(TypeError, match="n must be an integer; got"):
            arguments.as_integer(value, "n")


def test_axes_count_from_either_end():
    assert [arguments.as_axis(k, 3) for k in range(-3, 3)] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("bits", range(1, 17))
def test_ranges_hold_all_patterns(bits):
    for signed in (False, True):
        low, high = arguments.value_range(bits, signed)
        assert high - low == (1 << bits) - 1 and (low < 0) == signed


def test_arrays_of_any_byte_order_become_native():
    x = arguments.as_integers(np.array([1, 258], ">u2"))
    assert x.dtype == np.uint16 and x.dtype.isnative and x.tolist() == [1, 258]
    assert arguments.as_integers([True, False]).dtype == np.uint8


def test_the_first_offender_is_the_first_in_c_order():
    x = np.zeros((2, 3), int)
    x[1, 0], x[0, 2] = 9, -7
    with pytest.raises(ValueError, match=r"w must lie in -1 to 1 for tests; got -7 at \[0, 2\]"):
        arguments.check_range(x, -1, 1, "tests", "w")
    arguments.check_range(x, -7, 9, "tests")
