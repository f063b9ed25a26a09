"""max_error, explain, and what one call costs: the choice among algorithms beyond their speed."""

import math
from dataclasses import replace

import numpy as np
import pytest

import kernels
import winograd.error_estimate
import winograd.offers
from error_analysis import direct_like, exact_correlation, expected_error, measure, random_tiles
from kernels import Conv1d, Conv2d, Conv3d, conv2d
from kernels.choice import candidates, chosen, phase_taps
from kernels.cost import filter_cost, forget_schedules
from kernels.direct_schedule import direct_cost
from kernels.rates import Rates, use_rates
from kernels.tiled_schedule import tiled_schedule
from winograd import INF, Algorithm, toom_cook

LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
SHAPES = [  # taps, stride, channels, filters, size, dtype
    ((3, 3), 1, 8, 16, (28, 28), "float32"),
    ((3, 3), 1, 256, 64, (14, 14), "float32"),
    ((3, 3), 2, 16, 32, (28, 28), "float32"),
    ((5, 5), 1, 16, 32, (20, 20), "float32"),
    ((2, 2), 1, 8, 16, (40, 40), "float64"),
    ((3,), 1, 32, 32, (500,), "float32"),
    ((1, 7), 1, 12, 16, (17, 17), "float32"),
    ((1, 1), 1, 32, 32, (20, 20), "float32"),
    ((3, 3, 3), 1, 4, 16, (8, 16, 16), "float32"),
]


@pytest.fixture(autouse=True)
def default_rates():
    """The choice is that of the default model, whatever was tuned on this machine."""
    use_rates(Rates())
    forget_schedules()
    chosen.cache_clear()
    yield
    use_rates(None)
    forget_schedules()
    chosen.cache_clear()


def layer_for(shape, max_error, algorithm="auto"):
    taps, stride, channels, filters, _, dtype = shape
    w = np.ones((filters, channels, *taps), dtype)
    return LAYERS[len(taps)](w, stride=stride, padding=tuple(r // 2 for r in taps), algorithm=algorithm,
                             max_error=max_error)


def picked(shape, max_error, algorithm="auto"):
    return layer_for(shape, max_error, algorithm).algorithm_for((1, shape[2], *shape[4]))


def all_errors(shape):
    """Of every option, by increasing error."""
    taps, stride, channels, _, _, dtype = shape
    strides, ones = (stride,) * len(taps), (1,) * len(taps)
    options = ["direct", *candidates(len(taps), taps, strides, ones, dtype, large=True)]
    return sorted(expected_error(A, taps, channels, dtype, strides) for A in options)


def measured_error(shape, algorithm):
    """Mean |error| of the algorithm on uniform data, and a lower end of its 95 % interval."""
    taps, stride, channels, _, _, dtype = shape
    trials = max(40, 4000 // channels)
    if algorithm == "direct":
        A = Algorithm(toom_cook(1, 1, [INF]), fma=True, dtype=dtype)
        terms = channels * math.prod(taps)
        d, g = random_tiles("uniform", np.random.default_rng(0), 10 * trials, terms, (1,), (1,), dtype)
        high, low = exact_correlation(d, g)
        errors = np.abs(direct_like(A, d, g).astype(float) - high - low)
        return errors.mean() - 1.96 * errors.std() / math.sqrt(errors.size)
    if stride > 1:  # the filters of the phases, filled up with zeros
        generator, phases = np.random.default_rng(0), stride ** len(taps)
        g = np.zeros((trials, channels, *(r * stride for r in algorithm.r)), dtype)
        g[:, :, *(slice(r) for r in taps)] = generator.uniform(-1, 1, (trials, channels, *taps))
        split = [g[:, :, *(slice(i, None, stride) for i in phase)] for phase in np.ndindex((stride,) * len(taps))]
        d = generator.uniform(-1, 1, (trials, channels * phases, *algorithm.tile)).astype(dtype)
        return measure(algorithm, data=(d, np.ascontiguousarray(np.concatenate(split, 1)))).mean_abs.low
    return measure(algorithm, trials=trials, channels=channels).mean_abs.low


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_is_chosen_errs_no_more_than_max_error(shape):
    """Measured; 1.1 is how near the estimate promises to be."""
    errors = all_errors(shape)
    for max_error in {errors[0], errors[len(errors) // 2], errors[-1], 1.001 * errors[-1]}:
        algorithm = picked(shape, max_error)
        strides = (shape[1],) * len(shape[0])
        assert expected_error(algorithm, shape[0], shape[2], shape[5], strides) <= max_error
        assert measured_error(shape, algorithm) < 1.1 * max_error


@pytest.mark.parametrize(
    ("shape", "algorithm"),
    # No fast algorithm has one tap.
    [(shape, name) for shape in SHAPES for name in ("auto", "winograd") if name == "auto" or max(shape[0]) > 1],
    ids=str,
)
def test_a_laxer_max_error_never_costs_time(shape, algorithm):
    axes, errors = len(shape[0]), all_errors(shape)
    times = []
    for max_error in [*errors, math.inf]:
        try:
            layer = layer_for(shape, max_error, algorithm)
        except ValueError:
            assert algorithm == "winograd" and not times  # direct may be all that errs so little
            continue
        problem = layer.problem_for((1, shape[2], *shape[4]))
        A = chosen(algorithm, axes, problem, max_error).algorithm
        times.append(direct_cost(problem) if A == "direct" else tiled_schedule(problem, A).cost)
    assert times == sorted(times, reverse=True) and times
    free = layer_for(shape, None, algorithm)
    A = free.algorithm_for((1, shape[2], *shape[4]))
    problem = free.problem_for((1, shape[2], *shape[4]))
    assert times[-1] <= (direct_cost(problem) if A == "direct" else tiled_schedule(problem, A).cost)


def test_larger_tiles_are_chosen_where_their_error_may_be():
    shape = ((3, 3), 1, 64, 64, (224, 224), "float32")
    assert picked(shape, None).m == (4, 4)
    assert picked(shape, 1e-3).m == (6, 6)
    assert picked(shape, 6e-6).m < (4, 4)


@pytest.mark.parametrize("algorithm", ["auto", "winograd"])
def test_a_max_error_that_nothing_satisfies_is_refused_at_the_door(algorithm):
    w = np.ones((4, 64, 3, 3), np.float32)
    with pytest.raises(ValueError, match=r"^max_error must be at least \S+, the error to expect of F\(2x2, 3x3\), for "
                                         r"64 channels of float32 and taps \(3, 3\); got 1e-09\.$") as caught:
        Conv2d(w, algorithm=algorithm, max_error=1e-9)
    least = float(str(caught.value).split()[5].rstrip(","))
    assert Conv2d(w, algorithm=algorithm, max_error=least).max_error == least
    with pytest.raises(ValueError, match="max_error must be at least"):
        Conv2d(w, algorithm=algorithm, max_error=0.99 * least)


def test_depthwise_layers_are_checked_too():
    w = np.ones((8, 1, 3, 3), np.float32)
    error = expected_error("direct", (3, 3), 1)
    layer = Conv2d(w, groups=8, max_error=1.01 * error)
    assert layer.algorithm_for((1, 8, 9, 9)) == "direct"
    with pytest.raises(ValueError, match=r"the error to expect of direct, for 1 channels"):
        Conv2d(w, groups=8, max_error=0.9 * error)


def test_the_channels_that_count_are_those_of_a_group():
    w = np.ones((64, 16, 3, 3), np.float32)
    least = expected_error("direct", (3, 3), 16)
    assert Conv2d(w, groups=4, max_error=least)
    assert expected_error("direct", (3, 3), 64) > least


def test_without_an_estimate_the_error_says_what_to_import(monkeypatch):
    monkeypatch.setattr(winograd.error_estimate.error_estimate, "_offered", [])
    monkeypatch.setattr(winograd.offers, "entry_points", lambda group: ())
    with pytest.raises(ImportError, match=r"^max_error needs the estimate of errors that error_analysis has: import "):
        Conv2d(np.ones((1, 1, 3, 3)), max_error=1.0)


@pytest.mark.parametrize("value", [0, -1.0, math.nan, True, "1e-6"])
def test_max_error_is_a_positive_number(value):
    with pytest.raises(ValueError, match=r"^max_error must be a positive number; got "):
        Conv2d(np.ones((1, 1, 3, 3)), max_error=value)


def test_explain_prints_one_line_of_what_and_why(capsys):
    x, w = np.ones((1, 32, 40, 40), np.float32), np.ones((32, 32, 3, 3), np.float32)
    silent = conv2d(x, w, max_error=1e-6)
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(conv2d(x, w, max_error=1e-6, explain=True), silent)
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "with its filters" in out and "error" in out
    layer = Conv2d(w, max_error=1e-6)
    layer(x)
    assert "max_error 1e-06 excludes F(" in layer.plan and "\n" not in layer.plan
    for function, shape in ((kernels.conv1d, (1, 2, 9)), (kernels.conv3d, (1, 2, 4, 4, 4))):
        function(np.ones(shape), np.ones((3, 2, *(1,) * (len(shape) - 2))), explain=True, max_error=1.0)
        assert capsys.readouterr().out.startswith(f"x {shape}: ")


def test_a_function_counts_the_time_of_its_filters_and_a_layer_does_not():
    w = np.ones((256, 256, 3, 3), np.float32)
    layer, once = Conv2d(w, padding=1), Conv2d(w, padding=1, one_shot=True)
    small, large = (1, 256, 14, 14), (64, 256, 56, 56)
    assert isinstance(layer.algorithm_for(small), Algorithm)
    assert once.algorithm_for(small) == "direct"
    assert isinstance(once.algorithm_for(large), Algorithm)


def test_the_cost_of_filters_grows_with_what_is_made():
    layer = Conv2d(np.ones((64, 32, 3, 3), np.float32), padding=1)
    problem = layer.problem_for((1, 32, 20, 20))
    two, four = (next(A for A in candidates(2, (3, 3), (1, 1), (1, 1), "float32") if A.m == (m, m)) for m in (2, 4))
    assert filter_cost(problem, four) / filter_cost(problem, two) == pytest.approx(36 / 16)
    assert filter_cost(replace(problem, channels=64), two) == 2 * filter_cost(problem, two)
    assert filter_cost(problem, "direct") < filter_cost(problem, two)
    assert filter_cost(replace(problem, images=9), four) == filter_cost(problem, four)
    assert phase_taps((3, 3), (2, 2)) == (2, 2)
