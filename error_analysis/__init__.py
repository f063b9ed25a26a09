"""Error analysis: an algorithm emulated operation by operation, and its error measured against the exact result.

Algorithm --emulate--> tiles as the format computes them --measure, against the oracle--> Report
"""

from error_analysis.arithmetic import Emulated, fma
from error_analysis.data import uniform_tiles
from error_analysis.emulation import direct, emulate
from error_analysis.measurement import measure
from error_analysis.oracle import exact_correlation
from error_analysis.report import Estimate, Report
from error_analysis.sweep import reciprocal_family, sweep_family
from error_analysis.table import published_table

__all__ = [
    "Emulated",
    "Estimate",
    "Report",
    "direct",
    "emulate",
    "exact_correlation",
    "fma",
    "measure",
    "published_table",
    "reciprocal_family",
    "sweep_family",
    "uniform_tiles",
]
