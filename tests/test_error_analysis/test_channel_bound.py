"""The channel sum's worst case, on data that reach it."""

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.arithmetic import Emulated
from error_analysis.emulation.emulate import channel_total
from error_analysis.prediction.channel_bound import channel_sum_errors
from error_analysis.prediction.rounding_bound import SLACK, RoundingBound

T = wg.toom_cook(1, 1, [wg.INF])


@pytest.mark.parametrize("dtype", ["float32", "float16", "float8_e5m2"])
@pytest.mark.parametrize("fma", [False, True])
@pytest.mark.parametrize("options", [("linear", 1), ("blocked", 4), ("pairwise", 1), ("kahan", 1)])
def test_the_error_stays_below_and_comes_near(options: tuple, fma: bool, dtype: str) -> None:
    A = wg.Algorithm(T, fma=fma, channel_sum=options[0], channel_block=options[1]).with_formats(dtype)
    channels = 24
    arithmetic = Emulated(dtype)
    generator = np.random.default_rng(0)
    # Near 1 and of one sign, sums are as large as the bound takes them for.
    V, U = (arithmetic.rounded(1 - generator.random((1, channels, 5000)) / 8) for _ in "VU")
    V, U = (x.astype(arithmetic.dtype) for x in (V, U))
    computed = channel_total(A, V, U, arithmetic).astype(float)
    exact = (V.astype(float) * U.astype(float)).sum(axis=1)
    products, sums, total = channel_sum_errors(A, channels, np.array(1.0), RoundingBound(dtype, "nearest"))
    error = np.abs(computed - exact).max()
    # `exact` is itself summed in float64: fewer than 24 roundings of sums below 24, each of at most 16 * 2^-53.
    assert error <= float(products + sums) * SLACK + 1e-14 * channels
    # Second-order terms are most of Kahan's with three bits.
    assert error >= float(products + sums) / (12 if dtype != "float8_e5m2" else 30)
    assert np.abs(computed).max() <= float(total) * SLACK


def test_products_that_fit_round_nothing() -> None:
    A = wg.Algorithm(T).with_formats("bfloat16", sum_dtype="float32")
    products, sums, _ = channel_sum_errors(A, 4, np.array(2.0), RoundingBound("float32", "nearest"))
    # 16 bits fit 24, but a product of two of bfloat16's smallest numbers underflows.
    assert products == pytest.approx(4 * 2.0**-150) and sums > 2.0**-24
    wide = wg.Algorithm(T).with_formats("float16", sum_dtype="float32")
    assert channel_sum_errors(wide, 4, np.array(2.0), RoundingBound("float32", "nearest"))[0] == 0
