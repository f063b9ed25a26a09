"""Two algorithms on the same data."""

import numpy as np
import pytest

import winograd as wg
from error_analysis import Comparison, Estimate, Interrupted, compare, emulate, exact_correlation, measure, random_tiles
from winograd import published_points

A = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF]), dims=2)
B = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=2)
LARGER = wg.Algorithm(wg.toom_cook(6, 3, published_points(6)), dims=2)


@pytest.mark.parametrize("data", ["uniform", "relu", "constant"])
def test_an_algorithm_has_exactly_the_error_of_itself(data):
    comparison = compare(A, A, trials=200, data=data)
    assert comparison.ratio == Estimate(1, 1, 1)
    assert comparison.a == comparison.b == measure(A, trials=200, data=data)


def test_algorithms_of_one_tile_have_the_reports_they_have_alone():
    comparison = compare(A, B, trials=300, seed=7, channels=2, data="normal")
    assert comparison.a == measure(A, 300, 7, 2, data="normal")
    assert comparison.b == measure(B, 300, 7, 2, data="normal")
    ratio = comparison.a.mean_abs.value / comparison.b.mean_abs.value
    assert comparison.ratio.value == pytest.approx(ratio, rel=1e-12)


def test_the_order_does_not_matter():
    forth, back = compare(A, B, trials=500).ratio, compare(B, A, trials=500).ratio
    assert forth.value == pytest.approx(1 / back.value, rel=1e-12)


def test_pairing_narrows_the_interval():
    """Two lists of points share their data, and tuned and plain forms of one algorithm most of their roundings too."""
    comparison = compare(A, wg.Algorithm(A.transforms, filter_dtype="float64"), trials=2000)
    a, b = comparison.a.mean_abs, comparison.b.mean_abs
    apart = comparison.ratio.value * ((a.half_width / a.value) ** 2 + (b.half_width / b.value) ** 2) ** 0.5
    assert comparison.ratio.half_width < 0.7 * apart


def test_intervals_cover_the_ratio():
    one, other = (wg.Algorithm(X.transforms[0]) for X in (A, B))
    truth = compare(one, other, trials=300_000, seed=1000).ratio.value
    ratios = [compare(one, other, trials=500, seed=seed).ratio for seed in range(200)]
    # 95 % of 200 is 190, standard deviation 3.1; four of them down, three up.
    assert 178 <= sum(ratio.low <= truth <= ratio.high for ratio in ratios) <= 199


def test_a_smaller_tile_reads_the_leading_part():
    comparison = compare(A, LARGER, trials=100, seed=1)
    assert comparison.a.data.tile == comparison.b.data.tile == (8, 8)
    d, g = random_tiles("uniform", np.random.Generator(np.random.PCG64(1)), 100, 1, (8, 8), (3, 3), "float32")
    for algorithm, report in ((A, comparison.a), (LARGER, comparison.b)):
        x = d[:, :, : algorithm.tile[0], : algorithm.tile[1]]
        high, low = exact_correlation(np.ascontiguousarray(x), g)
        error = np.abs((emulate(algorithm, np.ascontiguousarray(x), g) - high) - low)
        # Doubles added in another order.
        assert report.mean_abs.value == pytest.approx(error.mean(), rel=1e-12)
        assert report.rerun() == report
    own = compare(A, LARGER, data=(d, g))
    assert own.ratio == comparison.ratio
    assert own.a.rerun((d, g)) == own.a


def test_a_narrower_format_sets_the_numbers():
    half = A.with_formats("float16")
    comparison = compare(A, half, trials=300)
    assert comparison.a.data.dtype == comparison.b.data.dtype == "float16"
    assert comparison.b == measure(half, trials=300)
    # One format has 13 bits more than the other: the mean errors differ by 2^13 or so.
    assert 2**12 < 1 / comparison.ratio.value < 2**14
    assert comparison.a.rerun() == comparison.a


def test_each_report_of_stochastic_rounding_runs_again_alone():
    first, second = (wg.Algorithm(X.transforms, rounding="stochastic") for X in (A, LARGER))
    comparison = compare(first, second, 3000, channels=2)
    assert comparison.a.rerun() == comparison.a and comparison.b.rerun() == comparison.b


@pytest.mark.parametrize("pair", [(A, B), (A, LARGER)])
def test_a_comparison_reads_back_equal(pair):
    comparison = compare(*pair, trials=50)
    again = Comparison.from_json(comparison.to_json())
    assert again == comparison and str(again) == str(comparison)
    assert "mean error of the first / second: " in str(again)
    assert len(comparison.to_csv().splitlines()) == 3 and len(comparison.to_frame()) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ratio": 1}'])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="text must be a Comparison record as JSON"):
        Comparison.from_json(text)


def test_auto_narrows_both_intervals_and_an_interruption_leaves_both_reports():
    comparison = compare(A, LARGER, "auto", width=0.03)
    for report in (comparison.a, comparison.b):
        assert report.complete and report.mean_abs.half_width <= 0.03 * report.mean_abs.value

    def interrupted(done, total):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        compare(A, B, trials=100_000, progress=interrupted)
    cut = caught.value.result
    assert cut.a.trials == cut.b.trials < 5000 and not cut.a.complete and np.isfinite(cut.ratio.value)


@pytest.mark.parametrize(
    ("first", "second", "options", "error", "message"),
    [
        (A, "B", {}, TypeError, "B must be an Algorithm; got str"),
        (A.transforms[0], B, {}, TypeError, "A must be an Algorithm; got Transform"),
        (A, wg.Algorithm(B.transforms[0]), {}, ValueError, "A and B must have the same dims and taps"),
        (A, wg.Algorithm(wg.toom_cook(2, 5, [0, 1, -1, 2, -2, wg.INF]), dims=2), {}, ValueError, "dims and taps; got"),
        (A.with_formats("float16"), B.with_formats("bfloat16"), {}, ValueError,
         "stored formats must hold one another's numbers to be compared; got float16 and bfloat16."),
        (A, B, {"data": "adversarial"}, ValueError, "adversarial data differs with the algorithm"),
        (A, B, {"data": "levy"}, ValueError, "data must be one of"),
        (A, B, {"trials": 1}, ValueError, "trials must be at least 2; got 1."),
        (A, B, {"channels": 0}, ValueError, "channels must be at least 1; got 0."),
    ],
)
def test_bad_input_is_refused(first, second, options, error, message):
    with pytest.raises(error) as caught:
        compare(first, second, **options)
    assert message in str(caught.value)
