"""The Transform: the three exact matrices of a fast convolution, and the proof that they are one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from numpy.typing import DTypeLike
from sympy.polys.matrices import DomainMatrix

from winograd.exact import Exact, exact, from_field, in_field, to_sympy
from winograd.forms import matrix_program
from winograd.origin import (
    COMMAND_OPTIONS,
    Origin,
    command_of_origin,
    described_origin,
    scaled_origin,
    substituted_origin,
    transposed_origin,
)
from winograd.points import Infinity, Point, as_points, format_points
from winograd.program import Program
from winograd.rounding import round_matrix

MATRIX_NAMES = ("AT", "G", "BT")


class NotAConvolution(ValueError):
    """The matrices do not compute the convolution that their shapes promise."""


@dataclass(frozen=True, repr=False)
class Transform:
    """A bilinear algorithm for a short convolution, as three exact matrices.

    F(m, r) computes m outputs of an FIR filter with r taps (a correlation, as convolution layers use it)
    from m + r - 1 inputs with n multiplications::

        y = AT [ (G g) * (BT d) ],      y[i] = sum_k d[i + k] g[k]

    The transposed form, `kind == "convolution"`, takes m inputs and gives the m + r - 1 coefficients of the
    product of two polynomials::

        y = AT [ (G g) * (BT d) ],      y[i] = sum_k d[i - k] g[k]

    Parameters
    ----------
    AT : matrix, shape (m, n)
        Output transform. Any nested sequence, NumPy array or SymPy matrix of exact numbers (see `winograd.exact`).
        Binary floats are taken at their exact value.
    G : matrix, shape (n, r)
        Filter transform.
    BT : matrix, shape (n, m + r - 1)
        Input transform.
    points : iterable of points, optional
        The points that the matrices come from; kept for names and records only.
    origin : tuple of (option, value) pairs, optional
        The options of the command that makes these matrices, see `winograd.origin`; generators fill it in.

    Raises
    ------
    ValueError
        If the shapes do not fit together. Whether the entries are right is for `verify` to say.

    Rounding
    --------
    None: exact.

    Source
    ------
    Winograd, Arithmetic Complexity of Computations, SIAM 1980; Lavin and Gray, CVPR 2016 (arXiv:1509.09308).

    Examples
    --------
    >>> T = Transform([[1, 1, 1, 0], [0, 1, -1, -1]],
    ...               [[1, 0, 0], ["1/2", "1/2", "1/2"], ["1/2", "-1/2", "1/2"], [0, 0, 1]],
    ...               [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    >>> T.verify()
    Transform(F(2, 3), given by hand)
    """

    AT: sympy.ImmutableDenseMatrix
    G: sympy.ImmutableDenseMatrix
    BT: sympy.ImmutableDenseMatrix
    points: tuple[Point, ...] | None = field(default=None, compare=False)
    origin: Origin = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name in MATRIX_NAMES:
            object.__setattr__(self, name, _as_matrix(getattr(self, name), name))
        if self.points is not None:
            object.__setattr__(self, "points", as_points(self.points))
        if not self.AT.cols == self.G.rows == self.BT.rows:
            raise ValueError(
                "AT, G and BT must share n, the columns of AT and the rows of G and BT; "
                f"got {self.AT.cols}, {self.G.rows} and {self.BT.rows}."
            )
        rows, columns, r = self.AT.rows, self.BT.cols, self.G.cols
        if columns != rows + r - 1 and rows != columns + r - 1:
            raise ValueError(
                f"shapes must satisfy columns of BT = m + r - 1; got AT with {rows} rows, G with {r} columns, "
                f"BT with {columns} columns."
            )

    @property
    def kind(self) -> str:
        """"correlation" for F(m, r), "convolution" for its transpose, the product of polynomials."""
        return "correlation" if self.BT.cols == self.AT.rows + self.r - 1 else "convolution"

    @property
    def m(self) -> int:
        """Outputs per tile of the correlation (inputs of the transposed form)."""
        return min(self.AT.rows, self.BT.cols)

    @property
    def r(self) -> int:
        """Filter taps."""
        return int(self.G.cols)

    @property
    def n(self) -> int:
        """Products: m + r - 1 for linear points, more where a modulus has a higher degree."""
        return int(self.G.rows)

    @property
    def tile(self) -> int:
        """Length of the input tile, m + r - 1."""
        return self.m + self.r - 1

    @cached_property
    def field_matrices(self) -> tuple[Any, dict[str, list[list[Any]]]]:
        """The field the entries live in, and AT, G, BT as rows of its elements."""
        names = MATRIX_NAMES
        domain, elements = in_field([exact(e) for name in names for e in getattr(self, name)])
        rows: dict[str, list[list[Any]]] = {}
        start = 0
        for name in names:
            height, width = getattr(self, name).shape
            rows[name] = [elements[start + i * width : start + (i + 1) * width] for i in range(height)]
            start += height * width
        return domain, rows

    @cached_property
    def free_symbols(self) -> frozenset[sympy.Symbol]:
        """Symbols that still wait for a value."""
        return frozenset(self.AT.free_symbols | self.G.free_symbols | self.BT.free_symbols)

    def verify(self) -> Transform:
        """Prove the bilinear identity exactly.

        For every output i, tap j and input l::

            sum_k AT[i, k] G[k, j] BT[k, l] = 1 if l = i + j else 0

        (for the transposed form, 1 if i = l + j). The sums are taken in the field of the entries: rationals, an
        algebraic extension, or rational functions of a symbol. Nothing is rounded, so this is a proof.

        Returns
        -------
        Transform
            Itself.

        Raises
        ------
        NotAConvolution
            With the first coefficient that is off, its value and what it must be.

        Rounding
        --------
        None: exact.
        """
        wrong = self.wrong_coefficients
        if wrong:
            i, j, index, value, target = wrong[0]
            raise NotAConvolution(
                f"AT, G, BT must compute {self.name}; the coefficient of g[{j}]*d[{index}] in y[{i}] is {value}, "
                f"must be {target} ({len(wrong)} of {self.AT.rows * self.r * self.BT.cols} coefficients are off)."
            )
        return self

    @cached_property
    def wrong_coefficients(self) -> list[tuple[int, int, int, Exact, int]]:
        """Each coefficient that `verify` objects to, as (output, tap, input, its value, what it must be)."""
        domain, rows = self.field_matrices
        AT, G, BT = (rows[name] for name in MATRIX_NAMES)
        # One row for each pair (i, j), one column for each product k: the sum over k is then a matrix product.
        pairs = [[a * G[k][j] for k, a in enumerate(row)] for row in AT for j in range(self.r)]
        left = DomainMatrix(pairs, (len(pairs), self.n), domain)
        product = (left * DomainMatrix(BT, (self.n, self.BT.cols), domain)).to_list()
        forward = self.kind == "correlation"
        wrong = []
        for pair, coefficients in enumerate(product):
            i, j = divmod(pair, self.r)
            for index, value in enumerate(coefficients):
                target = int(index == i + j if forward else i == index + j)
                if value != domain(target):
                    wrong.append((i, j, index, from_field(domain, value), target))
        return wrong

    def matrices(self, dtype: DTypeLike = np.float64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(AT, G, BT) as NumPy arrays, each entry rounded once from its exact value.

        Parameters
        ----------
        dtype : float16, float32 or float64

        Returns
        -------
        tuple of ndarray, shapes (m, n), (n, r), (n, m + r - 1)

        Raises
        ------
        OverflowError
            If an entry exceeds the largest number of the dtype; it is named.
        ValueError
            If an entry holds a free symbol.

        Rounding
        --------
        One per entry, to nearest, ties to even.
        """
        AT, G, BT = (round_matrix(getattr(self, name), dtype, name) for name in MATRIX_NAMES)
        return AT, G, BT

    def scaled(self, A: Sequence[Any] | None = None, B: Sequence[Any] | None = None) -> Transform:
        """The same algorithm with its products rescaled: AT diag(A), diag(1 / (A B)) G, diag(B) BT.

        The filter transform takes up the inverse of both, because it is done once, ahead of time. Powers of two
        change the range of the intermediate values and, barring underflow, no rounding, as long as the sums keep their
        order: "huffman" and "sorted" order by weight, and passes choose by constants.

        Parameters
        ----------
        A, B : sequences of n non-zero exact numbers, optional
            Factors for the columns of AT and the rows of BT; all 1 by default.

        Raises
        ------
        ValueError
            If a sequence has not n entries, or an entry is zero.

        Examples
        --------
        >>> from winograd import toom_cook
        >>> T = toom_cook(2, 3, [0, 1, -1, "inf"])
        >>> T.scaled(B=[1, "1/2", "1/2", 1]).verify().G[1, 0]
        1
        """
        a = self._factors(A, "A")
        b = self._factors(B, "B")
        AT = self.AT * sympy.diag(*a)
        BT = sympy.diag(*b) * self.BT
        G = sympy.diag(*(1 / (x * y) for x, y in zip(a, b, strict=True))) * self.G
        origin = scaled_origin(self.origin, None if A is None else a, None if B is None else b)
        return Transform(AT.applyfunc(_normal), G.applyfunc(_normal), BT.applyfunc(_normal), self.points, origin)

    def _factors(self, factors: Sequence[Any] | None, name: str) -> list[sympy.Expr]:
        if factors is None:
            return [sympy.Integer(1)] * self.n
        values = [to_sympy(exact(f)) for f in factors]
        if len(values) != self.n:
            raise ValueError(f"{name} must have n = {self.n} factors; got {len(values)}.")
        if 0 in values:
            raise ValueError(f"factors must not be zero; {name}[{values.index(0)}] is.")
        return values

    def transpose(self) -> Transform:
        """The transposed algorithm: correlation F(m, r) <-> product of polynomials of m and r coefficients.

        AT and BT change places, transposed; G stays (Tellegen's principle). Transposing twice gives the original.
        """
        return Transform(self.BT.T, self.G, self.AT.T, self.points, transposed_origin(self.origin))

    def subs(self, values: Mapping[Any, Any]) -> Transform:
        """The transform with its free symbols given exact values.

        Parameters
        ----------
        values : mapping from symbol (or its name) to an exact number, one after the other

        Raises
        ------
        ValueError
            If points coincide, or an entry becomes infinite, at these values.

        Examples
        --------
        >>> from winograd import toom_cook
        >>> toom_cook(2, 3, [0, "c", "-c", "inf"]).subs({"c": "1/2"}).points
        (Fraction(0, 1), Fraction(1, 2), Fraction(-1, 2), INF)
        """
        for symbol in values:
            if not (isinstance(symbol, sympy.Symbol) or (isinstance(symbol, str) and symbol.isidentifier())):
                raise ValueError(f"subs must map symbols, or their names, to numbers; got {symbol!r}.")
        table = [(sympy.Symbol(str(s)), to_sympy(exact(v))) for s, v in values.items()]
        points: tuple[Point, ...] | None = None
        if self.points is not None:
            replaced = [p if isinstance(p, Infinity) else exact(to_sympy(p).subs(table)) for p in self.points]
            points = as_points(replaced)
        AT, G, BT = (getattr(self, name).subs(table).applyfunc(_normal) for name in MATRIX_NAMES)
        return Transform(AT, G, BT, points, substituted_origin(self.origin, table))

    def program(self, matrix: str, order: str = "left", passes: Iterable[str] = ()) -> Program:
        """How one of the matrices is applied: a straight-line program, in a named order.

        Parameters
        ----------
        matrix : "AT", "G" or "BT"
        order : str
            The order in which the terms of each row are added: "left", "sorted", "huffman", "pairwise", or one
            registered with `winograd.orders.register_order`.
        passes : iterable of str
            Rewritings that keep the matrix exactly, applied left to right: "share", "factor", "fuse".

        Returns
        -------
        Program

        Rounding
        --------
        None: the program's constants are exact.
        """
        if matrix not in MATRIX_NAMES:
            raise ValueError(f"matrix must be one of {', '.join(MATRIX_NAMES)}; got {matrix!r}.")
        entries = getattr(self, matrix)
        command = None if self.command is None else f"{self.command} --matrix {matrix}"
        program = matrix_program(entries, order, f"{matrix} of {self.description}", command)
        return program.applied(*((passes,) if isinstance(passes, str) else passes)).proved(entries)

    @property
    def name(self) -> str:
        """F(m, r), or F(m, r)^T for the transposed form."""
        return f"F({self.m}, {self.r})" + ("" if self.kind == "correlation" else "^T")

    @property
    def description(self) -> str:
        """The name with its points, in one line."""
        return f"{self.name}, {described_origin(self.origin)}"

    @property
    def command(self) -> str | None:
        """The command that prints this transform; None where the matrices were given by hand."""
        return command_of_origin(self.origin, self.m, self.r)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        # Field elements, which are kept beside the matrices, cannot be pickled.
        return Transform, (self.AT, self.G, self.BT, self.points, self.origin)

    def __repr__(self) -> str:
        return f"Transform({self.description})"

    def __str__(self) -> str:
        from winograd.rendering.text import matrix_text

        parts = [self.description]
        parts += [f"{name} =\n{matrix_text(getattr(self, name))}" for name in MATRIX_NAMES]
        return "\n".join(parts)

    def _repr_latex_(self) -> str:
        from winograd.rendering.latex import matrices_latex

        return f"$$\n{matrices_latex(self)}\n$$"

    def to_json(self) -> str:
        """The transform as JSON text; every entry exact, as a string. `from_json` reads it back equal."""
        record: dict[str, Any] = {
            name: [[str(e) for e in row] for row in getattr(self, name).tolist()] for name in MATRIX_NAMES
        }
        record["points"] = None if self.points is None else format_points(self.points)
        record["origin"] = [list(pair) for pair in self.origin]
        return json.dumps(record)

    @classmethod
    def from_json(cls, text: str) -> Transform:
        """The transform that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            record = json.loads(text)
            AT, G, BT = (record[name] for name in MATRIX_NAMES)
            points = None if record.get("points") is None else record["points"].split(",")
            origin = tuple((str(option), str(value)) for option, value in record.get("origin", ()))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"text must be a Transform record with AT, G and BT as JSON; {error!r}.") from None
        unknown = [option for option, _ in origin if option not in COMMAND_OPTIONS]
        if unknown:
            raise ValueError(f"origin must hold options of the command; got {unknown[0]!r}.")
        try:
            return cls(AT, G, BT, points, origin)
        except TypeError as error:
            raise ValueError(f"text must be a Transform record; {error}") from None


def transform_from_field(
    domain: Any,
    rows: Mapping[str, list[list[Any]]],
    points: tuple[Point, ...] | None,
    origin: Origin,
) -> Transform:
    """A Transform from rows of field elements, which it keeps: `verify` need not convert them back."""
    AT, G, BT = (
        sympy.ImmutableDenseMatrix([[to_sympy(from_field(domain, e)) for e in row] for row in rows[name]])
        for name in MATRIX_NAMES
    )
    transform = Transform(AT, G, BT, points, origin)
    transform.__dict__["field_matrices"] = (domain, dict(rows))
    return transform


def _as_matrix(entries: Any, name: str) -> sympy.ImmutableDenseMatrix:
    if isinstance(entries, sympy.ImmutableDenseMatrix) and all(entry.is_Rational for entry in entries):
        return entries
    if isinstance(entries, sympy.MatrixBase):
        entries = entries.tolist()
    try:
        rows = [list(row) for row in entries]
    except TypeError:
        raise TypeError(f"{name} must be a matrix, rows of numbers; got {entries!r}.") from None
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError(f"{name} must be a matrix with at least one entry and rows of one length.")
    try:
        return sympy.ImmutableDenseMatrix([[to_sympy(exact(e)) for e in row] for row in rows])
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from None


def _normal(entry: sympy.Expr) -> sympy.Expr:
    """One normal form, so that equal matrices compare equal: through the field the entry lives in."""
    if entry.is_Rational:
        return entry
    if entry.has(sympy.nan, sympy.zoo, sympy.oo):
        raise ValueError("an entry becomes infinite at these values.")
    domain, (element,) = in_field([exact(entry)])
    return to_sympy(from_field(domain, element))
