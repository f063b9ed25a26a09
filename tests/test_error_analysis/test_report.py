"""Reports read back, run again, and say what they hold."""

import csv
import io
import json
import sys

import numpy as np
import pytest

import winograd as wg
from error_analysis import Interrupted, Report, measure, random_tiles

A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2)
OVERFLOWING = wg.Algorithm(A.transforms[0].scaled(A=[2**-120] * 4, B=[2**120] * 4), dims=2)
CASES = {
    "plain": {"A": A},
    "bfloat16, normal": {"A": A.with_formats("bfloat16", sum_dtype="float32"), "data": "normal", "channels": 3},
    "stochastic, relu": {"A": wg.Algorithm(A.transforms, rounding="stochastic"), "data": "relu", "seed": 9},
    "adversarial, 3 axes": {"A": wg.Algorithm(A.transforms[0], dims=3), "data": "adversarial", "oracle": "mpmath"},
    "kernel": {"A": A, "subject": "kernel", "seed": 3},
    "overflow": {"A": OVERFLOWING},
}


@pytest.fixture(scope="module", params=CASES)
def report(request):
    return measure(trials=30, **CASES[request.param])


def test_a_report_reads_back_equal(report):
    again = Report.from_json(report.to_json())
    assert again == report and hash(again) == hash(report)
    assert again.provenance == report.provenance and again.complete
    assert str(again) == str(report) and again.to_json() == report.to_json()


def test_a_record_runs_again_to_the_same_numbers(report):
    again = Report.from_json(report.to_json()).rerun()
    assert again == report
    assert repr(again.flat()) == repr(report.flat())  # as text, NaN is equal to NaN


def test_measurements_on_arrays_run_again_on_the_same_arrays():
    d, g = random_tiles("normal", np.random.default_rng(0), 20, 2, (4, 4), (3, 3), "float32")
    report = Report.from_json(measure(A, data=(d, g)).to_json())
    assert report.rerun((d, g)) == report
    with pytest.raises(ValueError, match="arrays must be given again"):
        report.rerun()
    with pytest.raises(ValueError, match="arrays must be those that were measured"):
        report.rerun((-d, g))
    with pytest.raises(ValueError, match="arrays must not be given"):
        measure(A, trials=5).rerun((d, g))


def test_an_interrupted_measurement_on_arrays_runs_again_as_far():
    d, g = random_tiles("normal", np.random.default_rng(0), 3000, 1, (4, 4), (3, 3), "float32")

    def interrupted(done, total):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        measure(A, data=(d, g), progress=interrupted)
    report = caught.value.result
    assert report.trials < 3000 and report.rerun((d, g)) == report


def test_the_record_is_strict_json_and_says_where_it_comes_from(report):
    record = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert record["provenance"]["numpy"] == np.__version__
    assert record["provenance"]["processor"] and record["provenance"]["winograd"] == wg.__version__
    assert wg.Algorithm.from_json(json.dumps(record["recipe"])).size == report.algorithm.partition(" points")[0]
    assert set(record["mean_abs"]) == {"value", "low", "high"}
    assert record["data"]["kind"] and record["data"]["dtype"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mean_abs": 1}', "3", '{"ulps": null}'])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="text must be a Report record as JSON"):
        Report.from_json(text)


def test_csv_reads_back_equal(report, tmp_path):
    path = tmp_path / "report.csv"
    text = report.to_csv(path)
    assert path.read_text("utf-8") == text
    (row,) = csv.DictReader(io.StringIO(text))
    flat = report.flat()
    assert list(row) == list(flat)
    for name, value in flat.items():
        read = float(row[name]) if isinstance(value, float) else row[name]
        assert read == value or str(value) == row[name], name


def test_the_frame_holds_every_figure(report):
    pandas = pytest.importorskip("pandas")
    frame = report.to_frame()
    assert frame.shape == (1, len(report.flat()))
    for name, value in report.flat().items():
        held = frame[name][0]
        assert held == value or (held != held and value != value), name
    assert len(pandas.concat([frame, frame])) == 2


def test_without_pandas_the_frame_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        measure(A, trials=5).to_frame()


def test_the_text_holds_the_figures():
    report = measure(A, trials=100)
    text = str(report)
    assert text.startswith("F(2x2, 3x3) points 0, 1, -1, inf; huffman; float32; linear")
    assert "(emulation, 1 channel, 100 trials, seed 0)" in text
    for figure in (report.mean_abs, f"{report.max_abs:.2e}", f"{report.quantiles[3]:.2e}",
                   f"{report.ulps_quantiles[0]:.3g}", report.ratio.formatted(".2f")):
        assert str(figure) in text
    assert "mean_abs=Estimate(value=" in repr(report) and "recipe" not in repr(report)


def test_range_is_told_where_more_than_rounding_happened():
    assert "range of" not in str(measure(A, trials=100))
    assert "underflows" in str(measure(A.with_formats("float8_e4m3fn"), trials=100))


def test_reports_do_not_change():
    with pytest.raises(AttributeError):
        measure(A, trials=5).trials = 3


def test_equality_is_of_what_was_measured():
    report = measure(A, trials=50)
    assert report != measure(A, trials=51) and report != "a report"
    assert len({report, measure(A, trials=50)}) == 1


@pytest.mark.parametrize("scale", [1e-140, 1e100, 1e150])
def test_reports_at_the_ends_of_the_range_are_read_back_equal(scale):
    """Squares of such errors leave the range of float64; the mean and its interval do not need them."""
    A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dtype="float64")
    generator = np.random.default_rng(0)
    data = generator.uniform(-1, 1, (50, 2, 4)) * scale, generator.uniform(-1, 1, (50, 2, 3)) * scale
    report = measure(A, data=data)
    assert report.mean_abs.low < report.mean_abs.value < report.mean_abs.high < np.inf
    assert Report.from_json(report.to_json()) == report
