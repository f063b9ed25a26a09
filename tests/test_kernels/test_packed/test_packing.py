"""Packing by several threads, against `pack` and the definition; divisions only where they are needed, and then."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from kernels import packed
from kernels.packed import packing
from kernels.packed.numbers import Numbers
from kernels.packed.packing import Packing, real_numbers

SHAPES = [
    ((2, 70, 3, 5), 1), ((3, 5, 40), 1), ((1, 130, 1, 1), 1), ((7, 33), 1), ((2, 3, 64), 2), ((4, 2), 0), ((0, 3), 0)
]


@pytest.mark.parametrize("staged", [64, 16384])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_lowest_bits_of_integers(shape, axis, staged, monkeypatch):
    monkeypatch.setattr(packing, "_STAGED_ELEMENTS", staged)
    monkeypatch.setattr(packing, "_THREAD_ELEMENTS", 10)
    random = np.random.default_rng(0)
    x = random.integers(-(1 << 31), 1 << 31, shape, dtype=np.int32)
    for bits, signed, threads in itertools.product((*range(1, 10), 16), (False, True), (1, 3)):
        a = Packing(shape, x.dtype, axis, Numbers(bits, signed), threads)(x)
        expected = packed.pack(x, bits, signed, axis=axis, overflow="wrap")
        assert (a.bits, a.signed, a.shape, a.axis) == (bits, signed, shape, axis)
        np.testing.assert_array_equal(a.words, expected.words, err_msg=f"{bits} {threads}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_quantised(shape, axis, dtype, monkeypatch):
    """Against the definition in NumPy, whose division rounds as float64 does, here at halves and beside them too."""
    monkeypatch.setattr(packing, "_STAGED_ELEMENTS", 64)
    monkeypatch.setattr(packing, "_THREAD_ELEMENTS", 10)
    random = np.random.default_rng(1)
    for kind, zero, scale in itertools.product(
        (Numbers(1, False), Numbers(3, True), Numbers(8, False), Numbers(13, True)), (0, 1), (0.5, 0.3, 1e-3)
    ):
        if zero > kind.range[1]:
            continue
        steps = random.integers(2 * kind.range[0] - 2, 2 * kind.range[1] + 3, shape) / 2
        x = np.where(random.random(shape) < 0.5, steps * scale, random.normal(size=shape) * kind.range[1]).astype(dtype)
        x = np.where(random.random(shape) < 0.2, np.nextafter(x, np.inf, dtype=dtype), x)
        a = Packing(shape, x.dtype, axis, kind, 3)(x, real_numbers(scale, zero, kind))
        q = np.clip(np.rint(x.astype(float) / scale) + zero, *kind.range).astype(int)
        np.testing.assert_array_equal(a.unpack(), q, err_msg=f"{kind} {zero} {scale}")


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-300, 1e-5, 1.0, 3.0, 1e300, 1.7e308])
def test_scales_whose_inverse_float64_does_not_have(scale):
    """Far from any half, so that exact fractions give the integer; with infinite numbers among them."""
    steps = np.array([-np.inf, -9.0, -7.0, -1.2, -0.25, 0.0, 0.3, 1.0, 1.9, 6.0, 99.0, np.inf])
    with np.errstate(over="ignore"):
        x = steps * scale
    kind = Numbers(4, True)
    a = Packing(x.shape, x.dtype, 0, kind, 1)(x, real_numbers(scale, 0, kind))
    exact = [
        max(-8, min(7, round(Fraction(v) / Fraction(scale)))) if np.isfinite(v) else -8 if v < 0 else 7
        for v in x.tolist()
    ]
    np.testing.assert_array_equal(a.unpack(), exact)


def test_signs():
    kind = Numbers(1, True, True)
    x = np.random.default_rng(2).normal(size=(2, 70, 9)).astype(np.float32)
    x[0, 0, :3] = (0.0, -0.0, np.inf)
    for axis in (1, 2):
        a = Packing(x.shape, x.dtype, axis, kind, 2)(x)
        assert a.bipolar
        np.testing.assert_array_equal(a.unpack(), np.where(x >= 0, 1, -1))


@pytest.mark.parametrize("kind", [Numbers(2, False), Numbers(1, True, True)], ids=str)
def test_what_is_not_a_number(kind):
    for shape, axis in SHAPES[:4]:
        x = np.zeros(shape, np.float32)
        x.reshape(-1)[[0, -1]] = np.nan
        with pytest.raises(ValueError, match="x must not hold NaN; got 2 of them"):
            Packing(shape, x.dtype, axis, kind, 2)(x, real_numbers(0.5, 0, kind))
