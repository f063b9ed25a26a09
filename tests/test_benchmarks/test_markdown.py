import math

import pytest

from convolution.markdown import digits, mean_ratio, milliseconds, percent, ratio, table


def test_losses_are_bold_and_gains_are_not() -> None:
    assert ratio(0.97) == "**0.97**"
    assert ratio(1.0) == "1.00"
    assert ratio(0.999) == "**1.00**"  # lost, however little
    assert ratio(2.345, (2.1, 2.5)) == "2.35 (2.10–2.50)"
    assert ratio(0.5, (0.4, 0.6)) == "**0.50** (0.40–0.60)"
    assert ratio(None) == "–"


def test_numbers_have_three_digits() -> None:
    assert [digits(value) for value in (0.0012345, 0.5, 4.7212, 59.2, 196.4, 2345.6, 0)] == [
        "0.00123", "0.500", "4.72", "59.2", "196", "2346", "0",
    ]
    assert milliseconds(0.00472) == "4.72"
    assert milliseconds(math.nan) == milliseconds(None) == "–"
    assert percent(0.851) == "85 %"


def test_means_are_geometric() -> None:
    assert mean_ratio([0.5, 2.0]) == pytest.approx(1.0)
    assert mean_ratio([]) is None


def test_table_aligns_numbers_and_escapes_bars() -> None:
    assert table(["layer", "ms"], [["a|b", "1.0"]]) == "| layer | ms |\n| --- | ---: |\n| a\\|b | 1.0 |"


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        table(["layer", "ms"], [["a"]])
