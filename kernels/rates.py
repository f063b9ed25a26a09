"""What the cost model knows of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["Rates", "rates"]


@dataclass(frozen=True)
class Rates:
    """Costs in vector operations of the product microkernel; the defaults are sound for a server core of today.

    Attributes
    ----------
    fmas_per_s : float
        Vector operations of float32 that one thread does in a second.
    transform : float
        One vector of V or M, made or read by the transforms.
    copy : float
        One vector copied or transposed between an image and a strip.
    read_near, read_far : float
        One vector of the filter, read from a shared cache or, if it takes more than cache_bytes, from memory.
    cache_bytes : int
    unit : float
        A unit of work, beside what is done in it.
    late : float
        What a second thread comes late by.
    """

    fmas_per_s: float = 3.5e9
    transform: float = 8.0
    copy: float = 4.0
    read_near: float = 2.0
    read_far: float = 6.0
    cache_bytes: int = 16 * 2**20
    unit: float = 1000.0
    late: float = 30_000.0


@cache
def rates() -> Rates:
    """Those of this machine."""
    return Rates()
