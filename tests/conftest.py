"""Hypothesis profiles: the same examples on every run where CI is set, new ones everywhere else. Less to collect.

The files that take longest come first, so that processes that share the files out end together (`make test`).
"""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

FOLDER = Path(__file__).parent
LONGEST = (
    "agreement/test_vector_paths.py",
    "test_kernels/test_layer.py",
    "test_kernels/test_packed/test_convolution.py",
    "test_kernels/test_gradients.py",
    "agreement/test_direct_and_emulation.py",
    "agreement/test_options_and_emulation.py",
    "agreement/test_guard_pages.py",
    "test_kernels/test_compilation.py",
    "test_error_analysis/test_measurement.py",
    "properties/test_layer_bounds.py",
    "agreement/test_bound_and_kernel.py",
    "test_kernels/test_filter_gradient_fast.py",
    "test_error_analysis/test_sweep.py",
    "test_error_analysis/test_arithmetic.py",
    "test_kernels/test_packed/test_storage.py",
    "test_kernels/test_packed/test_widths.py",
    "agreement/test_unusual_arrays.py",
    "test_error_analysis/test_conversion.py",
    "test_kernels/test_packed/test_lanes.py",
)

# The first example of many tests compiles a kernel: its time says nothing about the others.
COMPILING = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("exploring", **COMPILING)
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True, **COMPILING)
settings.load_profile("repeatable" if os.environ.get("CI") else "exploring")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; the others stay in their order."""
    places = {FOLDER / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over the many objects that imports leave, and come less often.

    Compiling makes garbage so fast that a tenth of its time went into looking through them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
