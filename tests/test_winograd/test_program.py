"""The Program: what it refuses, what it computes, what it counts."""

from fractions import Fraction

import pytest
import sympy

import winograd as wg
from winograd.program import is_power_of_two


def example() -> wg.Program:
    ops = [("mul", 0, "1/2"), ("sub", 3, 1), ("fma", 2, "1/3", 4), ("neg", 5), ("add", 6, 0)]
    return wg.foreign_program(3, ops, [7, 5, 0])


def test_matrix_is_read_off_by_running() -> None:
    half, third = sympy.Rational(1, 2), sympy.Rational(1, 3)
    assert example().matrix() == sympy.Matrix([[half, 1, -third], [half, -1, third], [1, 0, 0]])


def test_matrix_over_an_extension() -> None:
    root = sympy.sqrt(2)
    P = wg.foreign_program(2, [("mul", 0, root), ("mul", 2, root), ("fma", 1, root, 3)], [4])
    assert P.matrix() == sympy.Matrix([[2, root]])


def test_evaluate_runs_over_any_arithmetic() -> None:
    exact = wg.ExactArithmetic()
    numbers = [Fraction(1), Fraction(2), Fraction(3)]
    assert wg.evaluate(example(), numbers, exact) == [Fraction(3, 2), Fraction(-1, 2), 1]
    x = sympy.symbols("x:3")
    assert sympy.Matrix(wg.evaluate(example(), x, exact)).expand() == (example().matrix() * sympy.Matrix(x)).expand()


class Recording(wg.ExactArithmetic):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def constant(self, value: object) -> object:
        self.asked.append(f"constant {value}")
        return value

    def add(self, a: object, b: object) -> str:
        self.asked.append("add")
        return "sum"

    def mul(self, a: object, c: object) -> str:
        self.asked.append(f"mul {a} {c}")
        return "product"

    def fma(self, a: object, c: object, b: object) -> str:
        self.asked.append(f"fma {a} {c} {b}")
        return "fused"


def test_each_constant_is_converted_once_and_operands_keep_their_order() -> None:
    P = wg.foreign_program(2, [("mul", 0, "1/3"), ("mul", 1, "1/3"), ("add", 2, 3), ("fma", 0, "1/3", 4)], [5])
    arithmetic = Recording()
    assert wg.evaluate(P, ["a", "b"], arithmetic) == ["fused"]
    assert arithmetic.asked == ["constant 1/3", "mul a 1/3", "mul b 1/3", "add", "fma a 1/3 sum"]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_wrong_number_of_inputs_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"the program takes 3 inputs; got {count}"):
        wg.evaluate(example(), [1] * count, wg.ExactArithmetic())


def test_counts() -> None:
    counts = example().counts()
    assert counts == wg.Counts(additions=2, multiplications=1, fmas=1, negations=1, powers_of_two=1)
    assert str(counts) == "2 additions, 1 multiplications (1 by powers of two), 1 fmas, 1 negations"
    assert 2 * counts == counts * 2 == counts + counts


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Fraction(1), True), (Fraction(-4), True), (Fraction(1, 8), True), (Fraction(3, 4), False), (Fraction(0), False),
     (sympy.sqrt(2), False), (None, False)],
)  # fmt: skip
def test_powers_of_two(value: object, expected: bool) -> None:
    assert is_power_of_two(value) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ops", "outputs", "message"),
    [
        ([("add", 0, 2)], [0], "operations must use earlier values; operation 0"),
        ([("add", 0, -1)], [0], "operations must use earlier values"),
        ([], [2], "outputs must be values"),
        ([("div", 0, 1)], [2], "operation must be one of"),
        ([("add", 0)], [2], "add takes 2 operands; got 1"),
        ([("neg", 0, 1)], [2], "neg takes 1 operands; got 2"),
    ],
)
def test_bad_programs_are_refused(ops: list, outputs: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.foreign_program(2, ops, outputs)


def test_constants_go_with_multiplications_only() -> None:
    with pytest.raises(ValueError, match="mul takes a constant"):
        wg.Op("mul", (0,))
    with pytest.raises(ValueError, match="add takes no constant"):
        wg.Op("add", (0, 1), Fraction(1))


def test_programs_are_frozen_and_equal_by_what_they_do() -> None:
    T = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
    P, Q = T.program("BT"), T.program("BT", order="sorted")
    assert P == Q and hash(P) == hash(Q)
    with pytest.raises(AttributeError):
        P.inputs = 5  # type: ignore[misc]


@pytest.mark.parametrize("order", wg.ORDERS)
@pytest.mark.parametrize("name", ["AT", "G", "BT"])
def test_every_order_computes_the_matrix(name: str, order: str) -> None:
    for points in ("0, 1, -1, 2, -2, 1/2, -1/2, inf", "0, sqrt(2), -sqrt(2), 1/3, 5, -7/2, 1, -1"):
        T = wg.toom_cook(6, 3, wg.parse_points(points))
        assert T.program(name, order).matrix() == getattr(T, name)


def test_rows_of_one_term_zero_and_minus_one() -> None:
    matrix = [[0, 0], [0, -1], [1, 0], [-1, -1], ["-1/3", "-2/3"], ["1/2", 0]]
    from winograd.forms import matrix_program

    exact = sympy.Matrix(matrix)
    for order in wg.ORDERS:
        P = matrix_program(exact, order)
        assert P.matrix() == exact
        # A sum of negative terms only costs no negation where a constant can take the sign.
        assert P.counts().negations == 2


def test_str_is_the_program_as_text() -> None:
    text = str(example())
    assert text.splitlines() == [
        "# given by hand",
        "# order left: 2 additions, 1 multiplications (1 by powers of two), 1 fmas, 1 negations",
        "# made from matrices given by hand",
        "t0 = 1/2 * x0",
        "t1 = t0 - x1",
        "t2 = fma(x2, 1/3, t1)",
        "t3 = -t2",
        "t4 = t3 + x0",
        "y0 = t4",
        "y1 = t2",
        "y2 = x0",
    ]
    assert example()._repr_latex_().startswith("$$\n% given by hand")
