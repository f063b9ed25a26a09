"""The first call of a fresh process, and the compilation of one Algorithm from nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from convolution.comparison import Row
from convolution.markdown import digits, table
from convolution.settings import Settings

FIRST_AIM_S, COMPILE_AIM_S = 1.0, 10.0
RUNS = 5
COMPILATIONS = 3

_FIRST = "first call, warm code cache: Conv2d, 3 × 3, auto"
_COMPILED = {"compiled from nothing: F(4 × 4, 3 × 3), float32": 4, "compiled from nothing: F(6 × 6, 3 × 3), float32": 6}

# A process of its own, not of multiprocessing: that would have imported much by then.
_SCRIPT = """
import json, sys, time
start = time.perf_counter()
import numba, numpy as np
numba_s = time.perf_counter() - start
import kernels
import winograd as wg
library_s = time.perf_counter() - start - numba_s
m = int(sys.argv[1])
x, w = np.ones((1, 64, 28, 28), np.float32), np.ones((64, 64, 3, 3), np.float32)
algorithm = "auto"
if m:
    algorithm = wg.Algorithm(wg.toom_cook(m, 3, wg.published_points(m, 2)), dims=2, dtype="float32")
begin = time.perf_counter()
kernels.Conv2d(w, padding=1, algorithm=algorithm)(x)
call_s = time.perf_counter() - begin
print(json.dumps({"numba_s": numba_s, "library_s": library_s, "call_s": call_s}))
"""


def cases() -> list[str]:
    """What is measured, a row each."""
    return [_FIRST, *_COMPILED]


def process(cache: str, m: int) -> dict[str, float]:
    """Times in a fresh process: import of Numba, of this library, and the first layer with its call.

    Parameters
    ----------
    cache : str
        Folder of the code cache.
    m : int
        Outputs of the Algorithm, or 0 for "auto".
    """
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(m)], capture_output=True, text=True, check=False,
        env=os.environ | {"WINOGRAD_CACHE_DIR": cache, "PYTHONPATH": path},
    )
    if ran.returncode:
        raise RuntimeError(f"the fresh process ended with {ran.returncode}: {ran.stderr.strip()}")
    times: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return times


def row(what: str, settings: Settings) -> Row:
    """Medians over several processes."""
    runs, aim_s, with_import = [], COMPILE_AIM_S, what == _FIRST
    if with_import:
        aim_s = FIRST_AIM_S
        with tempfile.TemporaryDirectory(prefix="winograd_bench_") as cache:
            process(cache, 0)  # warms the cache
            runs = [process(cache, 0) for _ in range(1 if settings.quick else RUNS)]
    else:
        for _ in range(1 if settings.quick else COMPILATIONS):
            with tempfile.TemporaryDirectory(prefix="winograd_bench_") as cache:
                runs.append(process(cache, _COMPILED[what]))
    taken = [run["call_s"] + (run["library_s"] if with_import else 0.0) for run in runs]
    return {
        "shape": what, "taken_s": median(taken), "most_s": max(taken), "aim_s": aim_s,
        "numba_s": median(run["numba_s"] for run in runs), "library_s": median(run["library_s"] for run in runs),
    }


def line(row: Row) -> str:
    """One row for the terminal."""
    return (f"{row['shape']:50} {digits(row['taken_s'])} s (aim {row['aim_s']:g} s; importing Numba "
            f"{digits(row['numba_s'])} s)")


def text(rows: Sequence[Row], made_by: str) -> str:
    """The section."""
    lines = []
    for row in rows:
        taken = digits(row["taken_s"])
        lines.append([
            row["shape"], f"**{taken}**" if row["taken_s"] > row["aim_s"] else taken, digits(row["most_s"]),
            f"{row['aim_s']:g}", digits(row["numba_s"]), digits(row["library_s"]),
        ])
    headers = ["in a fresh process", "s, median", "longest", "aim", "importing Numba and NumPy, s", "importing this, s"]
    return "\n\n".join([
        "The first call includes importing this library and building the layer, not importing Numba; compilation is "
        "the first layer and its call with an empty code cache, less the imports. In bold what is above its aim.",
        table(headers, lines), made_by,
    ])
