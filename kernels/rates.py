"""What the cost model knows of the machine: sound defaults, or what `winograd-kernels tune` measured once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from kernels.compilation import cache_folder, write_whole
from kernels.host import host

__all__ = ["Rates", "keep_rates", "kept_rates", "rates", "rates_file", "use_rates"]


@dataclass(frozen=True)
class Rates:
    """Costs in vector operations of the product microkernel. The defaults were fitted on a Zen 4 server core.

    Attributes
    ----------
    fmas_per_s : float
        Vector operations of float32 that one thread does in a second.
    transform : float
        One vector of V or M, made or read by the transforms.
    copy : float
        One vector copied or transposed between an image and a strip.
    pick : float
        One vector gathered number by number, as the phases of a strided image are from planes.
    read_near, read_far : float
        One vector of the filter, read from a shared cache or, if it takes more than cache_bytes, from memory.
    cache_bytes : float
    unit : float
        A unit of work, beside what is done in it.
    late : float
        What a second thread comes late by.
    filter, pack : float
        One number of a filter made ready, by one thread: transformed, or only put in order for direct.
    """

    fmas_per_s: float = 3.6e9
    transform: float = 8.0
    copy: float = 10.0
    pick: float = 24.0
    read_near: float = 1.5
    read_far: float = 4.0
    cache_bytes: float = 16.0 * 2**20
    unit: float = 1000.0
    late: float = 12_000.0
    filter: float = 16.0
    pack: float = 4.5


_used: list[Rates] = []


def rates() -> Rates:
    """Those of this machine: the ones kept by `tune`, or else the defaults."""
    return _used[-1] if _used else kept_rates()


def use_rates(model: Rates | None) -> None:
    """Take these from now on; None: those kept. Schedules made before stay as they are."""
    _used[:] = [] if model is None else [model]


def rates_file() -> Path:
    """Where this CPU's rates are kept."""
    return cache_folder() / f"winograd_rates_{host().cpu}_{host().vector_bytes}.json"


@cache
def kept_rates() -> Rates:
    """Those in the file; the defaults if there is none, or none that can be read."""
    try:
        values = json.loads(rates_file().read_text())
        known = {field.name for field in fields(Rates)}
        if values.keys() == known and all(isinstance(v, (int, float)) and v > 0 for v in values.values()):
            return Rates(**{name: float(value) for name, value in values.items()})
    except (OSError, ValueError, AttributeError):
        pass
    return Rates()


def keep_rates(model: Rates) -> None:
    """Write the file, whole or not at all; this process uses them from now on."""
    write_whole(rates_file(), (json.dumps(asdict(model), indent=1) + "\n").encode())
    kept_rates.cache_clear()
