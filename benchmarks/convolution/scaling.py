"""Two threads against one, on the large layers."""

from __future__ import annotations

from collections.abc import Sequence

from convolution.comparison import Row
from convolution.contestants import own
from convolution.disturbance import is_disturbed
from convolution.exactness import Judge, drawn
from convolution.layers import Layer
from convolution.markdown import digits, mean_ratio, milliseconds, ratio, table
from convolution.peers import is_installed, torch_contestant
from convolution.settings import Settings
from convolution.shape import Shape
from convolution.timing import measured, quartiles

LARGE_MACS = 200_000_000
AIM = 1.8
OURS, PEER = "winograd", "torch"


def is_large(shape: Shape) -> bool:
    """Whether the layer has work enough that threads should share it well."""
    return shape.macs >= LARGE_MACS


def row(shape: Shape, layers: Sequence[Layer], settings: Settings) -> Row:
    """Times with one thread and with all asked for, in turns; PyTorch's beside them."""
    x, w = drawn(shape, settings.batch)
    judge = Judge(x, w, shape)
    functions = {}
    for threads in (1, settings.threads):
        contestants = {OURS: own("winograd NCHW", x, w, shape, threads, settings.algorithm)}
        if is_installed("PyTorch"):
            contestants[PEER] = torch_contestant(x, w, shape, threads, last=False)
        for who, contestant in contestants.items():
            judge.error(f"{who} with {threads} threads", contestant.array(contestant.call()), contestant.algorithm)
            functions[f"{who} {threads}"] = contestant.call
    times = measured(functions, settings.rounds, settings.turn)
    return {
        "shape": str(shape),
        "layers": [[layer.network, layer.name, layer.count] for layer in layers],
        "threads": settings.threads,
        "times": {name: {"median_s": t.median_s, "turns_s": t.turns_s} for name, t in times.items()},
    }


def speedup(row: Row, who: str) -> float | None:
    """The time with one thread over that with all."""
    many = row["times"].get(f"{who} {row['threads']}")
    return None if many is None else float(row["times"][f"{who} 1"]["median_s"] / many["median_s"])


def line(row: Row) -> str:
    """One row for the terminal."""
    peer = speedup(row, PEER)
    beside = "" if peer is None else f"  (torch {peer:.2f})"
    ours = row["times"][f"{OURS} 1"]["median_s"]
    gain = f"{row['threads']} are {speedup(row, OURS):.2f} times as fast{beside}"
    return f"{row['shape']:42} 1 thread {digits(1e3 * ours):>7} ms, {gain}"


def text(rows: Sequence[Row], made_by: str) -> str:
    """The section."""
    lines, ours, theirs = [], [], []
    for row in rows:
        one, many = row["times"][f"{OURS} 1"], row["times"][f"{OURS} {row['threads']}"]
        spread = quartiles([a / b for a, b in zip(one["turns_s"], many["turns_s"], strict=True)])
        gain, peer = speedup(row, OURS), speedup(row, PEER)
        if not is_disturbed(row):
            ours += [gain] if gain is not None else []
            theirs += [peer] if peer is not None else []
        lines.append([
            ", ".join(f"{network} {name}" for network, name, _ in row["layers"]), row["shape"],
            milliseconds(one["median_s"]), milliseconds(many["median_s"]), ratio(gain, spread), ratio(peer),
        ])
    lines.append(["geometric mean", "", "", "", ratio(mean_ratio(ours)), ratio(mean_ratio(theirs))])
    least = [ratio(min(gains) if gains else None) for gains in (ours, theirs)]
    lines.append(["least", "", "", "", *least])
    threads = rows[0]["threads"]
    headers = ["layer", "shape", "1 thread, ms", f"{threads} threads, ms", "gain", "PyTorch's gain (NCHW)"]
    return "\n\n".join([
        f"Layers of {LARGE_MACS // 10**6} million multiply-adds or more, our NCHW, quartiles over the rounds in "
        f"parentheses. Aim: two threads {AIM} times as fast as one on each.",
        table(headers, lines, words=2), made_by,
    ])
