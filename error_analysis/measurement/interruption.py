"""Ctrl-C during a measurement."""

from __future__ import annotations

from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a measurement. It goes on as any KeyboardInterrupt does, so loops over measurements end too.

    Attributes
    ----------
    result
        What was measured until then: of `measure` the Report, of `compare` the Comparison, both of at least two trials
        and with `complete` False; of `published_table` the rows that were complete; of `sweep` the Sweep of
        the values that were.

    Examples
    --------
    >>> try:
    ...     raise Interrupted("a report")
    ... except KeyboardInterrupt as interruption:
    ...     print(interruption.result)
    a report
    """

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result
