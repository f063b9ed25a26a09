import math
from fractions import Fraction as F

import numpy as np
import pytest

from error_analysis.searching.candidate import candidate_of
from error_analysis.searching.quick_estimate import Roundings, quick_estimate, toom_cook_matrices
from error_analysis.searching.scales import Scales, balanced, best_scales, evened, exact_rows
from error_analysis.searching.setting import Setting
from winograd import INF, parse_points, toom_cook

POINTS = parse_points("0, 1/2, -1/2, 3/2, -3/2, inf")
ROWS = exact_rows(4, 3, POINTS)  # type: ignore[arg-type]
ONES = Scales((F(1),) * 6, (F(1),) * 6)


def test_exact_rows_are_those_of_toom_cook() -> None:
    T = toom_cook(4, 3, POINTS)
    for k, row in enumerate(ROWS):
        assert [abs(x) for x in row.AT] == [abs(x) for x in T.AT.col(k)]
        assert [abs(x) for x in row.BT] == [abs(x) for x in T.BT.row(k)]
        assert [abs(x) for x in row.G] == [abs(x) for x in T.G.row(k)]


def test_best_scales_are_a_convolution_and_no_worse() -> None:
    floats = [math.inf if p is INF else float(p) for p in POINTS]
    plain = math.log(quick_estimate(toom_cook_matrices(4, 3, floats), 2))
    scales, value = best_scales(4, 3, POINTS, 2, Roundings())  # type: ignore[arg-type]
    assert value < plain
    # An Algorithm proves its transforms.
    candidate_of(POINTS, *scales).algorithm(Setting(4, 3))  # type: ignore[arg-type]


def test_balanced_rows_have_length_about_one() -> None:
    scales = balanced(ROWS, ONES)
    a, b = scales.floats()
    for row, x, y in zip(ROWS, a, b, strict=True):
        for length in (y * math.hypot(*map(float, row.BT)), math.hypot(*map(float, row.G)) / (x * y)):
            assert 2**-0.51 < length < 2**0.51
        assert math.log2(x).is_integer() and math.log2(y).is_integer()


def test_evened_rows_have_about_equal_lengths_and_AT_stays() -> None:
    scales = evened(ROWS, ONES)
    assert scales.a == ONES.a
    for row, y in zip(ROWS, scales.floats()[1], strict=True):
        ratio = y * y * math.hypot(*map(float, row.BT)) / math.hypot(*map(float, row.G))
        assert 2**-1.01 < ratio < 2**1.01
        assert math.log2(y).is_integer()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_rows_of_half_formats_are_of_moderate_size(dtype: str) -> None:
    points = parse_points("0, 1/4, -1/4, 1/2, -1/2, 1, -1, 2, -2, 4, -4, inf")
    roundings = Setting(10, 3, 2, dtype, "kernel").roundings
    scales, _ = best_scales(10, 3, points, 2, roundings)  # type: ignore[arg-type]
    T = toom_cook(10, 3, points).scaled(*scales)
    for matrix in (T.BT, T.G):
        lengths = np.linalg.norm(np.array(matrix, float), axis=1)
        assert (lengths > 0.7).all() and (lengths < 1.5).all()
