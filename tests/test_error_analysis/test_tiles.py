"""Tiles that are no numbers of the stored format, or of another dtype or shape, are refused at the door."""

import ml_dtypes
import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.conversion import convert
from error_analysis.emulation.emulate import direct, direct_like, emulate
from error_analysis.emulation.tiles import trials_last

F43 = wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF])
F23 = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])


def tiles(A, trials, channels):
    rng = np.random.default_rng(0)
    shapes = (trials, channels, *A.tile), (trials, channels, *A.r)
    return tuple(np.array(convert(rng.uniform(-1, 1, s), A.stored_dtype)) for s in shapes)


@pytest.mark.parametrize("axes", [(4,), (4, 5), (4, 5, 6)])
def test_trials_come_to_lie_last(axes):
    x = np.random.default_rng(0).random((7, 3, *axes))
    y = trials_last(x)
    assert y.shape == (*axes, 3, 7) and y.flags.c_contiguous
    assert all(y[(*i, c, t)] == x[(t, c, *i)] for t, c, *i in np.ndindex(*x.shape))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_arrays_of_narrow_dtypes_are_taken(dtype):
    A = wg.Algorithm(F23, dims=2, dtype=dtype)
    d, g = tiles(A, 3, 2)
    narrow = np.dtype(getattr(ml_dtypes, dtype, dtype))
    np.testing.assert_array_equal(emulate(A, d.astype(narrow), g.astype(narrow)), emulate(A, d, g))
    np.testing.assert_array_equal(emulate(A, d.astype(np.float32), g), emulate(A, d, g))


def test_numbers_of_another_format_are_refused():
    A = wg.Algorithm(F43, dtype="float16")
    d, g = tiles(A, 2, 3)
    d[1, 2, 4] = 0.1
    with pytest.raises(ValueError, match=r"d must hold numbers of float16; got 0.1 at d\[1, 2, 4\]: .*convert"):
        emulate(A, d, g)
    with pytest.raises(ValueError, match=r"g must hold numbers of float8_e4m3fn; got inf at g\[0, 0, 0\]"):
        direct(np.zeros((1, 1, 4)), np.full((1, 1, 3), np.inf), "float8_e4m3fn")
    with pytest.raises(TypeError, match="g must have a floating dtype, float64 at most; got int64"):
        direct_like(A, np.zeros((1, 1, 6)), np.zeros((1, 1, 3), int))
    if np.dtype(np.longdouble).itemsize > 8:
        with pytest.raises(TypeError, match="d must have a floating dtype, float64 at most; got"):
            emulate(A, np.zeros((1, 1, 6), np.longdouble), np.zeros((1, 1, 3)))
    assert np.isnan(emulate(A, np.full((1, 1, 6), np.nan), np.ones((1, 1, 3)))).all()
