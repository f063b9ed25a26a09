"""Audits: what is a convolution is recognised however it was written down; what is none is caught and mended."""

import numpy as np
import pytest
import sympy
import wincnn

from error_analysis.auditing.audit import audit, best_published
from error_analysis.auditing.gallery import exhibits
from winograd import INF, Transform, from_moduli, parse_points, published_points, toom_cook

F43 = toom_cook(4, 3, parse_points("0, 1, -1, 2, -2, inf"))
F63 = toom_cook(6, 3, parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf"))
SOUND = [exhibit for exhibit in exhibits() if exhibit.spoiled is None]
NAMES = ("AT", "G", "BT")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exhibit", SOUND, ids=lambda e: f"{e.size} {e.name}")
def test_rounded_matrices_are_read_back_exactly(exhibit, dtype):
    T = exhibit.transform
    found = audit(*T.matrices(dtype), trials=0)
    assert found.transform == T and found.is_convolution and not found.doubtful
    assert found.points == exhibit.points
    assert set(found.scaling.products) == {1}


@pytest.mark.parametrize("m", range(2, 11))
def test_published_transforms_are_read_back_from_float32(m):
    T = toom_cook(m, 3, published_points(m, 2))
    assert audit(*T.matrices("float32"), trials=0).transform == T


def test_printed_digits_do():
    T = toom_cook(4, 3, parse_points("0, 5/6, -5/6, 7/6, -7/6, inf"))
    for digits in (7, 8, 9, 17):
        text = [[[f"{float(e):.{digits}g}" for e in row] for row in getattr(T, name).tolist()] for name in NAMES]
        assert audit(*text, trials=0).transform == T
        numbers = [[[float(e) for e in row] for row in matrix] for matrix in text]
        assert audit(*numbers, trials=0).transform == T


def test_matrices_of_wincnn():
    points = tuple(sympy.Rational(p) for p in (0, 1, -1, 2, -2))
    AT, G, BT, _ = wincnn.cookToomFilter(points, 4, 3)
    found = audit(np.array(AT.tolist(), np.float32), np.array(G.tolist(), np.float32), BT, trials=0)
    assert found.is_convolution
    assert found.points == (*points, INF)
    assert (found.scaling.AT, set(found.scaling.products)) == ((1,) * 6, {1})


def test_diagonals_that_do_not_multiply_to_one_are_caught():
    (spoiled,) = (exhibit for exhibit in exhibits() if exhibit.spoiled)
    found = audit(*spoiled.transform.matrices("float32"), trials=50)
    assert not found.is_convolution
    assert found.repair.kind == "scaling" and "multiply G, row 5 by 2" in found.repair.change
    assert found.repair.transform == F63
    assert found.scaling.products == (1, 1, 1, 1, 1, sympy.Rational(1, 2), 1, 1)
    assert found.points == spoiled.points
    # Every coefficient that the spoiled product takes part in is off by half of what the product gives it.
    for w in found.wrong:
        part = F63.AT[w.output, 5] * F63.G[5, w.tap] * F63.BT[5, w.input]
        assert w.off == -part / 2
    assert "the diagonals of AT, G and BT must multiply to one" in str(found)
    assert found.merits is not None  # of the repaired ones


def test_one_wrong_entry_is_caught_in_float32():
    AT, G, BT = F43.matrices("float32")
    BT[2, 1] = -BT[2, 1]
    found = audit(AT, G, BT, trials=0)
    assert not found.is_convolution and found.repair.transform == F43
    assert found.repair.change == f"BT[2, 1] must be {F43.BT[2, 1]}; it is {-F43.BT[2, 1]}."
    first = found.wrong[0]
    assert f"the coefficient of g[{first.tap}]*d[{first.input}] in y[{first.output}] is " in str(found)


def test_beyond_repair():
    AT, G, BT = F43.matrices("float64")
    AT[1, 1], G[2, 2] = 7, 7
    found = audit(AT, G, BT)
    assert found.repair is None and found.merits is None
    assert "no single entry and no scaling would mend it" in str(found)
    assert "not Toom-Cook" in found.origin or "differ by more" in found.origin


def test_matrices_given_transposed():
    AT, G, BT = F43.matrices("float32")
    found = audit(AT.T, G.T, BT, trials=0)
    assert found.transform == F43
    assert found.notes == ("AT was given transposed", "G was given transposed")
    square = audit(AT, G, BT.T, trials=0)
    assert square.repair.kind == "transposed" and square.repair.transform == F43


def test_the_transposed_form():
    found = audit(*F63.transpose().matrices("float32"), trials=20)
    assert found.is_convolution and found.transform == F63.transpose()
    assert found.points == F63.points and found.merits is not None
    assert "multiply polynomials" in found.notes[0]


def test_moduli_of_higher_degree():
    T = from_moduli(4, 3, ["x", "x-1", "x+1", "x^2+1", "inf"])
    found = audit(*T.matrices("float32"), trials=20)
    assert found.is_convolution and None in found.points and found.scaling is None
    assert "a product evaluates at no point" in found.origin and found.merits.condition is None


def test_scaling_and_order_are_told():
    T = F43.scaled(B=[1, "1/2", "1/2", 1, 1, 1])
    P = Transform(T.AT[:, ::-1], T.G[::-1, :], T.BT[::-1, :])
    found = audit(*P.matrices("float32"), trials=0)
    assert found.origin == "toom_cook(4, 3, [inf, -2, 2, -1, 1, 0]); G scaled by 1, 1, 1, 2, 2, 1; " \
        "BT scaled by 1, 1, 1, 1/2, 1/2, 1"


def test_the_error_is_compared_with_the_best_published():
    found = audit(*F43.matrices("float32"), trials=400)
    assert found.best.algorithm.startswith("F(4x4, 3x3) points 0, -1, 1, 1/2, -2, inf")
    assert found.ratio.low > 1  # the textbook points are worse
    assert found.ratio.value == pytest.approx(found.merits.error.value / found.best.error.value, rel=1e-12)  # float64
    assert found.merits.error.high < found.merits.bound
    assert found.merits.products == 36 and found.merits.input_growth == 100
    assert audit(*F43.matrices("float32"), dims=1, trials=10, order="left", dtype="float64").merits.products == 6
    assert best_published(20, 3, 2) is None and best_published(4, 5, 2) is None
    unpublished = audit(*toom_cook(2, 2, [0, 1, INF]).matrices("float32"), trials=20)
    assert unpublished.best is None and unpublished.ratio is None and unpublished.merits is not None


@pytest.mark.parametrize(
    ("matrices", "options", "message"),
    [
        (([[1]], [[1, 1]], [[1]]), {}, "shapes must satisfy"),
        (([[1, 1, 1]], [[1, 1]], [[1]]), {}, "AT, G and BT must share n"),
        (([[1, float("nan")]], [[1]], [[1]]), {}, r"AT\[0, 1\]: number must be finite"),
        (([["c"]], [[1]], [[1]]), {}, "entries must be numbers; give the symbol c a value"),
        (([[1]], [[1]], [[1]]), {"trials": 1}, "trials must be at least 2, or 0"),
        (([[1]], [[1]], [[1]]), {"trials": -1}, "trials must be at least 0"),
        (([[1]], [[1]], [[1]]), {"dims": 4}, "dims must be 1, 2 or 3; got 4"),
        (([[1]], [[1]], [[1]]), {"dtype": "float12"}, "dtype must be one of"),
        (([[1]], [[1]], [[1]]), {"order": "random"}, "order must be one of"),
        ((3, [[1]], [[1]]), {}, "AT must be a matrix"),
    ],
)
def test_bad_input(matrices, options, message):
    with pytest.raises(ValueError, match=message):
        audit(*matrices, **options)


def test_points_of_four_digits_are_read_from_float32():
    T = toom_cook(4, 3, parse_points("0, 0.7071, -0.7071, 1.4142, -1.4142, inf"))
    assert audit(*T.matrices("float32"), trials=0).transform == T


def test_roots_of_everything_are_no_reading():
    """Exact algebra in a field of many roots would take forever; points lie in one field."""
    roots = np.sqrt(np.arange(24.0))
    found = audit(roots.reshape(4, 6), roots[:18].reshape(6, 3), F43.matrices("float64")[2], trials=0)
    assert not found.is_convolution and found.repair is None


def test_matrices_computed_in_floating_point():
    AT, G, BT = F43.matrices("float64")
    found = audit(AT, G, BT * (1 + 3e-16), trials=0)
    assert not found.is_convolution
    assert "computed in floating point" in found.notes[-1]


@pytest.mark.parametrize(("m", "r"), [(1, 1), (1, 3), (3, 1), (4, 5)])
def test_every_shape(m, r):
    T = toom_cook(m, r, [*range(m + r - 2), INF])
    assert audit(*T.matrices("float32"), trials=5).is_convolution
