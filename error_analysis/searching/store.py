"""The results store: every measured candidate, written at once, so that a search that ends early repeats nothing.

One SQLite file, one row for each measurement, one transaction for each row. A process that is killed loses the row it
was writing; two searches may share a file; workers never touch it, only the process that gives them their tasks does.
A text file of appended lines would be as simple, but a torn line, two writers and a version of its own are what SQLite
has solved.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from error_analysis.searching.measuring import Figures, Task

VERSION = 2
"""Of the table, the keys and the figures; a file of another version is refused, and left as it is."""

_WAIT_S = 30.0
_TABLE = "CREATE TABLE measurements (key TEXT PRIMARY KEY, figures TEXT NOT NULL) WITHOUT ROWID"


class Store:
    """Figures by task, in a file.

    Parameters
    ----------
    path : str or Path
        Made where there is none; ":memory:" is forgotten with the process.

    Raises
    ------
    ValueError
        If the file is no store, or one of another version.
    OSError
        If it cannot be opened or made.

    Examples
    --------
    >>> with Store(":memory:") as store:
    ...     len(store)
    0
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        with self._told():
            try:
                self._connection = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
            except sqlite3.OperationalError as error:
                raise OSError(f"store must be a file that can be opened or made; {self.path}: {error}.") from None
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        # Immediate: of two processes that make the same file, one waits for the other and finds the table.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            version = self._one("PRAGMA user_version")
            tables = self._one("SELECT count(*) FROM sqlite_master")
            if version == 0 and tables == 0:
                self._connection.execute(_TABLE)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION or not self._one("SELECT count(*) FROM sqlite_master WHERE name = 'measurements'"):
                found = f"of version {version}" if version else "another database"
                raise ValueError(
                    f"store must be a results store of version {VERSION}; {self.path} is {found}: nothing was changed, "
                    "name another file."
                )
        finally:
            self._connection.execute("COMMIT")

    def _one(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()[0]

    def get(self, task: Task) -> Figures | None:
        """The figures of a task; None where it was not measured yet."""
        with self._told():
            row = self._connection.execute("SELECT figures FROM measurements WHERE key = ?", (task.key,)).fetchone()
        return None if row is None else Figures.from_record(json.loads(row[0]))

    def put(self, task: Task, found: Figures) -> None:
        """Write the figures of a task. One that another search wrote meanwhile is the same, and stays.

        Raises
        ------
        OSError
            If they cannot be written, as on a full disk; what was written before is kept.
        """
        with self._told():
            self._connection.execute(
                "INSERT OR IGNORE INTO measurements VALUES (?, ?)", (task.key, json.dumps(found.to_record()))
            )

    def __len__(self) -> int:
        return int(self._one("SELECT count(*) FROM measurements"))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as what they are about: a file that is none, or that cannot be read or written."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OSError(f"store {self.path} failed: {error}; what was written before is kept.") from None
        except sqlite3.DatabaseError as error:
            raise ValueError(f"store must be a results store; {self.path} is not: {error}.") from None


@contextmanager
def opened(store: Store | str | Path | None) -> Iterator[Store]:
    """A store as the user gave it: one that is open, a path, or None for one in memory.

    Examples
    --------
    >>> with opened(None) as store:
    ...     len(store)
    0
    """
    if isinstance(store, Store):
        yield store
        return
    if store is not None and not isinstance(store, (str, Path)):
        raise TypeError(f"store must be a path or a Store; got {type(store).__name__} {store!r}.")
    with closing(Store(":memory:" if store is None else store)) as opened_here:
        yield opened_here
