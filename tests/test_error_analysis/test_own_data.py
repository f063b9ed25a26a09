"""The user's own arrays: what is let in, and what is measured on them."""

import ml_dtypes
import numpy as np
import pytest

import winograd as wg
from error_analysis import emulate, exact_correlation, measure, random_tiles
from error_analysis.measurement.own_data import digest, own_tiles

A = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=2)
HALF = A.with_formats("float16")


def arrays(trials=40, channels=2, dtype="float32", seed=0):
    return random_tiles("normal", np.random.default_rng(seed), trials, channels, (6, 6), (3, 3), dtype)


def test_arrays_drawn_at_random_give_the_report_of_the_random_data():
    tiles = random_tiles("uniform", np.random.Generator(np.random.PCG64(4)), 300, 3, A.tile, A.r, "float32")
    own, drawn = measure(A, data=tiles), measure(A, 300, 4, 3)
    assert (own.trials, own.channels, own.data.kind) == (300, 3, "arrays")
    left_out = {"seed", "data", "data_digest", *own.provenance}
    assert {k: v for k, v in own.flat().items() if k not in left_out} == \
        {k: v for k, v in drawn.flat().items() if k not in left_out}
    assert "(emulation, own data, 3 channels, 300 trials" in str(own)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16, "int8"])
def test_any_dtype_that_holds_the_numbers_will_do(dtype):
    whole = [np.rint(4 * x) for x in arrays(dtype="float64")]
    reference = measure(A, data=whole)
    assert measure(A, data=[x.astype(dtype) for x in whole]) == reference
    assert measure(A, data=[x.astype(dtype).tolist() for x in whole]) == reference


def test_numbers_that_the_format_does_not_have_are_refused_or_rounded():
    d, g = arrays(dtype="float64")
    d[:], g[:] = 0.5, 0.25
    d[3, 1, 2, 4] = 0.1
    with pytest.raises(ValueError) as caught:
        measure(HALF, data=(d, g))
    assert str(caught.value) == (
        "d must hold numbers of float16; got 0.10000000000000001 at (3, 1, 2, 4): round_data=True rounds them."
    )
    rounded = measure(HALF, data=(d, g), round_data=True)
    assert rounded.data.rounded and measure(HALF, data=(d.astype(np.float16), g)).mean_abs == rounded.mean_abs


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_unless_asked_for(bad):
    d, g = arrays()
    g[7, 0, 1, 1] = bad
    with pytest.raises(ValueError) as caught:
        measure(A, data=(d, g))
    assert str(caught.value) == f'g must be finite; got {bad} at (7, 0, 1, 1): nonfinite="measure" lets it in.'


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nan_and_infinity_are_measured_on_request(dtype):
    algorithm = A.with_formats(dtype)
    d, g = arrays(dtype=dtype)
    g[7, 0, 1, 1], d[9, 1, 5, 5] = np.nan, np.inf
    report = measure(algorithm, data=(d, g), nonfinite="measure")
    assert report.nonfinite == 2 * 16 and report.trials == 40
    nans = {seen.stage: seen.nans for seen in report.ranges}
    assert nans["U"] > 0 and nans["y"] >= 16 and {seen.stage: seen.overflows for seen in report.ranges}["V"] > 0
    kept = [t for t in range(40) if t not in (7, 9)]
    high, low = exact_correlation(d[kept], g[kept])
    error = np.abs((emulate(algorithm, d[kept], g[kept]) - high) - low)
    # Doubles added in another order.
    assert report.mean_abs.value == pytest.approx(error.mean(), rel=1e-12)
    assert report.max_abs == error.max()
    assert measure(algorithm, data=(d[kept], g[kept])).ratio == report.ratio


def test_too_large_a_number_is_refused_or_infinite():
    d, g = (x.astype(float) for x in arrays(dtype="float16"))
    d[0, 0, 0, 0] = 1e6
    with pytest.raises(ValueError, match=r"d must lie in the range of float16; got 1000000 at \(0, 0, 0, 0\)"):
        measure(HALF, data=(d, g), round_data=True)
    assert measure(HALF, data=(d, g), round_data=True, nonfinite="measure").nonfinite == 16


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((np.ones((4, 1, 6, 5)), np.ones((4, 1, 3, 3))), ValueError,
         "d must have the shape (trials, C, 6, 6) with C >= 1; got (4, 1, 6, 5)."),
        ((np.ones((4, 1, 6, 6)), np.ones((4, 1, 3))), ValueError,
         "g must have the shape (trials, C, 3, 3) with C >= 1; got (4, 1, 3)."),
        ((np.ones((4, 0, 6, 6)), np.ones((4, 0, 3, 3))), ValueError,
         "d must have the shape (trials, C, 6, 6) with C >= 1; got (4, 0, 6, 6)."),
        ((np.ones((4, 1, 6, 6)), np.ones((4, 2, 3, 3))), ValueError,
         "d and g must have as many trials and channels; got (4, 1) and (4, 2)."),
        ((np.ones((1, 1, 6, 6)), np.ones((1, 1, 3, 3))), ValueError, "d and g must hold at least 2 trials; got 1."),
        ((np.ones((2, 1, 6, 6), complex), np.ones((2, 1, 3, 3))), TypeError,
         "d must hold real numbers of at most 64 bits; got complex128."),
        ((np.ones((2, 1, 6, 6)), "g"), TypeError, "g must hold real numbers of at most 64 bits; got <U1."),
        ((np.ones((2, 1, 6, 6)),), TypeError, "data must be a name or a pair of arrays (d, g); got tuple."),
        (np.ones((2, 1, 6, 6)), TypeError, "data must be a name or a pair of arrays (d, g); got ndarray."),
        ((np.full((2, 1, 6, 6), 2**53 + 1), np.ones((2, 1, 3, 3))), ValueError,
         "d must hold numbers that float64 has; got integers beyond 2**53."),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(data, error, message):
    with pytest.raises(error) as caught:
        measure(A, data=data)
    assert str(caught.value) == message


def test_the_policy_is_one_of_two():
    with pytest.raises(ValueError, match="nonfinite must be one of error, measure; got 'ignore'"):
        measure(A, data=arrays(), nonfinite="ignore")


def test_the_digest_is_that_of_the_numbers():
    d, g = own_tiles(arrays(), (6, 6), (3, 3), "float32")
    assert digest(d, g) == digest(d.astype(float), g.astype(float)) != digest(-d, g)
    assert digest(d, g) != digest(d.reshape(20, 4, 6, 6), g.reshape(20, 4, 3, 3))
