"""What moves Lanes keeps every bit, those of NaN too, and touches no memory but what it says; wrong types refused."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from kernels.lane_memory import lane_ops, prefetch
from kernels.simd import LENGTHS

DTYPES = (np.float32, np.float64)
SHAPES = [(dtype, length) for dtype in DTYPES for length in (4, 8, 16)]


def same(a, b):
    """Equal bits."""
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


def numbers(dtype, size, seed):
    """Any bits."""
    return np.frombuffer(np.random.default_rng(seed).bytes(size * np.dtype(dtype).itemsize), dtype).copy()


@pytest.fixture(scope="module", params=SHAPES, ids=lambda p: f"{p[0].__name__}x{p[1]}")
def shape(request):
    dtype, length = request.param
    return SimpleNamespace(dtype=dtype, length=length, **lane_ops(length)._asdict())


def test_load_store_zero_and_splat(shape):
    load, store, zero, splat, length = shape.load, shape.store, shape.zero, shape.splat, shape.length

    @njit
    def run(x, y, offset):
        store(y, offset, load(x, offset + 1))
        store(y, offset + length, zero(x))
        store(y, offset + 2 * length, splat(x[0]))

    x = numbers(shape.dtype, 2 * length + 8, 7)
    y = np.full(3 * length + 6, 7, shape.dtype)
    run(x, y, 3)  # offsets need not be multiples of the length
    expected = [[7] * 3, x[4 : 4 + length], [0] * length, [x[0]] * length, [7] * 3]
    assert same(y, np.concatenate(expected).astype(shape.dtype))


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

    values = numbers(shape.dtype, length, 8)
    for count in range(-1, length + 2):
        inside = min(max(count, 0), length)
        margin = 0 if at_end else 3  # without it, what follows can be neither read nor written
        array = guarded(5 + inside + margin, shape.dtype)
        array[:] = np.nan
        array[5 : 5 + inside] = values[:inside]
        y = np.full(length, 7, shape.dtype)
        get(array, 5, count, y)
        assert same(y, np.concatenate([values[:inside], np.zeros(length - inside, shape.dtype)]))
        array[:] = 7
        put(array, 5, values, count)
        expected = np.concatenate([np.full(5, 7), values[:inside], np.full(margin, 7)]).astype(shape.dtype)
        assert same(array, expected)


@pytest.mark.parametrize("at_start", [False, True])
def test_lanes_between_two_are_read_and_nothing_else(shape, guarded, at_start):
    load_between, store, length = shape.load_between, shape.store, shape.length

    @njit
    def get(x, offset, first, end, y):
        store(y, 0, load_between(x, offset, first, end))

    values = numbers(shape.dtype, length, 9)
    bounds = [-(2**31), -length - 1, *range(-1, length + 2), 2 * length, 2**31 - 1]
    for first in bounds:
        for end in bounds:
            inside = range(max(first, 0), min(end, length))
            array = guarded(max(1, len(inside)), shape.dtype, at_start)  # no more than these can be read
            array[: len(inside)] = values[inside.start : inside.start + len(inside)]
            y = np.full(length, 7, shape.dtype)
            get(array, -inside.start, first, end, y)
            expected = np.zeros(length, shape.dtype)
            expected[inside.start : inside.start + len(inside)] = array[: len(inside)]
            assert same(y, expected), (first, end)


def test_what_is_outside_is_not_read_at_all(shape, guarded):
    load_if, store, length = shape.load_if, shape.store, shape.length

    @njit
    def get(x, offset, inside, y):
        store(y, 0, load_if(x, offset, inside))

    x = guarded(length, shape.dtype)
    x[:] = numbers(shape.dtype, length, 10)
    y = np.full(length, 7, shape.dtype)
    get(x, 0, True, y)
    assert same(y, x)
    for offset in (1, length, -1, 10**12, 0):
        y[:] = 7
        get(x, offset, False, y)
        assert same(y, np.zeros(length, shape.dtype)), offset


def test_evens_and_odds_are_every_second_lane(shape):
    load, store, evens, odds, length = shape.load, shape.store, shape.evens, shape.odds, shape.length

    @njit
    def run(x, y):
        low, high = load(x, 0), load(x, length)
        store(y, 0, evens(low, high))
        store(y, length, odds(low, high))

    x = numbers(shape.dtype, 2 * length, 11)
    y = np.empty_like(x)
    run(x, y)
    assert same(y, np.concatenate([x[::2], x[1::2]]))


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


OPS, OTHERS = lane_ops(4), lane_ops(8)
LOAD, STORE, BROADCAST, ZERO, SPLAT = OPS.load, OPS.store, OPS.broadcast, OPS.zero, OPS.splat
LOAD_FIRST, LOAD_IF, LOAD_BETWEEN, STORE_FIRST = OPS.load_first, OPS.load_if, OPS.load_between, OPS.store_first
EVENS, ODDS, TRANSPOSE, CORNER = OPS.evens, OPS.odds, OPS.transpose_block, OPS.transpose_corner
LOAD8 = OTHERS.load
SINGLE = np.float32(0.25)

REFUSED = {
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
    "load where an integer says whether": (lambda x: STORE(x, 0, LOAD_IF(x, 0, 1)), "load_if takes a boolean; got"),
    "load at a float if": (lambda x: STORE(x, 0, LOAD_IF(x, 0.5, True)), "load_if takes integer offsets"),
    "load if, of no array": (lambda x: STORE(x, 0, LOAD_IF(SINGLE, 0, True)), "load_if takes a 1-D C-contiguous array"),
    "load between floats": (lambda x: STORE(x, 0, LOAD_BETWEEN(x, 0, 0.5, 2)), "load_between takes integer offsets"),
    "load between, of no array": (lambda x: STORE(x, 0, LOAD_BETWEEN(SINGLE, 0, 0, 2)), "load_between takes a 1-D"),
    "evens of scalars": (lambda x: STORE(x, 0, EVENS(SINGLE, SINGLE)), "evens takes two Lanes of 4 numbers"),
    "odds of two lengths": (lambda x: STORE(x, 0, ODDS(LOAD(x, 0), LOAD8(x, 0))), "odds takes two Lanes of 4 numbers"),
    "odds of another length": (lambda x: ODDS(LOAD8(x, 0), LOAD8(x, 0)), r"odds takes .* got Lanes\(float32, 8\)"),
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


def test_lengths_are_checked():
    assert [lane_ops(length) is lane_ops(length) for length in LENGTHS] == [True] * len(LENGTHS)
    with pytest.raises(ValueError, match="length must be one of 2, 4, 8, 16, 32, 64; got 3\\."):
        lane_ops(3)
