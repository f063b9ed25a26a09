"""Where a record comes from: the versions of what took part, and the processor."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import sympy

import winograd


def provenance() -> dict[str, str]:
    """Versions of what took part, and the processor."""
    return {
        "winograd": winograd.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "mpmath": mpmath.__version__,
        "sympy": sympy.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
    }


@cache
def _processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
