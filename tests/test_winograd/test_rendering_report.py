"""The report: proof, counts and distances, and JSON that the library reads back."""

import json

import pytest
import sympy

import winograd as wg
from winograd.rendering.report import report_json, report_text

TEXTBOOK = wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 2, -2, inf"))


def test_text_names_proof_counts_and_passes() -> None:
    text = report_text(TEXTBOOK, "huffman", ("share", "factor"))
    assert text.startswith(str(TEXTBOOK))
    assert "proved: y[i] = sum_k d[i + k] g[k], the identity holds exactly, 72 coefficients" in text
    for name in ("AT", "G", "BT"):
        program = TEXTBOOK.program(name, "huffman", ("share", "factor"))
        assert f"  {name}: {program.counts()}\n    {program.history[0]}\n    {program.history[1]}\n" in text
    assert "one tile" not in text


@pytest.mark.parametrize("passes", [("share", "factor"), ("share", "factor", "fuse")])
def test_distance_to_the_reference_counts(passes: tuple) -> None:
    text = report_text(TEXTBOOK, passes=passes, dims=2)
    assert "298 additions beside usual 328 (30 fewer), best found 289 (9 more); constant multiplications not" in text
    F63 = wg.toom_cook(6, 3, wg.parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf"))
    text = report_text(F63, passes=passes, dims=2)
    assert "763 additions beside usual 839 (76 fewer), best found 752 (11 more)" in text
    assert "beside" not in report_text(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2)


def test_the_transposed_form_states_its_own_identity() -> None:
    assert "sum_k d[i - k] g[k]" in report_text(TEXTBOOK.transpose())


def test_symbols_are_proved_but_not_counted() -> None:
    T = wg.toom_cook(2, 3, wg.parse_points("0, c, -c, inf"))
    assert "operations: not counted, for the matrices hold the symbol c" in report_text(T)
    assert json.loads(report_json(T))["programs"] is None
    with pytest.raises(ValueError, match="give the symbol c a value"):
        report_text(T, dims=2)


def test_wrong_matrices_are_not_reported() -> None:
    with pytest.raises(wg.NotAConvolution):
        report_text(wg.Transform([[2]], [[1]], [[1]]))


def test_rounded_matrices() -> None:
    text = report_text(TEXTBOOK, dtype="float16")
    assert "G in float16 =\n[    0.25      0.0      0.0 ]\n[ -0.1666  -0.1666  -0.1666 ]\n" in text
    with pytest.raises(OverflowError, match=r"AT\[0, 0\] = 1000000 exceeds"):
        report_text(TEXTBOOK.scaled(A=[10**6] * 6), dtype="float16")


def test_json_reads_back() -> None:
    record = json.loads(report_json(TEXTBOOK, "sorted", ("share", "fuse"), 2, "float32"))
    assert wg.Transform.from_json(json.dumps(record["transform"])) == TEXTBOOK
    for name, entry in record["programs"].items():
        program = TEXTBOOK.program(name, "sorted", ("share", "fuse"))
        assert wg.foreign_program(entry["inputs"], entry["operations"], entry["outputs"]) == program
        assert wg.Counts(**entry["counts"]) == program.counts()
        assert [h["pass"] for h in entry["history"]] == ["share", "fuse"]
    assert sympy.Matrix(record["rounded"]["G"]) == sympy.Matrix(TEXTBOOK.matrices("float32")[1].astype(float).tolist())
    assert record["tile"]["products"] == 36
    assert (record["reference"]["usual"], record["reference"]["best_found"]) == (328, 289)
    assert record["proved_coefficients"] == 72
