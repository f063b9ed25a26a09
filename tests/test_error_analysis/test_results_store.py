"""The results store: what a search may rely on when files, disks and versions fail it."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from error_analysis.measurement.interval import Estimate
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.measuring import Figures, Task
from error_analysis.searching.setting import Setting
from error_analysis.searching.store import VERSION, Store, opened

SETTING = Setting(2, 3, 1)


def task(seed: int = 0) -> Task:
    return Task(Candidate("0, 1, -1, inf"), SETTING, 100, seed)


def found(seed: int = 0) -> Figures:
    return Figures(Estimate(1e-7, 0.9e-7, 1.1e-7), 1, 2, 3, 4.0, 5.0, 6.0, float("inf"), 0, 100, seed, 4)


def test_what_is_put_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        assert store.get(task()) is None
        store.put(task(), found())
    with Store(path) as store:
        assert store.get(task()) == found()
        assert store.get(task(1)) is None
        assert len(store) == 1


def test_two_searches_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as one, Store(path) as other:
        one.put(task(0), found(0))
        other.put(task(1), found(1))
        other.put(task(0), found(0))
        assert one.get(task(1)) == found(1)
        assert len(one) == len(other) == 2


@pytest.mark.parametrize("version", [VERSION + 1, 99])
def test_another_version_is_refused_and_left_as_it_is(tmp_path: Path, version: int) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.put(task(), found())
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"is of version {version}: nothing was changed"):
        Store(path)
    assert path.read_bytes() == before


def test_another_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="another database"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("points to try: 0, 1, -1\n" * 50)
    with pytest.raises(ValueError, match="store must be a results store"):
        Store(path)
    assert path.read_text() == "points to try: 0, 1, -1\n" * 50


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unable to open"):
        Store(tmp_path / "missing" / "store.sqlite")


def test_a_full_disk_keeps_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        # SQLite then says what a full disk makes it say.
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        kept = 0
        with pytest.raises(OSError, match="full; what was written before is kept"):
            for seed in range(1000):
                store.put(task(seed), found(seed))
                kept += 1
    with Store(path) as store:
        assert 0 < kept == len(store)
        assert all(store.get(task(seed)) == found(seed) for seed in range(kept))


def test_a_process_that_is_killed_loses_no_written_row(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    process = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(str(path),))
    process.start()
    while not path.exists() or _rows(path) < 3:
        assert process.is_alive()
    process.kill()
    process.join()
    with Store(path) as store:
        rows = len(store)
        assert rows >= 3
        assert all(store.get(task(seed)) == found(seed) for seed in range(rows))


def _write_for_ever(path: str) -> None:
    with Store(path) as store:
        for seed in range(10**9):
            store.put(task(seed), found(seed))


def _rows(path: Path) -> int:
    try:
        with Store(path) as store:
            return len(store)
    except (OSError, ValueError):  # it is being made
        return 0


def test_opened_takes_paths_stores_and_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "a.sqlite") as store:
        store.put(task(), found())
        with opened(store) as same:
            assert same is store
        assert len(store) == 1  # one that was given stays open
    with opened(None) as store:
        assert len(store) == 0
    with pytest.raises(TypeError, match="store must be a path or a Store"), opened(3):  # type: ignore[arg-type]
        pass
