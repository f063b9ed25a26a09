"""The published table of errors, measured again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from error_analysis.measurement.interruption import Interrupted
from error_analysis.measurement.interval import Estimate
from error_analysis.measurement.measure import check_integer, measure
from error_analysis.measurement.report import Progress
from winograd import Algorithm, format_points, toom_cook
from winograd.published import PUBLISHED_TAPS, published_direct_error, published_rows

_BEGIN, _END = "<!-- table:published -->", "<!-- /table -->"


@dataclass(frozen=True)
class TableRow:
    """One published error and ours, for the same points; direct convolution has neither m nor points."""

    m: int | None
    dims: int
    points: str
    ours: Estimate
    published: float

    @property
    def ratio(self) -> float:
        """Ours over the published one."""
        return self.ours.value / self.published

    @property
    def name(self) -> str:
        """F(m, r), by axis, or what else it is."""
        if self.m is None:
            return f"direct, {self.dims}-D"
        m, r = ("x".join([str(length)] * self.dims) for length in (self.m, PUBLISHED_TAPS))
        return f"F({m}, {r})"


def published_table(trials: int = 5000, seed: int = 0, progress: Progress | None = None) -> list[TableRow]:
    """Every published error for r = 3, beside our own: float32, Huffman order, no fma, one channel.

    Parameters
    ----------
    trials, seed : int
        As in `measure`; all rows of one shape see the same data.
    progress : callable, optional
        Called as progress(rows done, rows).

    Returns
    -------
    list of TableRow
        Direct convolution first, 1-D before 2-D.

    Raises
    ------
    ValueError, TypeError
        As `measure`.
    Interrupted
        At Ctrl-C, with the rows measured until then.

    Rounding
    --------
    As `measure`.

    Source
    ------
    Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020 (arXiv:1803.10986), by `winograd.published`.

    Examples
    --------
    >>> rows = published_table(trials=50)
    >>> rows[1].name, rows[1].points
    ('F(2, 3)', '0, -1, 1, inf')
    """
    check_integer("trials", trials, 2)
    check_integer("seed", seed, 0)
    published = [(row, row.error) for dims in (1, 2) for row in published_rows(dims) if row.error is not None]
    rows: list[TableRow] = []
    for done, (row, error) in enumerate(published, 1):
        A = Algorithm((toom_cook(row.m, PUBLISHED_TAPS, row.points),), dims=row.dims)
        try:
            report = measure(A, trials, seed)
        except KeyboardInterrupt:
            raise Interrupted(rows) from None
        if all(known.dims != row.dims for known in rows):
            rows.append(TableRow(None, row.dims, "", report.direct, published_direct_error(row.dims)))
        rows.append(TableRow(row.m, row.dims, format_points(row.points), report.mean_abs, error))
        if progress is not None:
            progress(done, len(published))
    return rows


def markdown(rows: Sequence[TableRow]) -> str:
    """The rows as a Markdown table.

    Examples
    --------
    >>> row = TableRow(2, 1, "0, -1, 1, inf", Estimate(2.46e-8, 2.43e-8, 2.49e-8), 2.45e-8)
    >>> print(markdown([row]))
    | | points | mean error, measured | 95 % interval | published | ratio |
    |---|---|---|---|---|---|
    | F(2, 3) | 0, -1, 1, inf | 2.46e-08 | 2.43e-08 to 2.49e-08 | 2.45e-08 | 1.00 |
    """
    lines = ["| | points | mean error, measured | 95 % interval | published | ratio |", "|" + "---|" * 6]
    for row in rows:
        cells = (
            row.name,
            row.points,
            f"{row.ours.value:.2e}",
            f"{row.ours.low:.2e} to {row.ours.high:.2e}",
            f"{row.published:.2e}",
            f"{row.ratio:.2f}",
        )
        lines.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
    return "\n".join(lines)


def check_markers(path: Path) -> None:
    """Refuse a file without exactly one pair of markers to write the table between."""
    text = path.read_text(encoding="utf-8")
    if text.count(_BEGIN) != 1 or _END not in text.partition(_BEGIN)[2]:
        raise ValueError(f"{path} must have the line {_BEGIN} once, and {_END} below it, to write the table between.")


def write_table(path: Path, table: str, command: str) -> None:
    """Replace what stands between the markers in a text file by the table and the command that made it.

    Raises
    ------
    ValueError
        If the file has no such markers; it is then left as it is.
    """
    check_markers(path)
    before, _, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    path.write_text(f"{before}{_BEGIN}\n{table}\n\nMade by `{command}`.\n{_END}{after}", encoding="utf-8")
