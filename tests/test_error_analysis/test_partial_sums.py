"""The sums over channels that are passed on the way, against the emulation's own additions."""

from collections import Counter

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.emulate import channel_total
from error_analysis.prediction.partial_sums import additions_passed, leaves, partial_sums, thinned

T = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
SUMS = [("linear", 1), ("blocked", 3), ("pairwise", 1), ("pairwise", 2)]


class Counting:
    """Adds sets of channels and notes what it adds."""

    def __init__(self) -> None:
        self.sizes: Counter = Counter()
        self.passed: Counter = Counter()

    def constant(self, value):
        return np.array([0.0])

    def mul(self, a, b):
        return a * b

    def add(self, a, b):
        total = a + b
        # Channel c is 2^c: the sum says which are in it. Adding to zero rounds nothing.
        if a.item() != 0:
            members = [c for c in range(40) if int(total.item()) >> c & 1]
            self.sizes[len(members)] += 1
            self.passed.update(members)
        return total


@pytest.mark.parametrize("channels", [1, 2, 5, 8, 13, 21])
@pytest.mark.parametrize(("channel_sum", "block"), SUMS)
def test_they_are_the_additions_of_the_emulation(channel_sum: str, block: int, channels: int) -> None:
    A = wg.Algorithm(T, channel_sum=channel_sum, channel_block=block)
    counting = Counting()
    V = 2.0 ** np.arange(channels)[:, np.newaxis]
    channel_total(A, V, np.ones_like(V), counting)
    assert partial_sums(A, channels) == counting.sizes
    assert additions_passed(A, channels) == [counting.passed[c] for c in range(channels)]


def test_fma_rounds_the_first_product_in_its_addition() -> None:
    A = wg.Algorithm(T, fma=True, channel_sum="blocked", channel_block=2)
    assert partial_sums(A, 5) == Counter({1: 3, 2: 2, 4: 1, 5: 1})
    assert additions_passed(A, 3) == [3, 2, 2]
    assert [len(part) for part in leaves(A, 5)] == [2, 2, 1]
    assert partial_sums(wg.Algorithm(T, channel_sum="kahan"), 7) == Counter({1: 7, 7: 1})


def test_thinned_sizes_stand_for_all() -> None:
    sizes = partial_sums(wg.Algorithm(T), 2000)
    few = thinned(sizes)
    assert len(few) < 120
    assert sum(times for _, times in few) == sum(sizes.values())
    assert sum(k * t for k, t in few) == pytest.approx(sum(k * t for k, t in sizes.items()), rel=1e-3)
