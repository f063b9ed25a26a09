"""The picture of a sweep: the curve breaks at gaps, and references and minima are marked."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import error_analysis as ea


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_all_parts_are_drawn():
    found = ea.sweep("reciprocal", 4, 3, ["4/5", 1, *ea.spaced("1.2", 3, 12)], trials=80)
    axes = found.plot()
    drawn = lines(axes)
    assert {"direct", "published", "gap", "refined minimum, fresh data"} <= set(drawn)
    curve = drawn["mean |computed − exact|"]
    x, y = curve.get_xdata(), curve.get_ydata()
    assert x[1] == 1 and np.isnan(y[1]) and not np.isnan(np.delete(y, 1)).any()
    assert list(np.delete(y, 1)) == [error.value for _, error in found.curve]
    assert list(drawn["refined minimum, fresh data"].get_ydata()) == [low.fresh.value for low in found.minima]
    assert list(drawn["published"].get_ydata()) == [found.references["published"].value] * 2
    assert axes.get_title() == "F(4x4, 3x3), reciprocal, float32" and axes.get_yscale() == "log"


def test_one_dimension_on_given_axes_without_gaps_and_minima():
    axes = plt.figure().add_subplot()
    found = ea.sweep("pairs-2", 4, 3, [("1/2", 2), ("1/2", 3)], dims=1, trials=50)
    assert found.plot(axes) is axes and axes.get_title() == "F(4, 3), pairs-2, float32"
    assert axes.get_xlabel() == "parameter 2 of the family"
    assert not {"gap", "refined minimum, fresh data"} & set(lines(axes))


def test_gaps_alone_are_no_picture():
    with pytest.raises(ValueError, match="there must be something to draw"):
        ea.sweep("reciprocal", 4, 3, [1, -1], trials=50).plot()
