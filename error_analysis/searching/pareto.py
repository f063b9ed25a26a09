"""Which of several results no other is better than in everything."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto_front(values: Sequence[Sequence[float]]) -> list[int]:
    """Positions of the rows that no other row dominates, in their order; of equal rows the first.

    A row dominates another if it is no larger anywhere and not equal. Rows with a NaN are on no front.

    Examples
    --------
    >>> pareto_front([(1, 5), (2, 2), (3, 3), (5, 1), (2, 2)])
    [0, 1, 3]
    """
    front = []
    for i, row in enumerate(values):
        if any(math.isnan(x) for x in row):
            continue
        beaten = any(
            all(x <= y for x, y in zip(other, row, strict=True)) and (tuple(other) != tuple(row) or j < i)
            for j, other in enumerate(values) if j != i
        )
        if not beaten:
            front.append(i)
    return front
