"""The worst case: what it counts, what it does not, and that it is not vacuous."""

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.emulate import emulate
from error_analysis.emulation.oracle import exact_correlation
from error_analysis.prediction.bounds import Bound, bound

U32 = 2.0**-24
F23 = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]))


# Relative tolerances here: bounds are enlarged by 1e-10 at each step, so equal ones agree to 1e-9; where a bound also
# counts its terms of second order and underflow, of size u = 6e-8 beside the first, to 1e-6.


def test_exact_constants_and_powers_of_two_cost_nothing() -> None:
    """Algorithms with no constants but +-1: only products and additions count."""
    identity = wg.Algorithm(wg.toom_cook(1, 1, [wg.INF]))
    only = bound(identity)
    assert {name: part.max() > 0 for name, part in only.parts.items()} == {
        "filter": False, "input": False, "products": True, "channel sum": False, "output": False, "second order": False,
    }
    assert only.max == pytest.approx(U32, rel=1e-9)
    # F(1, 2) at 0 and infinity is a dot product: two products of at most 1, and one addition that gives at most 2.
    plain = wg.Algorithm(wg.toom_cook(1, 2, [0, wg.INF]))
    assert plain.counts().transforms.multiplications == 0
    parts = bound(plain).parts
    assert parts["filter"].max() == parts["input"].max() == 0
    assert parts["products"].max() == pytest.approx(2 * U32, rel=1e-9)
    assert parts["output"].max() == pytest.approx(2 * U32, rel=1e-6)


def test_scaling_by_powers_of_two_changes_nothing() -> None:
    T = wg.toom_cook(4, 3, wg.published_points(4))
    A = wg.Algorithm(T, order="left")
    # One factor for all products: else constants that were equal, and shared their rounding, no longer are.
    B = wg.Algorithm(T.scaled(A=[8] * 6, B=["1/4"] * 6), order="left")
    assert bound(B).worst == pytest.approx(bound(A).worst, rel=1e-9)
    # Where it scales the data, underflow aside, the bound scales.
    assert bound(A, 3, 4.0, 0.5).worst == pytest.approx(2 * bound(A, 3).worst, rel=1e-9)


def test_a_constant_costs_what_it_is_off() -> None:
    """One multiplication by 1/3 in place of one by 1/2: its own error and that of the product."""
    T = wg.toom_cook(1, 1, [wg.INF])
    scaled = wg.Algorithm(T.scaled(A=["3"]))
    third = float(np.float32(1 / 3)) - 1 / 3
    parts = bound(scaled).parts
    assert parts["filter"].max() == pytest.approx(3 * (abs(third) + U32 / 4), rel=1e-6)
    wide = bound(wg.Algorithm(T.scaled(A=["3"]), filter_dtype="float64")).parts
    assert wide["filter"].max() == pytest.approx(3 * U32 / 4, rel=1e-6)  # the conversion of U alone


def test_fma_costs_one_rounding_and_wider_formats_none() -> None:
    T = wg.toom_cook(4, 3, wg.published_points(4))
    plain, fused = wg.Algorithm(T), wg.Algorithm(T, fma=True)
    assert bound(fused, 8).max < bound(plain, 8).max
    half = plain.with_formats("float16", sum_dtype="float32", output_dtype="float32")
    assert bound(half, 8).parts["products"].max() == 0  # 22 bits fit 24
    assert bound(half, 8).max < bound(plain.with_formats("float16"), 8).max
    assert bound(plain.with_formats("float64"), 8).max < 1e-12


def test_rounding_not_to_nearest_costs_twice() -> None:
    A, B = (wg.Algorithm(F23.transforms[0], rounding=r) for r in ("nearest", "toward_zero"))
    assert bound(B).max == pytest.approx(2 * bound(A).max, rel=1e-6)


def test_the_channel_sums_rank_as_they_should() -> None:
    T = wg.toom_cook(4, 3, wg.published_points(4))
    linear, blocked, pairwise, kahan = (
        bound(wg.Algorithm(T, **options), 256).parts["channel sum"].max()
        for options in (
            {}, {"channel_sum": "blocked", "channel_block": 16}, {"channel_sum": "pairwise"}, {"channel_sum": "kahan"},
        )
    )
    assert kahan < pairwise < blocked < linear
    # Each term passes 255, 15 + 15 and 8 additions at most, and the compensated sum has three roundings.
    assert linear / pairwise > 10 and kahan / linear < 5 / 128


def test_the_modified_algorithm_has_the_smaller_bound_and_both_grow_exponentially() -> None:
    sizes = np.arange(2, 9)
    modified, original = [], []
    for m in sizes:
        points = wg.published_points(int(m))[:-1]
        modified.append(bound(wg.Algorithm(wg.toom_cook(int(m), 3, [*points, wg.INF]))).max)
        original.append(bound(wg.Algorithm(wg.toom_cook(int(m), 3, [*points, "3/4"]))).max)
    assert all(a < b for a, b in zip(modified, original, strict=True))
    for values in (modified, original):
        slope, level = np.polyfit(sizes, np.log2(values), 1)
        residual = np.log2(values) - (slope * sizes + level)
        assert slope > 0.5  # doubled by every other point at least
        assert np.abs(residual).max() < 2  # a straight line, over a factor of 2^5 and more


def test_it_is_not_vacuous() -> None:
    """On data near 1 of any signs, the error gets to a third of the bound in 1-D, and to an eighth in 2-D."""
    generator = np.random.default_rng(0)
    for dims, factor in ((1, 5), (2, 15)):
        A = wg.Algorithm(F23.transforms[0], dims=dims)
        d, g = (1 - generator.random((20_000, 1, *shape)) / 8 for shape in (A.tile, A.r))
        d *= np.sign(generator.uniform(-1, 1, d.shape))
        g *= np.sign(generator.uniform(-1, 1, g.shape))
        d, g = d.astype(np.float32), g.astype(np.float32)
        high, low = exact_correlation(d, g)
        error = np.abs(emulate(A, d, g) - high - low).max(axis=0)
        assert (error <= bound(A).worst).all()
        assert (error >= bound(A).worst / factor).all(), error / bound(A).worst


def test_overflow_is_named() -> None:
    half = F23.with_formats("float16")
    assert bound(half, d_max=60000).overflow == "input"
    assert bound(half, d_max=300, g_max=300).overflow == "product"
    assert bound(half, 16, d_max=64, g_max=64).overflow == "channel sum"
    assert bound(F23.with_formats("float16", sum_dtype="float32"), d_max=200, g_max=150).overflow == "M"
    assert bound(F23.with_formats("float32", stored_dtype="float16"), d_max=200, g_max=150).overflow == "y"
    big = wg.Algorithm(F23.transforms[0].scaled(A=["1/100000"] * 4)).with_formats("float16")
    assert bound(big).overflow == "a constant of filter"
    limits = bound(half, d_max=60000)
    assert np.isinf(limits.max) and np.isinf(limits.mean)
    assert "no finite bound: input may overflow" in str(limits)


def test_it_reads_well() -> None:
    limits = bound(F23, 2)
    assert isinstance(limits, Bound) and limits.worst.shape == (2,)
    assert sum(part for part in limits.parts.values()) == pytest.approx(limits.worst, rel=1e-9)
    assert str(limits).splitlines()[1].startswith("|computed - exact| <= ")
    assert "for 2 channels, |data| <= 1, |filter| <= 1" in str(limits)


def test_axes_may_differ() -> None:
    wide = wg.toom_cook(4, 3, wg.published_points(4))
    one, other = (bound(wg.Algorithm(t)).worst for t in ((F23.transforms[0], wide), (wide, F23.transforms[0])))
    assert one.shape == (2, 4) and other.shape == (4, 2)
    assert one != pytest.approx(other.T, rel=1e-3)  # axis 0 goes first
    assert one == pytest.approx(other.T, rel=0.5)
    assert bound(wg.Algorithm(F23.transforms[0], dims=3)).worst.shape == (2, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("F(2, 3)",), TypeError, "A must be an Algorithm; got str: wrap a Transform in winograd.Algorithm."),
        ((F23, 0), ValueError, "channels must be at least 1; got 0."),
        ((F23, 1.5), TypeError, "channels must be an integer; got float 1.5."),
        ((F23, 1, -1.0), ValueError, "d_max must be a finite number of at least 0; got -1.0."),
        ((F23, 1, 1.0, float("nan")), ValueError, "g_max must be a finite number of at least 0; got nan."),
    ],
)
def test_bad_input_is_refused(arguments: tuple, error: type, message: str) -> None:
    with pytest.raises(error) as caught:
        bound(*arguments)
    assert str(caught.value) == message
