"""Products of packed matrices and vectors against int64 NumPy."""

import numpy as np
import pytest

from kernels import packed
from kernels.packed.arguments import value_range
from kernels.packed.lookups import has_lookup

KINDS = [(1, False), (1, True), (2, False), (3, True), (5, False), (8, False), (8, True), (12, True)]


@pytest.mark.parametrize("scheme", ("planes", *(["tables"] if has_lookup() else []), "int8", "packed"))
@pytest.mark.parametrize("a_kind", KINDS)
def test_matmul(a_kind, scheme):
    random = np.random.default_rng(5)
    for b_kind in KINDS:
        x, z = (
            random.integers(low, high + 1, shape)
            for (low, high), shape in ((value_range(*a_kind), (3, 7, 129)), (value_range(*b_kind), (129, 21)))
        )
        a, b = packed.pack(x, *a_kind), packed.pack(z, *b_kind, axis=0)
        if scheme == "tables" and a_kind[0] > 8:
            with pytest.raises(ValueError, match=r'tables take up to 8 bits.*; got "tables"'):
                packed.matmul(a, b, scheme=scheme)
            continue
        np.testing.assert_array_equal(packed.matmul(a, b, scheme=scheme), x @ z, err_msg=str(b_kind))


def test_more_rows_than_a_block():
    random = np.random.default_rng(6)
    x, z = random.integers(0, 4, (1001, 70)), random.choice([-1, 1], (70, 17))
    y = packed.matmul(packed.pack(x, 2, False), packed.pack_bipolar(z, axis=0), threads=3)
    np.testing.assert_array_equal(y, x @ z)


def test_dot():
    random = np.random.default_rng(7)
    x, z = random.integers(-4, 4, (5, 100)), random.choice([-1, 1], 100)
    a, b = packed.pack(x, 3, True), packed.pack_bipolar(z)
    np.testing.assert_array_equal(packed.dot(a, b), x @ z)
    single = packed.dot(packed.pack(x[0], 3, True), b)
    assert type(single) is int and single == x[0] @ z


def test_empty():
    a, b = packed.pack(np.zeros((3, 0), int), 2, False), packed.pack(np.zeros((0, 4), int), 2, False, axis=0)
    assert np.array_equal(packed.matmul(a, b), np.zeros((3, 4)))


def test_what_is_refused():
    a, b = packed.pack(np.ones((3, 4), int), 2, False), packed.pack(np.ones((4, 5), int), 2, False, axis=0)
    with pytest.raises(TypeError, match="b must be a PackedArray"):
        packed.matmul(a, 3)
    with pytest.raises(ValueError, match="a must be packed along its last axis"):
        packed.matmul(b, b)
    with pytest.raises(ValueError, match="packed along axis 0"):
        packed.matmul(a, a)
    with pytest.raises(ValueError, match="a must have 4 numbers"):
        packed.matmul(packed.pack(np.ones((3, 6), int), 2, False), b)
