import numpy as np
import pytest
from scipy.signal import correlate

import error_analysis as ea
import winograd as wg
from convolution.exactness import Judge, WrongResult, drawn, filter_parts, in_float64, speed_limit
from convolution.shape import Shape

SHAPE = Shape(3, 2, (6, 5), (3, 3))


def F(m: int, r: int, dims: int) -> wg.Algorithm:
    points = [0, 1, -1, 2, -2, "1/2", "-1/2", 3, -3, "1/3"][: m + r - 2]
    return wg.Algorithm(wg.toom_cook(m, r, [*points, wg.INF]), dims=dims, dtype="float32")


def test_data_are_the_same_in_every_run_and_differ_between_shapes() -> None:
    x, w = drawn(SHAPE, 2)
    assert x.shape == (2, 3, 6, 5) and w.shape == (2, 3, 3, 3)
    assert x.dtype == w.dtype == np.float32
    assert np.array_equal(x, drawn(SHAPE, 2)[0])
    assert not np.array_equal(x, drawn(Shape(3, 2, (6, 5), (3, 1)), 2)[0])


def test_the_exact_result_is_scipys() -> None:
    x, w = drawn(SHAPE, 1)
    padded = np.pad(x[0].astype(float), [(0, 0), (1, 1), (1, 1)])
    expected = [correlate(padded, filter_.astype(float), "valid")[0] for filter_ in w]
    # Both sum 27 products of at most 1 in float64.
    np.testing.assert_allclose(in_float64(x, w, SHAPE)[0], expected, rtol=0, atol=2 * 27 * 27 * 2.0**-53)


def test_without_pytorch_the_librarys_own_reference_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape(4, 6, (9,), (3,), 2, groups=2)
    x, w = drawn(shape, 1)
    by_torch = in_float64(x, w, shape)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    np.testing.assert_allclose(in_float64(x, w, shape), by_torch, rtol=0, atol=2 * 6 * 6 * 2.0**-53)


def test_a_direct_sum_may_err_by_its_bound_and_no_more() -> None:
    x, w = drawn(SHAPE, 1)
    judge = Judge(x, w, SHAPE)
    allowed = judge.allowed("direct")
    bound = 28 * 2.0**-24 * in_float64(np.abs(x), np.abs(w), SHAPE)
    assert np.all(allowed >= bound) and np.all(allowed <= 1.001 * bound)
    assert judge.error("someone", judge.exact + 0.9 * allowed, "direct")[0] == pytest.approx(0.9 * allowed.max())
    off = judge.exact.copy()
    off[0, 1, 2, 3] += 1.1 * allowed[0, 1, 2, 3]
    with pytest.raises(WrongResult, match=r"someone on 3 → 2.* output \(0, 1, 2, 3\)"):
        judge.error("someone", off, "direct")


def test_an_algorithm_may_err_by_its_tolerance() -> None:
    A = F(2, 3, 2)
    judge = Judge(*drawn(SHAPE, 1), SHAPE)
    atol = ea.tolerance(A, 3, outputs=judge.exact.size).atol
    assert judge.error("someone", judge.exact + atol, A)[1] == pytest.approx(atol)
    with pytest.raises(WrongResult):
        judge.error("someone", judge.exact + 2 * atol, A)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_wrong(value: float) -> None:
    judge = Judge(*drawn(SHAPE, 1), SHAPE)
    result = judge.exact.copy()
    result[0, 0, 1, 1] = value
    with pytest.raises(WrongResult, match=r"\(0, 0, 1, 1\)"):
        judge.error("someone", result, "direct")


def test_another_shape_is_wrong() -> None:
    judge = Judge(*drawn(SHAPE, 1), SHAPE)
    with pytest.raises(WrongResult, match=r"\(1, 2, 6, 5\)"):
        judge.error("someone", judge.exact[..., :-1], "direct")


def test_the_limit_is_m2_r2_over_n2() -> None:
    assert speed_limit(F(4, 3, 2), SHAPE) == pytest.approx(4 * 4 * 9 / 36)
    assert speed_limit(F(4, 3, 1), Shape(8, 8, (50,), (3,))) == pytest.approx(12 / 6)
    assert speed_limit("direct", SHAPE) == 1
    assert speed_limit("direct", Shape(8, 8, (5, 5), (3, 3), groups=8)) is None


def test_a_stride_splits_the_filter() -> None:
    A, shape = F(4, 2, 2), Shape(8, 8, (9, 9), (3, 3), 2)
    assert filter_parts(A, shape) == 4
    assert speed_limit(A, shape) == pytest.approx(16 * 9 / (4 * 25))
    assert filter_parts(F(4, 7, 1), Shape(8, 8, (9, 9), (7, 1))) == 1
