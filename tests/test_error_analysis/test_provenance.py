"""Where records come from."""

import numpy as np

import winograd as wg
from error_analysis.measurement.provenance import provenance


def test_versions_and_processor_are_told():
    told = provenance()
    assert told["winograd"] == wg.__version__ and told["numpy"] == np.__version__
    assert all(told.values()) and {"python", "mpmath", "sympy", "system", "processor"} <= set(told)
