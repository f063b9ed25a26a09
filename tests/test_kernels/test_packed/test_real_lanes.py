"""Between int32 and Lanes of float64: every operation against NumPy, in every lane."""

import numpy as np
import pytest
from numba.core.errors import TypingError

from kernels.compilation import kernel
from kernels.packed.real_lanes import real_ops


@pytest.mark.parametrize("length", [2, 4, 8])
def test_operations_in_every_lane(length):
    load_integers, store_integers, store_floats, store_signs = real_ops(length)

    @kernel
    def scaled(x, factor, whole, floats, signs):
        real = load_integers(x, 1) * factor
        store_integers(whole, 1, real, -3)
        store_floats(floats, 1, real)
        store_signs(signs, 1, real)

    values = np.array([0, 1, -1, (1 << 31) - 1, -(1 << 31), 7, -16777217, 16777217], np.int32)
    for first in range(8):
        x = np.zeros(length + 2, np.int32)
        x[1:-1] = np.roll(values, first)[:length]
        whole, floats, signs = (np.full(length + 2, 9, dtype) for dtype in ("int32", "float32", "int32"))
        for factor in (1.0, -0.5, 0.25):
            scaled(x, factor, whole, floats, signs)
            real = x[1:-1] * factor
            # Modulo 2**32, as all sums are.
            np.testing.assert_array_equal(whole[1:-1], (np.trunc(real).astype(np.int64) - 3).astype(np.int32))
            np.testing.assert_array_equal(floats[1:-1], real.astype(np.float32))
            np.testing.assert_array_equal(signs[1:-1], real >= 0)
            assert (whole[[0, -1]] == 9).all() and (floats[[0, -1]] == 9).all() and (signs[[0, -1]] == 9).all()


def test_other_arrays_are_refused():
    @kernel
    def loaded(x):
        real_ops_2(x, 0)

    real_ops_2 = real_ops(2).load_integers
    with pytest.raises(TypingError, match="load_integers takes a 1-D C-contiguous array of int32"):
        loaded(np.zeros(4, np.int64))
