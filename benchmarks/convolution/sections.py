"""The parts of the benchmark: what each measures row by row, and how its rows are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convolution import batches, comparison, comparison_tables, scaling, stages, startup, workspace
from convolution.comparison import Row
from convolution.layers import selected
from convolution.settings import Settings

Work = tuple[str, Callable[[], Row | None]]
"""What a row says under "shape", and a function that measures it; None where there is nothing to measure."""


@dataclass(frozen=True)
class Section:
    """One part.

    Attributes
    ----------
    title : str
    work : function
        From the settings, the rows to measure.
    line, text : function
        A row for the terminal; all rows as Markdown, with the command to stand under the tables.
    """

    title: str
    work: Callable[[Settings], list[Work]]
    line: Callable[[Row], str]
    text: Callable[[Sequence[Row], str], str]


def _of_layers(measure: Callable[..., Row | None], wanted: Callable[..., bool] = lambda shape: True) -> Callable[
    [Settings], list[Work]
]:
    def work(settings: Settings) -> list[Work]:
        return [
            (str(shape), lambda shape=shape, layers=layers: measure(shape, layers, settings))  # type: ignore[misc]
            for shape, layers in selected(settings.network, settings.layer).items()
            if wanted(shape)
        ]

    return work


def _of_startup(settings: Settings) -> list[Work]:
    return [(what, lambda what=what: startup.row(what, settings)) for what in startup.cases()]  # type: ignore[misc]


SECTIONS = {
    "layers": Section("Layers against peers", _of_layers(comparison.row), comparison.line, comparison_tables.text),
    "stages": Section("Product stage against sgemm", _of_layers(stages.row), stages.line, stages.text),
    "scaling": Section("Threads", _of_layers(scaling.row, scaling.is_large), scaling.line, scaling.text),
    "batches": Section("Batches", _of_layers(batches.row), batches.line, batches.text),
    "workspace": Section("Workspace", _of_layers(workspace.row), workspace.line, workspace.text),
    "startup": Section("Starting", _of_startup, startup.line, startup.text),
}
NAMES = tuple(SECTIONS)
