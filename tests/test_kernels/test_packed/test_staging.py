"""The compiled steps by themselves: words at hand are written, neighbours are not, blocks meet without a seam."""

import numpy as np
import pytest

from kernels.packed.arguments import value_range
from kernels.packed.layout import lane_layout
from kernels.packed.staging import packed_words, unpack_into


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64])
@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_lengths_around_the_borders_of_words_and_blocks(bits, spacer, dtype):
    lane = lane_layout(bits, True, spacer)
    low, high = value_range(bits, True)
    top = min(high, np.iinfo(dtype).max)
    block = 4096 // lane.lanes * lane.lanes
    for length in (1, lane.lanes - 1, lane.lanes, lane.lanes + 1, block - 1, block, block + 1, 2 * block + 9):
        if length < 1:
            continue
        x = np.random.default_rng(length).integers(max(low, np.iinfo(dtype).min), top + 1, (2, length)).astype(dtype)
        guarded = np.full((2 * -(-length // lane.lanes) + 2), 7, np.uint64)
        out = guarded[1:-1].reshape(2, -1)
        words, inside = packed_words(x, 1, lane, low, high, "error", out)
        assert inside and words is out and guarded[0] == guarded[-1] == 7
        assert not (words & ~np.uint64(lane.values)).any()
        y = np.full(2 * length + 2, 77, np.int16)
        unpack_into(y[1:-1].reshape(2, length), words, 1, lane)
        assert y[0] == y[-1] == 77 and np.array_equal(y[1:-1].reshape(2, length), x)
        z = np.full(2 * length + 2, 77, dtype)
        unpack_into(z[1:-1].reshape(2, length), words, 1, lane)
        assert z[0] == z[-1] == 77 and np.array_equal(z[1:-1].reshape(2, length), x)


@pytest.mark.parametrize("inner", [2, 4095, 4096, 4097])
def test_planes_around_the_border_of_a_block(inner):
    lane = lane_layout(5, True)
    x = np.random.default_rng(inner).integers(-16, 16, (2, 14, inner), np.int8)
    words, inside = packed_words(x, 1, lane, -16, 15, "error")
    out = np.empty_like(x)
    unpack_into(out, words, 1, lane)
    assert inside and words.shape == (2, 2, inner) and np.array_equal(out, x)
