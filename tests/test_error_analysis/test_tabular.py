"""Rows as CSV and frames."""

import csv
import io
import math
import sys

import pytest

from error_analysis.measurement.tabular import csv_text, data_frame

ROWS = [{"name": 'a, "b"', "error": 0.1}, {"error": 5e-324, "more": math.nan}]


def test_csv_reads_back():
    text = csv_text(ROWS)
    first, second = csv.DictReader(io.StringIO(text))
    assert first == {"name": 'a, "b"', "error": "0.1", "more": ""}
    assert float(second["error"]) == 5e-324 and second["name"] == "" and math.isnan(float(second["more"]))


def test_csv_is_written_where_it_is_wanted(tmp_path):
    path = tmp_path / "rows.csv"
    assert csv_text(ROWS, path) == path.read_text("utf-8")


def test_a_frame_has_a_row_for_each():
    pytest.importorskip("pandas")
    frame = data_frame(ROWS)
    assert list(frame.columns) == ["name", "error", "more"] and frame["error"].tolist() == [0.1, 5e-324]


def test_without_pandas_there_is_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas, or use to_csv\(\)"):
        data_frame(ROWS)
