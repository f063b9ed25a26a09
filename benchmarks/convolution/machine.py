"""Where a table was made: the machine, the versions, the day."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from kernels.compilation import fingerprint
from kernels.host import host

_PACKAGES = ("numpy", "numba", "llvmlite", "torch", "ncnn", "onnx", "onnxruntime")


def processor() -> str:
    """The CPU's own name, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def provenance() -> dict[str, str]:
    """What a table is to be read with; `code` changes with any source of the kernels, any version and the CPU."""
    cpu = host()
    versions = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return {
        "processor": f"{processor()} ({cpu.cpu}), vectors of {cpu.vector_bytes * 8} bits, "
                     f"{os.cpu_count()} cores visible",
        "system": f"{platform.system()} {platform.machine()}",
        "versions": ", ".join(versions),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "code": fingerprint()[:12],
    }
