"""Every layer against every peer: what is measured of one shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from convolution.contestants import OURS, own
from convolution.exactness import Judge, drawn, speed_limit
from convolution.layers import Layer
from convolution.markdown import digits
from convolution.peers import NAMES, peers
from convolution.settings import Settings
from convolution.sgemm import OPERATIONS, sgemm
from convolution.shape import Shape
from convolution.timing import measured, quartiles

PLAIN = "winograd NCHW"
"""Ours as most users call it; the ratios asked for are against this one."""

SGEMM = "sgemm"

Row = dict[str, Any]


def row(shape: Shape, layers: Sequence[Layer], settings: Settings) -> Row:
    """All of one shape, checked and measured.

    Parameters
    ----------
    shape : Shape
    layers : sequence of Layer
        Where it stands.
    settings : Settings

    Returns
    -------
    dict
        As JSON has it: "shape", "layers" (network, name, count), "macs" of the batch, "plain 3x3", "channels", "size",
        "algorithm", "limit" (see `exactness.speed_limit`; None if there is none), "sgemm" (operations in a second),
        "sgemm by", and "contestants": for each "median_s", "turns_s", "filter_s", "error_max", "error_mean".

    Raises
    ------
    WrongResult
        If any contestant computed something else.
    """
    x, w = drawn(shape, settings.batch)
    judge = Judge(x, w, shape)
    contestants = [own(name, x, w, shape, settings.threads, settings.algorithm) for name in OURS]
    contestants += peers(x, w, shape, settings.threads)
    errors = {c.name: judge.error(c.name, c.array(c.call()), c.algorithm) for c in contestants}
    multiplier, multiplied = sgemm(settings.threads)
    times = measured({c.name: c.call for c in contestants} | {SGEMM: multiplied}, settings.rounds, settings.turn)
    ours = contestants[0]
    return {
        "shape": str(shape),
        "layers": [[layer.network, layer.name, layer.count] for layer in layers],
        "macs": shape.macs * settings.batch,
        "plain 3x3": shape.is_plain_3x3,
        "channels": shape.channels,
        "size": list(shape.size),
        "algorithm": getattr(ours.algorithm, "size", str(ours.algorithm)),
        "limit": speed_limit(ours.algorithm, shape),
        "sgemm": OPERATIONS / times[SGEMM].median_s,
        "sgemm by": multiplier,
        "contestants": {
            c.name: {
                "median_s": times[c.name].median_s,
                "turns_s": times[c.name].turns_s,
                "filter_s": None if math.isnan(c.filter_s) else c.filter_s,
                "error_max": errors[c.name][0],
                "error_mean": errors[c.name][1],
            }
            for c in contestants
        },
    }


def best(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The fastest of these contestants, of those that ran."""
    ran = [name for name in names if name in row["contestants"]]
    return min(ran, key=lambda name: row["contestants"][name]["median_s"]) if ran else None


def ratio_to(row: Mapping[str, Any], peer: str, better: bool = False) -> float | None:
    """The time of the peer's faster layout over ours: above 1 we are faster.

    Ours is NCHW, or with `better` the faster of our two layouts. The quotient of the medians over all calls.
    """
    theirs, ours = best(row, NAMES[peer]), best(row, list(OURS)) if better else PLAIN
    if theirs is None or ours is None:
        return None
    return float(row["contestants"][theirs]["median_s"] / row["contestants"][ours]["median_s"])


def ratio_spread(row: Mapping[str, Any], peer: str) -> tuple[float, float] | None:
    """The quartiles of `ratio_to` over the rounds, of the medians of each round."""
    theirs = best(row, NAMES[peer])
    if theirs is None:
        return None
    turns = zip(row["contestants"][theirs]["turns_s"], row["contestants"][PLAIN]["turns_s"], strict=True)
    return quartiles([theirs_s / ours_s for theirs_s, ours_s in turns])


def limit_share(row: Mapping[str, Any]) -> float | None:
    """How close our NCHW came to the sgemm rate times the limit of its algorithm."""
    if row["limit"] is None:
        return None
    rate = 2 * row["macs"] / row["contestants"][PLAIN]["median_s"]
    return float(rate / (row["sgemm"] * row["limit"]))


def line(row: Mapping[str, Any]) -> str:
    """One row for the terminal."""
    ratios = "  ".join(
        f"{peer} {value:5.2f}" for peer in NAMES if (value := ratio_to(row, peer)) is not None
    )
    ours = row["contestants"][PLAIN]
    share = limit_share(row)
    limit = "" if share is None else f"  limit {100 * share:3.0f} %"
    return (
        f"{row['shape']:42} {row['algorithm']:10} {digits(1e3 * ours['median_s']):>7} ms  times as fast as: {ratios}"
        f"{limit}  error {ours['error_mean']:.1e}"
    )
