"""What a layer runs: an algorithm that fits, of least expected time, or a sentence that says why not."""

from dataclasses import replace

import pytest

import winograd as wg
from kernels.choice import NAMES, Choice, candidates, check_algorithm, checked_error, chosen, phase_taps
from kernels.direct_schedule import direct_cost
from kernels.problem import Problem, triple
from kernels.tiled_schedule import tiled_schedule

ONES = {axes: (1,) * axes for axes in (1, 2, 3)}
F23 = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2)


def problem(axes=2, channels=64, filters=64, size=28, taps=3, groups=1, stride=1, dilation=1, dtype="float32"):
    sizes = (size,) * axes
    out = triple(tuple((s - dilation * (taps - 1) - 1) // stride + 1 for s in sizes))
    plane = size**axes
    steps = [size ** (2 - i) if i >= 3 - axes else 0 for i in range(3)]
    return Problem(
        images=1, channels=channels // groups, filters=filters // groups, groups=groups, size=triple(sizes), out=out,
        taps=triple((taps,) * axes), stride=triple((stride,) * axes), dilation=triple((dilation,) * axes),
        pad=(0, 0, 0), x_steps=(channels * plane, plane, *steps),
        y_steps=(filters * plane, out[0] * out[1] * out[2], out[1] * out[2], out[2], 1), dtype=dtype, threads=2,
        has_bias=False, relu=False,
    )  # fmt: skip


@pytest.mark.parametrize("taps", [(3,), (1, 3), (2, 2), (3, 3), (5, 3), (7, 7), (3, 3, 3), (1, 1, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_candidates_fit_the_layer(taps, dtype):
    axes = len(taps)
    found = list(candidates(axes, taps, ONES[axes], ONES[axes], dtype))
    assert found and len(set(found)) == len(found)
    for algorithm in found:
        assert algorithm.r == taps and algorithm.dtype == dtype and algorithm.dims == axes
        assert algorithm.filter_dtype == "float64" and max(algorithm.m) > 1
        check_algorithm(algorithm, axes, taps, ONES[axes], ONES[axes], dtype)


def test_candidates_of_strided_layers_have_the_taps_of_a_phase():
    assert phase_taps((7, 3, 1), (2, 3, 1)) == (4, 1, 1)
    found = list(candidates(2, (7, 3), (2, 1), (1, 1), "float32"))
    assert found and {algorithm.r for algorithm in found} == {(4, 3)}
    for algorithm in found:
        check_algorithm(algorithm, 2, (7, 3), (2, 1), (1, 1), "float32")


@pytest.mark.parametrize(
    ("taps", "stride", "dilation"), [((1, 1), 1, 1), ((8, 3), 1, 1), ((2, 2), 2, 1), ((3, 3), 2, 2), ((11, 11), 1, 1)]
)
def test_no_candidate_where_no_fast_algorithm_serves(taps, stride, dilation):
    options = (taps, (stride,) * 2, (dilation,) * 2, "float32")
    assert list(candidates(2, *options)) == []
    with pytest.raises(ValueError, match='algorithm "winograd" needs a filter of 2 to 7 taps along some axis'):
        check_algorithm("winograd", 2, *options)
    for name in NAMES:
        if name != "winograd":
            check_algorithm(name, 2, *options)


def test_what_was_asked_for_is_taken():
    for algorithm in (F23, "direct", "im2col", "fft"):
        assert chosen(algorithm, 2, problem(), None) == Choice(algorithm, "asked for")
    assert str(chosen("direct", 2, problem(), None)) == "direct (asked for)"


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_auto_takes_the_least_expected_time(axes, stride, dilation):
    for channels, size, taps in [(4, 9, 3), (64, 24, 3), (32, 15, 5)]:
        if axes == 3 and taps == 5:
            continue
        layer = problem(axes, channels, channels, size, taps, stride=stride, dilation=dilation)
        fast = list(candidates(axes, *((n,) * axes for n in (taps, stride, dilation)), "float32"))
        costs = {algorithm: tiled_schedule(layer, algorithm).cost for algorithm in fast}
        winner = chosen("auto", axes, layer, None).algorithm
        least = min([direct_cost(layer), *costs.values()])
        assert (direct_cost(layer) if winner == "direct" else costs[winner]) == least
        if fast:
            assert costs[chosen("winograd", axes, layer, None).algorithm] == min(costs.values())


def test_auto_is_fast_for_wide_layers_and_direct_where_nothing_else_is():
    assert isinstance(chosen("auto", 2, problem(), None).algorithm, wg.Algorithm)
    assert chosen("auto", 2, problem(taps=1), None).algorithm == "direct"
    assert chosen("auto", 2, problem(stride=2, dilation=2), None).algorithm == "direct"
    assert chosen("auto", 2, problem(groups=64), None) == Choice("direct", "one channel a group")
    reason = str(chosen("auto", 2, problem(), None))
    assert "(expected " in reason and reason.count(" us") == 4  # its own time and those of three others


def test_the_error_allowed_is_checked():
    assert checked_error(None, "fft") is None
    assert checked_error(1, "auto") == 1.0 and checked_error(1e-6, "winograd") == 1e-6
    for bad in (0, -1.0, float("nan"), "1", True):
        with pytest.raises(ValueError, match="max_error must be a positive number; got"):
            checked_error(bad, "auto")
    for algorithm in ("direct", "fft", F23):
        with pytest.raises(ValueError, match='max_error must go with algorithm "auto" or "winograd"; got'):
            checked_error(1e-6, algorithm)


@pytest.mark.parametrize(
    ("algorithm", "taps", "stride", "dilation", "dtype", "message"),
    [
        ("fast", (3, 3), 1, 1, "float32", 'algorithm must be an Algorithm or one of "auto", "direct", "winograd"'),
        (3, (3, 3), 1, 1, "float32", "algorithm must be an Algorithm or one of .*; got 3"),
        (wg.Algorithm(F23.transforms[:1]), (3, 3), 1, 1, "float32", "algorithm must have dims = 2 for this layer"),
        (F23, (3, 3), 2, 2, "float32", "stride or dilation must be 1 for a fast algorithm"),
        (F23, (3, 2), 1, 1, "float32", r"the filter's taps, \(3, 2\); F\(2x2, 3x3\) has \(3, 3\)"),
        (F23, (3, 3), 2, 1, "float32", r"divided by the stride \(2, 2\), rounded up, \(2, 2\)"),
        (F23, (3, 3), 1, 1, "float64", r"the arrays' dtype float64; got float32: algorithm.with_formats\('float64'\)"),
        (replace(F23, sum_dtype="float64"), (3, 3), 1, 1, "float32", "one format in all stages but the filter"),
        (replace(F23, filter_dtype="float16"), (3, 3), 1, 1, "float32", "one format in all stages but the filter"),
        (replace(F23, channel_sum="kahan"), (3, 3), 1, 1, "float32", "sum linear, blocked or pairwise"),
        (replace(F23, rounding="toward_zero"), (3, 3), 1, 1, "float32", "round to nearest"),
    ],
)
def test_what_does_not_fit_is_refused(algorithm, taps, stride, dilation, dtype, message):
    with pytest.raises(ValueError, match=message):
        check_algorithm(algorithm, 2, taps, (stride,) * 2, (dilation,) * 2, dtype)
    if isinstance(algorithm, wg.Algorithm) and algorithm.dtype != dtype:
        check_algorithm(algorithm.with_formats(dtype), 2, taps, (stride,) * 2, (dilation,) * 2, dtype)


def test_what_fits_passes():
    check_algorithm(F23, 2, (3, 3), (1, 1), (2, 3), "float32")
    check_algorithm(F23, 2, (6, 9), (2, 3), (1, 1), "float32")
    for channel_sum in ("linear", "blocked", "pairwise"):
        check_algorithm(replace(F23, channel_sum=channel_sum), 2, (3, 3), (1, 1), (1, 1), "float32")
    check_algorithm(replace(F23, filter_dtype="float64"), 2, (3, 3), (1, 1), (1, 1), "float32")
