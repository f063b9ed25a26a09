"""Products by wide multiplications where lanes are fullest: every width, all numbers at an end of their range."""

import itertools

import numpy as np
import pytest

from kernels import packed
from kernels.packed.arguments import value_range
from kernels.packed.multiplying import READ_COST, chosen_plan, row_plan
from kernels.packed.numbers import Numbers, sum_range

SIGNS = list(itertools.product((False, True), repeat=2))
MOST = 1 << 31


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("a_bits", range(1, 17))
def test_full_lanes_of_every_pair_of_widths(a_bits, signs):
    """Long sums of equal numbers: each lane gets to its limit before it is read."""
    for w_bits in range(1, 17):
        kinds = [Numbers(bits, signed) for bits, signed in zip((a_bits, w_bits), signs, strict=True)]
        one = max(abs(v) for v in sum_range(*kinds, 1))
        for ends in itertools.product((0, 1), repeat=2):
            x_end, w_end = (kind.range[end] for kind, end in zip(kinds, ends, strict=True))
            channels = min(120, (MOST - 1) // one)
            if channels:
                x, w = np.full((1, channels), x_end), np.full((channels, 1), w_end)
                a, b = packed.pack(x, a_bits, signs[0]), packed.pack(w, w_bits, signs[1], axis=0)
                assert packed.matmul(a, b, scheme="packed").item() == channels * x_end * w_end, (w_bits, ends)
            channels = min(40, (MOST - 1) // (3 * one))
            if channels:
                x, w = np.full((1, channels, 7), x_end), np.full((1, channels, 3), w_end)
                a, b = packed.pack(x, a_bits, signs[0], axis=1), packed.pack(w, w_bits, signs[1], axis=1)
                y = packed.conv1d(a, b, scheme="packed")
                assert (y == 3 * channels * x_end * w_end).all() and y.shape == (1, 1, 5), (w_bits, ends)


@pytest.mark.parametrize("taps", [1, 2, 3, 7, 11, 40])
@pytest.mark.parametrize("bits", [1, 2, 5])
def test_taps_fewer_and_more_than_lanes(bits, taps):
    random = np.random.default_rng(taps)
    low, high = value_range(bits, True)
    x, w = random.integers(0, 1 << bits, (2, 9, 50)), random.integers(low, high + 1, (11, 9, taps))
    a, b = packed.pack(x, bits, False, axis=1), packed.pack(w, bits, True, axis=1)
    expected = np.stack([np.einsum("ncs,kcs->nk", x[:, :, i : i + taps], w) for i in range(51 - taps)], axis=2)
    np.testing.assert_array_equal(packed.conv1d(a, b, scheme="packed"), expected)


def test_padding_beyond_what_the_outputs_reach():
    """A stride so long that the image lies behind the last output's window."""
    a = packed.pack(np.ones((1, 2, 6), int), 2, False, axis=1)
    w = packed.pack(np.ones((1, 2, 1), int), 2, True, axis=1)
    for scheme in ("planes", "packed"):
        y = packed.conv1d(a, w, stride=40, padding=[(5, 3)], scheme=scheme)
        np.testing.assert_array_equal(y, [[[0]]])


def test_plans_are_the_cheapest_of_those_tried():
    kinds = Numbers(2, False), Numbers(2, True)

    def cost(plan):
        each = 1 + READ_COST * plan.outputs / min(192, plan.most_words)
        return each * -(-3 // plan.w_lanes) / plan.a_lanes

    best = chosen_plan(*kinds, 3, 192)
    for accumulate in (1, 2, 4, 8, 64):
        other = packed.lanes_for(2, 2, 3, accumulate, w_signed=True)
        assert cost(best) <= cost(other)
    assert row_plan(Numbers(16, True), Numbers(16, True), 2).lanes == 1
