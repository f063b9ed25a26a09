"""Where `recommend`, which must not import error_analysis, finds the search for what the catalogue lacks.

error_analysis offers it on import, which works in a checkout; installed, an entry point says what to import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from winograd.catalogue.row import CatalogueRow

__all__ = ["GROUP", "BriefSearch", "brief_search", "offer_brief_search"]

GROUP = "winograd.brief_search"
"""The entry points whose loading offers a search."""

BriefSearch = Callable[[int, int, int, str, str, str], CatalogueRow]
"""Of m, r, dims, dtype, model and objective: the best row that some seconds find."""

_offered: list[BriefSearch] = []


def offer_brief_search(search: BriefSearch) -> None:
    """Make this the search that `brief_search` gives."""
    _offered[:] = [search]


def brief_search() -> BriefSearch:
    """The search that was offered.

    Raises
    ------
    ImportError
        If none was, and no installed package offers one.
    """
    if not _offered:
        for entry in entry_points(group=GROUP):
            entry.load()
    if not _offered:
        raise ImportError(
            "what the catalogue lacks is searched by error_analysis: import error_analysis, or install it."
        )
    return _offered[-1]
