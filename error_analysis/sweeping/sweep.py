"""Sweeping a family: the error of its members against the parameter, on the same data."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import fields
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from error_analysis.measurement.data import KINDS
from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import UNKNOWN, mean_estimate, ratio_estimate
from error_analysis.measurement.measure import check_integer
from error_analysis.measurement.provenance import provenance
from error_analysis.measurement.report import Progress
from error_analysis.sweeping.curve import CurvePoint, Gap, Minimum, Sweep, varying
from error_analysis.sweeping.minima import prominent_minima, refinement
from error_analysis.sweeping.paired import Draw, Errors, paired_data
from error_analysis.sweeping.specialisation import Members
from error_analysis.sweeping.tasks import Outcome, measured, processes
from winograd import Algorithm, Family
from winograd import family as family_named
from winograd.exact import Exact, exact, to_sympy
from winograd.published import PUBLISHED_TAPS

# Rounds of refinement, each within the neighbours that the last one left.
_ROUNDS = 3


def sweep(
    family: str | Family,
    m: int,
    r: int,
    c: Iterable[Any],
    dims: int = 2,
    dtype: DTypeLike = "float32",
    trials: int = 5000,
    seed: int = 0,
    channels: int = 1,
    data: str = "uniform",
    *,
    minima: int = 3,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
    **recipe: Any,
) -> Sweep:
    """The mean error of F(m, r) on the points of a family, against its parameter c.

    The transform is generated once, as functions of c, and given one value after the other. All of them see the same
    data, so that differences between neighbours are those of the algorithms; so do direct convolution and the
    published points. The lowest local minima that stand out are looked at more closely on the same data, then measured
    once more on data that the sweep never saw: that number is free of the luck that made it the lowest.

    Parameters
    ----------
    family : str or Family
        A name of `winograd.FAMILIES`, or a Family of one's own.
    m, r : int
        Outputs and taps along each axis.
    c : iterable
        Exact numbers as `winograd.as_point` reads them: rational, surds such as "sqrt(2)", or floats, whose matrices
        are those of their exact binary value, rounded once. For a family of several parameters, tuples of numbers.
    dims : 1, 2 or 3
    dtype : format
    trials, seed, channels, data
        As in `measure`; data is "uniform", "normal", "relu" or "constant".
    minima : int
        How many local minima to refine at most.
    workers : int
        Processes to measure in; 1 is this one. A script that asks for more must guard its own start by
        ``if __name__ == "__main__":``, as for every use of multiprocessing.
    executor : concurrent.futures.Executor, optional
        Measured on this in place of processes of its own.
    progress : callable, optional
        Called as progress(values done, values), for the curve and then for the refinement.
    recipe
        Further fields of the Algorithm: order, passes, fma, sum_dtype, ...

    Returns
    -------
    Sweep
        The same whatever the workers and the executor are.

    Raises
    ------
    ValueError, TypeError
        For an unknown family, a size it does not fit, values that are no numbers, none or repeated ones, and what
        `measure` and Algorithm refuse: all before the first is measured. A value at which points coincide, or an
        entry exceeds its format, is no mistake but a gap of the curve.
    Interrupted
        At Ctrl-C, with the Sweep of the values measured until then.

    Rounding
    --------
    As `measure`, whose mean_abs each error is.

    Source
    ------
    The curve against c: Alam, Anderson, Barabasz, Gregg, ACM TECS 21(6), 2022 (arXiv:2201.10369), of which we know the
    abstract.

    Examples
    --------
    >>> found = sweep("reciprocal", 4, 3, ["5/4", "3/2", "7/4", 2, 1], trials=500)
    >>> found.gaps[0].reason
    'c must not be 1 or -1, where c and 1/c coincide; got c = 1.'
    >>> found.best.error.value < 0.85 * found.references["published"].value
    True
    """
    chosen = family_named(family)
    values = _values(chosen, m, r, c)
    for name, value, least in (("trials", trials, 2), ("seed", seed, 0), ("channels", channels, 1),
                               ("minima", minima, 0), ("workers", workers, 1)):
        check_integer(name, value, least)
    if data not in KINDS or data == "adversarial":
        among = ", ".join(kind for kind in KINDS if kind != "adversarial")
        raise ValueError(f"data must be one of {among}, which are the same for all c; got {data!r}.")
    given = {"dims": dims, "dtype": dtype, **recipe}
    if "transforms" in given:
        raise ValueError("transforms must not be given: they are what the family makes.")
    against, reference = _reference(m, r, given)
    plain = {f.name: getattr(reference, f.name) for f in fields(Algorithm) if f.name != "transforms"}
    draw = Draw(data, int(trials), int(seed), int(channels))
    members = Members.of(chosen, int(m), int(r), plain)
    if workers > 1 and executor is None:
        _check_can_be_sent(members)
    run = _Run(members, values, draw, against, reference)
    own = nullcontext(executor) if executor is not None else processes(int(workers))
    try:
        with own as pool:
            run.measure(pool, progress, int(minima))
    except KeyboardInterrupt:
        if not run.outcomes:
            raise
        raise Interrupted(run.result("interrupted")) from None
    finally:
        paired_data.cache_clear()
    return run.result("complete")


class _Near(NamedTuple):
    """A minimum and the stretch around it that is being searched."""

    grid: tuple[Exact, ...]
    best: tuple[Exact, ...]
    low: Fraction
    high: Fraction


class _Run:
    """The state of a sweep: what is measured, so that an interruption finds it."""

    def __init__(self, members: Members, values: list[tuple[Exact, ...]], draw: Draw, against: str,
                 reference: Algorithm) -> None:
        self.members, self.values, self.draw, self.against, self.reference = members, values, draw, against, reference
        self.outcomes: dict[tuple[Exact, ...], Outcome] = {}
        self.near: list[_Near] = []
        self.minima: list[Minimum] = []

    def measure(self, executor: Executor | None, progress: Progress | None, minima: int) -> None:
        """The curve, then its minima more closely, then those on fresh data."""
        self.references = self._references(self.draw)
        measured(self.members, self.values, self.draw, executor, self.outcomes, progress)
        self._find(minima)
        for _ in range(_ROUNDS if self.near else 0):
            wanted = [self._moved(near.grid, x) for near in self.near for x in refinement(
                near.low, near.high, _fraction(near.best[self.axis]))]
            new = list(dict.fromkeys(value for value in wanted if value not in self.outcomes))
            measured(self.members, new, self.draw, executor, self.outcomes, progress)
            self.near = [self._narrowed(near, wanted) for near in self.near]
        fresh = self.draw._replace(seed=_fresh_seed(self.draw.seed))
        kept: dict[tuple[Exact, ...], Outcome] = {}
        best = list(dict.fromkeys(near.best for near in self.near))
        if best:
            measured(self.members, best, fresh, executor, kept)
            below = self._references(fresh)[self.against]
            self.minima = [self._minimum(near, kept[near.best], below) for near in self.near]
            # Not by the fresh errors: the lowest of those would be lucky again.
            self.minima.sort(key=lambda low: low.error.value)

    @property
    def axis(self) -> int:
        """The parameter that varies."""
        return varying(self.values)[0]

    def result(self, ended: str) -> Sweep:
        """What is measured so far."""
        points, gaps = [], []
        below = self.references[self.against]
        for c in self.values:
            outcome = self.outcomes.get(c)
            if isinstance(outcome, Errors):
                ratio = UNKNOWN if below is None else ratio_estimate(outcome.by_trial, below.by_trial)
                points.append(CurvePoint(_text(c), mean_estimate(outcome.by_trial), ratio, outcome.nonfinite))
            elif outcome is not None:
                gaps.append(Gap(_text(c), outcome))
        members, draw = self.members, self.draw
        references = {name: UNKNOWN if errors is None else mean_estimate(errors.by_trial)
                      for name, errors in self.references.items()}
        return Sweep(members.family.name, members.m, members.r, json.dumps(dict(members.recipe)), draw.kind,
                     draw.trials, draw.seed, draw.channels, tuple(points), tuple(gaps), tuple(self.minima), references,
                     self.against, ended, provenance())

    def _references(self, draw: Draw) -> dict[str, Errors | None]:
        A = self.reference
        of = paired_data(A.tile, A.r, A.stored_dtype, draw)
        found: dict[str, Errors | None] = {"direct": of.direct_errors(A)}
        try:
            found[self.against] = of.errors(A)
        except OverflowError:  # its entries exceed the format: there is nothing to set beside
            found[self.against] = None
        return found

    def _find(self, most: int) -> None:
        """The local minima that stand out, where one parameter varies."""
        if len(varying(self.values)) > 1:
            return
        known = sorted((c for c in self.values if isinstance(self.outcomes[c], Errors)),
                       key=lambda c: _fraction(c[self.axis]))
        heights = [self._height(c) for c in known]
        for position, _ in prominent_minima(heights)[:most]:
            around = (_fraction(known[k][self.axis]) for k in (position - 1, position + 1))
            self.near.append(_Near(known[position], known[position], *around))

    def _height(self, c: tuple[Exact, ...]) -> float:
        """The mean error on the data of the sweep; infinite where some outputs have none."""
        outcome = self.outcomes[c]
        if isinstance(outcome, str) or outcome.nonfinite:
            return float("inf")
        return float(np.mean(outcome.by_trial))

    def _moved(self, c: tuple[Exact, ...], x: Fraction) -> tuple[Exact, ...]:
        return (*c[: self.axis], x, *c[self.axis + 1 :])

    def _narrowed(self, near: _Near, tried: Sequence[tuple[Exact, ...]]) -> _Near:
        """Around the best of what was tried, up to the values tried beside it."""
        inside = {c for c in tried if near.low < _fraction(c[self.axis]) < near.high} | {near.best}
        ordered = sorted(inside, key=lambda c: _fraction(c[self.axis]))
        best = min(ordered, key=self._height)
        at = ordered.index(best)
        low = _fraction(ordered[at - 1][self.axis]) if at > 0 else near.low
        high = _fraction(ordered[at + 1][self.axis]) if at + 1 < len(ordered) else near.high
        return near._replace(best=best, low=low, high=high)

    def _minimum(self, near: _Near, fresh: Outcome, below: Errors | None) -> Minimum:
        on_sweep = self.outcomes[near.best]
        assert isinstance(fresh, Errors) and isinstance(on_sweep, Errors)
        ratio = UNKNOWN if below is None else ratio_estimate(fresh.by_trial, below.by_trial)
        return Minimum(_text(near.grid), _text(near.best), mean_estimate(on_sweep.by_trial),
                       mean_estimate(fresh.by_trial), ratio)


def _values(chosen: Family, m: int, r: int, c: Iterable[Any]) -> list[tuple[Exact, ...]]:
    """The values asked for, each a tuple of exact numbers."""
    chosen.check(m, r)
    if chosen.parameters == 0:
        raise ValueError(f"family must have a parameter to sweep; {chosen.name} has none.")
    if isinstance(c, (str, bytes)) or not isinstance(c, Iterable):
        raise TypeError(f"c must be a list of numbers; got {type(c).__name__} {c!r}.")
    values: dict[tuple[Exact, ...], int] = {}
    for position, given in enumerate(c, 1):
        entries = given if isinstance(given, (tuple, list)) else (given,)
        chosen.check(m, r, len(entries))
        try:
            value = tuple(exact(entry) for entry in entries)
        except (ValueError, TypeError) as error:
            reason = str(error).rstrip(".")
            raise type(error)(f"c must hold finite numbers; {reason}, at position {position}.") from None
        symbols = [entry for entry in value if not isinstance(entry, Fraction) and entry.free_symbols]
        if symbols:
            raise ValueError(f"c must hold finite numbers; got {symbols[0]} at position {position}.")
        if value in values:
            raise ValueError(f"c must hold distinct values; {', '.join(_text(value))} appears at positions "
                             f"{values[value]} and {position}.")
        values[value] = position
    if not values:
        raise ValueError("c must hold at least one value; got none.")
    return list(values)


def _reference(m: int, r: int, given: dict[str, Any]) -> tuple[str, Algorithm]:
    """What ratios are of: the published points where there are some for these taps, else simple fractions."""
    one = given["dims"] == 1
    published = family_named("published-1d" if one else "published")
    if r == PUBLISHED_TAPS and published.fits(m + r - 1):
        return "published", Algorithm((published.transform(m, r),), **given)
    return "fractions", Algorithm((family_named("fractions").transform(m, r),), **given)


def _check_can_be_sent(members: Members) -> None:
    """Refuse a family that other processes cannot be given."""
    try:
        pickle.dumps(members)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(f"family must be picklable for more than one worker; {members.family.name} is not: its recipe "
                         "must be a function of a module.") from error


def _fresh_seed(seed: int) -> int:
    """A seed whose data has nothing to do with that of this one, and is that of no small seed."""
    return int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint64)[0])


def _fraction(value: Exact) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(float(to_sympy(value)))


def _text(c: tuple[Exact, ...]) -> tuple[str, ...]:
    return tuple(str(value) for value in c)
