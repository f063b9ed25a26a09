"""Executes every notebook of this folder from a clean state and stores its outputs: python notebooks/execute.py.

What is stored says nothing of the machine or the hour, so that tests/test_notebooks.py can compare it.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  builds the font cache, if there is none: in a notebook that would warn
import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from kernels.compilation import cache_folder

FOLDER = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook_paths() -> list[Path]:
    """The notebooks of this folder, in order."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the notebook with fresh outputs.

    Runs in a process of its own, on this checkout, without the user's IPython profile, and with the rates of no
    machine. Compiled code is taken from the user's cache, as the name of each file says all that it depends on.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        At the first cell that fails.
    """
    fresh = copy.deepcopy(notebook)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder, "code")
        code.mkdir(mode=0o700)
        for file in cache_folder().glob("winograd_kernels_*"):
            shutil.copyfile(file, code / file.name)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")])),
            "WINOGRAD_CACHE_DIR": str(code),
            "IPYTHONDIR": str(Path(folder, "ipython")),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        # Sockets in that folder, not TCP ports, which others on the machine could listen to.
        sockets = {"transport": "ipc", "connection_file": str(Path(folder, "kernel.json"))}
        client = NotebookClient(
            fresh,
            timeout=300,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(FOLDER)}},
            config=Config(KernelManager=sockets),
        )
        client.execute(env=environment)
    fresh.metadata = nbformat.from_dict(METADATA)
    return fresh


def main() -> None:
    """Execute and store every notebook."""
    for path in notebook_paths():
        nbformat.write(executed(nbformat.read(path, as_version=4)), path)
        print(f"Executed and stored {path.relative_to(FOLDER.parent)}.")


if __name__ == "__main__":
    main()
