"""The commands on families: what they print, and one line for bad input."""

import importlib
import json

import pytest

from error_analysis import Interrupted, sweep
from error_analysis.__main__ import main
from error_analysis.sweeping.curve import Sweep

SHORT = ("--trials", "60", "--workers", "1")


def run(capsys, *arguments):
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_sweep(capsys):
    grid = ("--from", "0.9", "--to", "1.9", "--values", "11")
    code, out, err = run(capsys, "sweep", "reciprocal", "4", "3", *grid, *SHORT)
    assert (code, err) == (0, "")
    assert "10 values, 1 gap" in out and "published" in out and "gap at c = 1: c must not be 1 or -1" in out


def test_records(capsys):
    arguments = ("sweep", "pairs", "4", "3", "--c", "3/2, sqrt(2), 1", "--fma", "--dtype", "float16", *SHORT)
    code, out, err = run(capsys, *arguments, "--json")
    found = Sweep.from_json(out)
    assert (code, err) == (0, "")
    assert found == sweep("pairs", 4, 3, ["3/2", "sqrt(2)", 1], trials=60, dtype="float16", fma=True)
    assert json.loads(out)["recipe"]["fma"] is True
    assert run(capsys, *arguments, "--csv")[1] == found.to_csv()


def test_other_parameters_stay_fixed(capsys):
    out = run(capsys, "sweep", "reciprocal-2", "6", "3", "--c", "3/2,2", "--others", "5/2", "--json", *SHORT)[1]
    assert [p.c for p in Sweep.from_json(out).points] == [("3/2", "5/2"), ("2", "5/2")]


def test_picture(capsys, tmp_path):
    path = tmp_path / "curve.png"
    code, out, _ = run(capsys, "sweep", "reciprocal", "4", "3", "--c", "3/2,2", "--picture", str(path), *SHORT)
    assert code == 0 and f"wrote {path}" in out and path.read_bytes().startswith(b"\x89PNG")


def test_families(capsys):
    code, out, _ = run(capsys, "families")
    assert code == 0 and "reciprocal-2+opposite" in out and "4-8" in out
    eight = run(capsys, "families", "--n", "8")[1]
    assert "reciprocal " in eight and "same-side " not in eight.replace("+same-side ", "")
    assert "n must be a number of points that a family has, 1 to 32; got 40." in run(capsys, "families", "--n", "40")[2]


def test_ctrl_c_prints_what_was_measured(capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise Interrupted(sweep("pairs", 4, 3, [2, 3], trials=50))

    monkeypatch.setattr(importlib.import_module("error_analysis.sweep_cli"), "sweep", interrupted)
    code, out, _ = run(capsys, "sweep", "pairs", "4", "3", *SHORT)
    assert code == 130 and "2 values" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("circle", "4", "3"), "family must be one of reciprocal"),
        (("reciprocal", "8", "3"), "family reciprocal has sets of 4 to 8 points; F(8, 3) needs 10."),
        (("reciprocal", "4", "3", "--from", "4", "--to", "2"), "start must be below stop, both rational; got 4 and 2."),
        (("reciprocal", "4", "3", "--values", "1"), "values must be at least 2; got 1."),
        (("reciprocal", "4", "3", "--c", "1/"), "c must hold finite numbers"),
        (("reciprocal", "4", "3", "--json", "--csv"), "--json and --csv exclude one another; got both."),
        (("reciprocal", "4", "3", "--picture", "curve.txt"), "picture must end in .png, .svg, .pdf; got 'curve.txt'."),
        (("reciprocal", "4", "3", "--picture", "nowhere/curve.png"), "picture must lie in a folder that exists"),
        (("reciprocal", "4", "3", "--workers", "-1"), "workers must be at least 0; got -1."),
        (("reciprocal", "4", "3", "--trials", "1"), "trials must be at least 2; got 1."),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, message):
    code, out, err = run(capsys, "sweep", *arguments)
    assert code != 0 and out == "" and message in err and err.count("\n") == 1
