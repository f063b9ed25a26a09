"""The error to expect of a layer's output, beside the measured one."""

import math
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import winograd as wg
from error_analysis import direct_like, exact_correlation, expected_error, measure, random_tiles
from kernels.choice import candidates, phase_taps
from kernels.tiled import filter_phases
from winograd.error_estimate import GROUP, error_estimate

ONE_TERM = wg.Algorithm(wg.toom_cook(1, 1, [wg.INF]), fma=True)


# The docstring promises 10 %. Besides, 4 standard errors of the measured mean itself.
def assert_expected(expected: float, errors: np.ndarray) -> None:
    mean, uncertain = errors.mean(), 4 * errors.std() / math.sqrt(errors.size)
    assert abs(expected - mean) < 0.1 * mean + uncertain
    assert uncertain < 0.1 * mean  # or nothing is shown


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("taps", "channels"), [((1, 1), 1), ((3,), 1), ((3, 3), 1), ((3, 3), 16), ((1, 1), 500)])
def test_direct_is_a_chain_of_fmas(taps: tuple[int, ...], channels: int, dtype: str) -> None:
    A = ONE_TERM.with_formats(dtype)
    terms = math.prod(taps) * channels
    d, g = random_tiles("uniform", np.random.default_rng(1), 4000, terms, (1,), (1,), dtype)
    high, low = exact_correlation(d, g)
    errors = np.abs(direct_like(A, d, g).astype(float) - high - low)
    assert_expected(expected_error("direct", taps, channels, dtype), errors)


@pytest.mark.parametrize(
    ("taps", "stride"),
    [((3,), (1,)), ((3, 3), (1, 1)), ((2, 5), (1, 1)), ((3, 3), (2, 2)), ((5, 5), (2, 2)), ((3, 3), (2, 1)),
     ((5,), (3,))],
)
def test_fast_algorithms_strided_or_not(taps: tuple[int, ...], stride: tuple[int, ...]) -> None:
    """A strided layer's filters are filled up with zeros, which make no error."""
    generator, axes, channels, trials = np.random.default_rng(2), len(taps), 2, 1500
    missing = (1,) * (3 - axes)
    for A in candidates(axes, taps, stride, (1,) * axes, "float32", large=True):
        w = generator.uniform(-1, 1, (trials, channels, *missing, *taps)).astype(np.float32)
        g = filter_phases(w, (*missing, *stride)).reshape(trials, -1, *phase_taps(taps, stride))
        d = generator.uniform(-1, 1, (*g.shape[:2], *A.tile)).astype(np.float32)
        measured = measure(A, data=(d, np.ascontiguousarray(g))).mean_abs
        expected = expected_error(A, taps, channels, "float32", stride)
        assert 0.9 * measured.low < expected < 1.1 * measured.high


def test_more_terms_err_more() -> None:
    errors = [expected_error("direct", (3, 3), channels) for channels in (1, 4, 64, 512)]
    assert errors == sorted(errors)
    assert expected_error("direct", (3, 3), 16, "float64") < 1e-8 * expected_error("direct", (3, 3), 16)


def test_bad_input_is_refused() -> None:
    F23 = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]))
    with pytest.raises(ValueError, match=r"^algorithm must have the taps \(2,\) of a phase of the layer; got \(3,\)"):
        expected_error(F23, (3,), 1, "float32", (2,))
    with pytest.raises(ValueError, match=r'^algorithm must be an Algorithm or "direct"; got \'fft\'\.$'):
        expected_error("fft", (3,))


def test_it_is_what_kernels_find() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    (name, value), = project["project"]["entry-points"][GROUP].items()
    assert EntryPoint(name, value, GROUP).load() is expected_error
    assert error_estimate() is expected_error
