import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from error_analysis.__main__ import main
from error_analysis.measurement.interruption import Interrupted
from error_analysis.searching.result import SearchResult
from error_analysis.searching.search import search
from error_analysis.searching.workers import Here
from winograd import catalogue_rows
from winograd.catalogue.records import rows_text

SMALL = ["search", "2", "3", "--dims", "1", "--budget", "2"]


def test_search_prints_the_front_and_goes_on_from_a_store(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    store = tmp_path / "store.sqlite"
    assert main([*SMALL, "--store", str(store)]) == 0
    text = capsys.readouterr().out
    assert "F(2, 3), float32, literature" in text
    assert store.exists()
    assert main([*SMALL, "--store", str(store), "--json"]) == 0
    assert str(SearchResult.from_json(capsys.readouterr().out)) == text.rstrip("\n")


def test_ctrl_c_prints_what_was_found(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = search(2, 3, 1, budget=2, continuous=False, executor=Here())

    def interrupted(*arguments: Any, **more: Any) -> SearchResult:
        raise Interrupted(replace(whole, ended="interrupted"))

    monkeypatch.setattr("error_analysis.searching.search.search", interrupted)
    assert main(SMALL) == 130
    assert "interrupted\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*SMALL, "--budget", "0"], "budget must be at least 1"),
        ([*SMALL, "--objectives", "error,speed"], "objectives must be among"),
        (["catalogue", "--check", "0"], "count must be at least 1"),
        (["catalogue", "--check", "1", "--regenerate"], "catalogue must be asked for one of"),
        (["catalogue", "--check", "-1"], "count must be at least 1"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_no_store_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no store\n" * 200)
    assert main([*SMALL, "--store", str(path)]) == 2
    assert "store must be a results store" in capsys.readouterr().err


def test_check_of_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rows = [row for row in catalogue_rows() if row.n == 4 and row.dims == 1 and row.dtype == "float32"]
    path = tmp_path / "catalogue.json"
    path.write_text(rows_text(rows))
    assert main(["catalogue", "--check", "2", "--path", str(path)]) == 0
    assert capsys.readouterr().out.count("agrees") == 2
    record = json.loads(path.read_text())
    for row in record["rows"]:
        row["additions"] += 1
    path.write_text(json.dumps(record))
    assert main(["catalogue", "--check", "1", "--path", str(path), "--trials", "100"]) == 1
    assert "disagrees in additions" in capsys.readouterr().out
