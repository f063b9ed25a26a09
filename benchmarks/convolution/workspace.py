"""Memory that a layer takes beside its transformed filter, its input and its output."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import numpy as np

from convolution.comparison import Row
from convolution.contestants import OURS, own
from convolution.exactness import drawn
from convolution.fresh import in_fresh_process
from convolution.layers import Layer
from convolution.markdown import digits, table
from convolution.settings import Settings
from convolution.shape import Shape

LIMIT_BYTES = 4 * 2**20
"""For each thread."""


def row(shape: Shape, layers: Sequence[Layer], settings: Settings) -> Row:
    """What the layer says (`workspace_bytes`), and what a call is seen to take.

    Seen in fresh processes: layers may share memory, and what an earlier one has left would not be seen.
    """
    taken = {
        name: in_fresh_process(seen, name, shape, settings.threads, settings.batch, settings.algorithm)
        for name in OURS
    }
    return {
        "shape": str(shape),
        "layers": [[layer.network, layer.name, layer.count] for layer in layers],
        "threads": settings.threads,
        "said": {name: said for name, (said, _) in taken.items()},
        "seen": {name: peak for name, (_, peak) in taken.items()},
    }


def seen(name: str, shape: Shape, threads: int, batch: int, algorithm: str) -> tuple[int | None, int]:
    """`layer.workspace_bytes`, None where a layer does not say; and bytes at the peak of a call, less its result's.

    By tracemalloc, which sees NumPy's arrays, not those made inside compiled code. A call with an empty batch and one
    with the smallest image that has an output come first, so that all code is loaded.
    """
    x, w = drawn(shape, batch)
    contestant = own(name, x, w, shape, threads, algorithm)
    small = Shape(shape.channels, shape.filters, shape.taps, shape.taps, shape.stride, shape.padding, shape.groups)
    image, _ = drawn(small, 1)
    if OURS[name] == "last":
        image = np.ascontiguousarray(np.moveaxis(image, 1, -1))
    contestant.layer(image[:0])
    contestant.layer(image)
    tracemalloc.start()
    result = contestant.call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return getattr(contestant.layer, "workspace_bytes", None), max(peak - result.nbytes, 0)


def line(row: Row) -> str:
    """One row for the terminal."""
    return f"{row['shape']:42} " + ", ".join(
        f"{name} {_mib(row['seen'][name])} MiB seen, {_mib(row['said'][name])} said" for name in OURS
    )


def text(rows: Sequence[Row], made_by: str) -> str:
    """The section."""
    lines = []
    for row in rows:
        cells = [", ".join(f"{network} {name}" for network, name, _ in row["layers"]), row["shape"]]
        for name in OURS:
            each = row["seen"][name] / row["threads"]
            share = digits(each / 2**20)
            cells += [_mib(row["said"][name]), _mib(row["seen"][name]), f"**{share}**" if each > LIMIT_BYTES else share]
        lines.append(cells)
    headers = ["layer", "shape"]
    for name in OURS:
        headers += [f"{name}: said", "seen", "seen, each thread"]
    return "\n\n".join([
        f"MiB for {rows[0]['threads']} threads. Said: `layer.workspace_bytes`; seen: what a call allocates at its "
        f"peak, beside its result. In bold what is above {LIMIT_BYTES >> 20} MiB for each thread.",
        table(headers, lines, words=2), made_by,
    ])


def _mib(size: int | None) -> str:
    return "–" if size is None else digits(size / 2**20)
