"""The Program: a straight line of additions and multiplications that applies an exact matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Protocol

import sympy
from numpy.typing import DTypeLike

from winograd.exact import Exact, exact, from_field, in_field, to_sympy
from winograd.rounding import round_exact

OpKind = Literal["add", "sub", "mul", "neg", "fma"]


@dataclass(frozen=True)
class Op:
    """One operation on earlier values.

    `add` a + b, `sub` a - b, `mul` a * constant, `neg` -a, `fma` a * constant + b with one rounding.
    """

    kind: OpKind
    args: tuple[int, ...]
    constant: Exact | None = None

    def __post_init__(self) -> None:
        operands = {"add": 2, "sub": 2, "mul": 1, "neg": 1, "fma": 2}
        if self.kind not in operands:
            raise ValueError(f"operation must be one of {', '.join(operands)}; got {self.kind!r}.")
        if len(self.args) != operands[self.kind]:
            raise ValueError(f"{self.kind} takes {operands[self.kind]} operands; got {len(self.args)}.")
        if (self.constant is None) == (self.kind in ("mul", "fma")):
            raise ValueError(f"{self.kind} takes {'a' if self.constant is None else 'no'} constant.")


@dataclass(frozen=True)
class Counts:
    """Operations of a Program.

    `additions` counts add and sub; `powers_of_two` says how many of the multiplications are by +-2^k, which round
    nothing barring underflow.
    """

    additions: int
    multiplications: int
    fmas: int = 0
    negations: int = 0
    powers_of_two: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def __mul__(self, times: int) -> Counts:
        return Counts(*(times * a for a in self.as_tuple()))

    __rmul__ = __mul__

    def as_tuple(self) -> tuple[int, ...]:
        """The five numbers in the order of the fields."""
        return self.additions, self.multiplications, self.fmas, self.negations, self.powers_of_two

    def __str__(self) -> str:
        parts = [f"{self.additions} additions", f"{self.multiplications} multiplications"]
        if self.powers_of_two:
            parts[-1] += f" ({self.powers_of_two} by powers of two)"
        if self.fmas:
            parts.append(f"{self.fmas} fmas")
        if self.negations:
            parts.append(f"{self.negations} negations")
        return ", ".join(parts)


@dataclass(frozen=True)
class PassRecord:
    """What a pass did to the counts."""

    name: str
    before: Counts
    after: Counts

    def __str__(self) -> str:
        return f"{self.name}: {self.before} -> {self.after}"


class Arithmetic(Protocol):
    """What `evaluate` needs: the five operations, and how an exact constant enters."""

    def constant(self, value: Exact) -> Any:
        """An exact constant as this arithmetic holds it."""

    def add(self, a: Any, b: Any) -> Any:
        """a + b."""

    def sub(self, a: Any, b: Any) -> Any:
        """a - b."""

    def mul(self, a: Any, c: Any) -> Any:
        """a * c, for a constant c."""

    def neg(self, a: Any) -> Any:
        """-a."""

    def fma(self, a: Any, c: Any, b: Any) -> Any:
        """a * c + b with one rounding, for a constant c."""


@dataclass(frozen=True)
class Program:
    """A straight-line program: `inputs` values in, `outputs` values out, one operation a line between them.

    Values are numbered: the inputs 0, 1, ..., then the result of each operation. A Program has no loops, loads,
    branches or types; what it computes is linear, and `matrix()` says which matrix.

    Parameters
    ----------
    inputs : int
        Number of input values.
    ops : tuple of Op
        Each may use inputs and earlier results.
    outputs : tuple of int
        The values returned.
    order : str
        The evaluation order that sums are emitted in.
    title : str
        What it is, for the head of printed text.
    command : str, optional
        The command that prints the transform it belongs to.
    history : tuple of PassRecord
        The passes that made it, with the counts before and after each.
    """

    inputs: int
    ops: tuple[Op, ...]
    outputs: tuple[int, ...]
    order: str = field(default="left", compare=False)
    title: str = field(default="program", compare=False)
    command: str | None = field(default=None, compare=False)
    history: tuple[PassRecord, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for index, op in enumerate(self.ops):
            if any(not 0 <= a < self.inputs + index for a in op.args):
                raise ValueError(f"operations must use earlier values; operation {index} uses {op.args}.")
        if any(not 0 <= v < self.inputs + len(self.ops) for v in self.outputs):
            raise ValueError(f"outputs must be values of the program; got {self.outputs}.")

    def counts(self) -> Counts:
        """Additions, multiplications, fmas and negations."""
        kinds = [op.kind for op in self.ops]
        return Counts(
            kinds.count("add") + kinds.count("sub"),
            kinds.count("mul"),
            kinds.count("fma"),
            kinds.count("neg"),
            sum(op.kind == "mul" and is_power_of_two(op.constant) for op in self.ops),
        )

    def matrix(self) -> sympy.ImmutableDenseMatrix:
        """The exact matrix that the program applies, (outputs, inputs), read off by running it on unit vectors."""
        constants = [op.constant for op in self.ops if op.constant is not None]
        domain, elements = in_field(constants)
        arithmetic = FieldArithmetic(domain, dict(zip(constants, elements, strict=True)))
        columns = []
        for j in range(self.inputs):
            unit = [domain.one if i == j else domain.zero for i in range(self.inputs)]
            columns.append([to_sympy(from_field(domain, y)) for y in evaluate(self, unit, arithmetic)])
        rows = [[column[i] for column in columns] for i in range(len(self.outputs))]
        return sympy.ImmutableDenseMatrix(len(self.outputs), self.inputs, [e for row in rows for e in row])

    def proved(self, matrix: sympy.MatrixBase) -> Program:
        """Itself, if it applies exactly this matrix, transposed if its passes did that; else AssertionError.

        Orders and passes keep the matrix; one that does not is found here, before anything is computed.
        """
        transposed = sum(record.name == "transpose" for record in self.history) % 2
        difference = self.matrix() - (matrix.T if transposed else matrix)
        _, elements = in_field([exact(e) for e in difference])
        if any(elements):
            steps = ", ".join([f"order {self.order}", *(f"pass {record.name}" for record in self.history)])
            raise AssertionError(f"{self.title}: the program must apply this matrix; {steps} changed it.")
        return self

    def rounded_constant(self, constant: Exact, dtype: DTypeLike) -> Any:
        """A constant of the program rounded once; one that overflows is named with its program.

        Raises
        ------
        OverflowError
            "AT of F(16, 3), ...: constant 1073741824 exceeds the largest float16, 65504; ...".
        """
        try:
            return round_exact(constant, dtype)
        except OverflowError as error:
            raise self._overflow(error) from None

    def _overflow(self, error: OverflowError) -> OverflowError:
        return OverflowError(f"{self.title}: constant {error}; rescale with scaled(...) or use a wider format.")

    def applied(self, *passes: str) -> Program:
        """The program after the named passes: "share", "factor", "fuse", "transpose"."""
        from winograd.passes import apply_pass

        program = self
        for name in passes:
            program = apply_pass(program, name)
        return program

    def transpose(self) -> Program:
        """The program of the transposed matrix, by reversing the data flow."""
        return self.applied("transpose")

    def to_python(self, dtype: DTypeLike | None = None, name: str = "transform") -> str:
        """A plain Python function; see `winograd.rendering.python`."""
        from winograd.rendering.python import program_python

        return program_python(self, dtype, name)

    def to_c(self, dtype: DTypeLike = "float32", name: str = "transform") -> str:
        """A C function; see `winograd.rendering.c`."""
        from winograd.rendering.c import program_c

        return program_c(self, dtype, name)

    def to_cuda(self, dtype: DTypeLike = "float32", name: str = "transform") -> str:
        """A CUDA device function; see `winograd.rendering.c`."""
        from winograd.rendering.c import program_cuda

        return program_cuda(self, dtype, name)

    def to_latex(self) -> str:
        """The operations as aligned equations."""
        from winograd.rendering.latex import program_latex

        return program_latex(self)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.to_latex()}\n$$"

    def __str__(self) -> str:
        from winograd.rendering.text import program_text

        return program_text(self)


def evaluate(program: Program, inputs: Sequence[Any], arithmetic: Arithmetic) -> list[Any]:
    """Run a program over any arithmetic; this one function serves proof, emulation, bounds and reference.

    Parameters
    ----------
    program : Program
    inputs : sequence of program.inputs values
        Whatever the arithmetic works on: field elements, arrays, intervals.
    arithmetic : Arithmetic
        Supplies the operations; `constant(value)` is called once for each distinct constant.

    Returns
    -------
    list of values, one for each output.

    Raises
    ------
    ValueError
        If the number of inputs is wrong.

    Rounding
    --------
    As the arithmetic rounds, once an operation.
    """
    if len(inputs) != program.inputs:
        raise ValueError(f"the program takes {program.inputs} inputs; got {len(inputs)}.")
    values = list(inputs)
    constants: dict[Exact, Any] = {}
    for op in program.ops:
        if op.constant is not None and op.constant not in constants:
            try:
                constants[op.constant] = arithmetic.constant(op.constant)
            except OverflowError as error:
                raise program._overflow(error) from None
        args = [values[a] for a in op.args]
        if op.kind == "add":
            values.append(arithmetic.add(*args))
        elif op.kind == "sub":
            values.append(arithmetic.sub(*args))
        elif op.kind == "neg":
            values.append(arithmetic.neg(*args))
        elif op.kind == "mul":
            values.append(arithmetic.mul(args[0], constants[op.constant]))
        else:
            values.append(arithmetic.fma(args[0], constants[op.constant], args[1]))
    return [values[v] for v in program.outputs]


class ExactArithmetic:
    """Exact arithmetic by Python's operators: on ints, Fractions, SymPy expressions."""

    def constant(self, value: Exact) -> Any:
        """The constant itself."""
        return value

    def add(self, a: Any, b: Any) -> Any:
        """a + b."""
        return a + b

    def sub(self, a: Any, b: Any) -> Any:
        """a - b."""
        return a - b

    def mul(self, a: Any, c: Any) -> Any:
        """a * c."""
        return a * c

    def neg(self, a: Any) -> Any:
        """-a."""
        return -a

    def fma(self, a: Any, c: Any, b: Any) -> Any:
        """a * c + b."""
        return a * c + b


class FieldArithmetic(ExactArithmetic):
    """Exact arithmetic on elements of a SymPy field, given the constants as its elements."""

    def __init__(self, domain: Any, elements: dict[Exact, Any]) -> None:
        self.domain, self.elements = domain, elements

    def constant(self, value: Exact) -> Any:
        """The constant as an element of the field."""
        return self.elements[value]


def is_power_of_two(value: Exact | None) -> bool:
    """Whether |value| is 2^k, so that multiplying by it rounds nothing, barring underflow."""
    if not isinstance(value, Fraction) or value == 0:
        return False
    p, q = abs(value.numerator), value.denominator
    return p & (p - 1) == 0 and q & (q - 1) == 0


def foreign_program(inputs: int, ops: Sequence[tuple], outputs: Sequence[int], title: str = "given by hand") -> Program:
    """A Program from plain tuples ("add", a, b), ("mul", a, constant), ("fma", a, constant, b), ...

    Examples
    --------
    >>> P = foreign_program(2, [("mul", 0, "1/2"), ("add", 2, 1)], [3])
    >>> P.matrix()
    Matrix([[1/2, 1]])
    """
    built = []
    for position, (kind, *rest) in enumerate(ops):
        if kind in ("mul", "fma"):
            if len(rest) < 2:
                raise ValueError(f"{kind} takes an operand and a constant; operation {position} is {(kind, *rest)!r}.")
            built.append(Op(kind, (rest[0], *rest[2:]), exact(rest[1])))
        else:
            built.append(Op(kind, tuple(rest)))
    return Program(inputs, tuple(built), tuple(outputs), title=title)
