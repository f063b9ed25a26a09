"""A run over sections that measure nothing, whose rows are numbered."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from convolution import running
from convolution.exactness import WrongResult
from convolution.sections import Section
from convolution.settings import Settings

KEYS = ["one", "two", "three"]


class Counted:
    """A section of three rows; `at["two"]` is raised in place of the second."""

    def __init__(self) -> None:
        self.measured: list[str] = []
        self.at: dict[str, BaseException] = {}

    def work(self, settings: Settings) -> list[tuple[str, Callable[[], Any]]]:
        return [(key, lambda key=key: self.measure(key)) for key in KEYS]

    def measure(self, key: str) -> dict[str, Any] | None:
        if key in self.at:
            raise self.at[key]
        self.measured.append(key)
        return {"shape": key, "times": len(self.measured)}

    @staticmethod
    def text(rows: Sequence[dict[str, Any]], made_by: str) -> str:
        return "\n\n".join([*(row["shape"] for row in rows), made_by])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setattr(running, "cores_of_others", lambda begin, end: 0.0)
    section = Counted()
    for name in ("layers", "scaling"):
        monkeypatch.setitem(
            running.SECTIONS, name, Section(f"Title of {name}", section.work, lambda row: row["shape"], section.text)
        )
    return section


def test_rows_are_printed_written_and_returned(
    counted: Counted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "R.md"
    rows = running.run(["layers"], Settings(), path, resume=False)
    assert [row["shape"] for row in rows["layers"]] == KEYS
    assert capsys.readouterr().out.splitlines()[1:] == KEYS
    page = path.read_text(encoding="utf-8")
    assert "## Title of layers\n\none\n\ntwo\n\nthree\n\n`python benchmarks/conv.py`, " in page
    assert "| processor |" in page and "| versions |" in page and "interrupted" not in page
    assert json.loads((tmp_path / "R.json").read_text(encoding="utf-8"))["layers"]["rows"] == rows["layers"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), WrongResult("off")])
def test_what_is_finished_is_written_and_resumed(counted: Counted, tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "R.md"
    counted.at["two"] = error
    with pytest.raises(type(error)):
        running.run(["layers"], Settings(), path, resume=False)
    assert "one\n\n`python benchmarks/conv.py`" in path.read_text(encoding="utf-8")
    assert "interrupted, 2 rows are missing" in path.read_text(encoding="utf-8")
    counted.at.clear()
    rows = running.run(["layers"], Settings(), path, resume=True)["layers"]
    assert counted.measured == KEYS  # each once
    assert [row["shape"] for row in rows] == KEYS
    assert "interrupted" not in path.read_text(encoding="utf-8")


def test_without_resume_all_is_measured_anew(counted: Counted, tmp_path: Path) -> None:
    for _ in range(2):
        running.run(["layers"], Settings(), tmp_path / "R.md", resume=False)
    assert counted.measured == KEYS * 2


def test_other_settings_are_measured_anew(counted: Counted, tmp_path: Path) -> None:
    running.run(["layers"], Settings(), tmp_path / "R.md", resume=False)
    running.run(["layers"], Settings(threads=1), tmp_path / "R.md", resume=True)
    assert counted.measured == KEYS * 2


def test_other_sections_stay_in_their_order(counted: Counted, tmp_path: Path) -> None:
    path = tmp_path / "R.md"
    running.run(["scaling"], Settings(), path, resume=False)
    running.run(["layers"], Settings(rounds=3), path, resume=False)
    page = path.read_text(encoding="utf-8")
    assert page.index("## Title of layers") < page.index("## Title of scaling")
    assert "`python benchmarks/conv.py --rounds 3`" in page and "`python benchmarks/conv.py --scaling`" in page
    assert page.count("| processor |") == 1


def test_sections_of_another_machine_say_so(counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "R.md"
    running.run(["scaling"], Settings(), path, resume=False)
    other = running.provenance() | {"processor": "Another"}
    monkeypatch.setattr(running, "provenance", lambda: other)
    running.run(["layers"], Settings(), path, resume=False)
    page = path.read_text(encoding="utf-8")
    assert page.count("| processor |") == 2
    assert page.index("| processor | Another |") > page.index("## Title of layers")


def test_disturbed_rows_are_marked_and_measured_again(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "R.md"
    taken = iter([0.0, 0.75, 0.0, 0.0])
    monkeypatch.setattr(running, "cores_of_others", lambda begin, end: next(taken))
    running.run(["layers"], Settings(), path, resume=False)
    assert "two  DISTURBED: other processes took 0.75 cores" in capsys.readouterr().out
    page = path.read_text(encoding="utf-8")
    assert "one\n\ntwo †\n\nthree\n\n" in page and "† Other processes took more than 0.1 cores" in page
    running.run(["layers"], Settings(), path, resume=True)
    assert counted.measured == [*KEYS, "two"]
    assert "†" not in path.read_text(encoding="utf-8")


def test_without_a_page_nothing_is_written(counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    running.run(["layers"], Settings(), None, resume=False)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_record_is_refused_before_anything_is_measured(counted: Counted, tmp_path: Path) -> None:
    (tmp_path / "R.json").write_text("{")
    with pytest.raises(ValueError, match=r"R\.json must"):
        running.run(["layers"], Settings(), tmp_path / "R.md", resume=True)
    assert counted.measured == []


def test_a_section_without_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="--scaling"):
        running.run(["scaling"], Settings(network=("mobile",), layer=("depthwise",)), None, resume=False)


def test_a_row_is_written_before_it_is_printed(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "R.md"

    def interrupted(row: dict[str, Any]) -> str:
        raise KeyboardInterrupt

    section = running.SECTIONS["layers"]
    monkeypatch.setitem(running.SECTIONS, "layers", Section(section.title, section.work, interrupted, section.text))
    with pytest.raises(KeyboardInterrupt):
        running.run(["layers"], Settings(), path, resume=False)
    assert "\n\none\n\n" in path.read_text(encoding="utf-8")
