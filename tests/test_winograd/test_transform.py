"""The Transform: proved for every size, refused with the coefficient that is off, and rewritten exactly."""

import copy
import dataclasses
import itertools
import json
import pickle
import re

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from winograd.transform import MATRIX_NAMES

SIZES = [(m, r) for m in range(1, 17) for r in range(1, 10) if m + r - 1 <= 18]
NUMBERS = wg.parse_points("0, 1, -1, 1/2, -1/2, 2, -2, 1/4, -4, 4, -1/4, 3/4, -4/3, 4/3, -3/4, 3, -3, 1/3")


def transform(m: int = 4, r: int = 3, infinite: bool = True) -> wg.Transform:
    finite = NUMBERS[: m + r - 1 - infinite]
    return wg.toom_cook(m, r, [*finite, wg.INF] if infinite else finite)


@pytest.mark.parametrize("infinite", [True, False])
@pytest.mark.parametrize(("m", "r"), SIZES)
def test_every_size_is_proved(m: int, r: int, infinite: bool) -> None:
    T = transform(m, r, infinite)
    assert T.verify() is T
    assert (T.m, T.r, T.n, T.tile) == (m, r, m + r - 1, m + r - 1)
    T.transpose().verify()


@pytest.mark.parametrize("name", MATRIX_NAMES)
def test_a_changed_entry_anywhere_is_refused_with_a_coefficient_that_is_off(name: str) -> None:
    T = transform()
    matrices = {n: getattr(T, n) for n in MATRIX_NAMES}
    for i, j in itertools.product(range(matrices[name].rows), range(matrices[name].cols)):
        changed = sympy.Matrix(matrices[name])
        changed[i, j] += sympy.Rational(1, 1000)
        foreign = wg.Transform(**(matrices | {name: changed}))
        with pytest.raises(wg.NotAConvolution) as refusal:
            foreign.verify()
        pattern = r"coefficient of g\[(\d+)\]\*d\[(\d+)\] in y\[(\d+)\] is (\S+), must be (\d) "
        found = re.search(pattern, str(refusal.value))
        assert found is not None
        tap, index, output = (int(found[k]) for k in (1, 2, 3))
        # Recomputed by the definition.
        AT, G, BT = foreign.AT, foreign.G, foreign.BT
        value = sum(AT[output, k] * G[k, tap] * BT[k, index] for k in range(T.n))
        assert value == sympy.Rational(found[4]) != int(found[5]) == (index == output + tap)


def test_nearly_right_matrices_are_refused() -> None:
    """1/6 as a double is not 1/6, and the proof sees it."""
    T = transform()
    with pytest.raises(wg.NotAConvolution, match="must be"):
        wg.Transform(T.AT, T.matrices(np.float64)[1], T.BT).verify()


def test_not_a_convolution_counts_what_is_off() -> None:
    with pytest.raises(wg.NotAConvolution, match=r"F\(1, 1\).*is 2, must be 1 \(1 of 1 coefficients are off\)"):
        wg.Transform([[2]], [[1]], [[1]]).verify()


@pytest.mark.parametrize(
    ("AT", "G", "BT", "message"),
    [
        ([[1, 1]], [[1]], [[1]], "must share n"),
        ([[1]], [[1, 1]], [[1]], r"columns of BT = m \+ r - 1"),
        ([], [[1]], [[1]], "AT must be a matrix"),
        ([[1]], [[]], [[1]], "G must be a matrix"),
        ([[1, 1], [1]], [[1]], [[1]], "rows of one length"),
        ([["x+"]], [[1]], [[1]], "AT: number must be"),
        ([[1]], [[float("nan")]], [[1]], "G: number must be finite"),
        ([[1]], [[1]], [[sympy.I]], "BT: number must be real"),
    ],
)
def test_what_is_no_transform_is_refused(AT: list, G: list, BT: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.Transform(AT, G, BT)


def test_entries_are_read_like_points() -> None:
    AT, G, BT = transform(2, 3).matrices(np.float32)
    assert wg.Transform(AT, G, BT).verify() == transform(2, 3)
    assert hash(wg.Transform(AT, G, BT)) == hash(transform(2, 3))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_matrices_are_rounded_once(dtype: str) -> None:
    T = transform(6, 3)
    for name, rounded in zip(MATRIX_NAMES, T.matrices(dtype), strict=True):
        exact = getattr(T, name)
        assert rounded.dtype == dtype and rounded.shape == exact.shape
        assert all(
            rounded[i, j] == wg.round_exact(exact[i, j], dtype) for i in range(exact.rows) for j in range(exact.cols)
        )


def test_an_entry_that_overflows_is_named() -> None:
    T = wg.toom_cook(16, 3, ["0", "4", *[n for n in NUMBERS if n not in (0, 4)][:15], wg.INF])
    assert T.AT[15, 1] == 4**15
    with pytest.raises(OverflowError, match=r"AT\[8, 1\] = 65536 exceeds the largest float16, 65504; rescale"):
        T.matrices(np.float16)
    T.matrices(np.float32)


def test_symbols_have_no_rounded_matrices() -> None:
    with pytest.raises(ValueError, match="give the symbol c a value"):
        wg.toom_cook(2, 3, [0, "c", "-c", "inf"]).matrices()


factors = st.lists(st.fractions(max_denominator=50).filter(bool), min_size=6, max_size=6)


@given(factors, factors)
def test_scaled_is_the_same_algorithm(A: list, B: list) -> None:
    T = transform()
    S = T.scaled(A=A, B=B).verify()
    assert S.AT[:, 1] == T.AT[:, 1] * sympy.Rational(A[1].numerator, A[1].denominator)
    assert S.BT[2, :] == T.BT[2, :] * sympy.Rational(B[2].numerator, B[2].denominator)
    assert S.scaled(A=[1 / a for a in A], B=[1 / b for b in B]) == T


@pytest.mark.parametrize(
    ("factors", "message"),
    [([1] * 5, r"A must have n = 6 factors; got 5"), ([1, 1, 0, 1, 1, 1], r"must not be zero; A\[2\]")],
)
def test_bad_factors_are_refused(factors: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        transform().scaled(A=factors)


def test_transposing_twice_gives_the_original() -> None:
    T = transform()
    C = T.transpose().verify()
    assert (C.kind, C.name, C.m, C.r) == ("convolution", "F(4, 3)^T", 4, 3)
    assert (C.transpose(), C.transpose().command) == (T, T.command)


def test_the_transpose_multiplies_polynomials() -> None:
    C = transform(4, 3, infinite=False).transpose()
    d, g = sympy.symbols("d:4"), sympy.symbols("g:3")
    product = [u * v for u, v in zip(C.G * sympy.Matrix(g), C.BT * sympy.Matrix(d), strict=True)]
    x = sympy.Symbol("x")
    y = C.AT * sympy.Matrix(product)
    whole = sympy.expand(sum(a * x**i for i, a in enumerate(d)) * sum(b * x**i for i, b in enumerate(g)))
    assert sympy.expand(whole - sum(c * x**i for i, c in enumerate(y))) == 0


def test_subs_gives_symbols_values() -> None:
    T = wg.toom_cook(4, 3, [0, *wg.reciprocal_group("c"), "inf"])
    S = T.subs({"c": "3/2"}).verify()
    expected = wg.toom_cook(4, 3, [0, *wg.reciprocal_group("3/2"), "inf"])
    assert S.points == expected.points and not S.free_symbols
    # The row of the point 0 may differ by the sign that makes its norm positive.
    assert (S.AT, S.BT[1:, :], S.G[1:, :]) == (expected.AT, expected.BT[1:, :], expected.G[1:, :])
    assert T.subs({sympy.Symbol("c"): sympy.sqrt(2)}).verify().free_symbols == frozenset()


@pytest.mark.parametrize("c", [0, 1, -1])
def test_values_at_which_points_coincide_are_refused(c: int) -> None:
    with pytest.raises(ValueError):
        wg.toom_cook(4, 3, [0, *wg.reciprocal_group("c"), "inf"]).subs({"c": c})


@pytest.mark.parametrize(
    "T",
    [
        transform(),
        transform().transpose(),
        transform().scaled(B=[1, 2, 4, 8, 16, "1/3"]),
        wg.toom_cook(2, 3, [0, "sqrt(2)", "-sqrt(2)", "inf"]),
        wg.toom_cook(2, 3, [0, "c", "1/c", "inf"]),
        wg.toom_cook(2, 3, [0, "c", "-c", "inf"]).subs({"c": "1/2"}),
        wg.from_moduli(4, 3, ["x", "x^2 + 1", "x - 1", "x + 1", "inf"]),
        wg.Transform([[1]], [[1]], [[1]]),
    ],
    ids=repr,
)
def test_json_round_trip(T: wg.Transform) -> None:
    read = wg.Transform.from_json(T.to_json())
    assert read == T
    assert (read.points, read.origin, str(read)) == (T.points, T.origin, str(T))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "3", '{"AT": [["1"]]}', '{"AT": 1, "G": 1, "BT": 1}'],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        wg.Transform.from_json(text)


def test_an_unknown_option_in_a_record_is_refused() -> None:
    record = json.loads(transform().to_json()) | {"origin": [["points", "0"], ["rm -rf", "/"]]}
    with pytest.raises(ValueError, match="origin must hold options of the command; got 'rm -rf'"):
        wg.Transform.from_json(json.dumps(record))


def test_unknown_matrix_and_order_are_refused() -> None:
    with pytest.raises(ValueError, match="matrix must be one of AT, G, BT"):
        transform().program("B")
    with pytest.raises(ValueError, match="order must be one of"):
        transform().program("BT", "random")
    with pytest.raises(ValueError, match=r"pass must be one of .*; got 'shrink'"):
        transform().program("BT", passes="shrink")


def test_str_shows_the_exact_matrices() -> None:
    text = str(transform(2, 3))
    assert text.startswith("F(2, 3), points 0, 1, -1, inf\nAT =\n[ 1  1   1  0 ]\n[ 0  1  -1  1 ]\nG =\n")
    assert "[ 1/2  -1/2  1/2 ]" in text
    assert repr(transform(2, 3)) == "Transform(F(2, 3), points 0, 1, -1, inf)"


def test_latex_for_notebooks() -> None:
    text = transform(2, 3)._repr_latex_()
    assert text.startswith("$$\n% F(2, 3)") and text.endswith("$$")
    assert r"\frac{1}{2}" in text and "B^T &= " in text


class TestOrigin:
    """The command that a transform names makes that transform; `test_cli` runs it."""

    def test_options_stand_in_the_order_in_which_they_apply(self) -> None:
        T = wg.toom_cook(2, 3, [0, "c", "-c", "inf"])
        a, b = [1, 2, "1/2", 5], [1, 3, 3, 1]
        S = T.scaled(A=a, B=b).subs({"c": "1/2"}).transpose()
        R = T.transpose().scaled(A=b).scaled(A=[1] * 4, B=a).subs({"c": "1/2"})
        assert S == R and S.command == R.command
        assert str(S.command).endswith(
            '--scale-a "1, 2, 1/2, 5" --scale-b "1, 3, 3, 1" --subs "c = 1/2" --transpose'
        )

    def test_matrices_given_by_hand_have_no_command(self) -> None:
        T = wg.Transform([[1]], [[1]], [[1]])
        assert T.command is T.transpose().command is T.scaled(A=[2]).command is None
        assert "given by hand" in T.description

    def test_factors_with_symbols_after_values_have_no_command(self) -> None:
        T = wg.toom_cook(1, 2, [0, "c"]).subs({"c": 1})
        assert T.scaled(A=["c", 1]).command is None


@pytest.mark.parametrize("points", [[0, 1, -1, "inf"], [0, 1, "sqrt(2)", "inf"], [0, "c", "-c", "inf"]])
def test_pickling_gives_an_equal_transform(points: list) -> None:
    T = wg.toom_cook(2, 3, points).verify()
    again = pickle.loads(pickle.dumps(T))
    assert again == T and again.points == T.points and again.command == T.command
    assert copy.deepcopy(T).verify() == T


def test_an_order_that_drops_a_term_is_found_before_anything_is_computed() -> None:
    wg.ORDERS["dropping"] = lambda weights: 0
    wg.ORDERS["doubling"] = lambda weights: (0, 0)
    try:
        for order in ("dropping", "doubling"):
            with pytest.raises(ValueError, match="an order must use every term once"):
                wg.toom_cook(2, 3, [0, 1, -1, wg.INF]).program("BT", order)
    finally:
        del wg.ORDERS["dropping"], wg.ORDERS["doubling"]


def test_a_pass_that_changes_the_matrix_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(wg.PASSES, "share", lambda program: dataclasses.replace(program, outputs=program.outputs[::-1]))
    with pytest.raises(AssertionError, match="order left, pass share changed it"):
        wg.toom_cook(2, 3, [0, 1, -1, wg.INF]).program("BT", passes=("share",))


def test_programs_carry_the_origin_of_their_own_transform() -> None:
    T = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
    wg.Algorithm(T).programs  # noqa: B018  once, for whatever may be remembered
    assert "given by hand" in wg.Algorithm(wg.Transform(T.AT, T.G, T.BT)).programs[0].BT.title


def test_a_constant_that_overflows_names_its_program() -> None:
    program = wg.toom_cook(6, 3, [0, 1, -1, 16, -16, 32, -32, wg.INF]).program("AT")
    for render in (program.to_python, lambda dtype: program.rounded_constant(32**5, dtype)):
        with pytest.raises(OverflowError, match=r"AT of F\(6, 3\), points 0, 1, .*: constant .* exceeds the largest"):
            render("float16")
