"""The law of the bound: no error is ever larger, in any format, order, rounding or channel sum, whatever the data."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import winograd as wg
from error_analysis.emulation.conversion import convert
from error_analysis.emulation.emulate import emulate
from error_analysis.emulation.oracle import exact_correlation
from error_analysis.measurement.adversary import worst_signs
from error_analysis.prediction.bounds import bound
from winograd.algorithm import CHANNEL_SUMS, ROUNDINGS, STAGE_DTYPES

FORMATS = [*wg.FORMATS, "binary(5, -6, 7)", "binary(2, -20, 20)"]
TRANSFORMS = [
    wg.toom_cook(2, 3, [0, 1, -1, wg.INF]),
    wg.toom_cook(2, 3, ["sqrt(2)", "-sqrt(2)", 0, 1]),
    wg.toom_cook(4, 3, wg.published_points(4)),
    wg.toom_cook(3, 2, [0, "1/3", -2, 3], fractions="B"),
]


@functools.cache
def programs_of(transform: wg.Transform, order: str, passes: tuple, fma: bool) -> wg.Algorithm:
    return wg.Algorithm(transform, order=order, passes=passes, fma=fma)


@st.composite
def algorithms(draw: st.DrawFn) -> wg.Algorithm:
    base = programs_of(
        draw(st.sampled_from(TRANSFORMS)),
        draw(st.sampled_from(sorted(wg.ORDERS))),
        draw(st.sampled_from([(), ("share",), ("share", "factor")])),
        draw(st.booleans()),
    )
    dims = draw(st.sampled_from([1, 1, 2]))
    channel_sum = draw(st.sampled_from(CHANNEL_SUMS))
    block = draw(st.integers(1, 3)) if channel_sum in ("blocked", "pairwise") else 1
    A = replace(
        base, transforms=base.transforms * dims, dims=dims, rounding=draw(st.sampled_from(ROUNDINGS)),
        channel_sum=channel_sum, channel_block=block,
    )
    stages = draw(st.dictionaries(st.sampled_from(STAGE_DTYPES), st.sampled_from(FORMATS), max_size=3))
    return A.with_formats(draw(st.sampled_from(FORMATS)), **stages)


def tiles(A: wg.Algorithm, channels: int, kind: str, seed: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Eight trials of stored numbers: random, of one size with random signs, or with the signs of the worst case."""
    generator = np.random.default_rng(seed)
    fmt = wg.format_of(A.stored_dtype)
    signs = worst_signs(A) if kind == "adversarial" else (1.0, 1.0)
    arrays = []
    for length, sign in zip((A.tile, A.r), signs, strict=True):
        shape = (8, channels, *length)
        x = generator.uniform(-1, 1, shape)
        if kind == "signs":
            x = np.sign(x)
        elif kind == "adversarial":
            x = np.abs(x) ** 0.1 * sign
        arrays.append(np.asarray(convert(x * scale, fmt)).astype(fmt.carrier))
    return arrays[0], arrays[1]


def check_the_law(A: wg.Algorithm, channels: int, d: np.ndarray, g: np.ndarray) -> None:
    limits = bound(A, channels, float(np.abs(d).max()), float(np.abs(g).max()))
    try:
        y = emulate(A, d, g)
    except OverflowError:  # of a constant
        assert limits.overflow
        return
    high, low = exact_correlation(d, g)
    if limits.overflow:
        assert np.isinf(limits.worst).all()
        return
    error = np.abs((y.astype(float) - high) - low)
    assert np.isfinite(error).all(), "the bound says that nothing overflows"
    assert (error <= limits.worst).all(), float((error / limits.worst).max())


@settings(max_examples=150)
@given(
    algorithms(),
    st.sampled_from([1, 1, 2, 5]),
    st.sampled_from(["uniform", "signs", "adversarial"]),
    st.integers(0, 2**32 - 1),
    st.integers(-14, 4),
)
@example(wg.Algorithm(TRANSFORMS[0]).with_formats("float8_e4m3fn"), 1, "uniform", 0, -5)
@example(wg.Algorithm(TRANSFORMS[1]).with_formats("float16", sum_dtype="float32"), 5, "signs", 0, 0)
def test_measured_is_at_most_the_worst_case(
    A: wg.Algorithm, channels: int, kind: str, seed: int, exponent: int
) -> None:
    d, g = tiles(A, channels, kind, seed, 2.0**exponent)
    assume(np.isfinite(d).all() and np.isfinite(g).all())
    check_the_law(A, channels, d, g)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponents", [(-140, -5), (-70, -70), (-1000, -60), (-500, -520), (60, 60)])
def test_the_law_holds_at_the_ends_of_the_range(dtype: str, exponents: tuple[int, int]) -> None:
    A = wg.Algorithm(TRANSFORMS[2], dims=2, dtype=dtype)
    d, g = tiles(A, 2, "uniform", 1, 1.0)
    with np.errstate(under="ignore"):
        scaled = [x * np.asarray(2.0**e, x.dtype) for x, e in zip((d, g), exponents, strict=True)]
    check_the_law(A, 2, *scaled)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float8_e4m3fn"])
def test_the_law_holds_on_three_axes(dtype: str) -> None:
    A = wg.Algorithm((TRANSFORMS[0], TRANSFORMS[0], TRANSFORMS[3]), passes="share").with_formats(dtype)
    for kind in ("uniform", "signs", "adversarial"):
        check_the_law(A, 2, *tiles(A, 2, kind, 3, 0.25))


@settings(max_examples=30)
@given(
    st.lists(st.fractions(-4, 4, max_denominator=5), unique=True, min_size=4, max_size=6),
    st.sampled_from(["float32", "bfloat16"]),
    st.integers(0, 2**32 - 1),
)
def test_the_law_holds_for_any_points(points: list, dtype: str, seed: int) -> None:
    A = wg.Algorithm(wg.toom_cook(len(points) - 2, 3, points)).with_formats(dtype)
    d, g = tiles(A, 1, "uniform", seed, 1.0)
    check_the_law(A, 1, d, g)
