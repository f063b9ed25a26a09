"""Norms, condition numbers, and the normwise error bounds of the literature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from error_analysis.prediction.bounds import check_arguments
from error_analysis.prediction.sensitivity import converts, rounded_constant
from winograd import INF, Algorithm, Transform, format_of
from winograd.exact import exact, magnitude
from winograd.orders import Tree, order_named
from winograd.program import is_power_of_two

NORMS = ("1", "2", "inf", "fro")


@dataclass(frozen=True)
class Norms:
    """A matrix in four norms, or its condition number ||A|| ||pseudo-inverse of A|| in them."""

    one: float
    two: float
    inf: float
    fro: float

    @classmethod
    def of(cls, matrix: np.ndarray) -> Norms:
        """The norms of a matrix."""
        return cls(*(float(np.linalg.norm(matrix, kind)) for kind in (1, 2, np.inf, "fro")))

    @classmethod
    def conditions(cls, matrix: np.ndarray) -> Norms:
        """The condition numbers of a matrix."""
        inverse = np.linalg.pinv(matrix)
        pairs = zip(cls.of(matrix).as_tuple(), cls.of(inverse).as_tuple(), strict=True)
        return cls(*(a * b for a, b in pairs))

    def as_tuple(self) -> tuple[float, float, float, float]:
        """In the order of the fields."""
        return self.one, self.two, self.inf, self.fro

    def __str__(self) -> str:
        return "  ".join(f"{name} {value:<9.4g}" for name, value in zip(NORMS, self.as_tuple(), strict=True))


@dataclass(frozen=True)
class Condition:
    """Norms and condition numbers of a transform's matrices.

    Attributes
    ----------
    norms : dict of str to Norms
        Of AT, G and BT.
    conditions : dict of str to Norms
        Condition numbers of the same, and of "V", the square Vandermonde matrix of the points: row p^0, p^1, ...,
        p^(n-1), with (0, ..., 0, 1) for infinity. No "V" where the transform has no points.
    """

    transform: str
    norms: dict[str, Norms] = field(hash=False)
    conditions: dict[str, Norms] = field(hash=False)

    def __str__(self) -> str:
        lines = [self.transform]
        lines += [f"  norm      {name:<2}  {norms}" for name, norms in self.norms.items()]
        lines += [f"  condition {name:<2}  {norms}" for name, norms in self.conditions.items()]
        return "\n".join(lines)


def condition(T: Transform) -> Condition:
    """Norms (1, 2, infinity, Frobenius) and condition numbers of AT, G, BT and of the Vandermonde matrix.

    The condition number of the Vandermonde matrix does not rank algorithms by their error: see the gallery.

    Parameters
    ----------
    T : Transform
        Without free symbols.

    Returns
    -------
    Condition

    Raises
    ------
    TypeError
        If T is no Transform.
    ValueError
        If it holds a free symbol.

    Rounding
    --------
    float64 on matrices rounded once: norms to about 1e-15 of themselves, condition numbers to about 1e-16 times their
    square.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> record = condition(toom_cook(2, 3, [0, 1, -1, INF]))
    >>> record.norms["AT"].one, record.norms["BT"].fro**2 // 1, round(record.conditions["V"].two, 2)
    (2.0, 8.0, 3.23)
    """
    if not isinstance(T, Transform):
        raise TypeError(f"T must be a Transform; got {type(T).__name__}.")
    matrices = dict(zip(("AT", "G", "BT"), T.matrices(np.float64), strict=True))
    conditions = {name: Norms.conditions(matrix) for name, matrix in matrices.items()}
    if T.points is not None:
        conditions["V"] = Norms.conditions(_vandermonde(T.points))
    return Condition(T.description, {name: Norms.of(matrix) for name, matrix in matrices.items()}, conditions)


def _vandermonde(points: Sequence[Any]) -> np.ndarray:
    n = len(points)
    last = [0.0] * (n - 1) + [1.0]
    return np.array([last if p is INF else [float(exact(p) ** j) for j in range(n)] for p in points])


@dataclass(frozen=True)
class NormwiseBound:
    """||computed - exact|| <= amplification * roundings * ||g|| * ||d|| + O(u^2).

    Attributes
    ----------
    norm : str
        Norm of the outputs: "1", "2", "fro", or "inf".
    amplification : float
        ||AT|| ||G|| ||BT||, over all axes.
    roundings : float
        alpha u + beta u + gamma u and the rest, see `normwise_bound`.
    parts : dict of float
        The same, apart.
    """

    norm: str
    amplification: float
    roundings: float
    parts: dict[str, float] = field(hash=False)
    algorithm: str
    channels: int

    def of(self, d_norm: float, g_norm: float) -> float:
        """The bound for data and filters of these norms (2-norms; for "inf" the largest element of all channels)."""
        channels = self.channels if self.norm == "inf" else 1
        return self.amplification * self.roundings * d_norm * g_norm * channels

    def __str__(self) -> str:
        parts = " + ".join(f"{name} {value:.3g}" for name, value in self.parts.items() if value)
        return (
            f"{self.algorithm}\n||computed - exact||_{self.norm} <= {self.amplification:.4g} * {self.roundings:.3g} "
            f"||g|| ||d||\n  roundings: {parts}"
        )


def normwise_bound(A: Algorithm, channels: int = 1, norm: str = "1") -> NormwiseBound:
    """The first-order normwise bound, for transforms whose rows are summed term by term.

    One row of a transform, the sum of c_j x_j, is computed with each c_j rounded (a factor 1 + delta, |delta| <= u),
    each product rounded (another) and a sum in which a term passes through at most `depth` additions (so many more).
    So its error is at most, to first order::

        (depth + product + constant) u  sum_j |c_j| |x_j|

    with depth = N - 1 for N terms from left to right, ceil(log2 N) by pairs, and that of the tree for Huffman's order;
    product = 0 if all constants are +-2^k, else 1; constant = 0 if all are numbers of the format, else 1. Call the
    largest of these over the rows alpha for G, beta for BT, gamma for AT. A row times a row, with a rounded product,
    and the sum over channels add 1 and the depth of that sum. As all of it is multiplied by absolute values::

        |computed - exact| <= R |AT| sum_c (|G| |g_c|) * (|BT| |d_c|),    R = (alpha + beta + gamma + 1 + depth_C) u

    The sum of the elements of (|G||g|) * (|BT||d|) is at most ||G||_F ||g||_2 ||BT||_F ||d||_2 by Cauchy and Schwarz,
    over channels as well, and no element is larger than ||G||_inf ||g||_inf ||BT||_inf ||d||_inf. Hence::

        ||error||_1   <= R ||AT||_1    ||G||_F   ||BT||_F   ||g||_2   ||d||_2
        ||error||_2   <= R || |AT| ||_2 ||G||_F  ||BT||_F   ||g||_2   ||d||_2  <=  the same with ||AT||_F ("fro")
        ||error||_inf <= R ||AT||_inf  ||G||_inf ||BT||_inf ||g||_inf ||d||_inf C

    In several dimensions AT, G and BT are Kronecker products, whose norms are products: the amplification is that of
    all axes multiplied, while alpha, beta, gamma add up over the axes (2 alpha + 2 beta + 2 gamma + 1 in a square 2-D
    algorithm). The original algorithm takes n finite points, the modified one infinity for one of them: its matrices
    hold one power less of each point, and a last column (0, .., 0, 1) of AT, so that their norms are smaller and, for
    rows of fewer terms, the depths too.

    Where stages have formats of their own, each alpha u is taken with that of its stage, and a conversion adds one u.

    Parameters
    ----------
    A : Algorithm
        Without passes, which change the rows' sums; `bound` covers them. Its fma saves roundings, not counted here.
    channels : int
    norm : "1", "2", "inf" or "fro"
        Of the error, as above.

    Returns
    -------
    NormwiseBound

    Raises
    ------
    TypeError
        If A is no Algorithm, or channels no integer.
    ValueError
        For channels < 1, an unknown norm, or an algorithm with passes.

    Rounding
    --------
    First order in u: neither products of errors nor underflow are counted; `bound` counts both.

    Source
    ------
    Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020 (arXiv:1803.10986), bounds the error in one and two
    dimensions by norms and (alpha + beta + gamma + 1) in this way. The derivation above is our own: with the depths of
    the rows as they are rather than as functions of n, it need not agree with the paper's constants.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> original = Algorithm(toom_cook(4, 3, [0, 1, -1, "1/2", -2, "1/4"]))
    >>> modified = Algorithm(toom_cook(4, 3, [0, 1, -1, "1/2", -2, INF]))
    >>> normwise_bound(modified).of(1, 1) < normwise_bound(original).of(1, 1)
    True
    """
    check_arguments(A, channels)
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}; got {norm!r}.")
    if A.passes:
        raise ValueError(
            f"normwise bounds are for rows summed term by term; got passes {', '.join(A.passes)}: use bound(A) instead."
        )
    amplification = 1.0
    parts = {"alpha": 0.0, "beta": 0.0, "gamma": 0.0}
    stages = {"alpha": ("G", A.filter_dtype), "beta": ("BT", A.input_dtype), "gamma": ("AT", A.output_dtype)}
    for T in A.transforms:
        AT, G, BT = T.matrices(np.float64)
        kinds: dict[str, tuple[Any, Any]] = {"1": (1, "fro"), "2": (2, "fro"), "inf": (np.inf, np.inf),
                                             "fro": ("fro", "fro")}
        left, right = kinds[norm]
        amplification *= float(
            np.linalg.norm(np.abs(AT), left) * np.linalg.norm(G, right) * np.linalg.norm(BT, right)
        )
        for part, (name, dtype) in stages.items():
            parts[part] += _row_roundings(getattr(T, name), A.order, dtype) * _unit(dtype, A)
    parts["product"] = _unit(A.sum_dtype, A)
    parts["channels"] = _channel_depth(A, channels) * _unit(A.sum_dtype, A)
    path = (A.stored_dtype, A.filter_dtype, A.product_dtype, A.sum_dtype, A.output_dtype, A.stored_dtype)
    data = (A.stored_dtype, A.input_dtype, A.product_dtype, A.sum_dtype)
    steps = [*pairwise(path), *pairwise(data)]
    parts["conversions"] = sum(_unit(target, A) for source, target in steps if converts(source, target)[0])
    return NormwiseBound(norm, amplification, sum(parts.values()), parts, str(A), channels)


def _unit(dtype: str, A: Algorithm) -> float:
    return float(format_of(dtype).u) * (1 if A.rounding == "nearest" else 2)


def _row_roundings(matrix: Any, order: str, dtype: str) -> int:
    """depth + product + constant of the worst row."""
    tree_of = order_named(order)
    worst = 0
    for i in range(matrix.rows):
        constants = [exact(c) for c in matrix[i, :] if c != 0]
        depth = _depth(tree_of([magnitude(c) for c in constants])) if constants else 0
        product = any(not is_power_of_two(c) for c in constants)
        constant = any(rounded_constant(c, dtype)[1] != 0 for c in constants)
        worst = max(worst, depth + product + constant)
    return worst


def _depth(tree: Tree) -> int:
    return 0 if isinstance(tree, int) else 1 + max(_depth(tree[0]), _depth(tree[1]))


def _channel_depth(A: Algorithm, channels: int) -> int:
    """Additions, fused or not, that a product passes through at most; Kahan's sum has three of first order."""
    if A.channel_sum == "kahan":
        return min(channels - 1, 3)
    size = channels if A.channel_sum == "linear" else min(A.channel_block, channels)
    leaves = -(-channels // size)
    # A binary counter is as deep as a balanced tree, the folding of what is left included.
    above = leaves - 1 if A.channel_sum != "pairwise" else math.ceil(math.log2(leaves)) if leaves > 1 else 0
    return size - 1 + above
