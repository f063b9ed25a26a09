"""`measure`: the numbers it gives, their intervals, and its door."""

import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

import winograd as wg
from error_analysis import Interrupted, Report, emulate, exact_correlation, measure, random_tiles, uniform_tiles
from error_analysis.emulation.emulate import direct_like
from error_analysis.measurement import sampling as module

T = wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF])
A = wg.Algorithm(T, dims=2)
SMALL = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]))
HALF = A.with_formats("float16", sum_dtype="float32")


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def ulp(y, precision, smallest_exponent):
    """The distance of the numbers of a format around y, one at a time."""
    exponent = max(math.frexp(abs(y))[1] - 1, smallest_exponent)
    return 2.0 ** (exponent - precision + 1)


@pytest.mark.parametrize(
    ("algorithm", "rounded", "precision", "smallest_exponent"),
    [(A, np.float32, 24, -126), (HALF, np.float16, 11, -14), (SMALL.with_formats("bfloat16"), ml_dtypes.bfloat16, 8,
                                                             -126)],
    ids=["float32", "float16", "bfloat16"],
)
def test_every_figure_is_what_it_says(algorithm, rounded, precision, smallest_exponent):
    """The figures computed plainly, with another oracle; they are doubles added in another order: 1e-12."""
    report = measure(algorithm, trials=150, seed=5, channels=2)
    d, g = uniform_tiles(generator(5), 150, 2, algorithm.tile, algorithm.r, algorithm.stored_dtype)
    high, low = exact_correlation(d, g, "mpmath")

    def error_of(y):
        return np.abs((np.asarray(y, float) - high) - low)

    error = error_of(emulate(algorithm, d, g))
    direct, best = error_of(direct_like(algorithm, d, g)), error_of(high.astype(rounded))
    axes = tuple(range(1, error.ndim))
    for e, estimate in ((error, report.mean_abs), (direct, report.direct), (best, report.rounded)):
        assert estimate.value == pytest.approx(e.mean(), rel=1e-12)
        spread = 1.959964 * e.mean(axis=axes).std(ddof=1) / 150**0.5
        assert estimate.high - estimate.value == pytest.approx(spread, rel=1e-5)
        assert estimate.value - estimate.low == pytest.approx(spread, rel=1e-5)
    unit = np.vectorize(ulp)(high, precision, smallest_exponent)
    ulps = error / unit
    close = {
        "max_abs": error.max(), "direct_max_abs": direct.max(), "ratio": error.mean() / direct.mean(),
        "ratio_rounded": error.mean() / best.mean(), "relative_l1": error.sum() / np.abs(high).sum(),
        "relative_l2": (np.square(error).sum() / np.square(high).sum()) ** 0.5,
        "normwise": error.max() / np.abs(high).max(), "ulps": error.sum() / unit.sum(), "ulps_mean": ulps.mean(),
        "ulps_max": ulps.max(),
        "quantiles": tuple(np.quantile(error, [0.5, 0.9, 0.99, 0.999])),
        "ulps_quantiles": tuple(np.quantile(ulps, [0.5, 0.9, 0.99, 0.999])),
        "per_output": error.mean(axis=0),
    }
    for name, expected in close.items():
        given = getattr(report, name)
        assert getattr(given, "value", given) == pytest.approx(expected, rel=1e-12), name
    assert report.per_output.mean() == pytest.approx(report.mean_abs.value, rel=1e-12)
    assert report.per_output.shape == report.m == algorithm.m
    assert report.nonfinite == 0 and report.complete


def test_the_interval_of_a_paired_ratio_is_that_of_the_bootstrap():
    report = measure(A, trials=400, seed=2)
    d, g = uniform_tiles(generator(2), 400, 1, A.tile, A.r, "float32")
    high, low = exact_correlation(d, g)
    error, direct = (np.abs((y - high) - low).mean(axis=(1, 2)) for y in (emulate(A, d, g), direct_like(A, d, g)))
    chosen = generator(0).integers(0, 400, (4000, 400))
    ratios = error[chosen].mean(axis=1) / direct[chosen].mean(axis=1)
    # Two estimates of one spread: at 4000 resamplings and 400 trials they differ by some percent.
    assert report.ratio.half_width == pytest.approx(1.96 * ratios.std(), rel=0.1)


def test_equal_arguments_give_equal_reports_whatever_the_chunks(monkeypatch):
    reference = measure(A, trials=100)
    assert measure(A, trials=100) == reference
    assert measure(A, trials=100, seed=1) != reference
    for size in (1, 36 * 7, 10**9):
        monkeypatch.setattr(module, "_CHUNK_SIZE", size)
        monkeypatch.setattr(module, "_LEAST_TRIALS", 1)
        assert measure(A, trials=100) == reference


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("dims", [1, 2])
def test_the_oracles_give_the_same_report(dtype, dims):
    algorithm = wg.Algorithm(T, dims=dims, dtype=dtype)
    fast, slow = (measure(algorithm, trials=30, channels=2, oracle=oracle) for oracle in ("auto", "mpmath"))
    assert slow.oracle == "mpmath"
    # Both oracles are good to 2^-40 of the error measured, even in float64.
    assert fast.mean_abs.value == pytest.approx(slow.mean_abs.value, rel=2.0**-40)
    assert fast.max_abs == pytest.approx(slow.max_abs, rel=2.0**-40)


# Those of tests/agreement, which the code cache holds after whichever is first.
F43 = wg.toom_cook(4, 3, [0, -1, 1, "1/2", -2, wg.INF])
COMPILED = [
    wg.Algorithm(wg.toom_cook(4, 3, ["sqrt(2)", "-sqrt(2)", "sqrt(2)/2", "-sqrt(2)/2", 0, "inf"]), dtype="float64"),
    wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4, 2)), dims=2),
    wg.Algorithm((wg.toom_cook(2, 2, [0, 1, wg.INF]), SMALL.transforms[0], F43), fma=True),
]


@pytest.mark.parametrize("algorithm", COMPILED, ids=lambda A: f"{A.size} {A.dtype}")
def test_the_kernel_has_the_error_of_its_emulation(algorithm):
    emulated, compiled = (measure(algorithm, 50, channels=3, subject=s) for s in ("emulation", "kernel"))
    same = {name: value for name, value in emulated.flat().items() if name not in compiled.provenance}
    for name, value in compiled.flat().items():
        if name not in ("subject", *compiled.provenance):
            assert value == same[name], name
    assert [seen.stage for seen in compiled.ranges] == ["y"]


def test_intervals_cover_the_mean():
    truth = measure(SMALL, trials=300_000, seed=1000)
    reports = [measure(SMALL, trials=1000, seed=seed) for seed in range(300)]
    for name in ("mean_abs", "direct", "ratio", "rounded", "ratio_rounded", "relative_l1", "relative_l2", "ulps"):
        mean = getattr(truth, name).value
        covered = sum(e.low <= mean <= e.high for e in (getattr(r, name) for r in reports))
        # 95 % of 300 is 285, standard deviation 3.8; four of them down, where the tail of squares is long, three up.
        assert 270 <= covered <= 297, name


def test_more_trials_narrow_the_interval():
    few, many = (measure(SMALL, trials=trials) for trials in (500, 50_000))
    width_few, width_many = (r.mean_abs.high - r.mean_abs.low for r in (few, many))
    assert 7 < width_few / width_many < 14  # about 10, the root of 100


@pytest.mark.parametrize("width", [0.1, 0.02, 0.008])
def test_auto_goes_on_until_the_interval_is_narrow_enough(width):
    report = measure(A, "auto", width=width)
    assert report.complete and report.mean_abs.half_width <= width * report.mean_abs.value
    # Chunks are of 1024 trials; one less would not have done.
    before = report.trials - 1024
    assert before == 0 or measure(A, before).mean_abs.half_width > width * report.mean_abs.value * 0.999
    assert report == measure(A, report.trials)


def test_auto_gives_up_where_it_is_told_to():
    report = measure(A, "auto", width=1e-6, max_trials=3000)
    assert report.trials == 3000 and not report.complete and report.ended == "max_trials"
    assert "3000 trials, seed 0, stopped at max_trials" in str(report)
    assert report == measure(A, 3000)


def test_auto_ends_where_there_is_no_error():
    report = measure(wg.Algorithm(wg.toom_cook(1, 1, [wg.INF]), dtype="float64"), "auto", data="adversarial", width=0.5)
    assert report.complete and report.trials < 10_000


def test_progress_is_told():
    seen = []
    measure(A, trials=10_000, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10_000, 10_000) and len(seen) > 1
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    seen.clear()
    report = measure(A, "auto", width=0.006, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (report.trials, report.trials) and all(done <= total for done, total in seen)


def test_an_interruption_leaves_what_was_measured():
    def interrupted(done, total):
        if done >= 2000:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        measure(A, trials=100_000, progress=interrupted)
    report = caught.value.result
    assert 2000 <= report.trials < 5000 and not report.complete and report.ended == "interrupted"
    assert report == measure(A, trials=report.trials) == report.rerun()


def test_an_interruption_before_two_trials_interrupts(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "emulate", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        measure(A)
    assert caught.type is KeyboardInterrupt  # nothing was measured that could be kept


def test_stochastic_rounding_is_seeded():
    algorithm = wg.Algorithm(T, rounding="stochastic", dtype="bfloat16")
    report = measure(algorithm, trials=2000)
    assert report == measure(algorithm, trials=2000) and report != measure(algorithm, trials=2000, seed=1)
    nearest = measure(wg.Algorithm(T, dtype="bfloat16"), trials=2000)
    assert report.mean_abs.value > nearest.mean_abs.value


def test_stochastic_rounding_draws_anew_for_every_seed_and_chunk():
    algorithm = wg.Algorithm(T, rounding="stochastic", dtype="bfloat16")
    d, g = random_tiles("uniform", generator(0), 1024, 1, (6,), (3,), "bfloat16")
    once = measure(algorithm, data=(d, g))
    assert once.mean_abs != measure(algorithm, data=(d, g), seed=1).mean_abs
    # 1024 trials of one channel are a chunk: the second one has the same data and other random numbers.
    twice = measure(algorithm, data=(np.tile(d, (2, 1, 1)), np.tile(g, (2, 1, 1))))
    assert twice.mean_abs.value != once.mean_abs.value


def test_exact_zeros_have_no_ulps():
    """Trials whose filter is zero change nothing that is measured in ulps of each output."""
    d, g = random_tiles("uniform", generator(0), 40, 1, (6,), (3,), "float32")
    plain = measure(wg.Algorithm(T), data=(d, g))
    zeros = np.float32([[[0, 1 / 3, 1 / 7, 1 / 3, 0, 1 / 7]]]).repeat(40, 0), np.float32([[[0, 0, 0]]]).repeat(40, 0)
    with_zeros = measure(wg.Algorithm(T), data=tuple(np.concatenate(pair) for pair in zip((d, g), zeros, strict=True)))
    assert (with_zeros.ulps_mean, with_zeros.ulps_max) == (plain.ulps_mean, plain.ulps_max)
    assert with_zeros.ulps_quantiles == plain.ulps_quantiles and with_zeros.trials == 2 * plain.trials


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_shapes_may_differ_by_axis(dims):
    transforms = [wg.toom_cook(m, r, [*wg.parse_points("0,1,-1,2,inf")[: m + r - 2], wg.INF])
                  for m, r in ((2, 3), (3, 2), (2, 2))[:dims]]
    report = measure(wg.Algorithm(transforms), trials=60, channels=2)
    assert report.per_output.shape == (2, 3, 2)[:dims]
    assert 0 < report.mean_abs.value < 1e-6
    assert report.per_output.mean() == pytest.approx(report.mean_abs.value, rel=1e-12)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_strided_and_dilated_forms_have_the_error_of_direct(stride, dilation):
    """As "direct" runs them `Report.direct` is their error: each output is the same sum of products."""
    import kernels

    rng = generator(0)
    x, w = (rng.uniform(-1, 1, shape).astype(np.float32) for shape in ((1, 4, 17, 19), (1, 4, 3, 3)))
    y = kernels.conv2d(x, w, stride=stride, dilation=dilation, algorithm="direct")[0, 0]
    reach = 2 * dilation + 1
    windows = np.lib.stride_tricks.sliding_window_view(x[0], (reach, reach), (1, 2))
    taken = windows[:, ::stride, ::stride, ::dilation, ::dilation]
    d = np.moveaxis(taken, 0, 2).reshape(-1, 4, 3, 3)
    one = wg.Algorithm(wg.toom_cook(1, 3, [0, 1, wg.INF]), dims=2, fma=True)
    g = np.broadcast_to(w, (len(d), 4, 3, 3)).copy()
    np.testing.assert_array_equal(direct_like(one, np.ascontiguousarray(d), g).ravel(), y.ravel())
    exact = exact_correlation(np.ascontiguousarray(d), g)[0].ravel()
    report = measure(one, data=(d, g))
    assert report.direct.value == pytest.approx(np.abs(y.ravel() - exact).mean(), rel=1e-12)


def test_an_exact_algorithm_has_no_error():
    algorithm = wg.Algorithm(wg.toom_cook(1, 1, [wg.INF]), dtype="float64", filter_dtype="float64")
    report = measure(algorithm, trials=20)
    assert report.mean_abs == report.direct == report.rounded and report.ratio.value == 1


def test_overflow_is_counted_and_left_out_of_the_means_without_a_warning():
    scaled = wg.Algorithm(T.scaled(A=[2**-120] * 6, B=[2**120] * 6), dims=2)
    report = measure(scaled, trials=5)
    assert report.nonfinite == 5 * 16 and np.isnan(report.mean_abs.value) and np.isnan(report.max_abs)
    assert np.isnan(report.ratio.value) and np.isfinite(report.direct.value)
    assert {seen.stage: seen.overflows > 0 for seen in report.ranges}["input"]
    assert "mean |error|    nan" in str(report) and "not finite      80 of 80 outputs" in str(report)
    assert Report.from_json(report.to_json()) == report


def test_a_few_overflows_leave_the_others():
    """In e4m3 the largest number is 448: normal data through F(4, 3) exceeds it now and then."""
    algorithm = A.with_formats("float8_e4m3fn")
    report = measure(algorithm, trials=400, channels=64, data="normal")
    d, g = random_tiles("normal", generator(0), 400, 64, A.tile, A.r, "float8_e4m3fn")
    high, low = exact_correlation(d, g)
    error = np.abs((emulate(algorithm, d, g) - high) - low)
    finite = np.isfinite(error)
    assert 0 < report.nonfinite == (~finite).sum() < error.size
    with np.errstate(invalid="ignore"):
        by_trial = np.where(finite, error, 0).sum(axis=(1, 2)) / finite.sum(axis=(1, 2))
        by_output = np.where(finite, error, 0).sum(axis=0) / finite.sum(axis=0)
    assert report.mean_abs.value == pytest.approx(np.nanmean(by_trial), rel=1e-12)
    assert report.per_output == pytest.approx(by_output, rel=1e-12)
    assert report.max_abs == error[finite].max()
    assert report.quantiles[0] == np.quantile(error[finite], 0.5)
    unit = np.vectorize(ulp)(high, 4, -6)
    for estimate, scale in ((report.relative_l1, np.abs(high)), (report.ulps, unit)):
        assert estimate.value == pytest.approx(error[finite].sum() / scale[finite].sum(), rel=1e-12)
    squares = np.square(error[finite]).sum() / np.square(high[finite]).sum()
    assert report.relative_l2.value == pytest.approx(squares**0.5, rel=1e-12)
    assert report.normwise == error[finite].max() / np.abs(high[finite]).max()
    rounded = np.asarray(high, ml_dtypes.float8_e4m3fn).astype(float)
    assert report.rounded.value == pytest.approx(np.abs((rounded - high) - low).mean(), rel=1e-12)


def test_the_mean_is_the_same_in_exact_rational_arithmetic():
    """One number by an oracle that shares nothing with the library: fractions, tap by tap."""
    report = measure(SMALL, trials=20, seed=3)
    d, g = uniform_tiles(generator(3), 20, 1, (4,), (3,), "float32")
    y = emulate(SMALL, d, g)
    total = Fraction(0)
    for t in range(20):
        for i in range(2):
            exact = sum(Fraction(float(d[t, 0, i + k])) * Fraction(float(g[t, 0, k])) for k in range(3))
            total += abs(Fraction(float(y[t, i])) - exact)
    assert report.mean_abs.value == pytest.approx(float(total / 40), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"trials": 1}, ValueError, "trials must be at least 2; got 1."),
        ({"trials": -5}, ValueError, "trials must be at least 2; got -5."),
        ({"trials": 2.5}, TypeError, "trials must be an integer; got float 2.5."),
        ({"trials": "many"}, TypeError, "trials must be an integer; got str 'many'."),
        ({"channels": 0}, ValueError, "channels must be at least 1; got 0."),
        ({"channels": True}, TypeError, "channels must be an integer; got bool True."),
        ({"seed": -1}, ValueError, "seed must be at least 0; got -1."),
        ({"subject": "text"}, ValueError, "subject must be one of emulation, kernel; got 'text'."),
        ({"oracle": "guess"}, ValueError, "oracle must be one of auto, mpmath; got 'guess'."),
        ({"width": 0}, ValueError, "width must be a positive number; got 0."),
        ({"width": math.nan}, ValueError, "width must be a positive number; got nan."),
        ({"max_trials": 1}, ValueError, "max_trials must be at least 2; got 1."),
        ({"data": "cauchy"}, ValueError,
         "data must be one of uniform, normal, relu, constant, adversarial, or a pair of arrays; got 'cauchy'."),
        ({"data": 3}, TypeError, "data must be a name or a pair of arrays (d, g); got int."),
    ],
)  # fmt: skip
def test_bad_input_is_refused(arguments, error, message):
    with pytest.raises(error) as caught:
        measure(A, **arguments, progress=lambda *_: pytest.fail("work has started"))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        (HALF, 'subject "kernel" needs the dtype float32 or float64; got float16.'),
        (wg.Algorithm(T, rounding="stochastic"), "algorithm must round to nearest"),
        (wg.Algorithm(T, sum_dtype="float64"), "algorithm must have one format in all stages"),
    ],
)
def test_what_cannot_be_compiled_is_refused_at_the_door(algorithm, message):
    with pytest.raises(ValueError) as caught:
        measure(algorithm, subject="kernel")
    assert str(caught.value).startswith(message)


def test_only_algorithms_are_measured():
    with pytest.raises(TypeError, match="A must be an Algorithm; got Transform"):
        measure(T)


@pytest.mark.parametrize(
    ("recipe", "error", "message"),
    [
        ({"dtype": "float24"}, ValueError, "dtype must be one of"),
        ({"dtype": "binary(1, -14, 15)"}, ValueError, "precision must be 2 to 53 bits; got 1."),
        ({"transforms": wg.Transform(T.AT, T.G, 2 * T.BT)}, wg.NotAConvolution, "must compute F(4, 3)"),
    ],
)
def test_an_algorithm_that_cannot_be_measured_cannot_be_made(recipe, error, message):
    with pytest.raises(error) as caught:
        wg.Algorithm(**{"transforms": T, **recipe})
    assert message in str(caught.value)


def test_auto_without_a_finite_error_goes_on_to_the_end():
    A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dtype="binary(4, -3, 2)", stored_dtype="float32")
    report = measure(A, trials="auto", channels=512, data="adversarial", max_trials=400)
    assert report.ended != "complete" and report.trials == 400 and math.isnan(report.mean_abs.value)
