import pytest

import winograd as wg
from error_analysis.searching.brief import brief_search
from winograd import offers
from winograd.catalogue.brief_search import brief_search as place


def test_recommend_searches_for_what_the_catalogue_lacks() -> None:
    A = wg.recommend(2, 6, dims=1, model="literature", objective="range")  # seven points, one axis: a second
    assert A.origin == "search"
    assert A.row is not None
    assert A.row.objective == "range"
    assert (A.row.size, A.row.best_published) == ("F(2, 6)", None)


def test_without_error_analysis_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_offered", [])
    monkeypatch.setattr(offers, "entry_points", lambda group: [])
    with pytest.raises(ImportError, match="import error_analysis, or install it"):
        wg.recommend(2, 6, dims=1)


def test_too_many_points_are_refused() -> None:
    with pytest.raises(ValueError, match="m \\+ r - 1 must be at most 20"):
        brief_search(20, 3, 1, "float32", "kernel", "error")
