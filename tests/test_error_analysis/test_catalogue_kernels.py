"""The catalogue's algorithms for kernels beside points evaluated as in the literature, neither scaled nor fused."""

import math

import pytest

import error_analysis as ea
import winograd as wg

TRIALS = {1: 4000, 2: 1000}
ROWS = {(row.m, row.dims, row.model): row for row in wg.catalogue_rows()
        if (row.r, row.dtype, row.objective) == (3, "float32", "error")}


@pytest.mark.parametrize("dims", [1, 2])
def test_scaling_fma_and_wide_filters_take_a_fifth_of_the_error_away(dims: int) -> None:
    logarithms = []
    for m in range(2, 9):
        kernel = ROWS[m, dims, "kernel"].algorithm
        points = {wg.parse_points(ROWS[m, d, model].points) for d in (1, 2) for model in ("literature", "kernel")}
        plain = [wg.Algorithm(wg.toom_cook(m, 3, chosen), dims=dims) for chosen in points]
        best = min(plain, key=lambda A: ea.measure(A, 200, seed=1).mean_abs.value)
        logarithms.append(math.log(ea.compare(kernel, best, TRIALS[dims]).ratio.value))
    # Each ratio to 3 %, so the mean of seven to about 1 %; 0.79 was measured on more data.
    assert math.exp(sum(logarithms) / len(logarithms)) < 0.81
