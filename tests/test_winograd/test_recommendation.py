import pickle

import pytest

import winograd as wg
from winograd import offers
from winograd.catalogue.brief_search import GROUP, brief_search


def test_an_algorithm_with_its_measured_error() -> None:
    A = wg.recommend(4, 3, dims=2, dtype="float32")
    assert isinstance(A, wg.Algorithm)
    assert (A.size, A.dtype, A.origin) == ("F(4x4, 3x3)", "float32", "catalogue")
    assert A.row is not None
    assert A.row.error_low < A.row.error < A.row.error_high < 1.9e-7


def test_it_equals_the_same_algorithm_without_the_row() -> None:
    A = wg.recommend(4, 3)
    plain = wg.Algorithm.from_json(A.to_json())
    assert plain == A
    assert plain == A
    assert hash(A) == hash(plain)
    assert wg.recommend(4, 3, dims=1) != A
    assert A != "F(4, 3)"
    again = pickle.loads(pickle.dumps(A))
    assert again == A
    assert again.row == A.row


def test_what_is_changed_has_no_row() -> None:
    changed = wg.recommend(4, 3).with_formats("float64")
    assert changed.dtype == "float64"
    assert changed.row is None


@pytest.mark.parametrize("objective", ["error", "operations", "range"])
def test_objectives(objective: str) -> None:
    chosen = wg.recommend(4, 3, objective=objective).row
    others = [wg.recommend(4, 3, objective=name).row for name in ("error", "operations", "range")]
    assert chosen is not None
    # The error was chosen on other data than the row's own.
    best = min(getattr(row, objective) for row in others if row is not None)
    assert getattr(chosen, objective) <= best * (1.01 if objective == "error" else 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 3), "m and r must be at least 2"), ((4, 0), "r must be at least 1"), ((4, 3, 3), "dims must be 1 or 2"),
        ((4, 3, 2, "float7"), "dtype must be one of"), ((4, 3, 2, "float32", "speed"), "objective must be one of"),
        ((4, 3, 2, "float32", "error", "fast"), "model must be one of"),
    ],
)
def test_bad_input(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.recommend(*arguments)


def test_what_the_catalogue_lacks_is_asked_of_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    row = wg.recommend(4, 3).row
    assert row is not None
    asked: list[tuple] = []

    def search(*arguments: object) -> wg.CatalogueRow:
        asked.append(arguments)
        return row

    monkeypatch.setattr(brief_search, "_offered", [])
    brief_search.offer(search)
    A = wg.recommend(40, 3, dtype="tf32", objective="range")
    assert asked == [(40, 3, 2, "tf32", "kernel", "range")]
    assert (A.row, A.origin) == (row, "search")


def test_an_entry_point_is_loaded_once_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def load(self) -> None:
            brief_search.offer(lambda *arguments: None)  # type: ignore[arg-type, return-value]

    groups: list[str] = []
    monkeypatch.setattr(brief_search, "_offered", [])
    monkeypatch.setattr(offers, "entry_points", lambda group: groups.append(group) or [Entry()])
    assert callable(brief_search())
    assert groups == [GROUP]
