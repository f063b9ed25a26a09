"""Which sums over channels an Algorithm passes through on the way to M."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from winograd import Algorithm

Sum = TypeVar("Sum")


def partial_sums(A: Algorithm, channels: int) -> Counter[int]:
    """How many roundings of the channel sum give a sum of k channels, by k in growing order.

    Kahan's sum gives back what each addition lost, but for the last; what it rounds is each term by itself.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]), channel_sum="pairwise")
    >>> partial_sums(A, 5)
    Counter({2: 2, 4: 1, 5: 1})
    """
    if A.channel_sum == "kahan":
        return Counter({1: channels, channels: 1} if channels > 1 else {1: int(A.fma)})
    sizes: Counter[int] = Counter()

    def added(one: range, other: range) -> range:
        both = range(one.start, other.stop)
        sizes[len(both)] += 1
        return both

    first = 1 if A.fma else 2  # the first addition, to zero, rounds nothing but the product inside an fma
    for leaf in leaves(A, channels):
        for k in range(first, len(leaf) + 1):
            sizes[k] += 1
    combined(A, leaves(A, channels), added)
    return Counter(dict(sorted(sizes.items())))


def additions_passed(A: Algorithm, channels: int) -> list[int]:
    """How many additions each channel's product passes through."""
    if A.channel_sum == "kahan":
        return [1] * channels
    passed = [0] * channels

    def added(one: range, other: range) -> range:
        both = range(one.start, other.stop)
        for c in both:
            passed[c] += 1
        return both

    for leaf in leaves(A, channels):
        for position, c in enumerate(leaf):
            passed[c] += len(leaf) - max(position, 1) + A.fma * (position == 0)
    combined(A, leaves(A, channels), added)
    return passed


def leaves(A: Algorithm, channels: int) -> list[range]:
    """The channels of each leaf."""
    size = channels if A.channel_sum == "linear" else A.channel_block
    return [range(start, min(start + size, channels)) for start in range(0, channels, size)]


def combined(A: Algorithm, parts: Sequence[Sum], added: Callable[[Sum, Sum], Sum]) -> Sum:
    """The sums of the leaves put together in the order of the Algorithm, by any addition."""
    if A.channel_sum != "pairwise":
        total = parts[0]
        for part in parts[1:]:
            total = added(total, part)
        return total
    stack: list[tuple[int, Sum]] = []
    for part in parts:
        stack.append((0, part))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            rank, later = stack.pop()
            stack[-1] = (rank + 1, added(stack[-1][1], later))
    total = stack.pop()[1]
    while stack:
        total = added(stack.pop()[1], total)
    return total


def thinned(sizes: Counter[int]) -> list[tuple[int, float]]:
    """Some sizes for all: up to 24 each, then about 12 an octave, each standing for its neighbours.

    The mean square of a rounding is about proportional to the size, so one of the mean size stands for all.
    """
    groups: dict[int, list[tuple[int, int]]] = {}
    for k, times in sizes.items():
        groups.setdefault(k if k <= 24 else round(12 * math.log2(k)), []).append((k, times))
    chosen = []
    for members in groups.values():
        times = sum(t for _, t in members)
        if times:
            chosen.append((round(sum(k * t for k, t in members) / times), float(times)))
    return chosen
