"""Laws that hold exactly for every transform: linearity, impulse, shift, transposition."""

from fractions import Fraction
from functools import cache

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg

TRANSFORMS = [
    wg.toom_cook(2, 3, wg.parse_points("0, 1, -1, inf")),
    wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 1/2, -2, inf")),
    wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 1/2, -2, 3"), fractions="B"),
    wg.toom_cook(3, 4, wg.parse_points("5, -1/3, 2, 0, inf, 1")),
    wg.toom_cook(1, 3, [0, 1, 2]),
    wg.toom_cook(3, 1, [0, 1, 2]),
    wg.from_moduli(4, 3, ["x", "x - 1", "x + 1", "x^2 + 1", "inf"]),
    wg.from_moduli(2, 3, ["x^2 + x + 1", "x^2 - 2"]),
]
TRANSFORMS += [T.transpose() for T in TRANSFORMS[:5]]
numbers = st.fractions(-10, 10, max_denominator=12)
EXACT = wg.ExactArithmetic()


@cache
def program(T: wg.Transform, name: str, order: str, passes: tuple) -> wg.Program:
    return T.program(name, order, passes)


def convolved(T: wg.Transform, d: list, g: list, order: str = "left", passes: tuple = ()) -> list:
    """By the programs, as they run."""
    AT, G, BT = (program(T, name, order, passes) for name in ("AT", "G", "BT"))
    U, V = wg.evaluate(G, g, EXACT), wg.evaluate(BT, d, EXACT)
    return wg.evaluate(AT, [u * v for u, v in zip(U, V, strict=True)], EXACT)


def direct(T: wg.Transform, d: list, g: list) -> list:
    """By the definition."""
    if T.kind == "correlation":
        return [sum(d[i + k] * g[k] for k in range(T.r)) for i in range(T.AT.rows)]
    return [sum(d[i - k] * g[k] for k in range(T.r) if 0 <= i - k < len(d)) for i in range(T.AT.rows)]


@pytest.mark.parametrize("T", TRANSFORMS, ids=repr)
@given(data=st.data(), order=st.sampled_from(sorted(wg.ORDERS)), all_passes=st.booleans())
def test_it_is_the_convolution_and_linear_in_both(
    T: wg.Transform, data: st.DataObject, order: str, all_passes: bool
) -> None:
    passes = ("share", "factor", "fuse") if all_passes else ()

    def vector(length: int) -> list:
        return data.draw(st.lists(numbers, min_size=length, max_size=length))

    d, e, g = vector(T.BT.cols), vector(T.BT.cols), vector(T.r)
    c = data.draw(numbers)
    y, z = convolved(T, d, g, order, passes), convolved(T, e, g, order, passes)
    assert y == direct(T, d, g)
    together = [a + c * b for a, b in zip(d, e, strict=True)]
    assert convolved(T, together, g, order, passes) == [a + c * b for a, b in zip(y, z, strict=True)]
    assert convolved(T, d, [c * k for k in g], order, passes) == [c * a for a in y]


@pytest.mark.parametrize("T", TRANSFORMS, ids=repr)
def test_impulses(T: wg.Transform) -> None:
    """A filter of one tap k reads the data shifted by k; data of one impulse reads the filter backwards."""
    taps = sympy.symbols(f"g:{T.r}")
    length = T.BT.cols
    forward = T.kind == "correlation"
    for k in range(T.r):
        impulse = [Fraction(int(j == k)) for j in range(T.r)]
        d = [Fraction(i * i + 1) for i in range(length)]
        y = convolved(T, d, impulse)
        assert y == [d[i + k] if forward else (d[i - k] if 0 <= i - k < length else 0) for i in range(T.AT.rows)]
    for position in range(length):
        impulse = [sympy.Integer(int(i == position)) for i in range(length)]
        U, V = T.G * sympy.Matrix(taps), T.BT * sympy.Matrix(impulse)
        y = T.AT * U.multiply_elementwise(V)
        for i, value in enumerate(y.expand()):
            k = position - i if forward else i - position
            assert value == (taps[k] if 0 <= k < T.r else 0)


@pytest.mark.parametrize("T", [T for T in TRANSFORMS if T.kind == "correlation" and T.m > 1], ids=repr)
@given(data=st.data())
def test_shifting_the_data_shifts_the_outputs(T: wg.Transform, data: st.DataObject) -> None:
    longer = data.draw(st.lists(numbers, min_size=T.tile + 1, max_size=T.tile + 1))
    g = data.draw(st.lists(numbers, min_size=T.r, max_size=T.r))
    assert convolved(T, longer[1:], g)[:-1] == convolved(T, longer[:-1], g)[1:]


@pytest.mark.parametrize("T", TRANSFORMS, ids=repr)
def test_transposing_twice_gives_the_original(T: wg.Transform) -> None:
    assert T.transpose().verify().transpose() == T
    assert T.transpose().transpose().command == T.command
    for name in ("AT", "G", "BT"):
        P = T.program(name, passes=["share"])
        assert P.transpose().matrix() == getattr(T, name).T
        assert P.transpose().transpose().matrix() == getattr(T, name)


@given(st.lists(st.fractions(-5, 5, max_denominator=6), unique=True, min_size=1, max_size=8), st.booleans(), st.data())
def test_any_distinct_points_make_a_proved_transform(points: list, infinite: bool, data: st.DataObject) -> None:
    chosen = [*points, wg.INF] if infinite else points
    r = data.draw(st.integers(1, len(chosen)))
    m = len(chosen) + 1 - r
    fractions = data.draw(st.sampled_from("GAB"))
    wg.toom_cook(m, r, chosen, fractions).verify()
