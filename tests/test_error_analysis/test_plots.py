"""Pictures: what is drawn is what was given, and it can be read without colour."""

import builtins
from fractions import Fraction

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from error_analysis import plots
from error_analysis.measurement.interval import Estimate


def estimates(*values):
    return [Estimate(v, 0.9 * v, 1.1 * v) for v in values]


CURVE = list(zip(("11/10", Fraction(3, 2), "sqrt(3)", 2.5), estimates(4e-7, 2e-7, 2.1e-7, 5e-7), strict=True))


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def line(axes, label):
    (found,) = (one for one in axes.get_lines() if one.get_label() == label)
    return found


def test_error_against_c():
    axes = plots.error_against_c(CURVE, references={"textbook": 3.8e-7})
    drawn = line(axes, plots.ERROR_LABEL)
    assert drawn.get_xdata() == pytest.approx([1.1, 1.5, 3**0.5, 2.5], rel=1e-15)  # float64
    assert list(drawn.get_ydata()) == [e.value for _, e in CURVE]
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == CURVE[1][1].low and band[:, 1].max() == CURVE[3][1].high
    assert set(line(axes, "textbook").get_ydata()) == {3.8e-7}
    assert axes.get_yscale() == "log" and axes.get_xlabel() == "c"
    both = plots.error_against_c({"left": CURVE, "huffman": CURVE[:2]})
    assert len(line(both, "huffman").get_xdata()) == 2


def test_error_against_m():
    errors = {"float32": list(zip((2, 4, 6), estimates(1e-7, 3e-7, 9e-7), strict=True)),
              "float16": list(zip((2, 4), estimates(1e-3, 3e-3), strict=True))}
    axes = plots.error_against_m(errors, bounds={"float32": [(2, 1e-5), (4, 1e-4)]}, estimates={"float16": [(2, 2e-3)]})
    assert list(line(axes, "float32, bound").get_ydata()) == [1e-5, 1e-4]
    assert line(axes, "float32, bound").get_color() == line(axes, "float32, measured").get_color()
    assert list(line(axes, "float16, estimate").get_xdata()) == [2]
    assert list(axes.get_xticks()) == [2, 4, 6]
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {
        "float32, measured", "float32, bound", "float16, measured", "float16, estimate"}


def test_error_against_channels():
    errors = {name: list(zip((1, 4, 16), estimates(1e-7, 2e-7, 4e-7 * k), strict=True))
              for k, name in enumerate(("linear", "blocked", "pairwise", "kahan"), 1)}
    axes = plots.error_against_channels(errors)
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert line(axes, "kahan").get_ydata()[-1] == 16e-7
    # Without colour: no two lines have the same dashes and marker.
    looks = {(one.get_linestyle(), one.get_marker()) for one in axes.get_lines()}
    assert len(looks) == 4
    assert {to_hex(one.get_color()).upper() for one in axes.get_lines()} <= set(plots.OKABE_ITO)


@pytest.mark.parametrize("shape", [(4,), (4, 4), (2, 3)])
def test_tile_heat_map(shape):
    values = 1e-7 * np.arange(1, 1 + np.prod(shape)).reshape(shape)
    axes = plots.tile_heat_map(values)
    image = axes.get_images()[0]
    unit = float(axes.get_title().rsplit(" ", 1)[1])
    assert np.array_equal(image.get_array(), np.atleast_2d(values) / unit) and image.get_cmap().name == "viridis"
    numbers = [float(text.get_text()) for text in axes.texts]
    # Printed with one digit after the point, so half of that digit off at most, and one float64 rounding.
    assert np.allclose(np.array(numbers) * unit, values.ravel(), rtol=0, atol=0.0500001 * unit)
    assert plots.tile_heat_map(values, largest=1e-5).get_images()[0].norm.vmax == 1
    assert plots.tile_heat_map(np.zeros((2, 2))).get_images()[0].norm.vmax == 1


def test_a_report_can_be_mapped():
    from error_analysis import measure
    from winograd import Algorithm, published_points, toom_cook

    report = measure(Algorithm(toom_cook(4, 3, published_points(4)), dims=2), trials=10)
    axes = plots.tile_heat_map(report)
    unit = float(axes.get_title().rsplit(" ", 1)[1])
    assert np.array_equal(axes.get_images()[0].get_array(), report.per_output / unit)


def test_ulps_histogram():
    errors = {"one": np.array([0, 0.01, 1, 2, 64]), "two": np.full(3, 5.0)}
    axes = plots.ulps_histogram(errors, bins=20)
    for steps in axes.patches:
        heights, edges, _ = steps.get_data()
        assert heights.sum() == pytest.approx(1, rel=1e-12)  # a few float64 roundings
        assert edges[0] == 0.125 and edges[-1] >= 64
    heights, edges, _ = axes.patches[0].get_data()
    assert heights[0] == 2 / 5  # exact ones and those below 1/8 ulp
    assert axes.get_xscale() == "log"


def test_operations_against_error_and_the_pareto_front():
    values = [("a", 30, 4e-7), ("b", 36, 2e-7), ("c", 38, 3e-7), ("d", 20, 9e-7)]
    axes = plots.operations_against_error([(name, n, *estimates(e)) for name, n, e in values])
    front = line(axes, "Pareto front")
    assert list(front.get_xdata()) == [20, 30, 36] and list(front.get_ydata()) == [9e-7, 4e-7, 2e-7]
    marked = {c.get_label(): c.lines[0] for c in axes.containers}
    assert set(marked) == set("abcd")
    assert marked["c"].get_markerfacecolor() == "white" != marked["b"].get_markerfacecolor()


def test_bound_growth():
    axes = plots.bound_growth({"original": [(4, 1e-6), (5, 1e-5)], "modified": [(4, 1e-7), (5, 3e-7)]})
    assert list(line(axes, "modified").get_ydata()) == [1e-7, 3e-7] and axes.get_yscale() == "log"


def test_an_axes_given_is_the_one_drawn_on():
    for function, data in (
        (plots.error_against_c, CURVE),
        (plots.error_against_m, {"float32": [(2, *estimates(1e-7))]}),
        (plots.error_against_channels, {"linear": [(1, *estimates(1e-7))]}),
        (plots.tile_heat_map, np.ones((2, 2))),
        (plots.ulps_histogram, {"one": [1.0]}),
        (plots.operations_against_error, [("a", 1, *estimates(1e-7))]),
        (plots.bound_growth, {"original": [(4, 1e-6)]}),
    ):
        axes = plt.figure().add_subplot()
        assert function(data, axes) is axes and function(data, ax=axes) is axes
        assert function(data) is not axes


@pytest.mark.parametrize(
    ("function", "data", "message"),
    [
        (plots.error_against_c, [], "something to draw"),
        (plots.error_against_c, {"a": []}, "a is empty"),
        (plots.error_against_c, [("inf", *estimates(1))], "abscissa must be finite"),
        (plots.error_against_m, {}, "something to draw"),
        (plots.error_against_channels, {}, "something to draw"),
        (plots.ulps_histogram, {"one": []}, "one is empty"),
        (plots.operations_against_error, [], "something to draw"),
        (plots.bound_growth, {}, "something to draw"),
        (plots.tile_heat_map, np.zeros((2, 2, 2)), "vector or a matrix"),
    ],
)
def test_nothing_to_draw(function, data, message):
    with pytest.raises(ValueError, match=message):
        function(data)


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"install winograd\[plots\]"):
        plots.bound_growth({"original": [(4, 1e-6)]})
