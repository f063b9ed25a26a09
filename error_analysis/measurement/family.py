"""The error of a family of algorithms against its parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.measure import measure
from error_analysis.measurement.report import Progress
from winograd import INF, Algorithm, Transform, as_point, reciprocal_group, toom_cook


def reciprocal_family(r: int = 3) -> Transform:
    """F(m, r) on the points 0, -1/c, -c, c, 1/c and infinity, with c left open; six points, so m = 7 - r.

    Source
    ------
    Alam, Anderson, Barabasz, Gregg, ACM TECS 21(6), 2022 (arXiv:2201.10369).

    Examples
    --------
    >>> reciprocal_family()
    Transform(F(4, 3), points 0, -1/c, -c, c, 1/c, inf)
    """
    return toom_cook(7 - r, r, [0, *reciprocal_group("c"), INF])


def sweep_family(
    family: Transform,
    values: Iterable[Any],
    trials: int = 5000,
    seed: int = 0,
    channels: int = 1,
    progress: Progress | None = None,
    **recipe: Any,
) -> list[tuple[Any, Estimate]]:
    """The mean error for each value of the one free symbol of a transform.

    The transform is generated once and specialised for each value. All values see the same data, so that
    differences between neighbours are those of the algorithms.

    Parameters
    ----------
    family : Transform
        With one free symbol, as from `reciprocal_family`.
    values : iterable of exact numbers
        As `winograd.as_point` reads them; a float stands for its exact binary value.
    trials, seed, channels
        As in `measure`.
    progress : callable, optional
        Called as progress(values done, values).
    recipe
        Further fields of the Algorithm: dims, order, fma, dtype, ...

    Returns
    -------
    list of (value, Estimate), in the order given.

    Raises
    ------
    ValueError
        If the transform has no symbol or several, or points coincide at a value. All values are checked before the
        first is measured.
    Interrupted
        At Ctrl-C, with the points measured until then.

    Rounding
    --------
    As `measure`.

    Examples
    --------
    >>> curve = sweep_family(reciprocal_family(), ["5/4", "3/2", 3], trials=500, dims=2)
    >>> min(curve, key=lambda point: point[1].value)[0]
    '3/2'
    """
    if not isinstance(family, Transform):
        raise TypeError(f"family must be a Transform; got {type(family).__name__}.")
    if len(family.free_symbols) != 1:
        names = ", ".join(sorted(map(str, family.free_symbols))) or "none"
        raise ValueError(f"family must have one free symbol; got {names}.")
    (symbol,) = family.free_symbols
    chosen = list(values)
    algorithms = [Algorithm((family.subs({symbol: as_point(value)}),), **recipe) for value in chosen]
    curve: list[tuple[Any, Estimate]] = []
    for done, (value, A) in enumerate(zip(chosen, algorithms, strict=True), 1):
        try:
            curve.append((value, measure(A, trials, seed, channels).mean_abs))
        except KeyboardInterrupt:
            raise Interrupted(curve) from None
        if progress is not None:
            progress(done, len(chosen))
    return curve
