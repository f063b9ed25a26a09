"""Linear forms: from a matrix or a program and back, without changing what is computed."""

from fractions import Fraction

import pytest
import sympy

import winograd as wg
from winograd.forms import LinearForms, emit, forms_of_matrix, forms_of_program, forms_program, merged
from winograd.program import Program


def matrix_of(forms: LinearForms) -> sympy.Matrix:
    return forms_program(forms, Program(0, (), ())).matrix()


def test_forms_of_a_matrix() -> None:
    forms = forms_of_matrix(sympy.Matrix([[1, 0, -2], [0, 0, 0]]))
    assert forms == LinearForms(3, (((1, 0), (-2, 2)), ((0, 0),)), (3, 4))
    assert matrix_of(forms) == sympy.Matrix([[1, 0, -2], [0, 0, 0]])


@pytest.mark.parametrize("order", wg.ORDERS)
@pytest.mark.parametrize("passes", [(), ("share",), ("factor",), ("share", "factor"), ("share", "fuse")])
def test_a_program_taken_apart_and_emitted_again_is_the_same_matrix(order: str, passes: tuple) -> None:
    T = wg.toom_cook(6, 3, wg.parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf"))
    for name in ("AT", "G", "BT"):
        P = T.program(name, order, passes)
        assert matrix_of(forms_of_program(P)) == getattr(T, name)


def test_a_sum_used_once_is_opened_and_one_used_twice_is_kept() -> None:
    once = wg.foreign_program(3, [("add", 0, 1), ("sub", 2, 3)], [4])
    assert forms_of_program(once).forms == (((-1, 0), (-1, 1), (1, 2)),)
    twice = wg.foreign_program(3, [("add", 0, 1), ("sub", 2, 3)], [4, 3])
    assert len(forms_of_program(twice).forms) == 2


def test_factored_sums_stay_factored() -> None:
    P = wg.foreign_program(2, [("add", 0, 1), ("mul", 2, 3)], [3])
    assert forms_of_program(P).forms == (((1, 0), (1, 1)), ((3, 2),))


def test_merged_gathers_equal_variables() -> None:
    assert merged(((Fraction(1), 1), (Fraction(2), 0), (Fraction(3), 1))) == ((2, 0), (4, 1))
    assert merged(((Fraction(1), 1), (Fraction(-1), 1))) == ((0, 1),)


def test_forms_are_put_in_an_order_in_which_each_uses_earlier_ones() -> None:
    # Variables 2, 3, 4; 2 uses 4, 3 is used by nothing.
    forms: list = [((Fraction(1), 4), (Fraction(1), 0)), ((Fraction(1), 0),), ((Fraction(1), 0), (Fraction(1), 1))]
    result = LinearForms(2, (), ()).with_forms(forms, [2])
    assert result == LinearForms(2, (((1, 0), (1, 1)), ((1, 2), (1, 0))), (3,))


def test_equal_operations_are_emitted_once() -> None:
    ops, outputs = emit(forms_of_matrix(sympy.Matrix([[3, 1], [3, -1]])), "left")
    assert [op.kind for op in ops] == ["mul", "add", "sub"] and outputs == [3, 4]


def test_only_subtraction_and_constants_take_signs() -> None:
    """-x0 - x1 needs one negation, -2*x0 - x1 none, and no constant is rounded differently for it."""
    for row, negations in (([-1, -1], 1), ([-2, -1], 0), (["-1/3", -1], 0)):
        forms = forms_of_matrix(sympy.Matrix([row]))
        assert matrix_of(forms) == sympy.Matrix([row])
        assert forms_program(forms, Program(0, (), ())).counts().negations == negations


def test_symbols_are_refused() -> None:
    with pytest.raises(ValueError, match="give the symbol c a value"):
        emit(forms_of_matrix(sympy.Matrix([[sympy.Symbol("c"), 1]])), "left")
