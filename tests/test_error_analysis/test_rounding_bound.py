"""One rounding, exhaustively: no number of bounded size is changed more."""

from fractions import Fraction

import numpy as np
import pytest

from error_analysis.emulation.arithmetic import Emulated
from error_analysis.prediction.rounding_bound import RoundingBound
from winograd import format_of


@pytest.mark.parametrize("rounding", ["nearest", "toward_zero", "stochastic"])
@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2", "binary(5, -6, 7)"])
def test_no_rounding_is_larger_and_some_is_nearly_so(dtype: str, rounding: str) -> None:
    limits = RoundingBound(dtype, rounding)
    top = min(float(format_of(dtype).largest), 15.5)
    x = np.linspace(-top, top, 400_001)
    error = np.abs(Emulated(dtype, rounding).rounded(x) - x)
    assert (error <= limits.error(np.abs(x), subnormal=True)).all()
    for size in (0.01, 0.37, 1.9, 3.9, top):
        found = error[np.abs(x) <= size].max()
        assert 0.75 * limits.error(size, subnormal=True) <= found <= limits.error(size, subnormal=True)


def test_what_cannot_round_does_not() -> None:
    limits = RoundingBound("float16", "nearest")
    assert limits.error(0.0, subnormal=True) == 0
    assert limits.error(5.0, normal=False) == 0
    assert limits.error(5.0, normal=False, subnormal=True) == float(Fraction(1, 2**25))
    assert limits.holds(65504.0) and not limits.holds(65505.0)
    assert not RoundingBound("float16", "stochastic").holds(65504.0)
