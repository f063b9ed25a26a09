"""Python text: run, it is the program: exactly on exact numbers, bit for bit on float32 arrays."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import winograd as wg

TRANSFORMS = {
    "f43": wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 1/2, -2, inf")),
    "f63": wg.toom_cook(6, 3, wg.parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf")),
}
VARIANTS = [("left", ()), ("huffman", ("share", "factor")), ("pairwise", ("share", "fuse"))]


class Rounded:
    """The smallest arithmetic on NumPy arrays: what NumPy rounds, once an operation; fma by exact fractions."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def constant(self, value: Any) -> Any:
        return wg.round_exact(value, self.dtype)

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def sub(self, a: Any, b: Any) -> Any:
        return a - b

    def mul(self, a: Any, c: Any) -> Any:
        return a * c

    def neg(self, a: Any) -> Any:
        return -a

    def fma(self, a: Any, c: Any, b: Any) -> Any:
        pairs = zip(np.ravel(a), np.ravel(b), strict=True)
        exact = [Fraction(float(x)) * Fraction(float(c)) + Fraction(float(y)) for x, y in pairs]
        return np.array([wg.round_exact(e, self.dtype) for e in exact]).reshape(np.shape(a))


def function(text: str, name: str, **given: Any) -> Any:
    names: dict[str, Any] = dict(given)
    exec(compile(text, name, "exec"), names)
    return names[name]


@pytest.mark.parametrize(("order", "passes"), VARIANTS)
@pytest.mark.parametrize("matrix", ["AT", "G", "BT"])
@pytest.mark.parametrize("size", TRANSFORMS)
def test_run_on_symbols_it_is_the_matrix(size: str, matrix: str, order: str, passes: tuple) -> None:
    program = TRANSFORMS[size].program(matrix, order, passes)
    apply = function(program.to_python(name="apply"), "apply", fma=lambda a, c, b: a * c + b)
    exact = getattr(TRANSFORMS[size], matrix)
    x = sympy.symbols(f"x:{exact.cols}")
    assert (sympy.Matrix(apply(*x)) - exact * sympy.Matrix(x)).expand() == sympy.zeros(exact.rows, 1)
    fractions = [Fraction(i + 1, 7) for i in range(exact.cols)]
    assert list(apply(*fractions)) == wg.evaluate(program, fractions, wg.ExactArithmetic())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("order", "passes"), VARIANTS)
@pytest.mark.parametrize("matrix", ["AT", "G", "BT"])
def test_run_on_arrays_it_is_the_evaluation_bit_for_bit(matrix: str, order: str, passes: tuple, dtype: str) -> None:
    program = TRANSFORMS["f63"].program(matrix, order, passes)
    arithmetic = Rounded(dtype)
    apply = function(program.to_python(dtype, "apply"), "apply", fma=arithmetic.fma)
    x = np.random.default_rng(3).uniform(-1, 1, (program.inputs, 40)).astype(dtype)
    results, expected = apply(*x), wg.evaluate(program, list(x), arithmetic)
    for result, value in zip(results, expected, strict=True):
        assert result.dtype == dtype and result.tobytes() == value.tobytes()


def test_irrational_constants_need_a_dtype() -> None:
    program = wg.toom_cook(2, 3, wg.parse_points("0, sqrt(2), -sqrt(2), inf")).program("BT")
    with pytest.raises(ValueError, match="rational constants; got sqrt"):
        program.to_python()
    apply = function(program.to_python("float32", "apply"), "apply")
    assert apply(*np.eye(4, dtype=np.float32)[1])[1] == np.float32(2**0.5)


def test_one_output_is_a_tuple_too() -> None:
    program = wg.foreign_program(1, [("mul", 0, "1/3")], [1])
    assert function(program.to_python(name="f"), "f")(Fraction(3)) == (1,)
    assert function(wg.foreign_program(1, [], [0]).to_python(name="f"), "f")(5) == (5,)


def test_head_names_passes_and_counts() -> None:
    lines = TRANSFORMS["f63"].program("BT", "huffman", ("share", "factor")).to_python("float32", "bt").splitlines()
    assert lines[0] == "# BT of F(6, 3), points 0, 1, -1, 2, -2, 1/2, -1/2, inf"
    assert lines[1].startswith("# order huffman: 24 additions, 13 multiplications")
    assert lines[2].startswith("#   share: ") and lines[3].startswith("#   factor: ")
    assert lines[4] == (
        '# made by: python -m winograd 6 3 --points "0, 1, -1, 2, -2, 1/2, -1/2, inf" --matrix BT --format python '
        "--order huffman --passes share,factor --dtype float32 --name bt"
    )


def test_programs_given_by_hand_say_so() -> None:
    assert "# made from matrices given by hand" in wg.foreign_program(1, [], [0]).to_python()


@pytest.mark.parametrize("name", ["a b", "", "1f", "def", "fma"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name must be an identifier"):
        wg.foreign_program(1, [], [0]).to_python(name=name)


def test_constants_beyond_the_format_are_refused() -> None:
    program = wg.foreign_program(1, [("mul", 0, 4**15)], [1])
    with pytest.raises(OverflowError, match="1073741824 exceeds the largest float16"):
        program.to_python("float16", "f")
    with pytest.raises(ValueError, match="dtype must be one of"):
        program.to_python("int32", "f")
