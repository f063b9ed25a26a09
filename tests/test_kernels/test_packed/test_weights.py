"""Weights as bit planes: nothing is lost, and they take exactly their bits."""

import numpy as np
import pytest

from kernels.packed.arguments import value_range
from kernels.packed.numbers import Numbers
from kernels.packed.weights import Weights, in_panels

KINDS = [Numbers(bits, signed) for bits in (1, 2, 3, 5, 8, 13, 16) for signed in (False, True)]
KINDS.append(Numbers(1, True, True))


def random_weights(kind, shape):
    random = np.random.default_rng(kind.bits)
    if kind.bipolar:
        return random.choice([-1, 1], shape)
    low, high = value_range(kind.bits, kind.signed)
    return random.integers(low, high + 1, shape)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape, groups", [((6, 70, 3, 2), 2), ((37, 5, 1), 1), ((40, 128), 1)])
def test_values_and_sums_come_back(kind, shape, groups):
    w = random_weights(kind, shape)
    weights = Weights(w, kind, groups)
    rows = np.moveaxis(w.reshape(groups, shape[0] // groups, shape[1], -1), 2, 3)
    np.testing.assert_array_equal(weights.values(), rows)
    sums = np.moveaxis(weights.tap_sums(), -1, 2).reshape(groups, -1, weights.taps)
    np.testing.assert_array_equal(sums[:, : weights.filters], rows.sum(-1))
    assert not sums[:, weights.filters :].any()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_whole_words_take_exactly_their_bits(kind):
    w = random_weights(kind, (64, 192, 3, 3))
    assert Weights(w, kind).nbytes == w.size * kind.bits // 8


def test_panels_begin_at_a_cache_line_and_end_with_zeros():
    rows = np.arange(1, 11).reshape(1, 5, 2)
    panels = in_panels(rows, 4, "int64")
    assert panels.ctypes.data % 64 == 0
    assert panels.tolist() == [[[[1, 3, 5, 7], [2, 4, 6, 8]], [[9, 0, 0, 0], [10, 0, 0, 0]]]]
