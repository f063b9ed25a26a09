"""The figures of one algorithm beside those computed another way."""

import numpy as np
import pytest

from error_analysis import measure
from error_analysis.auditing.merits import growth, merits
from winograd import Algorithm, parse_points, published_points, toom_cook

A = Algorithm(toom_cook(4, 3, published_points(4, 2)), dims=2)


def test_growth_is_the_norm_of_the_kronecker_product():
    for name, matrix in zip(("AT", "G", "BT"), A.transforms[0].matrices(), strict=True):
        # Entries of these points are short: products and sums of them are exact in float64, but for thirds in G.
        assert growth(A, name) == pytest.approx(np.abs(np.kron(matrix, matrix)).sum(axis=1).max(), rel=1e-14)


def test_condition_is_that_of_numpy_on_finite_points():
    found = merits(Algorithm(toom_cook(3, 3, parse_points("0, 1, -1, 1/2, -2"))), trials=2)
    by_numpy = np.linalg.cond(np.vander([0, 1, -1, 0.5, -2.0], increasing=True))
    assert found.condition == pytest.approx(by_numpy, rel=1e-13)  # singular values in float64, condition number 60


def test_merits_are_those_of_measure_and_counts():
    found = merits(A, trials=50, seed=3)
    report = measure(A, 50, 3)
    assert (found.error, found.to_direct) == (report.mean_abs, report.ratio)
    assert found == merits(A, report=report)
    assert found.counts == A.counts().transforms and found.products == 36
    assert report.max_abs <= found.bound
    # The estimate is held to 25 % of the mean in its own tests; 50 trials here add some 8 %.
    assert found.predicted == pytest.approx(found.error.value, rel=0.4)


def test_the_condition_number_needs_points():
    foreign = Algorithm(type(A.transforms[0])(A.transforms[0].AT, A.transforms[0].G, A.transforms[0].BT), dims=2)
    assert merits(foreign, trials=2).condition is None
    assert merits(foreign, trials=2, points=published_points(4, 2)).condition == pytest.approx(172.5, abs=0.1)
