"""Binades and quanta, against samples."""

import numpy as np
import pytest

from error_analysis.emulation.arithmetic import Emulated
from error_analysis.prediction.binades import COUNT, TOP, Quanta, binade_probabilities, spacing_binades
from winograd import format_of

N = 400_000


def samples(kind: str) -> np.ndarray:
    generator = np.random.default_rng(5)
    if kind == "normal":
        return generator.standard_normal(N)
    if kind == "product":
        return generator.standard_normal(N) * generator.standard_normal(N)
    terms = {"one": [2.5], "two": [1.0, -1.0], "unequal": [1.0, 0.3], "five": [1.0, 2.0, -1.0, 0.5, 1.0]}[kind]
    return sum(c * generator.uniform(-1, 1, N) for c in terms)


@pytest.mark.parametrize(("kind", "limit"), [
    ("one", 0.005), ("two", 0.005), ("unequal", 0.005), ("five", 0.01), ("normal", 0.005), ("product", 0.07),
])
def test_binades_are_those_of_samples(kind: str, limit: float) -> None:
    x = samples(kind)
    second = (x**2).mean()
    expected = binade_probabilities(np.array(second), np.array((x**4).mean() / second**2))
    found = np.bincount(np.clip(TOP - (np.frexp(x)[1] - 1), 0, COUNT - 1), minlength=COUNT) / N
    assert expected.sum() == pytest.approx(1, abs=1e-4)
    assert np.abs(expected - found).max() < limit


@pytest.mark.parametrize("kurtosis", [1.8, 2.4, 2.5, 2.7, 2.95, 3.0, 9.0])
def test_binades_are_a_law(kurtosis: float) -> None:
    """No probability is negative, and their sum is at most 1: sums of quanta multiply what is more, sum after sum."""
    for second in (1e-7, 1 / 3, 19.0, 62138.0):
        probabilities = binade_probabilities(np.array(second), np.array(kurtosis))
        assert probabilities.min() >= 0 and probabilities.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("rounding", ["nearest", "toward_zero", "stochastic"])
@pytest.mark.parametrize("bits", [0, 1, 4])
def test_the_error_of_rounding_numbers_with_few_bits(rounding: str, bits: int) -> None:
    """x has `bits` bits below the lowest that is kept in [1, 2): with none it rounds from 2 on only."""
    fmt = format_of("binary(8, -30, 30)")
    generator = np.random.default_rng(2)
    q = 2.0 ** (-7 - bits)
    x = np.round(generator.uniform(-8, 8, N) / q) * q
    error = Emulated(fmt, rounding, generator).rounded(x) - x
    binades = binade_probabilities(np.array(64 / 3), np.array(1.8))
    quanta = Quanta.at({-bits: 1.0})
    after, square = quanta.rounded(binades, fmt.precision, rounding)
    assert square == pytest.approx((error**2).mean(), rel=0.02)
    assert after.probabilities.sum() == pytest.approx(1)
    if rounding == "toward_zero":
        assert quanta.mean_loss(binades, fmt.precision) == pytest.approx(-(error * x).mean(), rel=0.05)


def test_quanta_of_sums_and_products() -> None:
    a, b = Quanta.at({0: 0.5, 1: 0.5}), Quanta.at({0: 0.25, 2: 0.75})

    def at(quanta: Quanta, k: int) -> float:
        return float(quanta.probabilities[TOP - k])

    both = a.summed(b)
    assert (at(both, 0), at(both, 1)) == (0.625, 0.375)
    assert at(a.of_many(3), 1) == 0.125
    assert at(a.shifted(-2), -1) == 0.5
    product = a.of_product(b, 4)  # 2^(k - 3) each: exponents add, so k is a sum less 3
    assert (at(product, -3), at(product, 0)) == (0.125, 0.375)


def test_subnormal_numbers_have_one_spacing() -> None:
    binades = binade_probabilities(np.array(2.0**-30), np.array(3.0))
    half = spacing_binades(binades, format_of("float16"))
    assert half[TOP + 14] == pytest.approx(binades[TOP + 14 :].sum()) and half[TOP + 15 :].sum() == 0
    assert (spacing_binades(binades, format_of("float32")) == binades).all()
