"""Records as tables: CSV text and pandas frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def csv_text(rows: Sequence[Mapping[str, Any]], path: str | Path | None = None) -> str:
    """Rows as CSV: a line of names, then one line each; also written to path where one is given.

    Names are those of all rows, in the order they come up. Floats are written so that they read back equal.

    Examples
    --------
    >>> print(csv_text([{"m": 2, "error": 0.1}, {"m": 4, "direct": 0.5}]), end="")
    m,error,direct
    2,0.1,
    4,,0.5
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if path is not None:
        Path(path).write_text(text.getvalue(), encoding="utf-8")
    return text.getvalue()


def data_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a pandas DataFrame.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError("to_frame() needs pandas: pip install pandas, or use to_csv().") from None
    return pandas.DataFrame(list(rows))
