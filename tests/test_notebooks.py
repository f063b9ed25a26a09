"""Every notebook runs from a clean state, and what is stored in it is what it prints today."""

import re
import runpy
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook, new_output

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EXECUTION = runpy.run_path(str(FOLDER / "execute.py"))
REMEDY = "run python notebooks/execute.py, and look at what changed"

# Pictures are not compared: their bytes depend on the versions of what draws them.
COMPARED = ("text/plain", "text/latex", "text/markdown")
OF_A_MACHINE = re.compile(r"/(home|root|tmp|Users|var|work)/|[A-Z]:\\\\|0x[0-9a-f]{9,}")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell):
    """What a cell printed and returned, as (kind, text); neighbouring pieces of one stream are one."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            if found and found[-1][0] == output.name:
                found[-1] = (output.name, found[-1][1] + output.text)
            else:
                found.append((output.name, output.text))
        elif output.output_type == "error":
            found.append(("error", output.evalue))
        else:
            found += [(kind, output.data[kind]) for kind in COMPARED if kind in output.data]
    return found


def shown(cell):
    """The kinds of everything that a cell returned or drew."""
    return [set(output.data) for output in cell.outputs if "data" in output]


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_are_those_of_a_fresh_run(path):
    stored = nbformat.read(path, as_version=4)
    fresh = EXECUTION["executed"](stored)
    for before, now in zip(code_cells(stored), code_cells(fresh), strict=True):
        assert texts(before) == texts(now), f"{path.name}, cell {before.id}, is stale: {REMEDY}"
        assert shown(before) == shown(now), f"{path.name}, cell {before.id}, shows another kind of thing: {REMEDY}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_say_nothing_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), f"{path.name}: {REMEDY}"
    assert notebook.metadata == EXECUTION["METADATA"]
    assert not any(cell.metadata for cell in notebook.cells)
    for cell in cells:
        for kind, text in texts(cell):
            assert kind not in ("stderr", "error"), f"{cell.id} warns or fails: {text}"
            assert not OF_A_MACHINE.search(text), f"{cell.id} names a place or an address: {text}"


def test_a_cell_that_fails_is_an_error():
    with pytest.raises(CellExecutionError, match="of no use"):
        EXECUTION["executed"](new_notebook(cells=[new_code_cell("raise ValueError('of no use')")]))


def test_a_stale_output_is_seen():
    def cell(*outputs):
        return new_code_cell("", outputs=list(outputs))

    printed = new_output("stream", name="stdout", text="one\ntwo\n")
    pieces = [new_output("stream", name="stdout", text=text) for text in ("one\n", "two\n")]
    assert texts(cell(printed)) == texts(cell(*pieces)) != texts(cell(pieces[0]))
    first, second = (new_output("display_data", {"text/latex": text, "image/png": text}) for text in ("$1$", "$2$"))
    assert texts(cell(first)) == [("text/latex", "$1$")] != texts(cell(second))
