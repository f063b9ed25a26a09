import json
from dataclasses import replace

import pytest

from winograd import Algorithm, catalogue_rows, parse_points, toom_cook
from winograd.catalogue.row import CatalogueRow

ROW = next(row for row in catalogue_rows() if row.size == "F(4x4, 3x3)" and row.model == "kernel")


def test_algorithm_is_the_one_made_by_hand() -> None:
    row = replace(ROW, points="0, 1, -1, 2, -2, inf", scale_a="", scale_b="1, 1/2, 1/2, 1, 1, 1", dtype="bfloat16",
                  passes=("share",))
    T = toom_cook(4, 3, parse_points(row.points)).scaled(None, [1, "1/2", "1/2", 1, 1, 1])
    by_hand = Algorithm(T, dims=2, order=row.order, passes="share", fma=row.fma, dtype="bfloat16",
                        filter_dtype="float64", sum_dtype="float32", output_dtype="float32")
    assert row.algorithm == by_hand


@pytest.mark.parametrize("bound", [1.5, float("inf")])
def test_record_reads_back_equal(bound: float) -> None:
    row = replace(ROW, bound=bound, best_published=None)
    assert CatalogueRow.from_record(json.loads(json.dumps(row.to_record(), allow_nan=False))) == row


def test_delta_is_the_distance_to_the_published_error() -> None:
    assert replace(ROW, error=3e-7, best_published=4e-7).delta == pytest.approx(-0.25)
    assert replace(ROW, best_published=None).delta is None


def test_record_with_another_field_is_refused() -> None:
    with pytest.raises(ValueError, match="a row must have the fields of CatalogueRow"):
        CatalogueRow.from_record({**ROW.to_record(), "speed": 1})
