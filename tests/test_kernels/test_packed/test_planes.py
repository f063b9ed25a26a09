"""Bit planes in Python's integers: what the compiled kernel does, pair by pair."""

import itertools

import numpy as np
import pytest

from kernels.packed.layout import lane_layout
from kernels.packed.numbers import Numbers
from kernels.packed.planes import bit_planes, plane_constants, plane_pairs


@pytest.mark.parametrize("signs", itertools.product((False, True), repeat=2))
@pytest.mark.parametrize("bits", itertools.product((1, 2, 3, 5), repeat=2))
def test_the_pairs_add_up_to_the_inner_product(bits, signs):
    random = np.random.default_rng(1)
    kinds = [Numbers(*kind) for kind in zip(bits, signs, strict=True)]
    x, w = (random.integers(k.range[0], k.range[1] + 1, 100) for k in kinds)
    x_planes, w_planes = bit_planes(x, kinds[0]), bit_planes(w, kinds[1])[::-1]
    total = 0
    for i, j, shift, flip in plane_pairs(*kinds).reshape(-1, 4).tolist():
        total += int(np.bitwise_count(x_planes[i] & w_planes[j]).sum())
        total = ((total << shift) ^ flip) - flip
    assert total == x @ w


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_the_masks_squeeze_every_lane_width(bits, spacer):
    pitch, lanes, steps, _, ones, *masks = map(int, plane_constants(lane_layout(bits, False, spacer)))
    assert len(masks) == steps
    wanted = 0x123456789ABCDEF % (1 << lanes)
    word = sum((wanted >> k & 1) << k * pitch for k in range(lanes)) & ones
    shift = pitch - 1
    for mask in masks:
        word = (word | word >> shift) & mask
        shift *= 2
    assert word == wanted
