"""An Algorithm emulated operation by operation, and direct correlation to set beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.emulation.arithmetic import Emulated
from error_analysis.emulation.channel_sum import channel_total
from error_analysis.emulation.tiles import check_algorithm, check_tiles, stored, trials_last
from winograd import Algorithm, Arithmetic, Program, evaluate
from winograd.rounding import BinaryFormat, format_of

Observer = Callable[[str, np.ndarray], None]
"""Called with the name of a stage and its values."""

STAGES = ("filter", "U", "input", "V", "M", "output", "y")
"""The stages that an observer sees, in their order: see `emulate`."""


def emulate(
    A: Algorithm,
    d: np.ndarray,
    g: np.ndarray,
    seed: int | np.random.Generator = 0,
    observe: Observer | None = None,
) -> np.ndarray:
    """What the algorithm computes on single tiles, every operation rounded as the Algorithm says.

    Parameters
    ----------
    A : Algorithm
    d : array, shape (trials, C, *A.tile)
        Data tiles, numbers of A.stored_dtype: of that dtype for float32 and float64, of any floating dtype otherwise.
    g : array, shape (trials, C, *A.r)
        Filters, one for each tile; numbers likewise.
    seed : int or numpy.random.Generator
        Of stochastic rounding; the other two take no random numbers.
    observe : callable, optional
        Called as observe(stage, values) with "filter", "U", "input", "V": the transformed filter and data before and
        after they are rounded to the product format, axes (*n, C, trials); "M": the sums over channels, (*n, trials);
        "output", "y": the outputs before and after they are rounded to the stored format, (*m, trials). The values
        are not to be changed.

    Returns
    -------
    array, shape (trials, *A.m), float32 or float64 where A.stored_dtype is, else float64 that holds its numbers
        y[t, i] = sum over c, k of d[t, c, i + k] g[t, c, k], approximately.

    Raises
    ------
    ValueError
        If a shape does not fit the algorithm, or a value is no number of the stored format.
    TypeError
        If a dtype is not that of the algorithm, or not floating; if A is no Algorithm.
    OverflowError
        If a matrix entry exceeds the largest number of the format it is used in.

    Rounding
    --------
    As documented at `winograd.Algorithm`, stage by stage. Numbers that enter a format, U and V that of the channel sum
    included, are rounded to it once, which keeps those that it has.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]))
    >>> emulate(A, np.float32([[[1, 2, 3, 4]]]), np.float32([[[1, 0, -1]]]))
    array([[-2., -2.]], dtype=float32)
    >>> emulate(A.with_formats("float16"), np.float16([[[1, 2, 5, 2052]]]), np.float16([[[1, 0, -1]]]))
    array([[   -4., -2050.]])
    """
    check_algorithm(A)
    check_tiles(d, g, A.tile, A.r)
    data, filters = (stored(name, array, A.stored_dtype) for name, array in (("d", d), ("g", g)))
    generator = np.random.default_rng(seed)
    see = observe or _nothing

    def stage(dtype: str) -> Emulated:
        return Emulated(dtype, A.rounding, generator)

    multiplied, summed, stored_as = stage(A.product_dtype), stage(A.sum_dtype), stage(A.stored_dtype)
    with np.errstate(all="ignore"):  # overflow and underflow are results, not accidents
        factors = []
        for name, rounded, values, dtype, matrix in (
            ("filter", "U", filters, A.filter_dtype, "G"), ("input", "V", data, A.input_dtype, "BT"),
        ):
            arithmetic = stage(dtype)
            programs = [getattr(p, matrix) for p in A.programs]
            x = transformed(programs, arithmetic.rounded(trials_last(values)), arithmetic)
            see(name, x)
            x = entered(x, arithmetic, multiplied)
            see(rounded, x)
            factors.append(entered(x, multiplied, summed))
        U, V = factors
        M = channel_total(A, V, U, summed)
        see("M", M)
        last = stage(A.output_dtype)
        y = transformed([p.AT for p in A.programs], entered(M, summed, last), last)
        see("output", y)
        y = entered(y, last, stored_as)
        see("y", y)
    return np.ascontiguousarray(np.moveaxis(y, -1, 0))


def _nothing(stage: str, values: np.ndarray) -> None:
    """The observer where none was asked for."""


def entered(x: np.ndarray, source: Emulated, target: Emulated) -> np.ndarray:
    """Numbers of one format as another takes them in: rounded once, unless it is the same format."""
    return x if source.format == target.format else target.rounded(x)


def transformed(programs: Sequence[Program], x: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    """One program along each leading axis of x, axis 0 first."""
    for axis, program in enumerate(programs):
        x = np.stack(evaluate(program, list(np.moveaxis(x, axis, 0)), arithmetic), axis)
    return x


def direct(
    d: np.ndarray,
    g: np.ndarray,
    dtype: DTypeLike | BinaryFormat,
    rounding: str = "nearest",
    seed: int | np.random.Generator = 0,
    fma: bool = False,
) -> np.ndarray:
    """Direct correlation in linear order: from +0, tap by tap in row order and, for each, channel by channel.

    ::

        acc = acc + round(d * g)          or, with fma,          acc = fma(d, g, acc)

    With fma this is what the compiled kernels do for "direct", term by term.

    Parameters
    ----------
    d : array, shape (trials, C, *tile)
    g : array, shape (trials, C, *r)
    dtype : format
        Both arrays must hold its numbers, as in `emulate`.
    rounding : "nearest", "toward_zero" or "stochastic"
    seed : int or numpy.random.Generator
        Of stochastic rounding.
    fma : bool
        Whether a product is added with one rounding, or rounded first.

    Returns
    -------
    array, shape (trials, *m), with m = tile - r + 1

    Raises
    ------
    ValueError, TypeError
        As `emulate`.

    Rounding
    --------
    Two for each product; one with fma.

    Examples
    --------
    >>> direct(np.float32([[[1, 2, 3, 4]]]), np.float32([[[1, 0, -1]]]), "float32")
    array([[-2., -2.]], dtype=float32)
    """
    check_tiles(d, g)
    fmt = format_of(dtype)
    arithmetic = Emulated(fmt, rounding, np.random.default_rng(seed))
    x, w = (trials_last(stored(name, array, fmt)) for name, array in (("d", d), ("g", g)))
    return np.ascontiguousarray(np.moveaxis(_correlation(x, w, arithmetic, fma), -1, 0))


def direct_like(A: Algorithm, d: np.ndarray, g: np.ndarray, seed: int | np.random.Generator = 0) -> np.ndarray:
    """Direct correlation in the formats of an algorithm, in the linear order of `direct`.

    Data and filter, numbers of A.stored_dtype, are rounded to A.product_dtype; their products are summed from +0 in
    A.sum_dtype, by fma where the algorithm fuses; the sums are rounded to A.stored_dtype.

    Parameters
    ----------
    A : Algorithm
    d, g : arrays
        As for `emulate`.
    seed : int or numpy.random.Generator
        Of stochastic rounding.

    Returns
    -------
    array, shape (trials, *A.m), as `emulate` gives it

    Raises
    ------
    ValueError, TypeError
        As `emulate`.

    Rounding
    --------
    One or two for each product, and one for each change of format that is not exact; as A.rounding says.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]), dtype="float16", sum_dtype="float32")
    >>> direct_like(A, np.float16([[[2048, 1, 1, 1]]]), np.float16([[[1, 1, 1]]]))
    array([[2050.,    3.]])
    """
    check_algorithm(A)
    check_tiles(d, g, A.tile, A.r)
    generator = np.random.default_rng(seed)
    names = (A.stored_dtype, A.product_dtype, A.sum_dtype)
    outside, multiplied, summed = (Emulated(name, A.rounding, generator) for name in names)
    with np.errstate(all="ignore"):
        x, w = (
            entered(entered(trials_last(stored(name, array, A.stored_dtype)), outside, multiplied), multiplied, summed)
            for name, array in (("d", d), ("g", g))
        )
        y = entered(_correlation(x, w, summed, A.fma), summed, outside)
    return np.ascontiguousarray(np.moveaxis(y, -1, 0))


def _correlation(x: np.ndarray, w: np.ndarray, arithmetic: Emulated, fused: bool) -> np.ndarray:
    """Tap by tap, for each channel by channel; x and w are (*tile, C, trials) and (*r, C, trials)."""
    r = w.shape[:-2]
    m = [length - taps + 1 for length, taps in zip(x.shape, r, strict=False)]
    total: Any = np.zeros((*m, x.shape[-1]), arithmetic.dtype)
    with np.errstate(all="ignore"):
        for *k, c in product(*map(range, r), range(w.shape[-2])):
            index: tuple[Any, ...] = (*(slice(a, a + length) for a, length in zip(k, m, strict=True)), c)
            window, weight = x[index], w[(*k, c)]
            if fused:
                total = arithmetic.fma(window, weight, total)
            else:
                total = arithmetic.add(total, arithmetic.mul(window, weight))
    return np.asarray(total)
