"""The command line: what it prints, and one line for bad input."""

import json
import subprocess
import sys

import pytest

from error_analysis import Report
from error_analysis.__main__ import main


def run(capsys, *arguments):
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_measure_prints_the_report(capsys):
    code, out, err = run(capsys, "measure", "4", "3", "--points", "0,1,-1,1/2,-2,inf", "--trials", "50")
    assert (code, err) == (0, "")
    assert out.startswith("F(4x4, 3x3) points 0, 1, -1, 1/2, -2, inf; huffman; float32; linear")
    assert "mean |error|" in out


def test_measure_takes_the_whole_recipe(capsys):
    text = (
        "measure 4 3 --points 0,1,-1,2,-2,inf --dims 1 --trials 20 --seed 7 --channels 5 --order left "
        "--passes share,factor "
        "--fma --dtype float64 --filter-dtype float32 --channel-sum blocked --channel-block 2 --oracle mpmath --json"
    )
    code, out, _ = run(capsys, *text.split())
    report = Report.from_json(out)
    recipe = json.loads(report.recipe)
    assert code == 0
    assert (report.trials, report.seed, report.channels, report.oracle) == (20, 7, 5, "mpmath")
    assert recipe.pop("transforms")
    assert recipe == {
        "dims": 1, "order": "left", "passes": ["share", "factor"], "fma": True, "dtype": "float64",
        "filter_dtype": "float32", "channel_sum": "blocked", "channel_block": 2,
    }  # fmt: skip


def test_points_default_to_the_published_ones(capsys):
    assert "points 0, -1, 1, 1/2, -2, inf" in run(capsys, "measure", "4", "3", "--trials", "5")[1]
    assert "points 0, -1, 1, 1/2, -3, inf" in run(capsys, "measure", "4", "3", "--trials", "5", "--dims", "1")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("measure 4 3 --points 0,1,-1", "F(4, 3) needs m + r - 1 = 6 points; got 3."),
        ("measure 4 3 --points 0,1,1/2,0.5,2,inf", "1/2 appears at positions 3 and 4"),
        ("measure 4 3 --points 0,1,-1,inf,2,inf", "inf appears at positions 4 and 6"),
        ("measure 4 3 --points 0,1,-1,x!,2,inf", "point does not parse"),
        ("measure 4 3 --points 0,1,-1,nan,2,inf", "nan"),
        ("measure 4 3 --points 0,1,-1,c,2,inf", "give the symbol c a value"),
        ("measure 0 3 --points 0,1", "m must be at least 1; got 0"),
        ("measure 4 5", "points must be given for r = 5"),
        ("measure 40 3", "points are published for m = 2 to 16"),
        ("measure 4 3 --dims 3", "dims must be 1 or 2; got 3"),
        ("measure 4 3 --trials 1", "trials must be at least 2; got 1"),
        ("measure 4 3 --channels 0", "channels must be at least 1; got 0"),
        ("measure 4 3 --order random", "order must be one of"),
        ("measure 4 3 --passes fuse", "passes must be among share, factor"),
        ("measure 4 3 --dtype float16", "dtype must be float32 or float64; got float16"),
        ("measure 4 3 --channel-sum kahan", "channel_sum must be one of linear, blocked, pairwise"),
        ("measure 4 3 --subject paper", "subject must be one of emulation, kernel; got 'paper'"),
        ("measure 4 3 --oracle me", "oracle must be one of auto, mpmath; got 'me'"),
        ("measure 4 three", "'r'"),
        ("measure 4", "Missing argument"),
        ("measure 4 3 --nonsense", "--nonsense"),
        ("weigh", "weigh"),
        ("", "Missing command"),
        ("table --trials 0", "trials must be at least 2; got 0"),
        ("table --write /no/such/README.md", "No such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n") and message in err


@pytest.mark.parametrize("arguments", [("--help",), ("measure", "--help"), ("table", "--help")])
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
