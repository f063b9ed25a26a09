"""The commands measure, compare and table: what they print, and one line for bad input."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from error_analysis import Comparison, Report, measure
from error_analysis.__main__ import main
from error_analysis.cli_options import algorithm_of


def run(capsys, *arguments):
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_measure_prints_the_report(capsys):
    code, out, err = run(capsys, "measure", "4", "3", "--points", "0,1,-1,1/2,-2,inf", "--trials", "50")
    assert (code, err) == (0, "")
    assert out.startswith("F(4x4, 3x3) points 0, 1, -1, 1/2, -2, inf; huffman; float32; linear (emulation, 1 channel")
    report = measure(algorithm_of("4", "3", "0,1,-1,1/2,-2,inf"), 50)
    for figure in (f"{report.mean_abs.value:.3e}", f"{report.ulps_max:.4g}", f"{report.per_output[3, 0]:.2e}",
                   "mean |error| over the output tile", "range of each stage", "overflows"):
        assert figure in out


def test_measure_takes_the_whole_recipe(capsys):
    text = (
        "measure 4x2 3 --points 0,1,-1,2,-2,inf;0,1,-1,inf --trials 20 --seed 7 --channels 5 --order left "
        "--passes share,factor --fma --dtype float64 --filter-dtype float32 --input-dtype bfloat16 "
        "--product-dtype tf32 --sum-dtype float32 --output-dtype float16 --stored-dtype float8_e5m2 "
        "--rounding toward_zero --channel-sum blocked --channel-block 2 --oracle mpmath --data relu --json"
    )
    code, out, _ = run(capsys, *text.split())
    report = Report.from_json(out)
    recipe = json.loads(report.recipe)
    assert code == 0
    assert (report.trials, report.seed, report.channels, report.oracle) == (20, 7, 5, "mpmath")
    assert report.data.kind == "relu" and report.m == (4, 2)
    assert len(recipe.pop("transforms")) == 2
    assert recipe == {
        "dims": 2, "order": "left", "passes": ["share", "factor"], "fma": True, "dtype": "float64",
        "filter_dtype": "float32", "input_dtype": "bfloat16", "product_dtype": "tf32", "sum_dtype": "float32",
        "output_dtype": "float16", "stored_dtype": "float8_e5m2", "rounding": "toward_zero",
        "channel_sum": "blocked", "channel_block": 2,
    }  # fmt: skip


def test_measure_prints_csv(capsys):
    code, out, _ = run(capsys, "measure", "2", "3", "--trials", "20", "--dims", "3", "--csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == 0 and float(row["mean_abs"]) == measure(algorithm_of("2", "3", dims=3), 20).mean_abs.value


def test_auto_trials_end_when_the_interval_is_narrow(capsys):
    code, out, _ = run(capsys, "measure", "2", "3", "--trials", "auto", "--width", "0.05", "--json")
    report = Report.from_json(out)
    assert code == 0 and report.mean_abs.half_width <= 0.05 * report.mean_abs.value
    out = run(capsys, "measure", "2", "3", "--trials", "auto", "--width", "1e-9", "--max-trials", "500")[1]
    assert "500 trials, seed 0, stopped at max_trials" in out


def test_compare_prints_both_and_their_ratio(capsys):
    arguments = "compare", "4", "3", "--points", "0,1,-1,1/2,-2,inf", "--against", "0,1,-1,2,-2,inf", "--trials", "50"
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    assert out.startswith("first:  F(4x4, 3x3) points 0, 1, -1, 1/2, -2, inf") and "\nsecond: F(4x4, 3x3)" in out
    comparison = Comparison.from_json(run(capsys, *arguments, "--json")[1])
    assert comparison.ratio.formatted(".3f") in out
    assert f"{comparison.b.mean_abs.value:.3e}" in out
    assert run(capsys, *arguments, "--csv")[1].count("\n") == 3


BAD = [
    ("measure 4 3 --points 0,1,-1", "F(4, 3) needs m + r - 1 = 6 points; got 3."),
    ("measure 4 3 --points 0,1,1/2,0.5,2,inf", "1/2 appears at positions 3 and 4"),
    ("measure 4 3 --points 0,1,-1,inf,2,inf", "inf appears at positions 4 and 6"),
    ("measure 4 3 --points 0,1,-1,x!,2,inf", "point does not parse"),
    ("measure 4 3 --points 0,1,-1,nan,2,inf", "nan"),
    ("measure 4 3 --points 0,1,-1,c,2,inf", "give the symbol c a value"),
    ("measure 0 3 --points 0,1", "m must be at least 1; got 0"),
    ("measure 4 5", "points must be given for r = 5"),
    ("measure 40 3", "points are published for m = 2 to 16"),
    ("measure 4 3 --dims 4", "dims must be 1, 2 or 3"),
    ("measure 4x2 3 --dims 3", "m must be given once, or once for each of 3 axes; got 2."),
    ("measure 4x2 3x3x3", "m must be given once, or once for each of 3 axes; got 2."),
    ("measure 4 3 --trials 1", "trials must be at least 2; got 1"),
    ("measure 4 3 --trials -7", "trials must be at least 2; got -7"),
    ("measure 4 3 --trials some", 'trials must be an integer or "auto"; got \'some\'.'),
    ("measure 4 3 --trials auto --width 0", "width must be a positive number; got 0.0"),
    ("measure 4 3 --channels 0", "channels must be at least 1; got 0"),
    ("measure 4 3 --order random", "order must be one of"),
    ("measure 4 3 --passes fuse", "passes must be among share, factor"),
    ("measure 4 3 --dtype float12", "dtype must be one of float64, float32"),
    ("measure 4 3 --dtype binary(1,-3,3)", "precision must be 2 to 53 bits; got 1."),
    ("measure 4 3 --rounding up", "rounding must be one of nearest, toward_zero, stochastic; got 'up'."),
    ("measure 4 3 --channel-sum neumaier", "channel_sum must be one of linear, blocked, pairwise, kahan"),
    ("measure 4 3 --subject paper", "subject must be one of emulation, kernel; got 'paper'"),
    ("measure 4 3 --subject kernel --dtype float16", 'subject "kernel" needs the dtype float32 or float64'),
    ("measure 4 3 --oracle me", "oracle must be one of auto, mpmath; got 'me'"),
    ("measure 4 3 --data levy", "data must be one of uniform, normal, relu, constant, adversarial"),
    ("measure 4 3 --json --csv", "--json and --csv exclude one another; got both."),
    ("measure 4 three", "r must be an integer, or one for each of up to three axes as in 4x2; got 'three'."),
    ("measure 4", "Missing argument"),
    ("measure 4 3 --nonsense", "--nonsense"),
    ("compare 4 3", "--against"),
    ("compare 4 3 --against 0,1", "F(4, 3) needs m + r - 1 = 6 points; got 2."),
    ("compare 4 3 --against 0,1,-1,2,-2,inf --data adversarial", "adversarial data differs with the algorithm"),
    ("weigh", "weigh"),
    ("table --trials 0", "trials must be at least 2; got 0"),
    ("table --write /no/such/README.md", "No such file"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_one_line_and_exit_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n") and message in err


@pytest.mark.parametrize("arguments", [("--help",), ("measure", "--help"), ("compare", "--help"), ("table", "--help")])
def test_help(capsys, arguments):
    code, out, _ = run(capsys, *arguments)
    assert code == 0 and "Usage: python -m error_analysis" in out
    assert arguments == ("--help",) or f"python -m error_analysis {arguments[0]}" in out.partition("Examples:")[2]


def test_the_table_is_printed_or_written(capsys, tmp_path):
    code, out, _ = run(capsys, "table", "--trials", "5")
    assert code == 0 and out.count("\n") == 2 + 2 + 6 + 15
    path = tmp_path / "README.md"
    path.write_text("<!-- table:published -->\n<!-- /table -->\n")
    assert run(capsys, "table", "--trials", "5", "--write", str(path))[0] == 0
    assert out.strip() in path.read_text()
    assert "Made by `python -m error_analysis table --trials 5 --write README.md`." in path.read_text()


def test_a_process_ends_with_the_exit_code():
    command = [sys.executable, "-m", "error_analysis", "measure", "4", "3", "--points", "0,0,1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "python -m error_analysis: points must be distinct; 0 appears at positions 1 and 2.\n"


def test_ctrl_c_prints_what_was_measured():
    """A process with far more trials than it has time for is interrupted once it has measured some."""
    code = "\n".join([
        "import signal, sys, error_analysis.cli as cli",
        "from contextlib import contextmanager",
        # A shell starts what it runs in the background with Ctrl-C ignored, and the tests may run there.
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        "@contextmanager",
        "def told(unit):",
        "    yield lambda done, total: print('measured', done, file=sys.stderr, flush=True)",
        "cli.progress_bar = told",
        "from error_analysis.__main__ import main",
        "sys.exit(main(['measure', '4', '3', '--trials', '100000000', '--json']))",
    ])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        try:
            assert process.stderr.readline().startswith("measured ")
            time.sleep(0.05)
            os.kill(process.pid, signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    report = Report.from_json(out)
    assert process.returncode == 130
    assert report.ended == "interrupted" and 2 <= report.trials < 100_000_000
    assert report.rerun() == report
