"""The kernels for AVX-512, AVX2 and SSE registers give the same bits; each that this machine has must run."""

import json
import os
import platform
import runpy
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import pytest

import kernels
from kernels.host import host

ROOT = Path(kernels.__file__).parents[1]
SCRIPT = Path(__file__).with_name("layers_by_path.py")

X86 = platform.machine().lower() in ("x86_64", "amd64")

# By the bytes of a vector register: CPU to compile for, features that it takes, whether fma is an instruction.
PATHS = {
    16: ("nehalem", ("sse4.2",), False),
    32: ("haswell", ("avx2", "fma", "bmi2"), True),
    64: ("skylake-avx512", ("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512cd"), True),
}
OWN = host().vector_bytes
OTHERS = [
    size for size, (_, needed, _) in PATHS.items()
    if X86 and size != OWN and all(llvm.get_host_cpu_features().get(feature, False) for feature in needed)
]


@pytest.fixture(scope="module")
def answers():
    """What the layers give on each path of the machine but this process's own; all of them at once."""
    children = {}
    for size in OTHERS:
        settings = {"NUMBA_CPU_NAME": PATHS[size][0], "NUMBA_CPU_FEATURES": "", "PYTHONPATH": str(ROOT)}
        children[size] = subprocess.Popen([sys.executable, str(SCRIPT)], env={**os.environ, **settings}, text=True,
                                          stdout=subprocess.PIPE)
    found = {}
    for size, child in children.items():
        output, _ = child.communicate(timeout=900)
        if child.returncode == 0:
            found[size] = json.loads(output)
    return found


def test_every_path_of_the_machine_ran(answers):
    assert sorted(answers) == OTHERS
    if X86:
        assert {16, OWN} <= {*OTHERS, OWN}, "all CPUs of this kind have these registers"
        assert OWN < 64 or 32 in OTHERS, "whatever has AVX-512 has AVX2"
    else:
        assert OWN == 16 and not OTHERS
    for size, answer in answers.items():
        assert (answer["bytes"], answer["fma"]) == (size, PATHS[size][2])
        assert set(answer["lengths"].values()) == {size // 4}


def test_every_path_gives_the_same_bits(answers):
    expected = runpy.run_path(str(SCRIPT))["results"]()
    assert len(expected) == 16
    for size, answer in answers.items():
        assert answer["results"] == expected, f"registers of {size} bytes"
