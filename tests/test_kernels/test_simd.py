"""Lanes: every operation bit for bit against NumPy or exact fractions; wrong types refused."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from kernels.simd import LENGTHS, Lanes, at_least, fma, keep_rolled, lane_ops, prefetch

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


def test_load_store_zero_and_splat(shape):
    load, store, zero, splat, length = shape.load, shape.store, shape.zero, shape.splat, shape.length

    @njit
    def run(x, y, offset):
        store(y, offset, load(x, offset + 1))
        store(y, offset + length, zero(x))
        store(y, offset + 2 * length, splat(x[0]))

    x = operands(shape.dtype, 2 * length + 8, 7)
    y = np.full(3 * length + 6, 7, shape.dtype)
    run(x, y, 3)  # offsets need not be multiples of the length
    expected = [[7] * 3, x[4 : 4 + length], [0] * length, [x[0]] * length, [7] * 3]
    assert same_bits(y, np.concatenate(expected).astype(shape.dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [2, 4, 8, 16])
def test_transposition_agrees_with_numpy(dtype, length):
    transpose_block = lane_ops(length).transpose_block

    @njit
    def run(src, src_offset, src_stride, dst, dst_offset, dst_stride):
        transpose_block(src, src_offset, src_stride, dst, dst_offset, dst_stride)

    src = np.arange((length + 1) * (length + 3), dtype=dtype).reshape(length + 1, length + 3)
    dst = np.full((length, length + 5), -1, dtype)
    expected = dst.copy()
    expected[:, 4 : 4 + length] = src[1:, 2 : 2 + length].T
    run(src.ravel(), length + 3 + 2, length + 3, dst.reshape(-1), 4, length + 5)
    assert np.array_equal(dst, expected)

    square = np.arange(length * length, dtype=dtype).reshape(length, length)
    in_place = square.copy().reshape(-1)
    run(in_place, 0, length, in_place, 0, length)
    assert np.array_equal(in_place.reshape(length, length), square.T)


@pytest.mark.parametrize("at_end", [False, True])
def test_masked_loads_and_stores_touch_nothing_else(shape, guarded, at_end):
    load_first, store, store_first, length = shape.load_first, shape.store, shape.store_first, shape.length
    load = shape.load

    @njit
    def get(x, offset, count, y):
        store(y, 0, load_first(x, offset, count))

    @njit
    def put(y, offset, x, count):
        store_first(y, offset, load(x, 0), count)

    values = operands(shape.dtype, length, 8)
    for count in range(-1, length + 2):
        inside = min(max(count, 0), length)
        margin = 0 if at_end else 3  # without it, what follows can be neither read nor written
        array = guarded(5 + inside + margin, shape.dtype)
        array[:] = np.nan
        array[5 : 5 + inside] = values[:inside]
        y = np.full(length, 7, shape.dtype)
        get(array, 5, count, y)
        assert same_bits(y, np.concatenate([values[:inside], np.zeros(length - inside, shape.dtype)]))
        array[:] = 7
        put(array, 5, values, count)
        expected = np.concatenate([np.full(5, 7), values[:inside], np.full(margin, 7)]).astype(shape.dtype)
        assert same_bits(array, expected)


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [2, 4, 16])
def test_corners_are_transposed_and_nothing_else_is_touched(dtype, length, guarded):
    transpose_corner = lane_ops(length).transpose_corner

    @njit
    def run(src, src_offset, src_stride, rows, columns, dst, dst_offset, dst_stride):
        transpose_corner(src, src_offset, src_stride, rows, columns, dst, dst_offset, dst_stride)

    for rows in range(length + 1):
        for columns in range(length + 1):
            src_stride, dst_stride = length + 1, length + 2
            src = guarded(2 + max(0, rows - 1) * src_stride + columns * (rows > 0), dtype)
            dst = guarded(3 + max(0, columns - 1) * dst_stride + rows * (columns > 0), dtype)
            src[:] = np.arange(src.size) + 100
            dst[:] = -1
            expected = dst.copy()
            for i in range(rows):
                for j in range(columns):
                    expected[3 + j * dst_stride + i] = src[2 + i * src_stride + j]
            run(src, 2, src_stride, rows, columns, dst, 3, dst_stride)
            assert np.array_equal(dst, expected)


def test_prefetching_anything_is_harmless():
    @njit
    def run(x, offset):
        prefetch(x, offset, 0)
        prefetch(x, offset, 1)

    x = np.arange(4.0)
    for offset in (0, 3, -(10**6), 10**12):
        run(x, offset)
    run(np.zeros((2, 3), np.float32), 5)
    assert x.tolist() == [0, 1, 2, 3]
    with pytest.raises(TypingError, match="prefetch takes a C-contiguous array and a literal 0 or 1"):
        njit(lambda x, written: prefetch(x, 0, written))(x, 1)
    with pytest.raises(TypingError, match="prefetch takes a C-contiguous array"):
        njit(lambda x: prefetch(x, 0, 0))(x[::2])


def test_keep_rolled_changes_nothing():
    @njit
    def total(n):
        t = 0
        for i in range(n):
            keep_rolled()
            t += i
        return t

    assert total(11) == 55


LOAD, STORE, BROADCAST = lane_ops(4).load, lane_ops(4).store, lane_ops(4).broadcast
ZERO, SPLAT, TRANSPOSE = lane_ops(4).zero, lane_ops(4).splat, lane_ops(4).transpose_block
LOAD_FIRST, STORE_FIRST, CORNER = lane_ops(4).load_first, lane_ops(4).store_first, lane_ops(4).transpose_corner
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
    "float offset": (lambda x: STORE(x, 0.5, LOAD(x, 0)), "store takes integer offsets"),
    "float offset to load": (lambda x: STORE(x, 0, LOAD(x, 1.0)), "load takes integer offsets"),
    "scalar stored": (lambda x: STORE(x, 0, SINGLE), r"store takes Lanes\(float32, 4\)"),
    "other length stored": (lambda x: STORE(x, 0, LOAD8(x, 0)), r"store takes Lanes\(float32, 4\)"),
    "not an array": (lambda x: STORE(x, 0, LOAD(SINGLE, 0)), "load takes a 1-D C-contiguous array"),
    "zero of a scalar": (lambda x: STORE(x, 0, ZERO(SINGLE)), "zero takes a 1-D"),
    "splat of an integer": (lambda x: STORE(x, 0, SPLAT(1)), "splat takes a float32 or float64 scalar"),
    "masked load of a float count": (lambda x: STORE(x, 0, LOAD_FIRST(x, 0, 1.5)), "load_first takes integer"),
    "masked store of a scalar": (lambda x: STORE_FIRST(x, 0, SINGLE, 2), r"store_first takes Lanes\(float32, 4\)"),
    "corner of float size": (lambda x: CORNER(x, 0, 4, 2.0, 2, x, 0, 4), "takes integer offsets"),
    "at_least of a scalar": (lambda x: STORE(x, 0, at_least(LOAD(x, 0), SINGLE)), "at_least takes two Lanes of one type"),
    "at_least of two lengths": (lambda x: STORE(x, 0, at_least(LOAD(x, 0), LOAD8(x, 0))), "at_least takes two Lanes"),
    "division": (lambda x: STORE(x, 0, LOAD(x, 0) / SINGLE), "truediv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_types_are_refused(case):
    function, message = REFUSED[case]
    with pytest.raises(TypingError, match=message):
        njit(function)(np.zeros(16, np.float32))


def test_wrong_arrays_are_refused():
    copy = njit(lambda x, y: STORE(y, 0, BROADCAST(x, 0)))
    transpose = njit(lambda x, y: TRANSPOSE(x, 0, 4, y, 0, 4))
    x = np.zeros(16, np.float32)
    read_only = x.copy()
    read_only.flags.writeable = False
    copy(read_only, x)
    with pytest.raises(TypingError, match="store needs a writable array"):
        copy(x, read_only)
    with pytest.raises(TypingError, match="broadcast takes a 1-D C-contiguous array"):
        copy(x[::2], x)
    with pytest.raises(TypingError, match="broadcast takes a 1-D C-contiguous array"):
        copy(x.reshape(4, 4), x)
    with pytest.raises(TypingError, match="broadcast takes an array of float32 or float64"):
        copy(np.zeros(16, np.int32), x)
    with pytest.raises(TypingError, match="two arrays of one dtype"):
        transpose(x, np.zeros(16))


def test_lengths_and_dtypes_are_checked():
    assert [lane_ops(length) is lane_ops(length) for length in LENGTHS] == [True] * len(LENGTHS)
    assert Lanes("float64", 8) == Lanes(np.float64, 8) != Lanes("float64", 4)
    with pytest.raises(ValueError, match="length must be one of 2, 4, 8, 16, 32, 64; got 3\\."):
        lane_ops(3)
    with pytest.raises(ValueError, match="length must be one of"):
        Lanes("float32", 1)
    with pytest.raises(TypeError, match="dtype must be float32 or float64; got int32\\."):
        Lanes("int32", 4)
