"""The search for points, factors and orders of lower error."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike

from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.measure import check_integer
from error_analysis.searching.candidate import Candidate
from error_analysis.searching.exploration import explored, leads, superlinear, variants
from error_analysis.searching.halving import Halving, SearchProgress
from error_analysis.searching.measuring import OBJECTIVES, PRODUCTS
from error_analysis.searching.neighbours import Descent
from error_analysis.searching.result import Found, SearchResult, check_objectives
from error_analysis.searching.setting import Setting
from error_analysis.searching.store import Store, opened
from error_analysis.searching.workers import working
from winograd.rounding import format_of


def search(
    m: int,
    r: int,
    dims: int = 2,
    dtype: DTypeLike = "float32",
    budget: int = 48,
    *,
    model: str = "literature",
    executor: Executor | None = None,
    store: Store | str | Path | None = None,
    seed: int = 0,
    objectives: Sequence[str] = OBJECTIVES,
    continuous: bool = True,
    progress: SearchProgress | None = None,
    descent: Descent | None = None,
) -> SearchResult:
    """Points, factors and orders for F(m, r), the best that some seconds find: the Pareto front of the objectives.

    Point sets come from what is published, from the continuous optima of every symmetric layout, and from the simple
    rationals near both. Thousands are ranked by `quick_estimate`, each canonical form once; the products of the leading
    ones are rescaled by what it likes best. `budget` of them are measured, all on the same data, the better ones on
    more; in the kernel model the best are measured in other orders and with other passes too. Those on the front are
    measured again on data that the search has not seen, and these are the figures of the result.

    Parameters
    ----------
    m, r : int
        Outputs and taps, at least 2.
    dims : 1 or 2
    dtype : str
        Working format. In formats narrower than float32 sums over channels and the output transform are in float32,
        and errors are measured on data behind a ReLU.
    budget : int
        Candidates that are measured in the first round, at least 1.
    model : "literature" or "kernel"
        See `winograd.catalogue.models.MODELS`.
    executor : concurrent.futures.Executor, optional
        Where measurements run: processes of this machine by default; `dask.distributed.Client().get_executor()` is one.
        Where Python starts processes afresh, as on Windows and macOS and from 3.14 on everywhere, a script must guard
        its own start by ``if __name__ == "__main__":``.
    store : path or Store, optional
        Where measurements are kept, each as it arrives. A search that is run again repeats none of them, and several
        may share a store.
    seed : int
        Of the data and of the optimiser's starts.
    objectives : sequence of str
        What counts: "error", "additions" (of a tile, fmas included), "range" (the largest magnitude of transformed
        data or filters), "bound"; and "products" of a tile, with which the families of superlinear moduli are
        candidates too: they need more products than points do, and so are no answer where products do not count.
    continuous : bool
        Whether to optimise with SciPy. Without, evenly spread magnitudes take the place of the optima.
    progress : callable, optional
        Called as progress(measurements done, measurements expected, lowest error so far).
    descent : Descent, optional
        Point sets that were explored already, as by `error_analysis.searching.exploration.explored`.

    Returns
    -------
    SearchResult
        The same for the same arguments, whatever the executor and however often it was interrupted before.

    Raises
    ------
    ValueError, TypeError
        For an empty budget, unknown objectives or model, a store of another version, and as `winograd.toom_cook`.
    ImportError
        If SciPy is missing and `continuous` is asked for.
    OSError
        If the store cannot be written any more; what it has is kept.
    RuntimeError
        If the executor breaks down.
    Interrupted
        At Ctrl-C, with the SearchResult of what was measured until then.

    Rounding
    --------
    As `error_analysis.measure`.

    Source
    ------
    Successive halving: Karnin, Koren, Somekh, Almost optimal exploration in multi-armed bandits, ICML 2013. That
    c and 1 / c and their negatives belong together: Alam, Anderson, Barabasz, Gregg, ACM TECS 21(6), 2022
    (arXiv:2201.10369).

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as one:
    ...     result = search(3, 3, budget=4, executor=one, objectives="error", continuous=False)
    >>> result.best().figures.error.high < 1.8e-7  # published: 2.35e-07
    True
    """
    setting = Setting(m, r, dims, format_of(dtype).name, model)
    check_integer("budget", budget, 1)
    check_integer("seed", seed, 0)
    chosen = (objectives,) if isinstance(objectives, str) else tuple(objectives)
    check_objectives(chosen)
    with opened(store) as kept, working(executor) as workers:
        halving = Halving(setting, workers, kept, seed, chosen, progress)
        found = descent if descent is not None else explored(setting, seed, continuous)
        try:
            shared = not {"additions", "operations"}.isdisjoint(chosen)
            first = leads(setting, found, budget, shared)
            if PRODUCTS in chosen:
                first += superlinear(setting)
            front = halving.run(first, variants if model == "kernel" else _unvaried)
            fresh = halving.fresh(front)
        except KeyboardInterrupt:
            front = halving.front(list(halving.latest))
            raise Interrupted(_result(halving, front, None, budget, found)) from None
    return _result(halving, front, fresh, budget, found)


def _result(halving: Halving, front: list[Candidate], fresh: Any, budget: int, descent: Descent) -> SearchResult:
    by = [halving.latest[c] for c in front]
    pairs = zip(front, by if fresh is None else fresh, by, strict=True)
    return SearchResult(
        halving.setting, tuple(Found(c, halving.setting, figures, chosen) for c, figures, chosen in pairs),
        halving.objectives, budget, halving.seed, len(descent.seen), len(halving.latest),
        "complete" if fresh is not None else "interrupted",
    )


def _unvaried(candidate: Candidate) -> list[Candidate]:
    """In the literature's model there is one way to evaluate."""
    return [candidate]
