"""Matrices from files, in whatever form people keep them."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from winograd.transform import MATRIX_NAMES


def read_matrices(file: str) -> tuple[Any, Any, Any]:
    """AT, G and BT from a JSON, .npz or text file, or from stdin where the name is "-".

    JSON is an object with AT, G and BT, one whose "transform" is such an object (what `python -m winograd` prints), or
    a list of the three. Text has the name of each matrix on a line, then its rows; brackets, braces, commas, a colon or
    an equals sign after the name and the suffix f of C are all allowed.

    Parameters
    ----------
    file : str
        Path; .npz is an archive of NumPy arrays, any other name JSON or text.

    Returns
    -------
    tuple of three matrices
        Entries of JSON and text as text where they have a point, so that their digits can be counted.

    Raises
    ------
    ValueError
        If the content is none of these, or a matrix is missing.
    OSError
        If the file cannot be read.
    """
    if file.endswith(".npz"):
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return _three(dict(arrays), file)
        except (ValueError, zipfile.BadZipFile, EOFError) as error:
            if "must" in str(error):  # our own sentence
                raise
            raise ValueError(f"{file} must be an .npz file of arrays; NumPy cannot read it.") from None
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    name = "stdin" if file == "-" else file
    try:
        # Decimals as they are spelled: how many digits a number has says what it was rounded to.
        record = json.loads(text, parse_float=str)
    except json.JSONDecodeError as error:
        if text.lstrip()[:1] in ("{", "["):
            raise ValueError(f"{name} must be JSON; {error}.") from None
        return _three(_text_matrices(text, name), name)
    if isinstance(record, list) and len(record) == 3:
        record = dict(zip(MATRIX_NAMES, record, strict=True))
    if isinstance(record, dict):
        record = record.get("transform", record)
    return _three(record, name)


def _three(record: Any, name: str) -> tuple[Any, Any, Any]:
    missing = [matrix for matrix in MATRIX_NAMES if not isinstance(record, dict) or matrix not in record]
    if missing:
        raise ValueError(f"{name} must hold the matrices AT, G and BT; {', '.join(missing)} is missing.")
    AT, G, BT = (record[matrix] for matrix in MATRIX_NAMES)
    return AT, G, BT


def _text_matrices(text: str, name: str) -> dict[str, list[list[str]]]:
    """Rows of numbers below the name of each matrix; the name may be followed by = or :, rows may have brackets."""
    matrices: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        head, _, rest = line.strip().replace(":", "=").partition("=")
        if head.strip() in MATRIX_NAMES:
            rows = matrices.setdefault(head.strip(), [])
            line = rest
        for row in line.replace("[", " ").replace("]", ";").replace("{", " ").replace("}", ";").split(";"):
            entries = row.replace(",", " ").split()
            if not entries:
                continue
            if rows is None:
                raise ValueError(f"{name} must begin with a line AT, G or BT; line {number} is {line.strip()!r}.")
            rows.append([entry.removesuffix("f") for entry in entries])
    return matrices
