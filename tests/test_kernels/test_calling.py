"""A kernel called by its address gets the arrays that it was told of, and writes to them."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from kernels.calling import TOLD, address_of, call_at, machine_code, told
from kernels.compilation import kernel


@kernel
def summed(floats, doubles, integers, empty):
    """Indexing, lengths and loops over each kind."""
    total = 0.0
    for i in range(len(doubles)):
        total += floats[i] * doubles[i]
    doubles[-1] = total
    integers[0] = len(floats) + 100 * len(integers) + 10_000 * len(empty)


@njit(nogil=True)
def call(address, words):
    call_at(address, address_of(words), 4)


def test_a_kernel_called_by_its_address_is_the_kernel():
    arrays = (np.arange(5, dtype=np.float32), np.linspace(0, 1, 4), np.zeros(3, np.int64), np.zeros(0, np.float32))
    want = [array.copy() for array in arrays]
    summed(*want)
    call(machine_code(summed, arrays), told(arrays))
    for got, array in zip(arrays, want, strict=True):
        np.testing.assert_array_equal(got, array)
    assert arrays[1][-1] != 1 and arrays[2][0] == 305, "it was told of them"


def test_each_kind_of_arrays_has_its_code():
    def of(dtype):
        a = np.zeros(1, dtype)
        return machine_code(summed, (a, a, np.zeros(1, np.int64), a))

    assert of(np.float32) == of(np.float32) != of(np.float64)


def test_where_arrays_lie():
    a = np.arange(10, dtype=np.float32)[3:7]
    words = told((a, a[:0]))
    assert len(words) == 2 * TOLD and words[0] == njit(lambda x: address_of(x))(a) == a.ctypes.data
    assert words[1:3].tolist() == [4, 4] and words[4:].tolist() == [0, 4]


def test_what_is_not_an_array_has_no_address():
    with pytest.raises(TypingError, match="address_of takes an array; got int64"):
        njit(lambda x: address_of(x))(3)


def test_the_number_of_arrays_is_written_down():
    with pytest.raises(TypingError, match="call_at takes a literal count"):
        njit(lambda n: call_at(0, 0, n))(3)
