"""Hypothesis profiles: the same examples on every run where CI is set, new ones everywhere else. Less to collect."""

import gc
import os

from hypothesis import HealthCheck, settings

# The first example of many tests compiles a kernel: its time says nothing about the others.
COMPILING = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("exploring", **COMPILING)
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True, **COMPILING)
settings.load_profile("repeatable" if os.environ.get("CI") else "exploring")


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over the many objects that imports leave, and come less often.

    Compiling makes garbage so fast that a tenth of its time went into looking through them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
