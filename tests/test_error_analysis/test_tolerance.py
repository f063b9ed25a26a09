"""The tolerance: a right kernel passes, a wrong one fails."""

from dataclasses import replace

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.emulate import direct, emulate
from error_analysis.emulation.oracle import exact_correlation
from error_analysis.measurement.data import random_tiles
from error_analysis.prediction.bounds import bound
from error_analysis.prediction.tolerance import tail_multiple, tolerance

A = wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4, 2)), dims=2)


def tiles(algorithm: wg.Algorithm, channels: int, trials: int = 200, data: str = "uniform") -> tuple:
    generator = np.random.default_rng(4)
    return random_tiles(data, generator, trials, channels, algorithm.tile, algorithm.r, algorithm.stored_dtype)


def passes(y: np.ndarray, desired: np.ndarray, rtol: float, atol: float) -> bool:
    try:
        np.testing.assert_allclose(y, desired, rtol=rtol, atol=atol)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("data", ["uniform", "normal"])
@pytest.mark.parametrize("channels", [1, 32])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_right_kernel_passes_and_a_wrong_one_fails(data: str, channels: int, dtype: str) -> None:
    algorithm = A.with_formats(dtype)
    t = tolerance(algorithm, channels, data)
    d, g = tiles(algorithm, channels, data=data)
    desired = exact_correlation(d, g)[0]
    y = emulate(algorithm, d, g)
    assert passes(y, desired, t.rtol, t.atol)
    assert passes(emulate(replace(algorithm, fma=True), d, g), desired, t.rtol, t.atol)
    # Products in a narrower format, as shipped once; a tile shifted by one; a channel left out.
    narrow = {"float32": "tf32", "float16": "float8_e4m3fn"}[dtype]
    assert not passes(emulate(replace(algorithm, product_dtype=narrow), d, g), desired, t.rtol, t.atol)
    assert not passes(np.roll(y, 1, axis=2), desired, t.rtol, t.atol)
    assert channels == 1 or not passes(emulate(algorithm, d[:, 1:], g[:, 1:]), desired, t.rtol, t.atol)


def test_the_compiled_kernel_passes() -> None:
    import kernels

    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (1, 16, 30, 30)).astype(np.float32)
    w = generator.uniform(-1, 1, (8, 16, 3, 3)).astype(np.float32)
    t = tolerance(A, channels=16)
    y = kernels.conv2d(x, w, algorithm=A)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), (2, 3))
    desired = np.einsum("nchwij,kcij->nkhw", windows, w.astype(np.float64))  # off by 2^-45: nothing beside t
    np.testing.assert_allclose(y, desired, rtol=t.rtol, atol=t.atol)
    wrong = kernels.conv2d(x, w.astype(np.float16).astype(np.float32), algorithm=A)  # filters stored in float16
    assert not passes(wrong, desired, t.rtol, t.atol)


@pytest.mark.parametrize("algorithm", [A, wg.Algorithm(wg.toom_cook(1, 1, [wg.INF])), A.with_formats("float8_e5m2")])
def test_it_is_never_above_the_worst_case(algorithm: wg.Algorithm) -> None:
    for channels in (1, 5):
        t = tolerance(algorithm, channels, outputs=10**12, false_alarm=1e-12)
        worst = bound(algorithm, channels)
        largest = channels * np.prod(algorithm.r)
        assert worst.overflow or t.atol + t.rtol * largest <= worst.max * (1 + 1e-9)
    assert tolerance(algorithm).atol <= t.atol


def test_it_scales_with_the_data_and_adds_what_underflows() -> None:
    unit, scaled = tolerance(A, 4), tolerance(A, 4, d_scale=8.0, g_scale=0.25)
    assert scaled.atol == pytest.approx(2 * unit.atol, rel=0.02)  # both are rounded up to three digits
    half = A.with_formats("float16")
    tiny = tolerance(half, 4, d_scale=2.0**-8, g_scale=2.0**-8)
    assert tiny.atol > 1.1 * 2.0**-16 * tolerance(half, 4).atol
    d, g = tiles(half, 4)
    d, g = d * 2.0**-8, g * 2.0**-8  # all but the smallest are numbers of float16 still
    d, g = np.round(d * 2**24) / 2**24, np.round(g * 2**24) / 2**24
    assert passes(emulate(half, d, g), exact_correlation(d, g)[0], tiny.rtol, tiny.atol)
    small = tolerance(A, 4, d_scale=2.0**-70, g_scale=2.0**-70)
    assert small.atol > 2.0**-150 and "for what may underflow" in repr(small)


def test_its_repr_is_the_reasoning() -> None:
    t = tolerance(A, 64)
    lines = repr(t).splitlines()
    assert lines[0] == f"Tolerance(rtol={t.rtol:.3g}, atol={t.atol:.3g})"
    assert str(A) in lines[1] and "64 channels" in lines[1]
    assert "predicted mean |error|" in lines[2]
    assert "probability 1e-06" in lines[3] and "1e+06" in lines[3]
    assert "worst case" in lines[4] and "rtol" in lines[5]
    assert "may overflow" in repr(tolerance(A.with_formats("float8_e4m3fn"), 64))


def test_the_direct_algorithm_is_stricter_than_it_asks() -> None:
    d, g = tiles(A, 8)
    t = tolerance(A, 8)
    assert passes(direct(d, g, "float32"), exact_correlation(d, g)[0], t.rtol, t.atol)


def test_tails_bound_the_laws_they_are_for() -> None:
    generator = np.random.default_rng(1)
    for relative in (0.0, 0.5, 2.0):
        shape = 1 / relative if relative else None
        variance = generator.gamma(shape, relative, 10**6) if shape else np.ones(10**6)
        e = np.sqrt(variance) * generator.standard_normal(10**6)
        for probability in (1e-2, 1e-4):
            share = (np.abs(e) > tail_multiple(relative, probability)).mean()
            assert share <= probability and share > probability / 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "relu"}, "data must be one of uniform, normal; got 'relu'."),
        ({"d_scale": 0.0}, "d_scale must be a number from 1e-60 to 1e+60; got 0.0."),
        ({"g_scale": float("inf")}, "g_scale must be a number from 1e-60 to 1e+60; got inf."),
        ({"outputs": 0}, "outputs must be a number of at least 1; got 0."),
        ({"false_alarm": 1.0}, "false_alarm must be between 0 and 1; got 1.0."),
        ({"channels": 0}, "channels must be at least 1; got 0."),
    ],
)
def test_bad_input_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        tolerance(A, **options)
    assert str(caught.value) == message
