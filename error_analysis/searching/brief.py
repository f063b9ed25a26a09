"""A search of some seconds, for sizes and formats that the catalogue lacks."""

from __future__ import annotations

from error_analysis.searching.generation import best_published, best_sound, catalogue_row
from error_analysis.searching.search import search
from error_analysis.searching.setting import Setting
from error_analysis.searching.workers import Here
from winograd.catalogue.row import CatalogueRow

_BUDGET = 6
_LARGEST = 20  # points; beyond, some seconds find nothing


def brief_search(m: int, r: int, dims: int, dtype: str, model: str, objective: str) -> CatalogueRow:
    """The row that a short search finds, without SciPy and in this process; `winograd.recommend` asks for it.

    Parameters
    ----------
    m, r : int
        Of at most 20 points together.
    dims : 1 or 2
    dtype, model, objective : str
        As in `winograd.recommend`.

    Raises
    ------
    ValueError
        For more than 20 points, and as `error_analysis.search`.

    Examples
    --------
    >>> row = brief_search(2, 6, 1, "float32", "literature", "error")
    >>> row.size, row.error < 2e-7
    ('F(2, 6)', True)
    """
    setting = Setting(m, r, dims, dtype, model)
    if setting.n > _LARGEST:
        raise ValueError(
            f"m + r - 1 must be at most {_LARGEST} for a brief search; got {setting.n}: error_analysis.search takes "
            "longer and finds more."
        )
    objectives = tuple(dict.fromkeys(("error", objective)))
    result = search(m, r, dims, dtype, _BUDGET, model=model, executor=Here(), objectives=objectives, continuous=False)
    found = best_sound(result, objective)
    published, source = best_published(setting, found)
    return catalogue_row(found, objective, published, source)
