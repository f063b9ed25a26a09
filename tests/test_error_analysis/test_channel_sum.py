"""What each channel sum loses; that its order is the documented one, the tests of the emulation say."""

import numpy as np

import winograd as wg
from error_analysis.emulation.arithmetic import Emulated
from error_analysis.emulation.channel_sum import channel_total
from error_analysis.emulation.conversion import convert

F11 = wg.toom_cook(1, 1, [wg.INF])


def total(name, V, U, **options):
    A = wg.Algorithm(F11, dtype="float16", channel_sum=name, **options)
    return channel_total(A, V, U, Emulated("float16"))[0]


def test_kahan_keeps_its_bound_and_loses_least():
    """|error| <= (2 u + O(C u^2)) sum |v u| (Higham, Accuracy and Stability, section 4.3), and u of it for products."""
    rng = np.random.default_rng(0)
    V, U = (np.array(convert(rng.uniform(0, 1, (1, 300, 200)), "float16")) for _ in range(2))
    exact = (V * U).sum(axis=(0, 1))
    errors = {name: np.abs(total(name, V, U) - exact) for name in ("kahan", "pairwise", "linear")}
    u = 2.0**-11
    assert (errors["kahan"] <= (3 + 300 * u) * u * exact).all()
    means = [error.mean() for error in errors.values()]
    assert means == sorted(means)


def test_one_channel_is_one_product_in_every_order():
    rng = np.random.default_rng(1)
    V, U = (np.array(convert(rng.uniform(-1, 1, (1, 1, 50)), "float16")) for _ in range(2))
    for name in ("linear", "blocked", "pairwise", "kahan"):
        for fma in (False, True):
            np.testing.assert_array_equal(total(name, V, U, fma=fma), convert(V * U, "float16")[0, 0])


def test_a_block_of_all_channels_is_the_linear_sum():
    rng = np.random.default_rng(2)
    V, U = (np.array(convert(rng.uniform(-1, 1, (1, 13, 50)), "float16")) for _ in range(2))
    for name in ("blocked", "pairwise"):
        np.testing.assert_array_equal(total(name, V, U, channel_block=13), total("linear", V, U))
