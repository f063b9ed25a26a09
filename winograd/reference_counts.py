"""Operation counts that others report, to print the distance to."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import NamedTuple


class ReferenceCounts(NamedTuple):
    """Additions of the three transforms of an F(m x m, r x r) tile together; constant multiplications not counted."""

    usual: int
    best_found: int
    source: str


def reference_counts(m: int, r: int) -> ReferenceCounts | None:
    """What is reported for F(m x m, r x r); None where nothing is.

    Source
    ------
    `winograd/data/reference_counts.json`, which names the report.

    Examples
    --------
    >>> reference_counts(4, 3).usual, reference_counts(4, 3).best_found
    (328, 289)
    """
    record = json.loads(files("winograd").joinpath("data/reference_counts.json").read_text(encoding="utf-8"))
    for row in record["rows"]:
        if (row["m"], row["r"]) == (m, r):
            return ReferenceCounts(row["usual"], row["best_found"], record["source"])
    return None
