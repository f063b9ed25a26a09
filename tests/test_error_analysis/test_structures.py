from fractions import Fraction as F

import pytest

from error_analysis.searching.structures import layouts
from winograd import INF


@pytest.mark.parametrize("n", range(3, 20))
def test_layouts_have_n_points(n: int) -> None:
    found = layouts(n)
    assert found
    assert all(layout.n == n for layout in found)
    assert len(set(found)) == len(found)
    # One of them has no point without its negative.
    assert any(not layout.single for layout in found)


@pytest.mark.parametrize("n", [4, 7, 10])
def test_points_and_floats_are_the_same_sets(n: int) -> None:
    for layout in layouts(n):
        sizes = [F(k + 2, 3) for k in range(layout.numbers)]
        exact = {float("inf") if p is INF else float(p) for p in layout.points(sizes)}
        assert exact == set(layout.floats([float(size) for size in sizes]))
        assert len(exact) == n
