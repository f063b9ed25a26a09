"""Reading AT, G and BT from files of every style."""

import io
import json
import sys

import numpy as np
import pytest

from error_analysis.auditing.matrix_files import read_matrices
from winograd import Transform, parse_points, toom_cook

T = toom_cook(4, 3, parse_points("0, 1, -1, 2, -2, inf"))
NAMES = ("AT", "G", "BT")
EVERY_STYLE = """
AT
1 1  1  0
0 1 -1 -1
G =
[1, 0, 0]
[0.5, 0.5, 0.5]
[0.5f, -0.5f, 1/2]
[0, 0, 1]
BT: {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}
"""


def written(path, text):
    path.write_text(text)
    return str(path)


def test_text_of_every_style(tmp_path, monkeypatch):
    Transform(*read_matrices(written(tmp_path / "f23.txt", EVERY_STYLE))).verify()
    monkeypatch.setattr(sys, "stdin", io.StringIO(EVERY_STYLE))
    Transform(*read_matrices("-")).verify()


def test_what_python_prints_is_text():
    AT, G, BT = T.matrices()
    printed = f"AT = {AT.tolist()}\nG = {G.tolist()}\nBT = {BT.tolist()}"
    from error_analysis.auditing.matrix_files import _text_matrices

    assert np.array_equal(np.array(_text_matrices(printed, "text")["BT"], float), BT)


def test_json_of_every_shape(tmp_path):
    record = json.loads(T.to_json())
    for shape in (record, {"transform": record, "name": "F(4, 3)"}, [record[name] for name in NAMES]):
        assert Transform(*read_matrices(written(tmp_path / "m.json", json.dumps(shape)))) == T


def test_digits_are_kept(tmp_path):
    text = '{"AT": [[0.10]], "G": [[0.2222222]], "BT": [[1]]}'
    assert read_matrices(written(tmp_path / "m.json", text)) == ([["0.10"]], [["0.2222222"]], [[1]])


def test_arrays_keep_their_format(tmp_path):
    np.savez(tmp_path / "m.npz", **dict(zip(NAMES, T.matrices("float32"), strict=True)))
    for read, matrix in zip(read_matrices(str(tmp_path / "m.npz")), T.matrices("float32"), strict=True):
        assert read.dtype == np.float32 and np.array_equal(read, matrix)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "AT, G, BT is missing"), ("[[1]]", "AT, G, BT is missing"), ("{", "must be JSON"),
     ("1 2", "must begin with a line AT, G or BT"), ('{"AT": [[1]], "G": [[1]]}', "BT is missing")],
)
def test_what_holds_no_matrices_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_matrices(written(tmp_path / "m.txt", text))
