import os
from pathlib import Path

import pytest

from convolution import store

ORIGIN = {"processor": "P", "code": "abc", "date": "2020-01-01"}
PART = {"settings": {"threads": 2}, "provenance": ORIGIN, "rows": [{"shape": "a"}]}


def test_what_is_written_is_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "R.md"
    store.write(path, "first")
    store.write(path, "second ×")
    assert path.read_text(encoding="utf-8") == "second ×"
    assert os.listdir(path.parent) == ["R.md"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "R.md"
    store.write(path, "first")

    def interrupted(*paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.write(path, "second")
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["R.md"]


@pytest.mark.parametrize("text", ["{", "[]", '{"layers": 3}', '{"layers": {}}'])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "R.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"R\.json must hold .*delete it to start anew"):
        store.read(path)


def test_nothing_is_stored_where_no_file_is(tmp_path: Path) -> None:
    assert store.read(tmp_path / "R.json") == {}
    assert store.record_path(tmp_path / "R.md") == tmp_path / "R.json"


def test_disturbed_rows_are_measured_again() -> None:
    rows = [{"shape": "a", "others": 0.05}, {"shape": "b", "others": 0.9}, {"shape": "c", "others": None}]
    kept = store.finished({"layers": PART | {"rows": rows}}, "layers", {"threads": 2}, ORIGIN)
    assert [row["shape"] for row in kept] == ["a", "c"]


def test_rows_are_kept_of_the_same_code_machine_and_settings_on_any_day() -> None:
    stored, later = {"layers": PART}, ORIGIN | {"date": "2020-02-02"}
    assert store.finished(stored, "layers", {"threads": 2}, later) == PART["rows"]
    assert store.finished(stored, "scaling", {"threads": 2}, later) == []
    assert store.finished(stored, "layers", {"threads": 1}, later) == []
    assert store.finished(stored, "layers", {"threads": 2}, later | {"code": "other"}) == []
