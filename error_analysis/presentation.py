"""Reports as tables on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from error_analysis.measurement.comparison import Comparison
from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.report import QUANTILES, Report

# What is piped has no terminal to take its width from; wide enough for two reports beside each other.
_PIPED_WIDTH = 120


def print_report(report: Report) -> None:
    """The report as tables: figures with their intervals, error over the tile, range by stage."""
    console = _console()
    console.print(_title(report), soft_wrap=True, highlight=False, markup=False)
    _print_figures(console, [report])
    _print_tile(console, report)
    _print_ranges(console, report)


def print_comparison(comparison: Comparison) -> None:
    """Both reports in one table, and the ratio of their means."""
    console = _console()
    both = [comparison.a, comparison.b]
    for name, report in zip(("first: ", "second:"), both, strict=True):
        console.print(f"{name} {_title(report)}", soft_wrap=True, highlight=False, markup=False)
    _print_figures(console, both, ["first", "second"])
    console.print(f"mean |error|, first / second: {comparison.ratio.formatted('.3f')}", highlight=False, markup=False)


@contextmanager
def progress_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, so that what is printed can be piped; it vanishes when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(unit, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_WIDTH)


def _title(report: Report) -> str:
    return str(report).partition("\n")[0]


def _figures(report: Report) -> list[tuple[str, str, str]]:
    """(name, value, interval) of each figure."""

    def of(name: str, estimate: Estimate, number: str = ".3e") -> tuple[str, str, str]:
        return name, f"{estimate.value:{number}}", f"{estimate.low:{number}} to {estimate.high:{number}}"

    return [
        of("mean |error|", report.mean_abs),
        ("max |error|", f"{report.max_abs:.3e}", ""),
        of("direct convolution, mean", report.direct),
        ("direct convolution, max", f"{report.direct_max_abs:.3e}", ""),
        of("correctly rounded, mean", report.rounded),
        of("mean / direct", report.ratio, ".3f"),
        of("mean / correctly rounded", report.ratio_rounded, ".3f"),
        of("relative, L1", report.relative_l1),
        of("relative, L2", report.relative_l2),
        ("normwise, max / max", f"{report.normwise:.3e}", ""),
        *((f"|error|, {100 * q:g} %", f"{value:.3e}", "")
          for q, value in zip(QUANTILES, report.quantiles, strict=True)),
        of("sum |error| / sum ulp", report.ulps, ".4g"),
        ("ulps, mean", f"{report.ulps_mean:.4g}", ""),
        ("ulps, max", f"{report.ulps_max:.4g}", ""),
        *((f"ulps, {100 * q:g} %", f"{value:.4g}", "")
          for q, value in zip(QUANTILES, report.ulps_quantiles, strict=True)),
        ("outputs not finite", str(report.nonfinite), ""),
    ]


def _print_figures(console: Console, reports: Sequence[Report], names: Sequence[str] = ("",)) -> None:
    table = Table()
    table.add_column("")
    for name in names:
        table.add_column(name or "value", justify="right")
        table.add_column("95 % interval", justify="right")
    for rows in zip(*(_figures(report) for report in reports), strict=True):
        table.add_row(rows[0][0], *(cell for _, value, interval in rows for cell in (value, interval)))
    console.print(table)


def _print_tile(console: Console, report: Report) -> None:
    """One line for each row of the tile; of three axes, one block for each plane."""
    planes: Any = report.per_output.reshape(-1, *report.m[-2:]) if len(report.m) > 1 else report.per_output[None, None]
    console.print("mean |error| over the output tile:", highlight=False, markup=False)
    table = Table(show_header=False)
    for number, plane in enumerate(planes):
        for row in plane:
            table.add_row(*(f"{value:.2e}" for value in row))
        if number + 1 < len(planes):
            table.add_section()
    console.print(table)


def _print_ranges(console: Console, report: Report) -> None:
    console.print("range of each stage:", highlight=False, markup=False)
    table = Table()
    for name in ("stage", "format"):
        table.add_column(name)
    for name in ("largest", "overflows", "NaNs", "underflows", "flushed to 0", "of"):
        table.add_column(name, justify="right")
    for seen in report.ranges:
        counts = (seen.overflows, seen.nans, seen.underflows, seen.flushed, seen.values)
        table.add_row(seen.stage, seen.dtype, f"{seen.largest:.4g}", *map(str, counts))
    console.print(table)
