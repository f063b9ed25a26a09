"""The spread of the conditional variance, against samples of the form itself."""

import numpy as np
import pytest

import winograd as wg
from error_analysis.prediction.sensitivity import axis_tables
from error_analysis.prediction.spread import (
    Group,
    finished,
    in_filter,
    in_input,
    in_output,
    mean_over_rms,
    relative_variance,
    transformed_both,
    untouched,
)

A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, "-1/2", wg.INF]), passes="share")
TABLES = axis_tables(A.programs[0])
WEIGHTS = {"BT": np.linspace(1, 2, len(TABLES.z_BT)), "G": np.linspace(2, 1, len(TABLES.z_G)),
           "AT": np.linspace(1, 3, len(TABLES.z_AT))}
FACTORS = {
    "untouched": untouched(TABLES),
    "products": transformed_both(TABLES),
    "finished": finished(TABLES),
    "filter": in_filter(TABLES, WEIGHTS["G"]),
    "input": in_input(TABLES, WEIGHTS["BT"]),
    "output": in_output(TABLES, WEIGHTS["AT"]),
}


def drawn(law: str, shape: tuple, generator: np.random.Generator) -> np.ndarray:
    return generator.uniform(-(3**0.5), 3**0.5, shape) if law == "uniform" else generator.standard_normal(shape)


@pytest.mark.parametrize("law", ["uniform", "normal"])
@pytest.mark.parametrize("names", [("products",), ("filter", "input"), ("input", "output"), ("finished", "untouched")])
def test_one_axis(names: tuple, law: str) -> None:
    generator = np.random.default_rng(1)
    g, d = drawn(law, (300_000, 3), generator), drawn(law, (300_000, 4), generator)
    taps, data = (np.einsum("ti,tj->tij", x, x) for x in (g, d))
    squares = np.einsum("tab,tkl->tabkl", taps, data).reshape(len(g), -1)
    s = squares @ sum(FACTORS[name] for name in names).reshape(2, -1).T
    groups = [Group(np.ones(2), (FACTORS[name],)) for name in names]
    assert s.mean(axis=0) == pytest.approx(np.full(2, len(names)), rel=0.02)
    expected = relative_variance(groups, -1.2 if law == "uniform" else 0.0, 1)
    assert s.var(axis=0) / s.mean(axis=0) ** 2 == pytest.approx(expected, rel=0.1)


def test_two_axes() -> None:
    generator = np.random.default_rng(2)
    g, d = generator.uniform(-(3**0.5), 3**0.5, (10_000, 3, 3)), generator.uniform(-(3**0.5), 3**0.5, (10_000, 4, 4))
    one, other = FACTORS["input"], FACTORS["untouched"]
    taps = np.einsum("tax,tby->taxby", g, g).reshape(len(g), 3, 3, 3, 3)
    data = np.einsum("tkm,tln->tkmln", d, d)
    # W of the second axis has few entries: one tap, and its datum.
    s = sum(
        other[1][x, y, m, n]
        * np.einsum("abkl,tab,tkl->t", one[0], taps[:, :, x, :, y], data[:, :, m, :, n], optimize=True)
        for x, y, m, n in np.argwhere(other[1])
    )
    expected = relative_variance([Group(np.ones((2, 2)), (one, other))], -1.2, 1)[0, 1]
    assert s.var() / s.mean() ** 2 == pytest.approx(expected, rel=0.15)


def test_channels_even_it_out_but_not_for_their_sum() -> None:
    apart, whole = (Group(np.ones(2), (FACTORS["output"],), summed) for summed in (0.0, 1.0))
    alone = relative_variance([apart], 0.0, 1)
    assert relative_variance([whole], 0.0, 1) == pytest.approx(alone)
    assert relative_variance([apart], 0.0, 50) == pytest.approx(alone / 50)
    assert (relative_variance([whole], 0.0, 10**6) <= 2).all()
    assert relative_variance([], 0.0, 1) == 0


def test_the_mean_over_the_root_mean_square() -> None:
    generator = np.random.default_rng(3)
    for relative in (0.25, 1.0, 3.0):
        e = np.sqrt(generator.gamma(1 / relative, relative, 10**6)) * generator.standard_normal(10**6)
        ratio = np.abs(e).mean() / np.sqrt((e**2).mean())
        assert mean_over_rms(np.array([relative])) == pytest.approx(ratio, rel=0.01)
