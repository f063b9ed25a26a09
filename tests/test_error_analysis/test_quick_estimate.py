"""The quick estimate is the slow one's model, and ranks as measurements do."""

import math

import numpy as np
import pytest

import error_analysis as ea
from error_analysis.searching.quick_estimate import Roundings, quick_estimate, toom_cook_matrices
from error_analysis.searching.setting import Setting
from winograd import INF, Algorithm, parse_points, published_points, toom_cook

KERNEL = Setting(4, 3, 2, "float32", "kernel")


def floats(points: tuple) -> list[float]:
    return [math.inf if p is INF else float(p) for p in points]


@pytest.mark.parametrize("points", ["0, 1, -1, 1/2, -2, inf", "1/2, -1/2, 2, -2, 1, -1", "0, 3, 1/3, -3, -1/3, 1"])
def test_matrices_are_those_of_toom_cook(points: str) -> None:
    exact = toom_cook(4, 3, parse_points(points))
    for ours, theirs in zip(toom_cook_matrices(4, 3, floats(parse_points(points))), exact.matrices(), strict=True):
        # Both round a dozen times to float64; rows of the point 0 may differ in sign.
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("m", [3, 4, 6, 8])
@pytest.mark.parametrize("dims", [1, 2])
def test_agrees_with_the_slow_estimate(m: int, dims: int) -> None:
    """Within the 15 % that its docstring promises."""
    points = published_points(m, 2)
    slow = float(ea.estimate(Algorithm(toom_cook(m, 3, points), dims=dims)).rms.mean())
    quick = quick_estimate(toom_cook_matrices(m, 3, floats(points)), dims)
    assert 0.85 * slow < quick < 1.15 * slow


def test_agrees_with_the_slow_estimate_of_a_kernel() -> None:
    points = parse_points("0, 5/8, -5/8, 3/2, -3/2, inf")
    A = Algorithm(toom_cook(4, 3, points), dims=2, fma=True).with_formats(**KERNEL.formats)
    slow = float(ea.estimate(A).rms.mean())
    quick = quick_estimate(toom_cook_matrices(4, 3, floats(points)), 2, KERNEL.roundings)
    assert 0.85 * slow < quick < 1.15 * slow


@pytest.mark.parametrize("model", ["literature", "kernel"])
def test_half_formats_err_as_their_unit_roundoff(model: str) -> None:
    """By 2^13 = 2^24 / 2^11 more, but for the parts that are in float32."""
    M = toom_cook_matrices(4, 3, [0, 1, -1, 0.5, -2, math.inf])
    single = quick_estimate(M, 2, Setting(4, 3, 2, "float32", model).roundings)
    half = quick_estimate(M, 2, Setting(4, 3, 2, "float16", model).roundings)
    assert 0.3 * 2**13 * single < half < 2**13 * single


def test_scaling_by_powers_of_two_that_keeps_the_order_changes_nothing() -> None:
    M = toom_cook_matrices(4, 3, [0, 1, -1, 0.5, -2, math.inf])
    halves = np.full(6, 0.5)
    assert quick_estimate(M.scaled(halves, 4 * halves), 2) == quick_estimate(M, 2)


def test_fewer_roundings_err_less() -> None:
    M = toom_cook_matrices(6, 3, [0, 1, -1, 0.5, -0.5, 2, -2, math.inf])
    plain, fused = (quick_estimate(M, 2, Roundings(fma=fma)) for fma in (False, True))
    rounded_once = quick_estimate(M, 2, Roundings(fma=True, filter_rounds=False))
    wide_output = quick_estimate(M, 2, Roundings(fma=True, filter_rounds=False, output_rounds=False))
    assert plain > fused > rounded_once > wide_output


def test_ranks_point_sets_as_measurement_does() -> None:
    sets = ["0, 1, -1, 4, -4, inf", "0, 1, -1, 1/2, -2, inf", "0, 1/2, -1/2, 3/2, -3/2, inf", "0, 1, -1, 3, -3, inf"]
    quick = [quick_estimate(toom_cook_matrices(4, 3, floats(parse_points(text))), 1) for text in sets]
    measured = [ea.measure(Algorithm(toom_cook(4, 3, parse_points(text))), 2000).mean_abs.value for text in sets]
    assert np.argsort(quick).tolist() == np.argsort(measured).tolist()
