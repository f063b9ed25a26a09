"""Gathering and scattering bits, and packing where the CPU has neither."""

import numpy as np
import pytest
from numba import njit

from kernels.packed import staging
from kernels.packed.arguments import value_range
from kernels.packed.bit_moves import gathered_bits, has_bit_moves, scattered_bits
from kernels.packed.layout import lane_layout


@pytest.mark.skipif(not has_bit_moves(), reason="this CPU has no such instructions")
def test_both_move_bits_in_order():
    @njit
    def both(word, mask):
        return gathered_bits(word, mask), scattered_bits(word, mask)

    random = np.random.default_rng(0)
    for word, mask in random.integers(0, 1 << 64, (100, 2), np.uint64):
        places = [k for k in range(64) if int(mask) >> k & 1]
        gathered, scattered = both(word, mask)
        assert gathered == sum((int(word) >> place & 1) << k for k, place in enumerate(places))
        assert scattered == sum((int(word) >> k & 1) << place for k, place in enumerate(places))


@pytest.fixture
def without_bit_moves(monkeypatch):
    caches = staging.storage_module, staging.elements_module
    monkeypatch.setattr(staging, "has_bit_moves", lambda: False)
    for made in caches:
        made.cache_clear()
    yield
    for made in caches:
        made.cache_clear()


@pytest.mark.usefixtures("without_bit_moves")
def test_every_width_by_shifts_and_masks():
    """In whole vectors of words and in single ones."""
    for bits in range(1, 17):
        for spacer in (False, True):
            lane = lane_layout(bits, True, spacer)
            low, high = value_range(bits, True)
            x = np.random.default_rng(bits).integers(low, high + 1, 21 * lane.lanes + 1, np.int16)
            words, inside = staging.packed_words(x, 0, lane, low, high, "error")
            out = np.zeros_like(x)
            staging.unpack_into(out, words, 0, lane)
            assert inside and np.array_equal(out, x)
            assert words[0] == sum((int(v) & (1 << bits) - 1) << k * lane.pitch for k, v in enumerate(x[: lane.lanes]))
