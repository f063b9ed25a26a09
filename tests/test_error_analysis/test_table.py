"""The published errors come out again."""

import pytest

from error_analysis import Interrupted, measure
from error_analysis.measurement import table
from error_analysis.measurement.table import check_markers, markdown, published_table, write_table


@pytest.fixture(scope="module")
def rows():
    return published_table(trials=4000, seed=1)


def test_every_published_error_is_within_ten_percent(rows):
    """10 % is what is promised for m <= 12; a 95 % interval at 4000 trials is at most +-3 % wide."""
    off = {(row.name, row.ratio) for row in rows if (row.m or 0) <= 12 and not 0.9 < row.ratio < 1.1}
    assert off == set()


def test_the_rows_beyond_are_near(rows):
    assert [row.m for row in rows if row.dims == 2][-4:] == [13, 14, 15, 16]
    assert all(0.85 < row.ratio < 1.15 for row in rows)


def test_rows_come_by_shape_with_direct_first(rows):
    assert [(row.m, row.dims) for row in rows[:3]] == [(None, 1), (2, 1), (3, 1)]
    assert [row.name for row in rows if row.m is None] == ["direct, 1-D", "direct, 2-D"]
    assert {row.m for row in rows if row.dims == 2} == {None, *range(2, 17)}
    by_name = {row.name: row for row in rows}
    assert by_name["F(4, 3)"].points == "0, -1, 1, 1/2, -3, inf"
    assert by_name["F(4x4, 3x3)"].points == "0, -1, 1, 1/2, -2, inf"


def test_the_table_is_written_between_its_markers(tmp_path, rows):
    path = tmp_path / "README.md"
    path.write_text("above\n<!-- table:published -->\nold\n<!-- /table -->\nbelow\n<!-- /table -->\n")
    write_table(path, markdown(rows), "a command")
    text = path.read_text()
    assert text.startswith("above\n<!-- table:published -->\n| |") and "old" not in text
    assert text.endswith("|\n\nMade by `a command`.\n<!-- /table -->\nbelow\n<!-- /table -->\n")
    write_table(path, markdown(rows), "a command")
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["", "<!-- table:published -->", "<!-- /table --><!-- table:published -->"])
def test_a_file_without_markers_is_left_alone(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(ValueError, match="must have the line <!-- table:published --> once"):
        check_markers(path)
    with pytest.raises(ValueError, match="must have the line"):
        write_table(path, "table", "command")
    assert path.read_text() == text


def test_an_interruption_leaves_the_rows_that_were_measured(monkeypatch):
    def third_interrupted(A, *arguments):
        if A.m == (4,):
            raise KeyboardInterrupt
        return measure(A, *arguments)

    monkeypatch.setattr(table, "measure", third_interrupted)
    with pytest.raises(Interrupted) as caught:
        published_table(trials=20)
    assert [row.name for row in caught.value.result] == ["direct, 1-D", "F(2, 3)", "F(3, 3)"]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="trials must be at least 2; got 1"):
        published_table(trials=1)
