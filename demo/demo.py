"""The main job of this library on a real photograph: from chosen points to a proved, measured, compiled convolution.

Run by `make demo`; pictures go to demo/out/.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatterSciNotation
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sklearn.datasets import load_sample_image

import error_analysis as ea
import kernels
import winograd as wg
from winograd.published import published_direct_error, published_rows

OUT = Path(__file__).parent / "out"
FILTERS = 64
TRIALS = 5000
RUNS = 7
C_VALUES = [f"{numerator}/40" for numerator in range(44, 121, 2)]

POINT_SETS = {
    "textbook": "0, 1, -1, 2, -2, inf",
    "Barabasz 2020": "0, -1, 1, 1/2, -2, inf",
    "reciprocal, c = 3/2": wg.format_points([0, *wg.reciprocal_group("3/2"), wg.INF]),
}
PUBLISHED = {
    name: row.error
    for name, text in POINT_SETS.items()
    for row in published_rows(2)
    if row.points == wg.parse_points(text) and row.error is not None
}

NOTES = """\
add, mul, fma: the three transforms of one tile of one channel.
Plain rows are evaluated as the literature measures: Huffman order, every operation rounded to float32.
Tuned rows share and factor sums, fuse multiplications into additions, and transform the filter in float64.
With three input channels little is gained by fewer products: layers of networks are in benchmarks/RESULTS.md."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    algorithm: wg.Algorithm
    report: ea.Report
    on_photograph: np.ndarray  # |computed - exact| for each output
    milliseconds: float


def photograph() -> np.ndarray:
    """A photograph that scikit-learn ships, as (1, 3, 427, 640) float32 in [0, 1]."""
    return np.ascontiguousarray(load_sample_image("china.jpg").transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def algorithms() -> dict[str, wg.Algorithm]:
    """Each point set evaluated as the literature measures it, then as one would run it."""
    transforms = {name: wg.toom_cook(4, 3, wg.parse_points(text)).verify() for name, text in POINT_SETS.items()}
    plain = {name: wg.Algorithm(T, dims=2, order="huffman") for name, T in transforms.items()}
    tuned = {
        f"{name}, tuned": replace(A, passes=("share", "factor"), fma=True, filter_dtype="float64")
        for name, A in plain.items()
    }
    return plain | tuned


def milliseconds(layers: list[kernels.Conv2d], x: np.ndarray, progress: Progress) -> list[float]:
    """Median time of each layer; the layers take turns, so that they share whatever else the machine does."""
    times: list[list[float]] = [[] for _ in layers]
    task = progress.add_task("Timing the compiled kernels", total=RUNS * len(layers))
    for _ in range(RUNS):
        for layer, taken in zip(layers, times, strict=True):
            start = time.perf_counter()
            layer(x)
            taken.append(1e3 * (time.perf_counter() - start))
            progress.advance(task)
    return [float(np.median(taken)) for taken in times]


def measured_rows(progress: Progress) -> tuple[list[Row], np.ndarray, float]:
    """The rows of the table; the error of the direct kernel on the photograph, and its time."""
    x = photograph()
    w = np.random.default_rng(0).uniform(-1, 1, (FILTERS, 3, 3, 3)).astype(np.float32)
    # Direct convolution in float64 errs by 1e-15 or so, nine orders below what is measured here.
    exact = kernels.conv2d(x.astype(np.float64), w.astype(np.float64), algorithm="direct")
    chosen = algorithms()

    task = progress.add_task("Compiling one kernel for each algorithm", total=len(chosen))
    layers, errors = [], []
    for A in chosen.values():
        layers.append(kernels.Conv2d(w, algorithm=A))
        errors.append(np.abs(layers[-1](x) - exact))
        progress.advance(task)
    direct = kernels.Conv2d(w, algorithm="direct")
    direct_error = np.abs(direct(x) - exact)

    task = progress.add_task("Measuring the errors", total=TRIALS * len(chosen))
    reports = []
    for position, A in enumerate(chosen.values()):
        reports.append(ea.measure(A, trials=TRIALS, progress=lambda done, _, position=position: progress.update(
            task, completed=position * TRIALS + done)))

    *times, direct_time = milliseconds([*layers, direct], x, progress)
    rows = [Row(*values) for values in zip(chosen, chosen.values(), reports, errors, times, strict=True)]
    return rows, direct_error, direct_time


def formatted(error: ea.Estimate) -> str:
    """The mean and its interval."""
    return f"{error.value:.2e}  ({error.low:.2e} to {error.high:.2e})"


def table_of(rows: list[Row], direct_error: np.ndarray, direct_time: float) -> Table:
    """One table: what was chosen, what it costs, what it errs, how long it takes."""
    table = Table(title=f"F(4x4, 3x3) in float32; a 3x3 layer, 3 -> {FILTERS} channels, on a 427 x 640 photograph")
    table.add_column("points", no_wrap=True)
    errors = ("measured error\n(95 % interval)", "published", "error on the\nphotograph")
    for heading in ("add", "mul", "fma", *errors, "ms"):
        table.add_column(heading, justify="right")
    for row in rows:
        counts = row.algorithm.counts().transforms
        published = PUBLISHED.get(row.name)
        error = row.report.mean_abs
        table.add_row(
            row.name,
            str(counts.additions),
            str(counts.multiplications),
            str(counts.fmas),
            formatted(error),
            "" if published is None else f"{published:.2e}",
            f"{row.on_photograph.mean():.2e}",
            f"{row.milliseconds:.1f}",
        )
    direct = rows[0].report.direct
    errors = (formatted(direct), f"{published_direct_error(2):.2e}", f"{direct_error.mean():.2e}")
    table.add_row("direct", "", "", "", *errors, f"{direct_time:.1f}")
    return table


def draw_curve(progress: Progress) -> Path:
    """Error against c for the points 0, -1/c, -c, c, 1/c, infinity."""
    task = progress.add_task("Measuring the reciprocal family", total=len(C_VALUES))
    curve = ea.sweep("reciprocal", 4, 3, C_VALUES, trials=TRIALS, minima=0,
                     progress=lambda done, _: progress.update(task, completed=done)).curve
    c = np.array([float(wg.as_point(value)) for value, _ in curve])
    middle, low, high = (np.array([getattr(e, part) for _, e in curve]) for part in ("value", "low", "high"))
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.fill_between(c, low, high, alpha=0.3, label="95 % interval")
    axes.plot(c, middle, marker=".", label="mean |error|")
    for name, error in PUBLISHED.items():
        axes.axhline(error, color="black", linestyle="--", label=f"{name}, as published")
    axes.set(xlabel="c", ylabel="mean |computed − exact|", title="F(4×4, 3×3) on 0, −1/c, −c, c, 1/c, ∞ in float32")
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 0.5)))
    axes.legend()
    path = OUT / "error_against_c.png"
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path


def draw_tile_maps(rows: list[Row]) -> Path:
    """Mean error on the photograph at each position of the 4 x 4 output tile."""
    maps = []
    for row in rows:
        height, width = (size - size % 4 for size in row.on_photograph.shape[-2:])  # whole tiles only
        tiles = row.on_photograph[0, :, :height, :width].reshape(FILTERS, height // 4, 4, width // 4, 4)
        maps.append(tiles.mean(axis=(0, 1, 3)))
    figure, all_axes = plt.subplots(1, len(rows), figsize=(3.4 * len(rows), 3.6), layout="constrained")
    largest = max(m.max() for m in maps)
    for axes, row, values in zip(all_axes, rows, maps, strict=True):
        image = axes.imshow(values, cmap="viridis", vmin=0, vmax=largest)
        for (i, j), value in np.ndenumerate(values):
            axes.text(j, i, f"{value * 1e7:.1f}", ha="center", va="center",
                      color="black" if value > 0.6 * largest else "white")
        axes.set(title=row.name, xticks=range(4), yticks=range(4), xlabel="output column")
    all_axes[0].set_ylabel("output row")
    figure.colorbar(image, ax=all_axes, label="mean |computed − exact|", shrink=0.8)
    figure.suptitle("Error over the output tile on the photograph, in units of 1e-7")
    path = OUT / "error_over_tile.png"
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path


def main() -> None:
    """Measure, run, print one table, save two pictures."""
    console = Console(width=None if Console().is_terminal else 140)
    OUT.mkdir(exist_ok=True)
    for name, text in POINT_SETS.items():
        T = wg.toom_cook(4, 3, wg.parse_points(text)).verify()
        console.print(f"{name}: {T.description}; proved: all {T.m * T.r * T.tile} coefficients exact.")
    with Progress(console=console) as progress:
        rows, direct_error, direct_time = measured_rows(progress)
        curve = draw_curve(progress)
    maps = draw_tile_maps(rows[: len(POINT_SETS)])
    console.print(table_of(rows, direct_error, direct_time))
    console.print(NOTES)
    for path in (curve, maps):
        console.print(f"Picture: {path.relative_to(Path(__file__).parents[1])}")


if __name__ == "__main__":
    main()
