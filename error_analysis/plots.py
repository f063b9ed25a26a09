"""Pictures of errors. Each function draws one on an Axes and returns it; none measures anything.

Colours are those of Okabe and Ito or the viridis map, which colour-blind readers tell apart; every line has its own
dashes and marker too, so that a print in black and white can be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.report import Report
from error_analysis.searching.pareto import pareto_front
from winograd import as_point
from winograd.exact import to_sympy
from winograd.points import Infinity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Colours that readers of every colour vision tell apart; the yellow is left out, which vanishes on paper.

Okabe and Ito, Color Universal Design, 2008."""

_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (1, 1)))
# Nine, not seven: no two of the first 63 have both colour and marker in common.
_MARKERS = "osD^vPX<*"
ERROR_LABEL = "mean |computed − exact|"

Curve = Sequence[tuple[Any, Estimate]]
"""Pairs of an abscissa and a mean with its interval, as `Sweep.curve` has them."""


def error_against_c(
    curve: Curve | Mapping[str, Curve], ax: Axes | None = None, references: Mapping[str, float] | None = None
) -> Axes:
    """Mean error against the parameter c of a family of points, with its 95 % interval as a band.

    Parameters
    ----------
    curve : sequence of (c, Estimate), or several by name
        As `Sweep.curve` has it; c is an exact number or a float.
    ax : Axes, optional
        Where to draw; a new figure by default.
    references : mapping of name to error, optional
        Drawn as horizontal lines: the error of fixed points, or of direct convolution.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If there is nothing to draw.
    """
    curves = curve if isinstance(curve, Mapping) else {"": curve}
    axes = _axes(ax, curves)
    for position, (name, points) in enumerate(curves.items()):
        _band(axes, position, name or ERROR_LABEL, points, interval_label="95 % interval" if not name else None)
    for position, (name, error) in enumerate((references or {}).items(), len(curves)):
        axes.axhline(error, label=name, color=_colour(position), linestyle=_dashes(position))
    axes.set(xlabel="c", ylabel=ERROR_LABEL)
    return _finished(axes, log_y=True)


def error_against_m(
    errors: Mapping[str, Curve],
    ax: Axes | None = None,
    bounds: Mapping[str, Sequence[tuple[int, float]]] | None = None,
    estimates: Mapping[str, Sequence[tuple[int, float]]] | None = None,
) -> Axes:
    """Mean error against the tile size m, one line for each format, with its bound above and its estimate on it.

    Parameters
    ----------
    errors : mapping of format to sequence of (m, Estimate)
    ax : Axes, optional
    bounds, estimates : mapping of format to sequence of (m, number), optional
        The worst case, drawn dotted in the colour of the format, and the predicted mean, drawn as crosses.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        As `error_against_c`.
    """
    axes = _axes(ax, errors)
    for position, (name, points) in enumerate(errors.items()):
        _band(axes, position, f"{name}, measured", points)
        for title, source, style in (
            ("bound", bounds, {"linestyle": ":", "linewidth": 1.0, "markerfacecolor": "white"}),
            ("estimate", estimates, {"linestyle": "", "marker": "x", "markersize": 9.0}),
        ):
            if source and name in source:
                m, values = zip(*source[name], strict=True)
                marked: dict[str, Any] = {"marker": _marker(position), "markersize": 4.0} | style
                axes.plot(m, values, color=_colour(position), label=f"{name}, {title}", **marked)
    axes.set(xlabel="m, outputs of a tile along each axis", ylabel="|computed − exact|")
    _whole_ticks(axes, [m for points in errors.values() for m, _ in points])
    return _finished(axes, log_y=True)


def error_against_n(
    errors: Mapping[str, Curve], ax: Axes | None = None, references: Mapping[str, float] | None = None
) -> Axes:
    """Mean error against the number of points n, one line for each name, with its interval as a band.

    Parameters
    ----------
    errors : mapping of name to sequence of (n, Estimate)
    ax : Axes, optional
    references : mapping of name to error, optional
        Drawn as horizontal lines, as the error of direct convolution.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        As `error_against_c`.
    """
    axes = error_against_c(errors, ax, references)
    axes.set(xlabel="n, points")
    _whole_ticks(axes, [n for points in errors.values() for n, _ in points])
    return axes


def error_against_channels(errors: Mapping[str, Curve], ax: Axes | None = None) -> Axes:
    """Mean error against the number of input channels, one line for each way to sum over them.

    Parameters
    ----------
    errors : mapping of channel sum to sequence of (channels, Estimate)
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        As `error_against_c`.
    """
    axes = _axes(ax, errors)
    for position, (name, points) in enumerate(errors.items()):
        _band(axes, position, name, points)
    axes.set(xlabel="input channels", ylabel=ERROR_LABEL)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    return _finished(axes, log_y=True)


def tile_heat_map(errors: np.ndarray | Report, ax: Axes | None = None, largest: float | None = None) -> Axes:
    """Mean error at each position of the output tile, as colours and numbers.

    Parameters
    ----------
    errors : array, shape (m,) or (m, m), or a Report, whose `per_output` it is
    ax : Axes, optional
    largest : float, optional
        Where the colours end, to compare maps; by default the largest error.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If the errors are no vector or matrix.
    """
    values = np.atleast_2d(np.asarray(getattr(errors, "per_output", errors), dtype=np.float64))
    if values.ndim != 2 or not values.size:
        raise ValueError(f"errors must be a vector or a matrix over the output tile; got the shape {values.shape}.")
    axes = _axes(ax, values)
    top = float(values.max()) if largest is None else largest
    power = int(np.floor(np.log10(top))) if top > 0 else 0
    unit = 10.0**power
    image = axes.imshow(values / unit, cmap="viridis", vmin=0, vmax=top / unit or 1)
    for (i, j), value in np.ndenumerate(values):
        # The upper end of viridis is a light yellow.
        colour = "black" if value > 0.6 * top else "white"
        axes.text(j, i, f"{value / unit:.1f}", ha="center", va="center", color=colour)
    axes.set(xticks=range(values.shape[1]), yticks=range(values.shape[0]), xlabel="output column", ylabel="output row")
    axes.figure.colorbar(image, ax=axes, label=f"{ERROR_LABEL}, 1e{power:+03d}", shrink=0.8)
    axes.set_title(f"error over the output tile, in units of 1e{power:+03d}")
    return axes


def ulps_histogram(errors: Mapping[str, Any], ax: Axes | None = None, bins: int = 40) -> Axes:
    """How often the error is so many units in the last place of the exact result, on logarithmic scales.

    Parameters
    ----------
    errors : mapping of name to array
        |computed - exact| in ulps, one number for each output. Zeros, where the result was exact, go into the lowest
        bin.
    ax : Axes, optional
    bins : int
        From 1/8 ulp, below which all is one bin, to the largest error.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        As `error_against_c`.
    """
    arrays = {name: np.abs(np.asarray(values, dtype=np.float64)).ravel() for name, values in errors.items()}
    axes = _axes(ax, arrays)
    if not all(array.size for array in arrays.values()):
        raise ValueError("errors must hold at least one number for each name; one is empty.")
    least = 0.125
    top = max(2 * least, *(float(array[np.isfinite(array)].max(initial=0)) for array in arrays.values()))
    edges = np.geomspace(least, top * 1.001, bins + 1)
    for position, (name, array) in enumerate(arrays.items()):
        share = np.histogram(np.clip(array, least, top), edges)[0] / array.size
        axes.stairs(share, edges, label=name, color=_colour(position), linestyle=_dashes(position), linewidth=1.6)
    # The correctly rounded result errs by half an ulp at most.
    axes.axvline(0.5, color="0.5", linewidth=0.8)
    axes.annotate("half an ulp", (0.5, 1), xycoords=("data", "axes fraction"), xytext=(3, -3),
                  textcoords="offset points", va="top", fontsize="small", color="0.3")
    axes.set(xlabel="|computed − exact|, ulps", ylabel="share of outputs", xscale="log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    return _finished(axes, log_y=False)


def operations_against_error(rows: Iterable[tuple[str, float, Estimate]], ax: Axes | None = None) -> Axes:
    """Operations against mean error, one mark for each algorithm, with the Pareto front as a staircase.

    Parameters
    ----------
    rows : iterable of (name, operations, Estimate)
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        As `error_against_c`.
    """
    found = list(rows)
    axes = _axes(ax, found)
    front = pareto_front([(operations, error.value) for _, operations, error in found])
    for position, (name, operations, error) in enumerate(found):
        axes.errorbar(operations, error.value, yerr=_whiskers([error]), marker=_marker(position), markersize=6,
                      color=_colour(position), markerfacecolor=None if position in front else "white", capsize=2,
                      linestyle="", label=name)
    x, y = zip(*sorted((found[k][1], found[k][2].value) for k in front), strict=True)
    axes.step(x, y, where="post", color="0.4", linestyle="--", linewidth=1, zorder=0, label="Pareto front")
    axes.set(xlabel="operations for one output", ylabel=ERROR_LABEL)
    return _finished(axes, log_y=True)


def bound_growth(bounds: Mapping[str, Sequence[tuple[int, float]]], ax: Axes | None = None) -> Axes:
    """A bound against the number of points n, one line for each algorithm: straight where it grows exponentially.

    Parameters
    ----------
    bounds : mapping of name to sequence of (n, bound)
        For example "original" and "modified".
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        As `error_against_c`.
    """
    axes = _axes(ax, bounds)
    for position, (name, points) in enumerate(bounds.items()):
        n, values = zip(*points, strict=True)
        axes.plot(n, values, label=name, **_style(position))
    axes.set(xlabel="n, points", ylabel="bound of |computed − exact|")
    _whole_ticks(axes, [n for points in bounds.values() for n, _ in points])
    return _finished(axes, log_y=True)



def _axes(ax: Axes | None, data: Any) -> Axes:
    """The Axes to draw on. The one place that imports matplotlib."""
    if len(data) == 0:
        raise ValueError("there must be something to draw; got no data.")
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("pictures need matplotlib; install winograd[plots].") from error
    if ax is not None:
        return ax
    return plt.subplots(figsize=(6.4, 4.2), layout="constrained")[1]


def _colour(position: int) -> str:
    return OKABE_ITO[position % len(OKABE_ITO)]


def _dashes(position: int) -> Any:
    return _DASHES[position % len(_DASHES)]


def _marker(position: int) -> str:
    return _MARKERS[position % len(_MARKERS)]


def _style(position: int) -> dict[str, Any]:
    return {"color": _colour(position), "linestyle": _dashes(position), "marker": _marker(position), "markersize": 4.5,
            "linewidth": 1.6}


def _number(value: Any) -> float:
    if isinstance(value, (int, float, Fraction, np.number)):
        return float(value)
    point = as_point(value)
    if isinstance(point, Infinity):
        raise ValueError("an abscissa must be finite; got inf.")
    return float(to_sympy(point))


def _band(axes: Axes, position: int, name: str, points: Curve, interval_label: str | None = None) -> None:
    """A line through the means, and their intervals as a band in the same colour."""
    if not points:
        raise ValueError(f"there must be something to draw; {name} is empty.")
    x = np.array([_number(value) for value, _ in points])
    middle, low, high = (np.array([getattr(e, part) for _, e in points]) for part in ("value", "low", "high"))
    axes.fill_between(x, low, high, color=_colour(position), alpha=0.25, linewidth=0, label=interval_label)
    style = _style(position)
    if len(points) > 15:
        style["markevery"] = len(points) // 12
    axes.plot(x, middle, label=name, **style)


def _whiskers(errors: Sequence[Estimate]) -> np.ndarray:
    below = [max(e.value - e.low, 0.0) for e in errors]
    above = [max(e.high - e.value, 0.0) for e in errors]
    return np.array([below, above])


def _whole_ticks(axes: Axes, values: Sequence[Any]) -> None:
    axes.set_xticks(sorted({int(value) for value in values}))


def _finished(axes: Axes, log_y: bool) -> Axes:
    from matplotlib.ticker import LogFormatterSciNotation

    if log_y:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 0.5)))
    axes.grid(alpha=0.3, linewidth=0.5)
    if axes.get_legend_handles_labels()[1]:
        # Many entries would cover the data: they go below the axes.
        many = len(axes.get_legend_handles_labels()[1]) > 5
        beside: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 3} if many else {}
        axes.legend(fontsize="small", handlelength=3, **beside)
    return axes
