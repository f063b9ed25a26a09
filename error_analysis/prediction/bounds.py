"""The worst case: a bound on |computed - exact|, output by output, from the programs that run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from error_analysis.prediction.channel_bound import channel_sum_errors
from error_analysis.prediction.rounding_bound import SLACK, RoundingBound
from error_analysis.prediction.sensitivity import Stage, contracted, converts, rounded_constant
from winograd import Algorithm, Program
from winograd.program import is_power_of_two

# What underflows in computing the bound, where it is in float64's own range, is less than this.
_FLOOR = 1e-300


@dataclass(frozen=True, eq=False)
class Bound:
    """The worst case of an algorithm, and what it is made of.

    Attributes
    ----------
    worst : array, shape A.m
        |computed - exact| of each output is at most this; infinite where something may overflow.
    parts : dict of array, shape A.m
        What each stage adds to it: "filter", "input", "products", "channel sum", "output", and "second order", where
        an error of the filter meets one of the data.
    overflow : str
        The first stage that may overflow within the magnitudes given; empty if none can.
    """

    worst: np.ndarray
    parts: dict[str, np.ndarray] = field(repr=False)
    algorithm: str
    channels: int
    d_max: float
    g_max: float
    overflow: str = ""

    @property
    def max(self) -> float:
        """The largest over the outputs."""
        return float(self.worst.max())

    @property
    def mean(self) -> float:
        """The mean over the outputs."""
        return float(self.worst.mean())

    def __str__(self) -> str:
        lines = [
            f"{self.algorithm}",
            f"|computed - exact| <= {self.max:.3g} (mean over outputs {self.mean:.3g}) for {self.channels} "
            f"channel{'s' * (self.channels > 1)}, |data| <= {self.d_max:g}, |filter| <= {self.g_max:g}",
        ]
        if self.overflow:
            lines.append(f"  no finite bound: {self.overflow} may overflow")
        else:
            lines += [f"  {name:<13} {float(part.max()):.3g}" for name, part in self.parts.items()]
        return "\n".join(lines)


def bound(A: Algorithm, channels: int = 1, d_max: float = 1.0, g_max: float = 1.0) -> Bound:
    """The a-priori worst case of an algorithm, for all data and filters of at most the given size.

    Each rounding adds to its exact result z an error delta with::

        |delta| <= max(u 2^floor(log2 |z|), h) <= max(u |z|, h)

    where u is the unit roundoff and h half the smallest number of the format (u and h twice that for rounding toward
    zero and stochastic rounding); additions have no h, for they do not underflow inexactly. |z| is the size of the
    value's exact linear form, plus what all earlier errors can amount to. A constant adds |rounded - exact| times its
    operand; multiplying by an exact power of two adds nothing but h, and nothing at all if it is 1 or more; a product
    that fits the format adds no u; conversions add one rounding where numbers of the one format can round in the other.

    With the constants exact and the errors set apart, the transforms are linear, so

        computed - exact = AT [ sum over channels (dU * V + U * dV + dU * dV) + dM ] + dy

    without remainder. dU * V is bounded with the exact V as a form of the data: a rounding counts with the sum over
    the tile of |what the output makes of it| (see `prediction.sensitivity`), which keeps the cancellations of the
    exact algorithm. Only dU * dV is bounded by sizes alone.

    Parameters
    ----------
    A : Algorithm
    channels : int
    d_max, g_max : float
        Bounds on |data| and |filter|.

    Returns
    -------
    Bound

    Raises
    ------
    TypeError
        If A is no Algorithm, or channels no integer.
    ValueError
        For channels < 1, or a magnitude that is negative or not finite.

    Rounding
    --------
    Computed in float64 and enlarged by 1e-10 of itself, more than its own roundings add up to.

    Source
    ------
    Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002: the model in section 2.2, running error
    analysis in 3.3; Kahan's sum after 4.3.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]))
    >>> (bound(A).worst / 2.0**-24).round(3)  # in units of u
    array([28., 26.])
    >>> print(bound(A.with_formats("float16"), g_max=20000).overflow)
    output
    """
    check_arguments(A, channels)
    for name, value in (("d_max", d_max), ("g_max", g_max)):
        if not (isinstance(value, (int, float, np.floating)) and 0 <= value < math.inf):
            raise ValueError(f"{name} must be a finite number of at least 0; got {value!r}.")
    ledger = _Ledger(A, channels, float(d_max), float(g_max))
    with np.errstate(over="ignore", invalid="ignore"):
        parts = {name: part * SLACK for name, part in ledger.parts().items()}
        worst = np.sum(list(parts.values()), axis=0) * SLACK
    if d_max > 0 < g_max and (worst.any() or d_max * g_max < _FLOOR):
        worst = worst + _FLOOR
    if ledger.overflow or not np.isfinite(worst).all():
        worst = np.full(A.m, np.inf)
    return Bound(worst, parts, str(A), channels, float(d_max), float(g_max), ledger.overflow)


def check_arguments(A: Any, channels: Any) -> None:
    """Refuse what is no Algorithm, and numbers of channels that are none."""
    if not isinstance(A, Algorithm):
        raise TypeError(f"A must be an Algorithm; got {type(A).__name__}: wrap a Transform in winograd.Algorithm.")
    if isinstance(channels, bool) or not hasattr(channels, "__index__"):
        raise TypeError(f"channels must be an integer; got {type(channels).__name__} {channels!r}.")
    if channels < 1:
        raise ValueError(f"channels must be at least 1; got {channels}.")


class _Ledger:
    """Computes the parts, and notes the first stage that may overflow."""

    def __init__(self, A: Algorithm, channels: int, d_max: float, g_max: float) -> None:
        self.A, self.channels, self.d_max, self.g_max = A, channels, d_max, g_max
        self.overflow = ""

    def parts(self) -> dict[str, np.ndarray]:
        A, C = self.A, self.channels
        U, U_error, filter_part = self._factor("filter", self.g_max, A.filter_dtype)
        V, V_error, input_part = self._factor("input", self.d_max, A.input_dtype)
        products, sums, M, M_error = self._channel_sum(U + U_error, V + V_error)
        across = U * V_error + U_error * V + U_error * V_error
        output_part = self._output(C * across + M_error, M)
        gains = [t.gain_after for t in Stage(A, "output", 1).axes]
        return {
            "filter": C * self.d_max * filter_part,
            "input": C * self.g_max * input_part,
            "products": contracted(products, gains),
            "channel sum": contracted(sums, gains),
            "output": output_part,
            "second order": C * contracted(U_error * V_error, gains),
        }

    def _factor(self, name: str, size: float, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One of the two factors: its size, a bound on its error, and what that adds to the outputs.

        The last per unit of the other factor.
        """
        A, stage = self.A, Stage(self.A, name, 1)
        tile = np.full(A.r if name == "filter" else A.tile, size)
        error = self._conversion(tile, A.stored_dtype, dtype, name)
        part = stage.gained_at_entry(error)
        for axis in range(A.dims):
            error, deltas = self._transform(stage, axis, error, size, dtype, name)
            part = part + stage.gained(deltas, axis)
        sizes = size * stage.output_sizes()
        for source, target in ((dtype, A.product_dtype), (A.product_dtype, A.sum_dtype)):
            delta = self._conversion(sizes + error, source, target, {"filter": "U", "input": "V"}[name])
            error = error + delta
            part = part + stage.gained_at_exit(delta)
        return sizes, error, part

    def _conversion(self, size: np.ndarray, source: str, target: str, stage: str) -> np.ndarray:
        fmt = RoundingBound(target, self.A.rounding)
        normal, subnormal = converts(source, target)
        self._check(size, fmt, stage)
        return fmt.error(size, normal, subnormal)

    def _check(self, size: np.ndarray, fmt: RoundingBound, stage: str) -> None:
        """A number that is at most the largest one before rounding is so after it."""
        if not self.overflow and not fmt.holds(size):
            self.overflow = stage

    def _transform(
        self, stage: Stage, axis: int, error: np.ndarray, unit: float, dtype: str, name: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """One axis: the error after it, and the local error of every value, both bounds.

        The error after it runs forward, |a| |e| by |a| |e|: it only serves to enlarge the sizes.
        """
        program: Program = stage.programs[axis]
        fmt = RoundingBound(dtype, self.A.rounding)
        sizes = unit * stage.sizes(axis)
        errors = list(np.moveaxis(error, axis, 0))
        deltas = [np.zeros_like(e) for e in errors]
        for op in program.ops:
            held = [errors[v] for v in op.args]
            first = sizes[op.args[0]] + held[0]
            exact_size = sizes[len(errors)]
            constant_error: Any = 0.0
            carried = held[0]
            normal, subnormal = op.kind != "neg", False
            if op.constant is not None:
                constant, missing = rounded_constant(op.constant, fmt.name)
                if not math.isfinite(constant):
                    self.overflow = self.overflow or f"a constant of {name}"
                    constant = missing = 0.0
                carried = abs(constant - missing) * held[0]
                constant_error = abs(missing) * first
                normal = op.kind == "fma" or not (missing == 0 and is_power_of_two(op.constant))
                subnormal = normal or abs(constant) < 1
            if len(op.args) == 2:
                carried = carried + held[1]
            before = exact_size + carried + constant_error
            self._check(before, fmt, name)
            delta = constant_error + fmt.error(before, normal, subnormal)
            deltas.append(np.zeros_like(carried) + delta)
            errors.append(carried + delta)
        after = np.stack([errors[v] for v in program.outputs], axis)
        return after, np.stack(deltas)

    def _channel_sum(
        self, U: np.ndarray, V: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Errors of the products and of the additions, a bound on |sum| as computed, and on its error here."""
        fmt = RoundingBound(self.A.sum_dtype, self.A.rounding)
        term = U * V
        self._check(term, fmt, "product")
        products, sums, total = channel_sum_errors(self.A, self.channels, term, fmt)
        self._check(total, fmt, "channel sum")
        return products, sums, total, products + sums

    def _output(self, M_error: np.ndarray, M: np.ndarray) -> np.ndarray:
        A, stage = self.A, Stage(self.A, "output", 1)
        unit = self.channels * self.d_max * self.g_max
        delta = self._conversion(M, A.sum_dtype, A.output_dtype, "M")
        part = stage.gained_at_entry(delta)
        error = M_error + delta
        for axis in range(A.dims):
            error, deltas = self._transform(stage, axis, error, unit, A.output_dtype, "output")
            part = part + stage.gained(deltas, axis)
        return part + self._conversion(unit * stage.output_sizes() + error, A.output_dtype, A.stored_dtype, "y")
