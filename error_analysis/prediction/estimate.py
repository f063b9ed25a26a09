"""The mean error predicted: roundings as independent random numbers, propagated exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from error_analysis.prediction.binades import COUNT, Quanta, binade_probabilities, rounded_in, spacing_binades
from error_analysis.prediction.bounds import check_arguments
from error_analysis.prediction.partial_sums import additions_passed, partial_sums, thinned
from error_analysis.prediction.perturbation import Shift, constant_shifts, squared_change
from error_analysis.prediction.sensitivity import Stage, axis_tables, contracted, converts, outer, rounded_constant
from error_analysis.prediction.spread import (
    Group,
    finished,
    in_filter,
    in_input,
    in_output,
    mean_over_rms,
    relative_variance,
    transformed_both,
    untouched,
)
from winograd import Algorithm, Program, format_of


class Law(NamedTuple):
    """The law of one number of the data: its variance, and kurtosis - 3."""

    variance: float
    excess: float


DATA = {"uniform": Law(1 / 3, -6 / 5), "normal": Law(1.0, 0.0)}
"""i.i.d. uniform on [-1, 1], and standard normal; drawn as `error_analysis.random_tiles` does."""


_LEAST_SCALE = 1e-60
_NARROW = -64
"""Formats whose normal numbers end above 2 to this have the spacing of their subnormal ones modelled."""


@dataclass(frozen=True, eq=False)
class Estimated:
    """The mean |error| to expect.

    Attributes
    ----------
    per_output : array, shape A.m
        Predicted mean of |computed - exact| at each output.
    rms : array, shape A.m
        Predicted root mean square of it.
    parts : dict of array, shape A.m
        What each stage adds to the mean square.
    relative_variance : array, shape A.m
        Var s / (E s)^2 of the variance s that the error has given the data; see `prediction.spread`.
    """

    per_output: np.ndarray
    rms: np.ndarray = field(repr=False)
    parts: dict[str, np.ndarray] = field(repr=False)
    relative_variance: np.ndarray = field(repr=False)
    algorithm: str
    channels: int
    data: str

    @property
    def mean(self) -> float:
        """The mean over the outputs."""
        return float(self.per_output.mean())

    def __str__(self) -> str:
        square = {name: float(part.mean()) for name, part in self.parts.items()}
        whole = sum(square.values()) or 1.0
        shares = ", ".join(f"{name} {part / whole:.0%}" for name, part in square.items())
        return (
            f"{self.algorithm}\npredicted mean |error| {self.mean:.3g} for {self.channels} "
            f"channel{'s' * (self.channels > 1)} of {self.data} data\n  of its square: {shares}"
        )


class _Values(NamedTuple):
    """Values that a stage hands on: their mean square, kurtosis, and quanta."""

    second: np.ndarray
    kurtosis: np.ndarray
    quanta: Quanta


def estimate(
    A: Algorithm, channels: int = 1, data: str = "uniform", d_scale: float = 1.0, g_scale: float = 1.0
) -> Estimated:
    """The mean |computed - exact| to expect on random data, without running anything.

    Every rounding is an independent random number of mean zero. Its mean square is that of a rounding in the binade
    where the value lies (`prediction.binades`), over the law of the value: of zero mean, with mean square and
    kurtosis exactly those of the linear form in the data, or bilinear one, that the value is. So a sum of numbers with
    few bits rounds as rarely as it does. From there it reaches the outputs exactly linearly, with the mean square of
    its factor: a value that several outputs or products share is followed to all of them
    (`prediction.sensitivity`). Constants that are not numbers of the format change the bilinear form of each
    output, always in the same way, and so does what rounding toward zero takes away on average; the mean square of that
    is added::

        E e^2 = sum over roundings of  E delta^2  *  E (what an output makes of delta)^2   +   E (change of the form)^2

    The mean is less than the root mean square, as data with large terms have large errors; how much less is in
    `prediction.spread`.

    Parameters
    ----------
    A : Algorithm
    channels : int
    data : "uniform" or "normal"
        Numbers i.i.d. uniform on [-1, 1] or standard normal, drawn as `error_analysis.random_tiles` does.
    d_scale, g_scale : float
        What data and filters are multiplied by.

    Returns
    -------
    Estimated

    Raises
    ------
    TypeError
        If A is no Algorithm, or channels no integer.
    ValueError
        For channels < 1, other data, or scales not from 1e-60 to 1e60.

    Rounding
    --------
    float64. Against measurement: within 10 % for float32 F(2..8, 3) with the published points, in one and two
    dimensions; within 15 % for the narrower formats and for up to 64 channels in any order, also with stochastic
    rounding; within 30 % with rounding toward zero. Overflow is not counted; underflow is, where a stage has an
    exponent range of less than 8 bits: in wider formats the estimate is just proportional to the scales. Where most
    values are flushed to zero it is too large by a factor of up to 4, since each flush is taken for an error of its
    own, and with stochastic rounding by more: its errors are then few and large.

    Source
    ------
    Roundings as random numbers: Higham and Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci.
    Comput. 41(5), 2019. Their propagation through the programs: derived here.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(4, 3, [0, 1, -1, "1/2", -2, INF]), dims=2)
    >>> print(f"{estimate(A).mean:.2g}")  # published: 3.29e-07, measured here: 3.36e-07
    3.3e-07
    """
    check_arguments(A, channels)
    if data not in DATA:
        raise ValueError(f"data must be one of {', '.join(DATA)}; got {data!r}.")
    for name, value in (("d_scale", d_scale), ("g_scale", g_scale)):
        # Squares of what has the size of both scales must stay within the range of float64.
        if not (isinstance(value, (int, float, np.floating)) and _LEAST_SCALE <= value <= 1 / _LEAST_SCALE):
            raise ValueError(f"{name} must be a number from {_LEAST_SCALE:g} to {1 / _LEAST_SCALE:g}; got {value!r}.")
    outside = 1.0
    if models_no_underflow(A):
        outside, d_scale, g_scale = d_scale * g_scale, 1.0, 1.0
    model = _Model(A, channels, data, d_scale, g_scale)
    parts = {name: part * outside**2 for name, part in model.parts().items()}
    rms = np.sqrt(np.sum(list(parts.values()), axis=0))
    relative = relative_variance(model.groups, DATA[data].excess, channels)
    return Estimated(mean_over_rms(relative) * rms, rms, parts, relative, str(A), channels, data)


def models_no_underflow(A: Algorithm) -> bool:
    """Whether all formats have so many exponents that the estimate takes underflow for impossible."""
    return all(format_of(dtype).smallest_exponent < _NARROW for dtype in A.stage_dtypes.values())


class _Model:
    """The mean squares of all errors, stage by stage."""

    def __init__(self, A: Algorithm, channels: int, data: str, d_scale: float, g_scale: float) -> None:
        self.A, self.channels, self.law, self.data = A, channels, DATA[data], data
        self.scales = {"input": d_scale, "filter": g_scale}
        variance = self.law.variance
        self.d_variance, self.g_variance = variance * d_scale**2, variance * g_scale**2
        self.tables = [axis_tables(programs) for programs in A.programs]
        self.untouched = [untouched(t) for t in self.tables]
        self.products = [transformed_both(t) for t in self.tables]
        self.finished = [finished(t) for t in self.tables]
        self.groups: list[Group] = []
        self.shifts: dict[tuple[str, int], list[Shift]] = {}
        self.lost = 0.0  # of all that passes a conversion or a product, the part that rounding toward zero takes
        self.lost_adding = 0.0  # in one addition of the channel sum

    def parts(self) -> dict[str, np.ndarray]:
        A, C = self.A, self.channels
        U, filter_part = self._factor("filter", A.filter_dtype)
        V, input_part = self._factor("input", A.input_dtype)
        M, *errors = self._channel_sum(U, V)
        gains = [t.gain_after for t in Stage(A, "output", 2).axes]
        products, sums = (contracted(error, gains) for error in errors)
        self.groups.append(Group(products, tuple(self.products)))
        self.groups.append(Group(sums, tuple(self.products), 2 / 3 if A.channel_sum == "linear" else 1.0))
        output = self._output(M)
        scales = [-self.lost - self.lost_adding * times for times in additions_passed(A, C)]
        coherent = self.d_variance * self.g_variance * squared_change(A, self.tables, self.shifts, scales)
        return {
            "filter": C * self.d_variance * filter_part,
            "input": C * self.g_variance * input_part,
            "products": products,
            "channel sum": sums,
            "output": output,
            "coherent": coherent,
        }

    def _entries(self, scale: float) -> Quanta:
        """Quanta of data on this scale."""
        stored = format_of(self.A.stored_dtype)
        by = math.frexp(scale)[1] - 1
        if self.data == "normal":
            unit = binade_probabilities(np.array(self.law.variance * scale**2), np.array(3 + self.law.excess))
            return Quanta(spacing_binades(unit, stored))
        # 2 u - 1 on the grid of u below 0, on one of twice the spacing above; the generator's own grid in float64
        lowest = stored.smallest_exponent if stored.smallest_exponent > _NARROW else -math.inf
        law = {0: 1.0} if stored.name == "float64" else {-1: 0.5, 0: 0.5}
        quanta: dict[int, float] = {}
        for k, probability in law.items():
            at = int(max(k + by, lowest))
            quanta[at] = quanta.get(at, 0.0) + probability
        return Quanta.at(quanta)

    def _rounded(self, values: _Values, dtype: str) -> tuple[_Values, np.ndarray, float]:
        """The values rounded, the mean square error of it, and the part of them that is lost on average.

        Their quanta are in the binades of this format.
        """
        fmt = format_of(dtype)
        binades = binade_probabilities(values.second, values.kurtosis)
        quanta, error = rounded_in(values.quanta, binades, values.second, fmt, self.A.rounding)
        error, lost = self._apart(values.quanta, spacing_binades(binades, fmt), error, values.second, dtype)
        return values._replace(quanta=quanta), error, lost

    def _apart(
        self, quanta: Quanta, binades: np.ndarray, error: np.ndarray, second: np.ndarray, dtype: str
    ) -> tuple[np.ndarray, float]:
        """The error of rounding toward zero as one that is random, and a part of the value that is always lost."""
        if self.A.rounding != "toward_zero":
            return error, 0.0
        loss = quanta.mean_loss(binades, format_of(dtype).precision)
        random = np.maximum(error - _ratio(loss**2, second), 0.0)
        return random, float(loss.sum() / second.sum()) if second.sum() > 0 else 0.0

    def _converted(self, values: _Values, source: str, target: str) -> tuple[_Values, np.ndarray]:
        shift = format_of(target).precision - format_of(source).precision
        shifted = values._replace(quanta=values.quanta.shifted(shift))
        if not any(converts(source, target)):  # q and w of one value are not independent: nothing may come of it
            return shifted, np.zeros(values.second.shape)
        rounded, error, lost = self._rounded(shifted, target)
        self.lost += lost
        return rounded, error

    def _factor(self, name: str, dtype: str) -> tuple[_Values, np.ndarray]:
        A, law = self.A, self.law
        stage, fourth = Stage(A, name, 2), Stage(A, name, 4)
        scale = self.scales[name]
        own, other = law.variance * scale**2, (self.d_variance if name == "filter" else self.g_variance)
        shape = A.r if name == "filter" else A.tile
        entries = Quanta(np.broadcast_to(self._entries(scale).probabilities, (*shape, COUNT)))
        flat = np.ones(shape)
        values = _Values(own * flat, (3 + law.excess) * flat, entries)
        values, error = self._converted(values, A.stored_dtype, dtype)
        part = stage.gained_at_entry(error)
        quanta = values.quanta
        for axis in range(A.dims):
            second = own * stage.sizes(axis)
            kurtosis = 3 + law.excess * _ratio(fourth.sizes(axis), stage.sizes(axis) ** 2)
            quanta, errors = self._transform(stage, name, axis, quanta, second, kurtosis, dtype)
            gained = stage.gained(errors, axis)
            part = part + gained
            at = (in_filter if name == "filter" else in_input)(self.tables[axis], _weights(errors, second))
            factors = (*self.products[:axis], at, *self.untouched[axis + 1 :])
            self.groups.append(Group(self.channels * other * gained, factors))
        sizes, fourths = stage.output_sizes(), fourth.output_sizes()
        values = _Values(own * sizes, 3 + law.excess * _ratio(fourths, sizes**2), quanta)
        for source, target in ((dtype, A.product_dtype), (A.product_dtype, A.sum_dtype)):
            values, error = self._converted(values, source, target)
            part = part + stage.gained_at_exit(error)
        return values, part

    def _transform(
        self, stage: Stage, name: str, axis: int, quanta: Quanta, second: np.ndarray, kurtosis: np.ndarray, dtype: str
    ) -> tuple[Quanta, np.ndarray]:
        """One axis: quanta after it, and the mean square of each value's rounding."""
        program: Program = stage.programs[axis]
        fmt, shifts = format_of(dtype), constant_shifts(program, dtype)
        binades = binade_probabilities(second, kurtosis)
        spacings = spacing_binades(binades, fmt)
        held = [Quanta(q) for q in np.moveaxis(quanta.probabilities, axis, 0)]
        errors = [np.zeros(second.shape[1:])] * program.inputs
        for op in program.ops:
            exact = held[op.args[0]]
            if op.constant is not None:
                exact = exact.shifted(_lowest_bit(rounded_constant(op.constant, dtype)[0]))
            if len(op.args) == 2:
                exact = exact.summed(held[op.args[1]])
            if op.kind == "neg":
                errors.append(np.zeros(second.shape[1:]))
                held.append(exact)
                continue
            e = len(held)
            after, error = rounded_in(exact, binades[e], second[e], fmt, self.A.rounding)
            error, lost = self._apart(exact, spacings[e], error, second[e], dtype)
            if lost:
                shifts.append((e, e, -lost))
            errors.append(error)
            held.append(after)
        self.shifts[name, axis] = shifts
        transformed = np.stack([held[v].probabilities for v in program.outputs], axis)
        return Quanta(transformed), np.stack(errors)

    def _channel_sum(self, U: _Values, V: _Values) -> tuple[_Values, np.ndarray, np.ndarray]:
        A, C, fmt = self.A, self.channels, format_of(self.A.sum_dtype)
        second, kurtosis = U.second * V.second, U.kurtosis * V.kurtosis
        term = _Values(second, kurtosis, U.quanta.of_product(V.quanta, fmt.precision))
        rounded, error, lost = self._rounded(term, A.sum_dtype)
        self.lost += 0.0 if A.fma else lost
        products = np.zeros_like(error) if A.fma else C * error
        sums = np.zeros_like(error)
        exact_term = term.quanta if A.fma else rounded.quanta
        quanta = rounded.quanta
        for k, times in thinned(partial_sums(A, C)):
            partial = _Values(k * second, 3 + (kurtosis - 3) / k, exact_term.of_many(min(k, 16)))
            after, error, self.lost_adding = self._rounded(partial, A.sum_dtype)
            sums = sums + times * error
            quanta = after.quanta
        return _Values(C * second, 3 + (kurtosis - 3) / C, quanta), products, sums

    def _output(self, M: _Values) -> np.ndarray:
        A, C = self.A, self.channels
        stage = Stage(A, "output", 2)
        M, error = self._converted(M, A.sum_dtype, A.output_dtype)
        part = stage.gained_at_entry(error)
        quanta, unit = M.quanta, C * self.d_variance * self.g_variance
        for axis in range(A.dims):
            second = unit * stage.sizes(axis)
            kurtosis = 3 + (self._kurtosis(axis) - 3) / C
            quanta, errors = self._transform(
                stage, "output", axis, quanta, second, kurtosis, A.output_dtype
            )
            gained = stage.gained(errors, axis)
            part = part + gained
            at = in_output(self.tables[axis], _weights(errors, second))
            factors = (*self.finished[:axis], at, *self.products[axis + 1 :])
            self.groups.append(Group(gained, factors, 1.0))
        sizes = stage.output_sizes()
        kurtosis = np.full(sizes.shape, 3 + (3 * (3 + self.law.excess) - 9) / C)
        _, error = self._converted(_Values(unit * sizes, kurtosis, quanta), A.output_dtype, A.stored_dtype)
        return part + error

    def _kurtosis(self, axis: int) -> np.ndarray:
        """Of every value of the output transform on one axis, for one channel: of the bilinear form it is."""
        c = self.law.excess
        factors = []
        for b, programs in enumerate(self.A.programs):
            t = axis_tables(programs)
            pairs = t.pairs_AT
            if b < axis:
                pairs = pairs[list(programs.AT.outputs)]
            elif b > axis:
                pairs = pairs[: programs.AT.inputs]
            factors.append(_moments(pairs))
        factors.insert(0, factors.pop(axis))
        s1, s2, s3, s4, s5 = (outer([f[i] for f in factors]) for i in range(5))
        return _ratio(3 * (s1**2 + 2 * s2 + c * s3) + c * (3 * s4 + c * s5), s1**2, 3.0)


def _weights(errors: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean square of the rounding over that of the value, for each value of a program, over all its lines."""
    axes = tuple(range(1, errors.ndim))
    return _ratio(errors.sum(axis=axes), second.sum(axis=axes))


def _moments(pairs: np.ndarray) -> list[np.ndarray]:
    """Five sums over the bilinear forms T (values, r, tile) that their fourth moments are made of."""
    squares = pairs**2
    gram = np.einsum("eal,ebl->eab", pairs, pairs)
    rows, columns = squares.sum(2), squares.sum(1)
    return [squares.sum((1, 2)), (gram**2).sum((1, 2)), (rows**2).sum(1), (columns**2).sum(1), (squares**2).sum((1, 2))]


def _ratio(a: np.ndarray, b: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    return np.divide(a, b, out=np.full(np.shape(a), otherwise), where=b > 0)


def _lowest_bit(constant: float) -> int:
    """The exponent of the lowest bit of a number that is not zero."""
    numerator, denominator = Fraction(constant).as_integer_ratio()
    return (numerator & -numerator).bit_length() - denominator.bit_length() if numerator else 0
