"""Words that broadcast: every way in which an axis can be missing or of length one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.packed import lanes
from kernels.packed.elementwise import run_lanes
from kernels.packed.layout import lane_layout

LANE = lane_layout(5, True)


def random_words(shape, seed):
    bits = np.random.default_rng(seed).integers(0, 1 << 64, shape, np.uint64, endpoint=False)
    return bits & np.uint64(LANE.values)


def check(a_shape, b_shape):
    shape = np.broadcast_shapes(a_shape, b_shape)
    a, b, out = random_words(a_shape, 1), random_words(b_shape, 2), np.empty(shape, np.uint64)
    run_lanes("subtract", LANE, (a, b), shape, out)
    assert np.array_equal(out, lanes.subtract(a, b, LANE))


@pytest.mark.parametrize("ones", itertools.product([False, True], repeat=6))
def test_axes_of_length_one(ones):
    sizes = (3, 2, 19)
    a = tuple(1 if one else n for one, n in zip(ones[:3], sizes, strict=True))
    b = tuple(1 if one else n for one, n in zip(ones[3:], sizes, strict=True))
    check(a, b)


@given(data=st.data())
def test_any_shapes(data):
    shape = data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=4))
    shapes = [[data.draw(st.sampled_from([n, 1])) for n in shape] for _ in range(2)]
    cut = data.draw(st.integers(0, len(shape)))
    check(tuple(shapes[0]), tuple(shapes[1][cut:]))


def test_in_place():
    a, b = random_words((3, 21), 3), random_words((21,), 4)
    expected = lanes.subtract(a, b, LANE)
    run_lanes("subtract", LANE, (a, b), a.shape, a)
    assert np.array_equal(a, expected)
