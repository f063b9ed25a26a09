"""No kernel leaves its arrays: layers of many shapes run with inaccessible pages around each buffer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import kernels

ROOT = Path(kernels.__file__).parents[1]
SCRIPT = Path(__file__).with_name("guarded_layers.py")


def guarded(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=600, check=False,
    )


@pytest.mark.parametrize("side", ["after", "before"])
def test_no_layer_leaves_its_arrays(side):
    result = guarded(side, "0", "300")
    last = result.stdout.splitlines()[-1:]
    assert result.returncode == 0, f"{last}\n{result.stderr[-2000:]}"
    assert last[0].startswith("all 300 layers in "), last


@pytest.mark.parametrize("side", ["after", "before"])
def test_the_guards_are_there(side):
    result = guarded(side, "overrun")
    assert result.returncode in (-signal.SIGSEGV, -signal.SIGBUS)
    assert result.stdout == "0\n"
