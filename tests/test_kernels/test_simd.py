"""Lanes: all arithmetic bit for bit against NumPy or exact fractions; wrong types refused."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from kernels.lane_memory import lane_ops
from kernels.simd import Lanes, at_least, fma, keep_apart, keep_rolled

DTYPES = (np.float32, np.float64)
SHAPES = [(dtype, length) for dtype in DTYPES for length in (4, 8, 16)]
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-40, 5e-324, 3.0e38, 1.7e38, 1 / 3, -2.5]


def same_bits(a, b):
    """Equal bits, one NaN being as good as another."""
    bits = np.uint32 if a.dtype == np.float32 else np.uint64
    assert a.dtype == b.dtype
    both_nan = np.isnan(a) & np.isnan(b)
    return bool(np.all((a.view(bits) == b.view(bits)) | both_nan))


def operands(dtype, size, seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(size) * 2.0 ** rng.integers(-30, 30, size)
    with np.errstate(over="ignore", under="ignore"):
        values[: len(SPECIAL)] = rng.permutation(SPECIAL)[:size]
        return values.astype(dtype)


def nearest(value, dtype):
    """The number of the format nearest to an exact fraction, ties to even."""
    bits, lowest = (24, -149) if dtype == np.float32 else (53, -1074)
    if value == 0:
        return dtype(0)
    exponent = len(bin(abs(value.numerator))) - len(bin(value.denominator))
    if abs(value) < Fraction(2) ** exponent:
        exponent -= 1
    ulp = Fraction(2) ** max(exponent - bits + 1, lowest)
    return dtype(float(round(value / ulp) * ulp))  # round() of a Fraction takes ties to even


def triples(dtype, size, seed):
    """Operands of fma of which many cancel or lie next to a tie, where two roundings go wrong."""
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(size).astype(dtype) for _ in range(2))
    c = rng.standard_normal(size).astype(dtype)
    third = size // 3
    c[:third] = -(a[:third] * b[:third])  # exact error of the product
    unit = np.finfo(dtype).eps
    a[third : 2 * third] = 1 + unit * rng.integers(0, 64, third).astype(dtype)
    b[third : 2 * third] = unit / 2 * (1 + unit * rng.integers(-2, 3, third).astype(dtype))
    c[third : 2 * third] = 1 + unit * rng.integers(0, 8, third).astype(dtype)
    return a, b, c


def fused(a, b, c):
    return np.array(
        [nearest(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)), a.dtype.type)
         for x, y, z in zip(a, b, c, strict=True)]
    )  # fmt: skip


@pytest.fixture(scope="module", params=SHAPES, ids=lambda p: f"{p[0].__name__}x{p[1]}")
def shape(request):
    dtype, length = request.param
    ops = lane_ops(length)
    return SimpleNamespace(dtype=dtype, length=length, **ops._asdict())


def test_arithmetic_agrees_with_numpy(shape):
    load, store, broadcast, length = shape.load, shape.store, shape.broadcast, shape.length
    C = shape.dtype(1 / 3)

    @njit
    def run(a, b, y, n):
        for i in range(n):
            p, q, s = load(a, i * length), load(b, i * length), b[i]
            at = 9 * i * length
            store(y, at, p + q)
            store(y, at + length, p - q)
            store(y, at + 2 * length, p * q)
            store(y, at + 3 * length, -p)
            store(y, at + 4 * length, p * C)
            store(y, at + 5 * length, C - p)
            store(y, at + 6 * length, p + s)
            store(y, at + 7 * length, p - broadcast(b, i))
            total = p
            total += q
            total -= C
            total *= q
            store(y, at + 8 * length, total)

    blocks = 6
    a, b = (operands(shape.dtype, blocks * length, seed) for seed in (1, 2))
    y = np.empty(9 * blocks * length, shape.dtype)
    run(a, b, y, blocks)
    p, q, s = a.reshape(blocks, length), b.reshape(blocks, length), b[:blocks, None]
    with np.errstate(all="ignore"):
        expected = np.stack([p + q, p - q, p * q, -p, p * C, C - p, p + s, p - s, (p + q - C) * q], axis=1)
    assert same_bits(y, expected.ravel())


def test_fma_rounds_once(shape):
    load, store, length = shape.load, shape.store, shape.length

    @njit
    def vectors(a, b, c, y, n):
        for i in range(0, n, length):
            store(y, i, fma(load(a, i), load(b, i), load(c, i)))

    @njit
    def apart(a, b, c, y, n):
        for i in range(0, n, length):
            store(y, i, load(a, i) * load(b, i) + load(c, i))

    a, b, c = triples(shape.dtype, 480, 3)
    once, twice = np.empty_like(a), np.empty_like(a)
    vectors(a, b, c, once, a.size)
    apart(a, b, c, twice, a.size)
    assert same_bits(once, fused(a, b, c))
    assert same_bits(twice, a * b + c)
    assert not same_bits(once, twice), "the operands must tell one rounding from two"


@pytest.mark.parametrize("dtype", DTYPES)
def test_fma_of_scalars_rounds_once(dtype):
    @njit
    def run(a, b, c, y):
        for i in range(a.size):
            y[i] = fma(a[i], b[i], c[i])

    a, b, c = triples(dtype, 480, 4)
    y = np.empty_like(a)
    run(a, b, c, y)
    assert same_bits(y, fused(a, b, c))


def test_fma_takes_scalars_among_lanes(shape):
    load, store, length, C = shape.load, shape.store, shape.length, shape.dtype(1 / 3)

    @njit
    def run(a, b, y):
        p, q = load(a, 0), load(b, 0)
        store(y, 0, fma(p, C, q))
        store(y, length, fma(C, p, q))
        store(y, 2 * length, fma(p, q, C))
        store(y, 3 * length, fma(C, p, C))

    a, b, _ = triples(shape.dtype, 3 * length, 5)
    a, b = a[:length].copy(), b[:length].copy()
    y = np.empty(4 * length, shape.dtype)
    run(a, b, y)
    constant = np.full(length, C)
    operands = [(a, constant, b), (a, constant, b), (a, b, constant), (a, constant, constant)]
    assert same_bits(y, np.concatenate([fused(*abc) for abc in operands]))


def test_one_text_rounds_alike_for_scalars_and_lanes(shape):
    load, store, length = shape.load, shape.store, shape.length
    C, D = shape.dtype(1 / 3), shape.dtype(-5)

    @njit
    def text(x0, x1, x2):
        t0 = x0 + x1
        t1 = fma(x2, C, t0)
        t2 = -(t0 * D) - x2
        return t1, fma(t2, C, t1), C * t2

    @njit
    def vectors(x, y):
        y0, y1, y2 = text(load(x, 0), load(x, length), load(x, 2 * length))
        store(y, 0, y0)
        store(y, length, y1)
        store(y, 2 * length, y2)

    x = operands(shape.dtype, 3 * length, 6)
    y = np.empty_like(x)
    vectors(x, y)
    one_by_one = np.array([text(*x[k::length]) for k in range(length)], shape.dtype).T.ravel()
    assert same_bits(y, one_by_one)


def test_at_least_keeps_nan_and_both_zeros(shape):
    load, store, length = shape.load, shape.store, shape.length

    @njit
    def run(x, floor, y):
        store(y, 0, at_least(load(x, 0), load(floor, 0)))

    for seed in range(20):
        x, floor = operands(shape.dtype, length, seed), operands(shape.dtype, length, 100 + seed)
        y = np.empty(length, shape.dtype)
        run(x, floor, y)
        with np.errstate(invalid="ignore"):
            assert same_bits(y, np.where(x < floor, floor, x))
    x = np.full(length, -0.0, shape.dtype)
    run(x, np.zeros_like(x), y)
    assert np.signbit(y).all()


def test_keep_rolled_changes_nothing():
    @njit
    def total(n):
        t = 0
        for i in range(n):
            keep_rolled()
            t += i
        return t

    assert total(11) == 55


def test_what_is_kept_apart_computes_the_same():
    @njit
    def square(x):
        keep_apart()
        return x * x

    @njit
    def run(x):
        return square(x) + square(x + 1)

    assert run(3) == 25


LOAD, STORE = lane_ops(4).load, lane_ops(4).store
LOAD8 = lane_ops(8).load
DOUBLE = 0.25
SINGLE = np.float32(0.25)

FMA_RULE = "fma takes Lanes of one type"
REFUSED = {
    "constant of another dtype": (lambda x: STORE(x, 0, LOAD(x, 0) * DOUBLE), "type constants"),
    "integer factor": (lambda x: STORE(x, 0, 2 * LOAD(x, 0)), "type constants"),
    "two lengths": (lambda x: STORE(x, 0, LOAD(x, 0) + LOAD8(x, 0)), r"Lanes\(float32, 8\)"),
    "fma of two dtypes": (lambda x: STORE(x, 0, fma(LOAD(x, 0), DOUBLE, SINGLE)), FMA_RULE),
    "fma of integers": (lambda x: fma(1, 2, 3), FMA_RULE),
    "fma of scalars of two dtypes": (lambda x: fma(x[0], DOUBLE, SINGLE), FMA_RULE),
    "at_least of a scalar": (lambda x: STORE(x, 0, at_least(LOAD(x, 0), SINGLE)), "at_least takes two Lanes"),
    "at_least of two lengths": (lambda x: STORE(x, 0, at_least(LOAD(x, 0), LOAD8(x, 0))), "at_least takes two Lanes"),
    "division": (lambda x: STORE(x, 0, LOAD(x, 0) / SINGLE), "truediv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_types_are_refused(case):
    function, message = REFUSED[case]
    with pytest.raises(TypingError, match=message):
        njit(function)(np.zeros(16, np.float32))


def test_lengths_and_dtypes_are_checked():
    assert Lanes("float64", 8) == Lanes(np.float64, 8) != Lanes("float64", 4)
    with pytest.raises(ValueError, match="length must be one of 2, 4, 8, 16, 32, 64; got 1\\."):
        Lanes("float32", 1)
    with pytest.raises(TypeError, match="dtype must be float32 or float64; got int32\\."):
        Lanes("int32", 4)
