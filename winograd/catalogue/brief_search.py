"""Where `recommend`, which must not import error_analysis, finds the search for what the catalogue lacks."""

from __future__ import annotations

from collections.abc import Callable

from winograd.catalogue.row import CatalogueRow
from winograd.offers import Offer

__all__ = ["GROUP", "BriefSearch", "brief_search"]

GROUP = "winograd.brief_search"
"""The entry points whose loading offers a search."""

BriefSearch = Callable[[int, int, int, str, str, str], CatalogueRow]
"""Of m, r, dims, dtype, model and objective: the best row that some seconds find."""

brief_search: Offer[BriefSearch] = Offer(
    GROUP, "what the catalogue lacks is searched by error_analysis: import error_analysis, or install it."
)
"""Gives the search that was offered."""
