import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from winograd import catalogue_rows, offers
from winograd.__main__ import main
from winograd.catalogue.brief_search import brief_search
from winograd.catalogue.records import read_rows


def printed(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_recommend_prints_points_error_and_command(capsys: pytest.CaptureFixture) -> None:
    text = printed(capsys, "recommend", "4", "3")
    row = next(row for row in catalogue_rows() if row.size == "F(4x4, 3x3)" and row.model == "kernel")
    assert f"points      {row.points}\n" in text
    assert f"{row.error:.3e}" in text
    assert re.search(r'command     python -m winograd 4 3 --points "', text)
    assert "searched for briefly" not in text


def test_recommend_says_when_it_searched(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brief_search, "_offered", [lambda *arguments: catalogue_rows()[0]])
    assert "not in the catalogue: searched for briefly" in printed(capsys, "recommend", "40", "3")


def test_recommend_without_a_search_is_one_line(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brief_search, "_offered", [])
    monkeypatch.setattr(offers, "entry_points", lambda group: [])
    assert main(["recommend", "40", "3"]) == 2
    assert "import error_analysis, or install it" in capsys.readouterr().err


def test_catalogue_prints_a_row_a_line(capsys: pytest.CaptureFixture) -> None:
    lines = printed(capsys, "catalogue").splitlines()
    rows = [row for row in catalogue_rows() if row.dtype == "float32" and row.objective == "error"]
    assert len(lines) == 1 + len(rows)
    assert lines[0].split()[:4] == ["size", "dtype", "model", "objective"]


def test_json_is_a_catalogue(capsys: pytest.CaptureFixture) -> None:
    text = printed(capsys, "catalogue", "--m", "4", "--r", "3", "--objective", "all", "--format", "json")
    assert read_rows(text) == tuple(
        row for row in catalogue_rows() if (row.m, row.r, row.dtype) == (4, 3, "float32")
    )


def test_csv_has_all_fields(capsys: pytest.CaptureFixture) -> None:
    text = printed(capsys, "catalogue", "--m", "4", "--r", "3", "--dims", "2", "--format", "csv")
    records = list(csv.DictReader(io.StringIO(text)))
    assert [record["model"] for record in records] == ["kernel", "literature"]
    assert float(records[1]["error"]) < 2.45e-7
    assert float(records[1]["delta"]) < -0.2


def test_latex_is_a_tabular_of_balanced_rows(capsys: pytest.CaptureFixture) -> None:
    lines = printed(capsys, "catalogue", "--m", "4", "--format", "latex").splitlines()
    assert (lines[0].split("{")[1], lines[-1]) == ("tabular}", r"\end{tabular}")
    assert all(line.count("&") == 6 and line.endswith(r"\\") for line in (lines[1], *lines[3:-1]))
    assert any(r"\infty" in line for line in lines)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_c_arrays_compile_and_hold_the_rounded_matrices(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    arguments = ["recommend", "4", "3", "--dims", "1", "--model", "literature"]
    text = printed(capsys, *arguments, "--format", "c")
    row = next(row for row in catalogue_rows() if row.size == "F(4, 3)" and row.model == "literature")
    name = "f4_3_1d_float32_literature_error"
    source = tmp_path / "print.c"
    source.write_text(
        f"#include <stdio.h>\n{text}\nint main(void) {{\n"
        + "".join(
            f"  for (int i = 0; i < {size}; i++) printf(\"%a\\n\", ((const float *){name}_{matrix})[i]);\n"
            for matrix, size in (("AT", 24), ("G", 18), ("BT", 36))
        )
        + "}\n"
    )
    subprocess.run(["gcc", "-Wall", "-Werror", str(source), "-o", str(tmp_path / "print")], check=True)
    lines = subprocess.run([tmp_path / "print"], check=True, capture_output=True, text=True).stdout.split()
    expected = np.concatenate([M.ravel() for M in row.algorithm.transforms[0].matrices("float32")])
    np.testing.assert_array_equal(np.float32([float.fromhex(line) for line in lines]), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recommend", "4"], "Missing argument"),
        (["recommend", "4", "3", "--dims", "3"], "dims must be 1 or 2; got 3"),
        (["recommend", "4", "3", "--objective", "speed"], "objective must be one of"),
        (["catalogue", "--m", "99"], "options must choose rows of the catalogue; none has m 99"),
        (["catalogue", "--dtype", "float7"], "dtype must be one of float32, float16, bfloat16, all"),
        (["catalogue", "--format", "yaml"], "Invalid value for '--format'"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
