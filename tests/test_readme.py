"""The README shows what really happens: every block of code is run, and its output compared with the block below it."""

import io
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = BLOCK.findall(README.read_text("utf-8"))


def output_of_python(code, names):
    """What the code prints, and the last line of the traceback if it raises."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        try:
            exec(compile(code, README.name, "exec"), names)
        except Exception as error:
            print(f"{type(error).__module__}.{type(error).__name__}: {error}")
    return printed.getvalue()


def output_of_command(line):
    words = shlex.split(line.removeprefix("$ "))
    assert words[0] == "python"
    return subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=True).stdout


def test_code_in_the_readme_prints_what_the_readme_shows():
    assert {kind for kind, *_ in BLOCKS} == {"python", "console"}
    names = {}
    for kind, code, shown in BLOCKS:
        printed = output_of_python(code, names) if kind == "python" else output_of_command(code.strip())
        assert printed == shown


def test_every_block_of_code_has_its_output():
    text = README.read_text("utf-8")
    assert len(BLOCKS) == text.count("```python") + text.count("```console")


def test_every_command_the_readme_names_exists():
    for module, *words in re.findall(r"^    python -m (\w+) ?(\w+)?", README.read_text("utf-8"), re.MULTILINE):
        command = [sys.executable, "-m", module, *(word for word in words if word.isalpha()), "--help"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0, command
    makefile = (README.parent / "Makefile").read_text("utf-8")
    for target in re.findall(r"make (\w+)  ", README.read_text("utf-8")):
        assert f"\n{target}:" in makefile
