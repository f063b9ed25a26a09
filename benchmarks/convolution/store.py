"""What was measured so far, in a file that is never half written."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from convolution.disturbance import is_disturbed

Row = dict[str, Any]
Stored = dict[str, Any]
"""For each section "command", "settings", "provenance" and "rows"."""


def record_path(written: Path) -> Path:
    """Where the numbers behind a Markdown file are kept: beside it."""
    return written.with_suffix(".json")


def read(path: Path) -> Stored:
    """What the file holds; nothing if it is not there.

    Raises
    ------
    ValueError
        If it is not what `write` wrote.
    """
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} must hold the numbers of a benchmark as JSON; delete it to start anew ({error})."
        ) from None
    if not isinstance(stored, dict) or not all(isinstance(part, dict) and "rows" in part for part in stored.values()):
        raise ValueError(f"{path} must hold the sections of a benchmark; delete it to start anew.")
    return stored


def write(path: Path, text: str) -> None:
    """The text as the whole file, or the file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)  # mkstemp lets only its owner read
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def finished(stored: Stored, section: str, settings: dict[str, Any], provenance: dict[str, str]) -> list[Row]:
    """Rows of the section that the same code on the same machine has measured with the same settings, on any day.

    Not those that other processes disturbed: they are to be measured again.
    """
    part = stored.get(section)
    if part is None or part["settings"] != settings:
        return []
    same = all(part["provenance"].get(name) == value for name, value in provenance.items() if name != "date")
    return [row for row in part["rows"] if not is_disturbed(row)] if same else []
