from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pytest

from error_analysis.search_plots import best_error_against_n, front_of_search
from error_analysis.searching.result import SearchResult
from error_analysis.searching.search import search
from error_analysis.searching.workers import Here
from winograd import catalogue_rows

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result() -> SearchResult:
    return search(2, 2, 1, budget=4, continuous=False, executor=Here())


@pytest.mark.parametrize("dims", [1, 2])
def test_best_errors_lie_below_the_published_and_above_direct(dims: int) -> None:
    axes = best_error_against_n(catalogue_rows(), dims)
    lines = {line.get_label(): line for line in axes.lines}
    published = dict(zip(*lines["published"].get_data(), strict=True))
    ours = dict(zip(*lines["catalogue, rounded as published"].get_data(), strict=True))
    direct = lines["direct convolution"].get_ydata()[0]
    assert len(ours) >= 9
    # F(2, 3) has the published points, and a mean of other data.
    assert all(direct < ours[n] < 1.02 * published[n] for n in ours if n in published)
    assert axes.get_yscale() == "log"


def test_front_is_drawn_with_every_result(result: SearchResult) -> None:
    axes = front_of_search(result)
    labels = axes.get_legend_handles_labels()[1]
    assert len(labels) == len(result.front) + 1
    assert axes.get_xlabel() == "operations of the transforms of a tile"


def test_bad_input(result: SearchResult) -> None:
    with pytest.raises(ValueError, match="there must be something to draw"):
        best_error_against_n([])
    with pytest.raises(ValueError, match="objective must be one of additions"):
        front_of_search(result, "error")
