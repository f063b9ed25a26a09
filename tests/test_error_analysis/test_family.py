"""Measuring a family: the same numbers as measuring its members."""

from fractions import Fraction

import pytest

import winograd as wg
from error_analysis import Interrupted, measure
from error_analysis.measurement import family
from error_analysis.measurement.family import reciprocal_family, sweep_family


def test_each_value_is_measured_like_its_member():
    values, seen = ["3/2", Fraction(2), 1.25], []
    curve = sweep_family(
        reciprocal_family(), values, trials=50, seed=3, progress=lambda *done: seen.append(done), dims=2, fma=True
    )
    assert [value for value, _ in curve] == values and seen == [(1, 3), (2, 3), (3, 3)]
    for value, estimate in curve:
        T = wg.toom_cook(4, 3, [0, *wg.reciprocal_group(value), wg.INF])
        assert estimate == measure(wg.Algorithm(T, dims=2, fma=True), 50, 3).mean_abs


def test_a_point_and_its_reciprocal_give_much_the_same_error():
    curve = dict(sweep_family(reciprocal_family(), ["3/2", "2/3"], trials=4000, dims=2))
    # The same set of points in another order, so other ties in the sums: the means differ by a few percent.
    assert curve["3/2"].value == pytest.approx(curve["2/3"].value, rel=0.1)


def test_all_values_are_checked_before_the_first_is_measured():
    seen = []
    with pytest.raises(ValueError, match="points must be distinct"):
        sweep_family(reciprocal_family(), [2, 1], trials=50, progress=lambda *done: seen.append(done))
    assert seen == []


def test_an_interruption_leaves_the_points_that_were_measured(monkeypatch):
    def second_interrupted(A, *arguments):
        if A.transforms[0].points != family.reciprocal_family().subs({"c": 2}).points:
            raise Interrupted("some trials of the second")
        return measure(A, *arguments)

    monkeypatch.setattr(family, "measure", second_interrupted)
    with pytest.raises(Interrupted) as caught:
        sweep_family(reciprocal_family(), [2, 3, 4], trials=20)
    assert [value for value, _ in caught.value.result] == [2]


def test_the_family_has_one_symbol():
    with pytest.raises(ValueError, match="family must have one free symbol; got none"):
        sweep_family(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), [1])
    with pytest.raises(ValueError, match="one free symbol; got a, b"):
        sweep_family(wg.toom_cook(2, 3, [0, "a", "b", wg.INF]), [1])
    with pytest.raises(TypeError, match="family must be a Transform; got str"):
        sweep_family("c", [1])
