"""Error analysis: an algorithm emulated operation by operation, and its error measured against the exact result.

Algorithm --emulate--> tiles as the format computes them --measure, against the oracle--> Report
"""

from error_analysis.auditing.audit import audit
from error_analysis.auditing.findings import Audit
from error_analysis.auditing.gallery import gallery
from error_analysis.emulation.arithmetic import Emulated, fma
from error_analysis.emulation.conversion import convert
from error_analysis.emulation.emulate import direct, direct_like, emulate
from error_analysis.emulation.oracle import exact_correlation
from error_analysis.measurement.adversary import worst_signs
from error_analysis.measurement.comparison import Comparison, compare
from error_analysis.measurement.data import DataRecord, random_tiles, uniform_tiles
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.measure import measure
from error_analysis.measurement.ranges import StageRange
from error_analysis.measurement.report import Report
from error_analysis.measurement.table import published_table
from error_analysis.prediction.bounds import Bound, bound
from error_analysis.prediction.estimate import Estimated, estimate
from error_analysis.prediction.expected import expected_error
from error_analysis.prediction.normwise import Condition, NormwiseBound, condition, normwise_bound
from error_analysis.prediction.tolerance import Tolerance, tolerance
from error_analysis.searching.brief import brief_search
from error_analysis.searching.checking import CheckedRow, checked
from error_analysis.searching.result import Found, SearchResult
from error_analysis.searching.search import search
from error_analysis.searching.store import Store
from error_analysis.sweeping.curve import Sweep
from error_analysis.sweeping.minima import spaced
from error_analysis.sweeping.sweep import sweep
from winograd.catalogue import brief_search as _brief_search
from winograd.error_estimate import error_estimate as _error_estimate

_error_estimate.offer(expected_error)  # for the option max_error of kernels, which must not import this package
_brief_search.brief_search.offer(brief_search)  # for winograd.recommend, likewise

__all__ = [
    "Audit",
    "Bound",
    "CheckedRow",
    "Comparison",
    "Condition",
    "DataRecord",
    "Emulated",
    "Estimate",
    "Estimated",
    "Found",
    "Interrupted",
    "NormwiseBound",
    "Report",
    "SearchResult",
    "StageRange",
    "Store",
    "Sweep",
    "Tolerance",
    "audit",
    "bound",
    "checked",
    "compare",
    "condition",
    "convert",
    "direct",
    "direct_like",
    "emulate",
    "estimate",
    "exact_correlation",
    "expected_error",
    "fma",
    "gallery",
    "measure",
    "normwise_bound",
    "published_table",
    "random_tiles",
    "search",
    "spaced",
    "sweep",
    "tolerance",
    "uniform_tiles",
    "worst_signs",
]
