"""Time of an image in a batch of 16 against that of an image alone."""

from __future__ import annotations

from collections.abc import Sequence

from convolution.comparison import Row
from convolution.contestants import own
from convolution.disturbance import is_disturbed
from convolution.exactness import Judge, drawn
from convolution.layers import Layer
from convolution.markdown import digits, mean_ratio, milliseconds, ratio, table
from convolution.settings import Settings
from convolution.shape import Shape
from convolution.timing import measured, quartiles

BATCH = 16


def row(shape: Shape, layers: Sequence[Layer], settings: Settings) -> Row:
    """Times at batch 1 and 16, in turns."""
    functions = {}
    for batch in (1, BATCH):
        x, w = drawn(shape, batch)
        contestant = own("winograd NCHW", x, w, shape, settings.threads, settings.algorithm)
        Judge(x, w, shape).error(
            f"{contestant.name} at batch {batch}", contestant.array(contestant.call()), contestant.algorithm
        )
        functions[str(batch)] = contestant.call
    times = measured(functions, settings.rounds, settings.turn)
    return {
        "shape": str(shape),
        "layers": [[layer.network, layer.name, layer.count] for layer in layers],
        "one_s": times["1"].turns_s,
        "image_s": [seconds / BATCH for seconds in times[str(BATCH)].turns_s],
        "one_median_s": times["1"].median_s,
        "image_median_s": times[str(BATCH)].median_s / BATCH,
    }


def gain(row: Row) -> float:
    """The time of an image alone over that of one in the batch."""
    return float(row["one_median_s"] / row["image_median_s"])


def line(row: Row) -> str:
    """One row for the terminal."""
    alone = digits(1e3 * row["one_median_s"])
    return f"{row['shape']:42} alone {alone:>7} ms, in a batch {gain(row):.2f} times as fast"


def text(rows: Sequence[Row], made_by: str) -> str:
    """The section."""
    lines = [
        [
            ", ".join(f"{network} {name}" for network, name, _ in row["layers"]), row["shape"],
            milliseconds(row["one_median_s"]), milliseconds(row["image_median_s"]),
            ratio(gain(row), quartiles([a / b for a, b in zip(row["one_s"], row["image_s"], strict=True)])),
        ]
        for row in rows
    ]
    gains = [gain(row) for row in rows if not is_disturbed(row)]
    lines.append(["geometric mean", "", "", "", ratio(mean_ratio(gains))])
    headers = ["layer", "shape", "batch 1, ms", f"batch {BATCH}, ms an image", "gain"]
    return "\n\n".join([
        f"Our NCHW. Below 1, in bold, an image takes longer in a batch of {BATCH} than alone.",
        table(headers, lines, words=2), made_by,
    ])
