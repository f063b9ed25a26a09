"""The file of the catalogue: read, written, listed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from winograd.catalogue.row import CatalogueRow

DTYPES = ("float32", "float16", "bfloat16")
_TAPS = {2: 12, 3: 18, 4: 12, 5: 12, 7: 12}  # the largest n for each r
_FORMAT = "winograd catalogue, version 1"


def intended_sizes() -> Iterator[tuple[int, int]]:
    """Every (m, r) that the catalogue is for, in the order in which they are worth having.

    Examples
    --------
    >>> list(intended_sizes())[:3], len(list(intended_sizes()))
    ([(4, 3), (2, 3), (6, 3)], 45)
    """
    yield from ((m, 3) for m in (4, 2, 6, 3, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15))
    yield from ((m, r) for n in range(12, 2, -1) for r, most in _TAPS.items()
                if r != 3 and n <= most and (m := n - r + 1) >= 2)


@cache
def catalogue_rows() -> tuple[CatalogueRow, ...]:
    """All rows that ship.

    Examples
    --------
    >>> row = next(row for row in catalogue_rows() if (row.m, row.r, row.dims) == (4, 3, 2))
    >>> row.algorithm.size
    'F(4x4, 3x3)'
    """
    return read_rows(files("winograd.catalogue").joinpath("catalogue.json").read_text(encoding="utf-8"))


def shipped_path() -> Path:
    """The file that ships."""
    return Path(str(files("winograd.catalogue").joinpath("catalogue.json")))


def read_rows(text: str) -> tuple[CatalogueRow, ...]:
    """The rows of a catalogue's text.

    Raises
    ------
    ValueError
        If it is no catalogue of this version.
    """
    try:
        record = json.loads(text)
        if record["format"] != _FORMAT:
            raise ValueError(f"a catalogue must be in the format {_FORMAT!r}; got {record['format']!r}.")
        return tuple(CatalogueRow.from_record(row) for row in record["rows"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"text must be a catalogue as JSON; {error!r}.") from None


def rows_text(rows: Iterable[CatalogueRow]) -> str:
    """Rows as the text that `read_rows` reads back equal: sorted, one line each."""
    chosen = sorted(rows, key=lambda row: (row.r != 3, row.r, row.m, row.dims, DTYPES.index(row.dtype), row.model,
                                           ("error", "operations", "range").index(row.objective)))
    lines = ",\n".join(json.dumps(row.to_record(), allow_nan=False) for row in chosen)
    head = {
        "format": _FORMAT,
        "what": "the best known algorithm for each m, r, dims, dtype, model and objective; errors are means of "
        "|computed - exact|, one channel, on data that the search had not seen",
        "command": "winograd-error catalogue --regenerate",
    }
    return f'{json.dumps(head, indent=1)[:-2]},\n "rows": [\n{lines}\n]}}\n'


def write_rows(path: Path, rows: Iterable[CatalogueRow]) -> None:
    """Write a catalogue; a reader, and an interruption, finds the old text or the new, whole."""
    new = path.with_name(path.name + ".new")
    new.write_text(rows_text(rows), encoding="utf-8")
    os.replace(new, path)
