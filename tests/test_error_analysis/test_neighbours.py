import math
from fractions import Fraction as F

import pytest

from error_analysis.searching.canonical import canonical
from error_analysis.searching.neighbours import Descent, neighbours, simple_rationals
from error_analysis.searching.quick_estimate import Roundings
from error_analysis.searching.structures import layouts
from winograd import parse_points


def test_rationals_ascend_and_include_powers_of_two() -> None:
    found = simple_rationals()
    assert list(found) == sorted(set(found))
    assert {F(2) ** k for k in range(-4, 5)} <= set(found)
    assert all(F(1, 16) <= x <= 16 for x in found)


@pytest.mark.parametrize("size", [F(1), 0.7, F(1, 16), 16.0, 100.0, 0.001])
def test_neighbours_are_the_nearest_on_each_side(size: float) -> None:
    found = neighbours(size, 2)
    assert size not in found
    below, above = [x for x in found if x < size], [x for x in found if x > size]
    assert below == [x for x in simple_rationals() if x < size][-2:]
    assert above == [x for x in simple_rationals() if x > size][:2]


def test_descent_never_ends_above_its_start() -> None:
    descent = Descent(4, 3, 2, Roundings())
    start = parse_points("0, 1, -1, 2, -2, inf")
    first = descent.value(start)
    descent.from_points(start)  # type: ignore[arg-type]
    best = descent.leading(1)[0]
    assert descent.seen[best] < first - math.log(1.2)  # that set is known to be poor


def test_descent_rounds_equal_sizes_apart() -> None:
    descent = Descent(4, 3, 1, Roundings())
    descent.from_sizes(layouts(6)[0], [1.0, 1.0])
    assert all(len(set(points)) == 6 for points in descent.seen)


def test_every_set_is_tried_in_one_form() -> None:
    descent = Descent(3, 3, 1, Roundings())
    descent.from_sizes(layouts(5)[0], [0.5, 1.5])
    assert all(canonical(points) == points for points in descent.seen)
    twins = [parse_points(text) for text in ("0, 1, -1, 2, inf", "0, 1, -1, -1/2, inf", "0, 2, -2, 4, inf")]
    before = len(descent.seen)
    assert len({descent.value(points) for points in twins}) == 1
    assert len(descent.seen) <= before + 1
