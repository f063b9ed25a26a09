"""Python's signs on PackedArray mean what they mean on NumPy's arrays of the same width."""

import operator

import numpy as np
import pytest

from kernels import packed

SIGNS = (operator.add, operator.sub, operator.mul)
IN_PLACE = (operator.iadd, operator.isub, operator.imul)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
X, Y = np.random.default_rng(0).integers(-128, 128, (2, 5, 70), np.int8)  # 8 bits wrap as NumPy's int8 does


def pair(axis=1, spacer=False):
    return packed.pack(X, 8, True, axis, spacer), packed.pack(Y, 8, True, axis, spacer)


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_signs(axis, spacer):
    a, b = pair(axis, spacer)
    for sign in SIGNS:
        assert np.array_equal(sign(a, b).unpack(), sign(X, Y))
        assert np.array_equal(sign(a, -3).unpack(), sign(X, np.int8(-3)))
        assert np.array_equal(sign(-3, a).unpack(), sign(np.int8(-3), X))
        assert np.array_equal(sign(np.int64(-3), a).unpack(), sign(np.int8(-3), X))
    for sign in COMPARISONS:
        assert np.array_equal(sign(a, b).unpack(), sign(X, Y))
        assert np.array_equal(sign(a, 5).unpack(), sign(X, 5))
        assert np.array_equal(sign(5, a).unpack(), sign(5, X))
    for k in (0, 1, 7):
        assert np.array_equal((a << k).unpack(), X << np.int8(k))
        assert np.array_equal((a >> k).unpack(), X >> np.int8(k))
    assert np.array_equal((-a).unpack(), -X)
    assert np.array_equal(abs(a).unpack(), abs(X))
    assert np.array_equal((+a).unpack(), X) and (+a).words is not a.words


@pytest.mark.parametrize("axis", [0, 1])
def test_in_place(axis):
    for sign in IN_PLACE:
        for other in ("array", 3):
            a, b = pair(axis)
            x, same, words = X.copy(), a, a.words
            a = sign(a, b if other == "array" else 3)
            x = sign(x, Y if other == "array" else np.int8(3))
            assert a is same and a.words is words and np.array_equal(a.unpack(), x)
    a, _ = pair(axis)
    same = a
    a <<= 2
    a >>= 1
    assert a is same and np.array_equal(a.unpack(), X << np.int8(2) >> np.int8(1))


def test_in_place_keeps_the_shape():
    a = packed.pack(X[:1], 8, True)
    b = packed.pack(Y, 8, True)
    with pytest.raises(
        ValueError, match=r"a must have the result's shape \(5, 70\) to be changed in place; got \(1, 70\)"
    ):
        a += b
    with pytest.raises(ValueError, match="b must lie in -128 to 127"):
        b += 128
    assert np.array_equal(b.unpack(), Y)
    b += a
    assert np.array_equal(b.unpack(), Y + X[:1])


def test_a_numpy_array_is_refused_on_either_side():
    a, _ = pair()
    for left, right in ((a, Y), (Y, a)):
        for sign in (*SIGNS, *COMPARISONS):
            with pytest.raises(TypeError, match=r"must be a PackedArray or an integer; got an ndarray: pack it first"):
                sign(left, right)


def test_truth_value():
    assert packed.pack([1], 1, False) and not packed.pack([0], 1, False)
    with pytest.raises(ValueError, match="a PackedArray of 2 elements has no truth value"):
        bool(packed.pack([1, 1], 1, False))
    with pytest.raises(TypeError, match="unhashable"):
        hash(packed.pack([1], 1, False))
