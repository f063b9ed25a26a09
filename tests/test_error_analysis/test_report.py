"""Reports read back, and say what they hold."""

import json

import numpy as np
import pytest

import winograd as wg
from error_analysis import Estimate, Report, measure
from error_analysis.report import mean_estimate, ratio_estimate

A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2)


@pytest.fixture(scope="module")
def report():
    return measure(A, trials=100)


def test_a_report_reads_back_equal(report):
    again = Report.from_json(report.to_json())
    assert again == report and hash(again) == hash(report)
    assert again.provenance == report.provenance


def test_a_record_can_be_measured_again(report):
    again = Report.from_json(report.to_json())
    assert measure(wg.Algorithm.from_json(again.recipe), again.trials, again.seed, again.channels) == report


def test_the_record_is_plain_json_and_says_where_it_comes_from(report):
    record = json.loads(report.to_json())
    assert record["recipe"]["dtype"] == "float32"
    assert record["provenance"]["numpy"] == np.__version__
    assert record["provenance"]["processor"]
    assert set(record["mean_abs"]) == {"value", "low", "high"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mean_abs": 1}'])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="text must be a Report record as JSON"):
        Report.from_json(text)


def test_the_text_holds_the_figures(report):
    text = str(report)
    assert text.startswith("F(2x2, 3x3) points 0, 1, -1, inf; huffman; float32; linear")
    assert "(emulation, 1 channel, 100 trials, seed 0)" in text
    assert str(report.mean_abs) in text and f"{report.max_abs:.2e}" in text
    assert "mean_abs=Estimate(value=" in repr(report) and "recipe" not in repr(report)


def test_reports_do_not_change(report):
    with pytest.raises(AttributeError):
        report.trials = 3


def test_estimates():
    values = np.random.default_rng(0).exponential(size=1000)
    e = mean_estimate(values)
    assert e.low < e.value < e.high
    assert e == Estimate(e.value, e.low, e.high)
    assert mean_estimate(np.ones(5)) == Estimate(1, 1, 1)


def test_the_ratio_of_pairs_is_tighter_than_that_of_strangers():
    rng = np.random.default_rng(0)
    below = rng.uniform(1, 2, 1000)
    paired = ratio_estimate(3 * below + rng.uniform(0, 0.01, 1000), below)
    shuffled = ratio_estimate(3 * rng.permutation(below), below)
    assert paired.low < 3.01 < paired.high + 0.01
    assert paired.high - paired.low < (shuffled.high - shuffled.low) / 50


def test_a_ratio_to_nothing_is_not_a_number():
    assert np.isnan(ratio_estimate(np.ones(3), np.zeros(3)).value)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_not_finite_has_no_interval(value):
    values = np.array([1.0, value, 2.0])
    assert not np.isfinite(mean_estimate(values).value) and np.isnan(mean_estimate(values).low)
    assert np.isnan(ratio_estimate(values, np.ones(3)).value)
