"""The picture of a sweep: the curve with its band, the references as lines, minima as stars, gaps as dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from error_analysis.measurement.interval import UNKNOWN
from error_analysis.plots import error_against_c
from winograd import parse_number
from winograd.exact import to_sympy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from error_analysis.sweeping.curve import Sweep


def sweep_picture(sweep: Sweep, ax: Axes | None = None) -> Axes:
    """Mean error against c, with its 95 % interval as a band that breaks at every gap.

    Direct convolution and the published points are horizontal lines; refined minima are stars, at their error on data
    that the sweep never saw; gaps are dotted vertical lines.

    Parameters
    ----------
    sweep : Sweep
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If no value has a finite error.
    """
    axis = sweep.axis
    gaps = [float(parse_number(gap.c[axis])) for gap in sweep.gaps]
    curve = [(float(to_sympy(c)), error) for c, error in sweep.curve]
    if not curve:
        raise ValueError("there must be something to draw; no value of the sweep has a finite error.")
    references = {name: error.value for name, error in sweep.references.items() if error.value == error.value}
    broken = sorted([*curve, *((c, UNKNOWN) for c in gaps)], key=lambda pair: pair[0])
    axes = error_against_c(broken, ax, references)
    for number, c in enumerate(gaps):
        axes.axvline(c, color="0.5", linestyle=":", linewidth=1, zorder=0, label="gap" if number == 0 else None)
    if sweep.minima:
        axes.plot([float(parse_number(low.c[axis])) for low in sweep.minima],
                  [low.fresh.value for low in sweep.minima], color="black", marker="*", markersize=10, linestyle="",
                  zorder=3, label="refined minimum, fresh data")
    name = f"F({sweep.m}, {sweep.r})" if sweep.dims == 1 else f"F({sweep.m}x{sweep.m}, {sweep.r}x{sweep.r})"
    axes.set(title=f"{name}, {sweep.family}, {sweep.dtype}", xlabel="c" if len(sweep.points[0].c) == 1 else
             f"parameter {axis + 1} of the family")
    axes.legend(fontsize="small", handlelength=3)
    return axes
