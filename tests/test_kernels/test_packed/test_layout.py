"""The masks of a word's lanes."""

import numpy as np
import pytest

from kernels.packed.layout import lane_layout


@pytest.mark.parametrize("spacer", [False, True])
@pytest.mark.parametrize("bits", range(1, 33))
def test_masks_are_disjoint_and_in_place(bits, spacer):
    lane = lane_layout(bits, True, spacer)
    assert lane.lanes == 64 // lane.pitch and lane.pitch == bits + spacer
    assert lane.values == lane.low | lane.tops and not lane.low & lane.tops
    assert lane.spacers == (lane.values << 1 & ~lane.values if spacer else 0)
    assert (lane.values | lane.spacers) >> lane.lanes * lane.pitch == 0
    assert lane.ones.bit_count() == lane.tops.bit_count() == lane.lanes
    assert lane.even & lane.even << lane.pitch == 0
    assert (lane.even | lane.even << lane.pitch) & lane.values == lane.values
    assert lane.signs == lane.tops and lane_layout(bits, False, spacer).signs == 0


def test_constants_for_compiled_code_are_the_fields():
    lane = lane_layout(5, True, True)
    assert lane.as_words().dtype == np.uint64 and lane.as_words().tolist() == list(lane)
