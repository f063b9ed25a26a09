"""The host's vector length and register tile, and that compiled code uses those registers."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import kernels.host
from kernels.host import Host, Tile, host, host_of
from kernels.lane_memory import lane_ops
from kernels.simd import fma

ROOT = Path(kernels.host.__file__).parents[1]
on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names of x86 CPUs")


@on_x86
@pytest.mark.parametrize(
    "cpu, features, vector_bytes, registers, fma_instruction",
    [
        ("x86-64", "", 16, 16, False),
        ("nehalem", "", 16, 16, False),
        ("sandybridge", "", 32, 16, False),
        ("haswell", "", 32, 16, True),
        ("znver3", "", 32, 16, True),
        ("x86-64", "+avx2,+fma", 32, 16, True),
        ("haswell", "-fma", 32, 16, False),
        ("skylake-avx512", "", 64, 32, True),
        ("znver4", "", 64, 32, True),
        ("znver4", "-avx512f", 32, 16, True),
    ],
)
def test_known_cpus(cpu, features, vector_bytes, registers, fma_instruction):
    assert host_of(cpu, features) == Host(cpu, features, vector_bytes, registers, fma_instruction)


@pytest.mark.parametrize("vector_bytes, registers", [(16, 16), (16, 32), (32, 16), (64, 32)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tile_fits_the_registers(vector_bytes, registers, dtype):
    cpu = Host("any", "", vector_bytes, registers, True)
    tile = cpu.tile(dtype)
    assert tile.length * np.dtype(dtype).itemsize == vector_bytes
    assert tile.rows * tile.vectors + tile.vectors + 1 <= registers
    assert tile.columns == tile.vectors * tile.length


def test_compiled_code_uses_the_widest_registers():
    ops = lane_ops(host().length(np.float32))
    load, store = ops.load, ops.store

    @njit
    def run(x, y):
        store(y, 0, fma(load(x, 0), load(x, 1), load(x, 2)))

    x = np.ones(2 + host().length(np.float32), np.float32)
    run(x, x[:-2].copy())
    (text,) = run.inspect_asm().values()
    assert ("fmaf" in text) == (not host().fma)
    if platform.machine() in ("x86_64", "AMD64"):
        assert {16: "xmm", 32: "ymm", 64: "zmm"}[host().vector_bytes] in text


@on_x86
@pytest.mark.parametrize(
    "cpu, features, tile",
    [("haswell", "", Tile(6, 2, 8)), ("x86-64", "", Tile(6, 2, 4)), ("skylake-avx512", "", Tile(14, 2, 16))],
)
def test_numba_settings_are_honoured(cpu, features, tile):
    settings = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features, "PYTHONPATH": str(ROOT)}
    code = "from kernels.host import host; print(host().tile('float32'))"
    output = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, **settings}, text=True)
    assert output.strip() == repr(tile)


def test_the_name_alone_keeps_the_features_of_the_machine(monkeypatch):
    monkeypatch.setattr(kernels.host.config, "CPU_NAME", "x86-64")
    monkeypatch.setattr(kernels.host.config, "CPU_FEATURES", None)
    assert host.__wrapped__().features == kernels.host.get_host_cpu_features()  # asked anew
