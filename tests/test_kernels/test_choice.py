import pytest

import winograd as wg
from kernels.choice import chosen_algorithm


@pytest.mark.parametrize("taps", [(1, 3), (2, 2), (3, 3), (5, 3), (6, 6)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_auto_fits_the_taps_and_the_dtype(taps, dtype):
    algorithm = chosen_algorithm("auto", 2, taps, dtype, plain=True)
    assert algorithm.r == taps and algorithm.dtype == dtype and algorithm.dims == 2


@pytest.mark.parametrize(("taps", "plain"), [((1, 1), True), ((7, 7), True), ((3, 3), False)])
def test_auto_is_direct_where_no_fast_algorithm_serves(taps, plain):
    assert chosen_algorithm("auto", 2, taps, "float32", plain) == "direct"


def test_an_algorithm_is_taken_as_it_is():
    A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2)
    assert chosen_algorithm(A, 2, (3, 3), "float32", plain=True) is A
