import numpy as np
import pytest
from numba import njit

from kernels.host import host
from kernels.packed.dot_products import dot_ops, has_byte_dot, has_byte_pairs
from kernels.packed.words import word_ops

LENGTH = max(2, host().length(np.uint64))
load = word_ops(LENGTH).load
_, _, store32, store_low, dot_bytes, dot_pairs, byte_pairs, add16 = dot_ops(LENGTH)


@njit
def pairs(acc, a, w, out):
    store32(out, 0, dot_pairs(load(acc, 0), load(a, 0), load(w, 0)))


def test_pairs_at_the_ends_of_the_range():
    a = np.array([-32768, 32767, 32767, -32768] * LENGTH, np.int16)
    w = np.array([32767, 32767, -32768, 5] * LENGTH, np.int16)
    acc, out = np.arange(2 * LENGTH, dtype=np.int32), np.zeros(2 * LENGTH, np.int32)
    pairs(acc.view(np.uint64), a.view(np.uint64), w.view(np.uint64), out)
    np.testing.assert_array_equal(out, acc + (a.astype(np.int64) * w).reshape(-1, 2).sum(1))


@pytest.mark.skipif(not has_byte_dot(), reason="this CPU has no dot product of bytes")
def test_bytes_do_not_saturate():
    @njit
    def octets(acc, a, w, out):
        store32(out, 0, dot_bytes(load(acc, 0), load(a, 0), load(w, 0)))

    a = np.array([255, 255, 255, 255, 0, 1, 128, 255] * LENGTH, np.uint8)
    w = np.array([-128, -128, -128, -128, 127, -1, 127, 127] * LENGTH, np.int8)
    acc, out = np.arange(2 * LENGTH, dtype=np.int32), np.zeros(2 * LENGTH, np.int32)
    octets(acc.view(np.uint64), a.view(np.uint64), w.view(np.uint64), out)
    np.testing.assert_array_equal(out, acc + (a.astype(np.int64) * w).reshape(-1, 4).sum(1))


@pytest.mark.skipif(not has_byte_pairs(), reason="this CPU does not add up pairs of bytes")
def test_pairs_of_bytes():
    @njit
    def added(acc, a, w, out):
        store32(out, 0, add16(load(acc, 0), byte_pairs(load(a, 0), load(w, 0))))

    a = np.array([255, 255, 128, 1, 255, 0, 7, 255] * LENGTH, np.uint8)
    w = np.array([63, 63, -128, 127, -64, -64, 5, -1] * LENGTH, np.int8)
    acc, out = np.arange(4 * LENGTH, dtype=np.int16), np.zeros(2 * LENGTH, np.int32)
    added(acc.view(np.uint64), a.view(np.uint64), w.view(np.uint64), out)
    np.testing.assert_array_equal(out.view(np.int16), acc + (a.astype(np.int64) * w).reshape(-1, 2).sum(1))


def test_store_low():
    @njit
    def lower(words, out):
        store_low(out, 0, load(words, 0))

    out = np.zeros(LENGTH, np.int32)
    lower(np.arange(LENGTH, dtype=np.int64).view(np.uint64) - np.uint64(2), out)
    np.testing.assert_array_equal(out, np.arange(LENGTH) - 2)
