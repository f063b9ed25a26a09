"""The record of a sweep: what it says, and that it comes back equal from JSON."""

import csv
import io
import json
import math

import pytest

import error_analysis as ea
from error_analysis.measurement.interval import UNKNOWN
from error_analysis.sweeping.curve import Sweep


@pytest.fixture(scope="module")
def found():
    return ea.sweep("reciprocal", 4, 3, [*ea.spaced("1.2", 3, 12), "sqrt(2)", 1], trials=80)


def test_it_comes_back_equal(found):
    again = Sweep.from_json(found.to_json())
    assert again == found and hash(again) == hash(found) and repr(again) == repr(found)
    assert again.curve == found.curve and again.algorithm("sqrt(2)") == found.algorithm("sqrt(2)")


def test_what_has_no_value_is_null(found):
    record = json.loads(found.to_json())
    record["points"][0]["ratio"] = {"value": None, "low": None, "high": None}
    again = Sweep.from_json(json.dumps(record))
    assert math.isnan(again.points[0].ratio.value)
    assert Sweep.from_json(again.to_json()) == again != found
    assert UNKNOWN.value != UNKNOWN.value


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"points": 3}'])
def test_what_is_no_record(text):
    with pytest.raises(ValueError, match="text must be a Sweep record as JSON"):
        Sweep.from_json(text)


def test_the_curve_is_sorted_and_gaps_are_apart(found):
    c = [float(value) for value, _ in found.curve]
    assert c == sorted(c) and len(c) == 13 and math.sqrt(2) in c
    assert [gap.c for gap in found.gaps] == [("1",)]


def test_rows_are_points_gaps_minima_and_references(found, tmp_path):
    path = tmp_path / "sweep.csv"
    rows = list(csv.DictReader(io.StringIO(found.to_csv(path))))
    assert path.read_text(encoding="utf-8") == found.to_csv()
    kinds = [row["kind"] for row in rows]
    assert kinds == ["point"] * 13 + ["gap"] + ["minimum"] * len(found.minima) + ["direct", "published"]
    assert {row["c"]: float(row["error"]) for row in rows if row["kind"] == "point"} == {
        p.c[0]: p.error.value for p in found.points
    }
    assert rows[13]["reason"].startswith("c must not be 1 or -1") and rows[13]["c_float"] == "1.0"
    assert all(row["dims"] == "2" and row["dtype"] == "float32" for row in rows)
    pandas = pytest.importorskip("pandas")
    assert isinstance(found.to_frame(), pandas.DataFrame) and len(found.to_frame()) == len(rows)


def test_text_names_minima_and_references(found):
    text = str(found)
    assert "reciprocal F(4, 3), 80 trials, seed 0" in text and "13 values, 1 gap" in text
    assert "published" in text and "direct" in text
    assert all(f"at c = {low.c[0]}" in text for low in found.minima)
