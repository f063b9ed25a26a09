"""`measure`: the number it gives, its interval, and its door."""

import numpy as np
import pytest

import winograd as wg
from error_analysis import Report, direct, emulate, exact_correlation, measure, uniform_tiles
from error_analysis import measurement as module

T = wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF])
A = wg.Algorithm(T, dims=2)
SMALL = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]))


def test_the_number_is_the_mean_absolute_error():
    report = measure(A, trials=300, seed=5, channels=2)
    d, g = uniform_tiles(np.random.Generator(np.random.PCG64(5)), 300, 2, A.tile, A.r, "float32")
    high, low = exact_correlation(d, g, "mpmath")
    for y, estimate, largest in (
        (emulate(A, d, g), report.mean_abs, report.max_abs),
        (direct(d, g, "float32"), report.direct, report.direct_max_abs),
    ):
        error = np.abs((y - high) - low)
        # The errors are doubles: their mean is one of some thousand numbers, in another order of additions.
        assert estimate.value == pytest.approx(error.mean(), rel=1e-12)
        assert largest == pytest.approx(error.max(), rel=1e-12)
        spread = 1.959964 * error.mean(axis=(1, 2)).std(ddof=1) / 300**0.5
        assert estimate.high - estimate.value == pytest.approx(spread, rel=1e-5)
        assert estimate.value - estimate.low == pytest.approx(spread, rel=1e-5)
    assert report.ratio.value == pytest.approx(report.mean_abs.value / report.direct.value, rel=1e-12)


def test_equal_arguments_give_equal_reports_whatever_the_chunks(monkeypatch):
    reference = measure(A, trials=100)
    assert measure(A, trials=100) == reference
    assert measure(A, trials=100, seed=1) != reference
    for size in (1, 36 * 7, 10**9):
        monkeypatch.setattr(module, "_CHUNK_SIZE", size)
        monkeypatch.setattr(module, "_LEAST_TRIALS", 1)
        assert measure(A, trials=100) == reference


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dims", [1, 2])
def test_the_oracles_give_the_same_report(dtype, dims):
    algorithm = wg.Algorithm(T, dims=dims, dtype=dtype)
    fast, slow = (measure(algorithm, trials=30, channels=2, oracle=oracle) for oracle in ("auto", "mpmath"))
    assert slow.oracle == "mpmath"
    # Both oracles are good to 2^-40 of the error measured, even in float64.
    assert fast.mean_abs.value == pytest.approx(slow.mean_abs.value, rel=2.0**-40)
    assert fast.max_abs == pytest.approx(slow.max_abs, rel=2.0**-40)


@pytest.mark.parametrize("dims", [1, 2])
def test_the_kernel_has_the_error_of_its_emulation(dims):
    algorithm = wg.Algorithm(SMALL.transforms[0], dims=dims, dtype="float64")
    emulated, compiled = (measure(algorithm, 50, channels=3, subject=s) for s in ("emulation", "kernel"))
    assert compiled.subject == "kernel"
    assert (compiled.mean_abs, compiled.max_abs, compiled.ratio) == (
        emulated.mean_abs,
        emulated.max_abs,
        emulated.ratio,
    )


def test_intervals_cover_the_mean():
    truth = measure(SMALL, trials=100_000, seed=1000)
    reports = [measure(SMALL, trials=200, seed=seed) for seed in range(300)]
    for name in ("mean_abs", "direct", "ratio"):
        mean = getattr(truth, name).value
        covered = sum(e.low <= mean <= e.high for e in (getattr(r, name) for r in reports))
        # 95 % of 300 is 285, standard deviation 3.8; three of them either way.
        assert 273 <= covered <= 297, name


def test_more_trials_narrow_the_interval():
    few, many = (measure(SMALL, trials=trials) for trials in (500, 50_000))
    width_few, width_many = (r.mean_abs.high - r.mean_abs.low for r in (few, many))
    assert 7 < width_few / width_many < 14  # about 10, the root of 100


def test_progress_is_told():
    seen = []
    measure(A, trials=10_000, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10_000, 10_000) and len(seen) > 1
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_an_exact_algorithm_has_no_error():
    algorithm = wg.Algorithm(wg.toom_cook(1, 1, [wg.INF]), dtype="float64", filter_dtype="float64")
    report = measure(algorithm, trials=20)
    assert report.mean_abs == report.direct and report.ratio.value == 1


def test_a_format_that_overflows_gives_infinity_without_a_warning():
    scaled = T.scaled(A=[2**-120] * 6, B=[2**120] * 6)
    report = measure(wg.Algorithm(scaled, dims=2), trials=5)
    assert not np.isfinite(report.mean_abs.value) and not np.isfinite(report.max_abs)
    assert np.isnan(report.ratio.value) and np.isfinite(report.direct.value)
    assert "mean |error|    nan" in str(report) and "NaN" in report.to_json()
    assert Report.from_json(report.to_json()).direct == report.direct


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"trials": 1}, ValueError, "trials must be at least 2; got 1."),
        ({"trials": 2.5}, TypeError, "trials must be an integer; got float 2.5."),
        ({"channels": 0}, ValueError, "channels must be at least 1; got 0."),
        ({"channels": True}, TypeError, "channels must be an integer; got bool True."),
        ({"seed": -1}, ValueError, "seed must be at least 0; got -1."),
        ({"subject": "text"}, ValueError, "subject must be one of emulation, kernel; got 'text'."),
        ({"oracle": "guess"}, ValueError, "oracle must be one of auto, mpmath; got 'guess'."),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    with pytest.raises(error) as caught:
        measure(A, **arguments)
    assert str(caught.value) == message


def test_only_algorithms_are_measured():
    with pytest.raises(TypeError, match="A must be an Algorithm; got Transform"):
        measure(T)
