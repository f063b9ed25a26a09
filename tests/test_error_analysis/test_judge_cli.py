"""The commands that judge: what they print, what they read, and one line for bad input."""

import importlib
import io
import json
import sys

import numpy as np
import pytest

from error_analysis import Interrupted
from error_analysis.__main__ import main
from error_analysis.auditing.merits import merits
from winograd import Transform, parse_points, toom_cook
from winograd.__main__ import main as winograd_main

T = toom_cook(4, 3, parse_points("0, 5/6, -5/6, 7/6, -7/6, inf"))
F23_TEXT = """
AT
1 1  1  0
0 1 -1 -1
G =
[1, 0, 0]
[0.5, 0.5, 0.5]
[0.5f, -0.5f, 0.5f]
[0, 0, 1]
BT: {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}
"""


def run(capsys, *arguments):
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_bound(capsys):
    code, out, err = run(capsys, "bound", "4", "3", "--channels", "8")
    assert (code, err) == (0, "")
    assert "F(4x4, 3x3) points 0, -1, 1, 1/2, -2, inf" in out and "8 channels" in out
    assert "predicted mean |error|" in out and "share of the mean" in out and "second order" in out
    assert "may overflow" in run(capsys, "bound", "2", "3", "--dtype", "float16", "--g-max", "20000")[1]
    code, out, _ = run(capsys, "bound", "4", "3", "--dims", "1", "--points", "0,1,-1,2,-2,inf", "--json")
    record = json.loads(out)
    assert code == 0 and record["max"] == max(record["worst"]) and len(record["worst"]) == 4
    overflowing = json.loads(run(capsys, "bound", "2", "3", "--dtype", "float16", "--g-max", "20000", "--json")[1])
    assert overflowing["max"] is None and overflowing["overflow"]


def test_tolerance(capsys):
    code, out, err = run(capsys, "tolerance", "4", "3", "--channels", "64")
    assert (code, err) == (0, "") and "rtol" in out and "atol" in out
    record = json.loads(run(capsys, "tolerance", "4", "3", "--channels", "64", "--json")[1])
    wider = json.loads(run(capsys, "tolerance", "4", "3", "--channels", "64", "--dtype", "float16", "--json")[1])
    assert 0 < record["atol"] < wider["atol"]
    scaled = json.loads(run(capsys, "tolerance", "4", "3", "--channels", "64", "--d-scale", "2", "--json")[1])
    assert scaled["atol"] == pytest.approx(2 * record["atol"], rel=0.02)  # both rounded up to three digits


def test_audit_reads_what_winograd_prints(capsys, monkeypatch):
    assert winograd_main(["4", "3", "--points", "0,1,-1,2,-2,inf", "--format", "json"]) == 0
    printed = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO(printed))
    code, out, err = run(capsys, "audit", "-", "--trials", "20")
    assert (code, err) == (0, "")
    assert out.startswith("F(4, 3), exactly: all 72 coefficients are right")
    assert "times the error of the best published points" in out


def test_audit_reads_files(capsys, tmp_path):
    arrays = dict(zip(("AT", "G", "BT"), T.matrices("float32"), strict=True))
    np.savez(tmp_path / "m.npz", **arrays)
    (tmp_path / "m.json").write_text(json.dumps({name: a.tolist() for name, a in arrays.items()}))
    (tmp_path / "list.json").write_text(json.dumps([a.tolist() for a in arrays.values()]))
    (tmp_path / "m.txt").write_text("\n".join(
        f"{name}\n" + "\n".join(" ".join(f"{e:.8g}" for e in row) for row in a) for name, a in arrays.items()))
    (tmp_path / "transform.json").write_text(T.to_json())
    for name in ("m.npz", "m.json", "list.json", "m.txt", "transform.json"):
        code, out, _ = run(capsys, "audit", str(tmp_path / name), "--trials", "0", "--json")
        assert code == 0
        assert Transform.from_json(json.dumps(json.loads(out)["transform"])) == T, name


def test_wrong_matrices_exit_with_1(capsys, tmp_path):
    path = tmp_path / "wrong.txt"
    path.write_text(F23_TEXT.replace("0 1 -1 -1", "0 1 -1 1"))
    code, out, err = run(capsys, "audit", str(path), "--trials", "0")
    assert (code, err) == (1, "")
    assert out.startswith("not F(2, 3): ") and "AT[1, 3] must be -1; it is 1." in out


def test_gallery(capsys):
    code, out, err = run(capsys, "gallery", "--trials", "50")
    assert (code, err) == (0, "")
    for text in ("oneDNN", "NOVA", "leela-zero", "±5/8", "±sqrt(2)", "108 wrong", "Kendall's tau", "multiply G, row 5"):
        assert text in out, text
    assert max(map(len, out.splitlines())) <= 160
    assert "…" not in out
    record = json.loads(run(capsys, "gallery", "--trials", "20", "--json")[1])
    assert len(record["rows"]) == 11


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("bound 4 3 --channels 0", "channels must be"),
        ("bound 4 3 --dtype float12", "dtype must be one of"),
        ("bound 4 3 --d-max nan", "d_max must be a finite number"),
        ("bound 4 5", "points must be given for r = 5"),
        ("tolerance 4 3 --channels -1", "channels must be"),
        ("tolerance 4 3 --data lognormal", "data must be one of"),
        ("audit /no/such/file.json", "No such file"),
        ("audit /no/such/file.npz", "No such file"),
        ("audit", "Missing argument"),
        ("gallery --trials 1", "trials must be at least 2; got 1"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and message in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold the matrices AT, G and BT; AT, G, BT is missing"),
        ("{", "must be JSON"),
        ('{"AT": [[1]], "G": [[1]]}', "BT is missing"),
        ("[1, 2]", "AT, G, BT is missing"),
        ("1 2\n3 4", "must begin with a line AT, G or BT; line 1 is '1 2'"),
        ("AT\n1 1\nG\n1\nBT\n1", "AT, G and BT must share n"),
        ("AT\n1 x!\nG\n1\nBT\n1", "AT[0, 1]: "),
        ('{"AT": [[1]], "G": [[1]], "BT": [[NaN]]}', "BT[0, 0]: number must be finite"),
        ('{"AT": [[1]], "G": [[1, 2], [1]], "BT": [[1]]}', "G must be a matrix"),
        ('{"AT": 1, "G": 1, "BT": 1}', "AT must be a matrix"),
        ("4", "AT, G, BT is missing"),
    ],
)
def test_bad_matrices_are_one_line_and_exit_code_2(capsys, monkeypatch, text, message):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code, out, err = run(capsys, "audit", "-")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and message in err


def test_a_file_that_is_no_archive(capsys, tmp_path):
    path = tmp_path / "m.npz"
    path.write_text("AT")
    code, out, err = run(capsys, "audit", str(path))
    assert (code, out) == (2, "") and err.count("\n") == 1
    np.savez(path, AT=np.array([[object()]]), G=[[1]], BT=[[1]])
    assert run(capsys, "audit", str(path))[0] == 2
    np.savez(path, AT=[[1]])
    assert "G, BT is missing" in run(capsys, "audit", str(path))[2]


def test_an_interruption_leaves_what_was_found(capsys, monkeypatch, tmp_path):
    calls = []

    def third_interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return merits(*arguments)

    monkeypatch.setattr(importlib.import_module("error_analysis.auditing.gallery"), "merits", third_interrupted)
    code, out, err = run(capsys, "gallery", "--trials", "5")
    assert (code, err) == (130, "")
    assert "F(4, 3) Lavin" in out and "leela-zero" not in out

    def interrupted(*arguments):
        raise Interrupted(None)

    monkeypatch.setattr(importlib.import_module("error_analysis.auditing.audit"), "compare", interrupted)
    path = tmp_path / "m.json"
    path.write_text(T.to_json())
    code, out, _ = run(capsys, "audit", str(path))
    assert code == 130 and out.startswith("F(4, 3), exactly") and "mean |error|" not in out


@pytest.mark.parametrize("command", ["bound", "tolerance", "audit", "gallery"])
def test_help(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0 and f"python -m error_analysis {command}" in out.partition("Examples:")[2]
