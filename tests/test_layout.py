"""The layout keeps its promises: imports go one way, file names say a subject, no code asks for fastmath."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Every package beside those of the three that it must not import.
FORBIDDEN = {
    "winograd": {"kernels", "error_analysis"},
    "kernels": {"error_analysis"},
    "error_analysis": set(),
}
CODE_FOLDERS = [*FORBIDDEN, "benchmarks", "demo"]
SHAPELESS_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
# Compiled code reaches Numba as generated text too, so this is looked for in text, not in calls.
FASTMATH = re.compile(r"""["']?\bfastmath["']?\s*[=:](?!\s*False\b)""")


def sources(folder: str) -> list[Path]:
    """Every Python file below a folder of the repository."""
    return sorted((ROOT / folder).rglob("*.py"))


def imported_packages(source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every absolute import, by statement or by name, at any depth."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            names = [str(node.args[0].value)] if called in {"import_module", "__import__"} else []
        else:
            names = []
        for name in names:
            yield node.lineno, name.partition(".")[0]


def test_imported_packages_are_found_in_every_spelling() -> None:
    source = (
        "import kernels.conv as c\n"
        "from kernels import conv\n"
        "from . import kernels\n"
        "def late():\n"
        "    import numpy, kernels\n"
        "    importlib.import_module('kernels.conv')\n"
        "    __import__('kernels')\n"
        "text = 'import kernels'\n"
    )
    assert [line for line, package in imported_packages(source) if package == "kernels"] == [1, 2, 5, 6, 7]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_go_one_way(package: str) -> None:
    files = sources(package)
    assert files, f"{package}/ holds no Python file"
    against = [
        f"{path.relative_to(ROOT)}:{line} imports {imported}"
        for path in files
        for line, imported in imported_packages(path.read_text(encoding="utf-8"))
        if imported in FORBIDDEN[package]
    ]
    assert against == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_file_names_say_a_subject() -> None:
    paths = [path for folder in [*CODE_FOLDERS, "tests"] for path in sources(folder)]
    shapeless = [
        str(path.relative_to(ROOT))
        for path in paths
        if SHAPELESS_NAMES & {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert shapeless == []


@pytest.mark.parametrize("text", ["njit(fastmath=True)", "fastmath = {'nnan'}", "{'fastmath': True}"])
def test_fastmath_is_found(text: str) -> None:
    assert FASTMATH.search(text)


def test_fastmath_switched_off_is_allowed() -> None:
    assert not FASTMATH.search("njit(fastmath=False)")


def test_no_fastmath() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in CODE_FOLDERS
        for path in sources(folder)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FASTMATH.search(line)
    ]
    assert found == []


def test_no_test_folder_is_named_like_a_package() -> None:
    """A folder tests/winograd would hide the package from the tests below it."""
    assert [name for name in FORBIDDEN if (ROOT / "tests" / name).exists()] == []
