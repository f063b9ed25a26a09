"""How code finds a function of a package that it must not import.

That package offers the function on import, which works in a checkout; installed, an entry point says what to import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

__all__ = ["Offer"]

F = TypeVar("F", bound=Callable[..., Any])


class Offer(Generic[F]):
    """A place for one function, which calling this gives.

    Parameters
    ----------
    group : str
        The entry points whose loading offers it.
    missing : str
        What to say when nothing does.

    Raises
    ------
    ImportError
        When it is called, if no function was offered and no installed package offers one.

    Examples
    --------
    >>> place = Offer("winograd.example", "what is offered here comes from another package.")
    >>> place.offer(abs)
    >>> place()(-1)
    1
    """

    def __init__(self, group: str, missing: str) -> None:
        self.group, self.missing = group, missing
        self._offered: list[F] = []

    def offer(self, function: F) -> None:
        """Make this the function that is given."""
        self._offered[:] = [function]

    def __call__(self) -> F:
        """The function that was offered."""
        if not self._offered:
            for entry in entry_points(group=self.group):
                entry.load()
        if not self._offered:
            raise ImportError(self.missing)
        return self._offered[-1]
