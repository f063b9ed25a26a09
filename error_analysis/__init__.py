"""Error analysis: an algorithm emulated operation by operation, and its error measured against the exact result.

Algorithm --emulate--> tiles as the format computes them --measure, against the oracle--> Report
"""

from error_analysis.adversary import worst_signs
from error_analysis.arithmetic import Emulated, fma
from error_analysis.audit import audit
from error_analysis.bounds import Bound, bound
from error_analysis.comparison import Comparison, compare
from error_analysis.conversion import convert
from error_analysis.data import DataRecord, random_tiles, uniform_tiles
from error_analysis.emulation import direct, direct_like, emulate
from error_analysis.estimate import Estimated, estimate
from error_analysis.family import reciprocal_family, sweep_family
from error_analysis.findings import Audit
from error_analysis.gallery import gallery
from error_analysis.interruption import Interrupted
from error_analysis.interval import Estimate
from error_analysis.measurement import measure
from error_analysis.normwise import Condition, NormwiseBound, condition, normwise_bound
from error_analysis.oracle import exact_correlation
from error_analysis.ranges import StageRange
from error_analysis.report import Report
from error_analysis.table import published_table
from error_analysis.tolerance import Tolerance, tolerance

__all__ = [
    "Audit",
    "Bound",
    "Comparison",
    "Condition",
    "DataRecord",
    "Emulated",
    "Estimate",
    "Estimated",
    "Interrupted",
    "NormwiseBound",
    "Report",
    "StageRange",
    "Tolerance",
    "audit",
    "bound",
    "compare",
    "condition",
    "convert",
    "direct",
    "direct_like",
    "emulate",
    "estimate",
    "exact_correlation",
    "fma",
    "gallery",
    "measure",
    "normwise_bound",
    "published_table",
    "random_tiles",
    "reciprocal_family",
    "sweep_family",
    "tolerance",
    "uniform_tiles",
    "worst_signs",
]
