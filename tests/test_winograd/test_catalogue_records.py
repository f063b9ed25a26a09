"""The file of the catalogue, and the rows that ship in it."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from winograd.catalogue.models import stage_formats
from winograd.catalogue.records import (
    DTYPES,
    catalogue_rows,
    intended_sizes,
    read_rows,
    rows_text,
    shipped_path,
    write_rows,
)
from winograd.catalogue.row import CatalogueRow

ROWS = catalogue_rows()


def test_sizes_are_those_that_were_promised() -> None:
    sizes = list(intended_sizes())
    assert len(sizes) == len(set(sizes))
    assert set(sizes) == {(m, 3) for m in range(2, 17)} | {
        (m, r) for r in (2, 4, 5, 7) for m in range(2, 12) if m + r - 1 <= 12
    }


def test_what_ships_is_in_its_own_form() -> None:
    text = shipped_path().read_text(encoding="utf-8")
    assert rows_text(ROWS) == text
    assert json.loads(text)["command"] == "winograd-error catalogue --regenerate"


def test_each_cell_has_one_row_for_each_objective() -> None:
    keys = Counter((row.m, row.r, row.dims, row.dtype, row.model, row.objective) for row in ROWS)
    assert set(keys.values()) == {1}
    cells = {("kernel", dtype, name) for dtype in DTYPES for name in ("error", "operations", "range")}
    cells.add(("literature", "float32", "error"))
    assert set(keys) == {
        (m, r, dims, dtype, model, objective)
        for m, r in intended_sizes() for dims in (1, 2) for model, dtype, objective in cells
    }


@pytest.mark.parametrize("row", [row for row in ROWS if row.objective == "error" and row.n <= 6], ids=lambda r: r.size)
def test_rows_are_proved_convolutions(row: CatalogueRow) -> None:
    A = row.algorithm  # an Algorithm proves its transforms
    assert (A.m, A.r, A.dims) == ((row.m,) * row.dims, (row.r,) * row.dims, row.dims)
    formats = stage_formats(row.dtype, row.model)
    assert all(getattr(A, name) == value for name, value in formats.items())


def test_figures_are_plausible() -> None:
    for row in ROWS:
        assert 0 < row.error_low < row.error < row.error_high < row.bound
        assert row.delta is None or row.delta == pytest.approx(row.error / row.best_published - 1)
        assert math.isfinite(row.range)
        assert row.version


def test_model_of_the_literature_has_its_own_rules() -> None:
    for row in ROWS:
        if row.model == "literature":
            assert (row.order, row.passes, row.fma, row.dtype) == ("huffman", (), False, "float32")


def test_errors_are_at_or_below_the_published_ones() -> None:
    """In the literature's own model; an interval is allowed where the points are the published ones, as for F(2, 3)."""
    compared = [row for row in ROWS if row.model == "literature" and row.best_published is not None]
    assert len(compared) > 20
    for row in compared:
        assert row.error_low <= row.best_published
    mean = math.exp(sum(math.log(row.error / row.best_published) for row in compared) / len(compared))
    assert mean < 0.8


def test_kernels_err_a_fifth_less_again() -> None:
    literature = {(row.m, row.dims): row for row in ROWS if row.model == "literature" and row.r == 3}
    kernel = {(row.m, row.dims): row for row in ROWS if row.model == "kernel" and row.r == 3
              and row.dtype == "float32" and row.objective == "error"}
    assert set(literature) == set(kernel)
    for key, row in kernel.items():
        assert row.error_low < literature[key].error
    assert literature[4, 2].error < 2.45e-7
    assert kernel[4, 2].error < 0.8 * literature[4, 2].error


def test_text_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    write_rows(path, ROWS[:5])
    assert set(read_rows(path.read_text())) == set(ROWS[:5])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"rows": []}', '{"format": "winograd catalogue, version 1", "rows": [{"m": 4}]}']
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"text must be a catalogue|a row must have the fields"):
        read_rows(text)
