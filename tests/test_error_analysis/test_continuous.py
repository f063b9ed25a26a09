import math
import sys

import pytest

from error_analysis.searching.continuous import log_estimate, optimised
from error_analysis.searching.quick_estimate import Roundings
from error_analysis.searching.structures import layouts

PAIRS = layouts(6)[0]


def test_optimum_is_lower_than_its_surroundings() -> None:
    """But for kinks, of half a percent, where the order of a sum changes."""
    best = optimised(4, 3, PAIRS, 2, Roundings(), starts=1)[0]
    value = log_estimate(4, 3, PAIRS.floats(best), 2, Roundings())
    for position in range(2):
        for factor in (0.75, 1.33):
            moved = [size * factor if k == position else size for k, size in enumerate(best)]
            assert log_estimate(4, 3, PAIRS.floats(moved), 2, Roundings()) > value


def test_same_seed_same_optimum() -> None:
    first, second = (optimised(3, 3, layouts(5)[0], 1, Roundings(), seed=3, starts=1) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("points", [[0, 1, 1 + 1e-5, -1], [0, 1, -1, 2000], [0, 1, -1, -1]])
def test_points_that_all_but_coincide_are_worst(points: list[float]) -> None:
    assert log_estimate(2, 3, points, 1, Roundings()) > math.log(1e9)


def test_missing_scipy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="continuous=False"):
        optimised(4, 3, PAIRS, 2, Roundings())
