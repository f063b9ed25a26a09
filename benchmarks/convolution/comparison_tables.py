"""The Markdown of the comparison: a summary by groups, and two tables for each network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convolution.comparison import PLAIN, Row, limit_share, ratio_spread, ratio_to
from convolution.contestants import OURS
from convolution.disturbance import is_disturbed
from convolution.layers import NETWORKS
from convolution.markdown import digits, mean_ratio, milliseconds, percent, ratio, table
from convolution.peers import NAMES

_CONTESTANTS = [*OURS, *(name for names in NAMES.values() for name in names)]


def _in(row: Row, *networks: str) -> bool:
    return any(network in networks for network, _, _ in row["layers"])


def _plain(row: Row) -> bool:
    return bool(row["plain 3x3"]) and _in(row, "VGG-16", "ResNet-18", "ResNet-50")


GROUPS: list[tuple[str, Callable[[Row], bool], dict[str, tuple[float, float]]]] = [
    ("VGG-16 and ResNets, 3 × 3 stride 1", _plain, {"PyTorch": (2.2, 0.0), "ncnn": (1.4, 0.0)}),
    ("those with 64 or more channels, 28 × 28 or more", lambda row: _plain(row) and row["channels"] >= 64
     and min(row["size"]) >= 28, {"PyTorch": (2.0, 2.0)}),
    ("all distinct layers", lambda row: True, {"PyTorch": (1.3, 0.95)}),
]
"""Name, members, and for some peers what is aimed at: the geometric mean, and the smallest ratio of a layer."""


def summary(rows: Sequence[Row]) -> str:
    """Geometric means of the ratios of each group, and how many rows are left out because others disturbed them."""
    lines = []
    left_out = sum(map(is_disturbed, rows))
    for name, is_member, aims in GROUPS:
        members = [row for row in rows if is_member(row) and not is_disturbed(row)]
        for peer in NAMES:
            plain = [value for row in members if (value := ratio_to(row, peer)) is not None]
            better = [value for row in members if (value := ratio_to(row, peer, better=True)) is not None]
            if plain:
                mean, least = aims.get(peer, (0.0, 0.0))
                aim = f"mean {mean:.2f}" if mean else "–"
                aim += f", each {least:.2f}" if least else ""
                lines.append([
                    name, peer, str(len(plain)), ratio(mean_ratio(plain)), ratio(min(plain)),
                    str(sum(value < 1 for value in plain)), ratio(mean_ratio(better)), ratio(min(better)), aim,
                ])
    headers = ["layers", "peer", "number", "geometric mean", "least", "losses", "mean, our better layout", "least",
               "aim"]
    parts = [table(headers, lines, words=2)] if lines else ["No row has a ratio to a peer that could be relied on."]
    if left_out:
        parts.append(f"Left out here: {left_out} of {len(rows)} rows, which other processes disturbed.")
    return "\n\n".join(parts)


def network_tables(network: str, rows: Sequence[Row]) -> list[str]:
    """Times with ratios, and what stands behind them, for the rows of one network."""
    named = [(name, count, row) for row in rows for place, name, count in row["layers"] if place == network]
    present = [c for c in _CONTESTANTS if any(c in row["contestants"] for _, _, row in named)]
    ran = [peer for peer, names in NAMES.items() if any(name in present for name in names)]
    times = table(
        ["layer", "shape", *(f"{c}, ms" for c in present), *(f"{peer} / ours" for peer in ran),
         *(f"{peer} / our better" for peer in ran)],
        [
            [
                f"{name} (× {count})" if count > 1 else name, row["shape"],
                *(milliseconds(_of(row, c, "median_s")) for c in present),
                *(ratio(ratio_to(row, peer), ratio_spread(row, peer)) for peer in ran),
                *(ratio(ratio_to(row, peer, better=True)) for peer in ran),
            ]
            for name, count, row in named
        ],
        words=2,
    )
    behind = table(
        ["layer", "algorithm", "filter transform, ms", "GFLOP/s", "sgemm, GFLOP/s", "limit ÷ sgemm", "share of limit",
         *(f"error of {c}" for c in present if c != "torch NHWC")],
        [
            [
                name, row["algorithm"], milliseconds(_of(row, PLAIN, "filter_s")),
                digits(2e-9 * row["macs"] / row["contestants"][PLAIN]["median_s"]), digits(1e-9 * row["sgemm"]),
                "–" if row["limit"] is None else digits(row["limit"]), percent(limit_share(row)),
                *(_error(row, c) for c in present if c != "torch NHWC"),
            ]
            for name, _, row in named
        ],
        words=2,
    )
    return [times, behind]


def text(rows: Sequence[Row], made_by: str) -> str:
    """The whole section; `made_by` stands under each table."""
    parts = [
        "A ratio says how many times as fast this library is: the time of the peer's faster layout over ours. “/ "
        "ours” is our NCHW (for signals NCW), with the quartiles over the rounds in parentheses; “/ our better” is the "
        "faster of our two layouts. Below 1, in bold, is a loss. A shape that several layers or networks share is "
        "measured once.",
        summary(rows), made_by,
    ]
    for network in NETWORKS:
        if any(_in(row, network) for row in rows):
            times, behind = network_tables(network, rows)
            parts += [f"### {network}", times, made_by, behind, made_by]
    parts.append(
        "GFLOP/s counts the multiply-adds of direct convolution, two each. The limit is the sgemm rate, measured in "
        "turns with the layer, times m² r² / n² for F(m × m, r × r), times 1 for direct convolution; depthwise layers "
        "are no matrix product and have none. Errors are mean |result − exact| over the outputs, exact in float64; "
        "data and filters are uniform on [−1, 1]."
    )
    return "\n\n".join(parts)


def _of(row: Row, contestant: str, what: str) -> Any:
    return row["contestants"].get(contestant, {}).get(what)


def _error(row: Row, contestant: str) -> str:
    value = _of(row, contestant, "error_mean")
    return "–" if value is None else f"{value:.1e}"
