"""Hypothesis profiles: the same examples on every run where CI is set, new ones everywhere else."""

import os

from hypothesis import HealthCheck, settings

# The first example of many tests compiles a kernel: its time says nothing about the others.
COMPILING = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("exploring", **COMPILING)
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True, **COMPILING)
settings.load_profile("repeatable" if os.environ.get("CI") else "exploring")
