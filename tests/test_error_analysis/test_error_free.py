"""Nothing is lost: what the transformations return is exactly what went in."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from error_analysis.emulation.error_free import product_sum, sum_to_odd, sum_toward_zero, two_prod, two_sum


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_two_sum_is_exact(a, b):
    s, e = two_sum(np.float64(a), np.float64(b))
    assert s == a + b
    assert Fraction(float(s)) + Fraction(float(e)) == Fraction(a) + Fraction(b)


@given(st.floats(1e-140, 1e150), st.floats(-1e150, -1e-140) | st.just(0.0))
def test_two_prod_is_exact(a, b):
    p, e = two_prod(np.float64(a), np.float64(b))
    assert p == a * b
    assert Fraction(float(p)) + Fraction(float(e)) == Fraction(a) * Fraction(b)


NUMBERS = st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100) | st.sampled_from([1.0, -1.0, 2.0**53, 1 + 2.0**-52])
TINY = st.floats(1e-120, 1e-90) | st.floats(-1e-90, -1e-120)


@given(NUMBERS, NUMBERS | TINY)
def test_rounding_to_odd(a, b):
    exact = Fraction(a) + Fraction(b)
    got = float(sum_to_odd(np.float64(a), np.float64(b)))
    if Fraction(a + b) == exact:
        assert got == a + b
    else:
        assert np.float64(got).view(np.int64) % 2 == 1
        below, above = (Fraction(float(np.nextafter(got, end))) for end in (-np.inf, np.inf))
        assert below < exact < above


@given(NUMBERS, NUMBERS | TINY)
def test_cutting_toward_zero(a, b):
    exact = Fraction(a) + Fraction(b)
    got = float(sum_toward_zero(*two_sum(np.float64(a), np.float64(b))))
    assert abs(Fraction(got)) <= abs(exact)
    assert abs(Fraction(float(np.nextafter(got, np.copysign(np.inf, float(a + b)))))) > abs(exact)


@given(NUMBERS, NUMBERS, NUMBERS | TINY | st.just(0.0))
def test_a_product_and_a_sum_rounded_once(a, c, b):
    s, e = product_sum(np.float64(a), np.float64(c), np.float64(b))
    exact = Fraction(a) * Fraction(c) + Fraction(b)
    assert s == exact.numerator / exact.denominator
    missing = exact - Fraction(float(s))
    # The error is right in sign, and to the 53 bits that rounding to odd leaves of it.
    assert (missing > 0) == (e > 0) and (missing < 0) == (e < 0)
    assert abs(missing - Fraction(float(e))) <= abs(missing) * Fraction(1, 2**52)
