"""How long the steps of each scheme take: sound defaults, or what `kernels.packed.tuning.tune` measured once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path

from kernels.compilation import cache_folder, write_whole
from kernels.host import host

__all__ = ["StepTimes", "default_times", "keep_times", "step_times", "times_file"]


@dataclass(frozen=True)
class StepTimes:
    """Nanoseconds of one step: two vectors of weights with one element of the activations; for `multiply`, one vector.

    Attributes
    ----------
    and_ns, xor_ns : float
        A word of a pair of bit planes: 64 channels.
    bytes_ns, pairs_ns : float
        Four bytes, or two numbers of 16 bits.
    multiply_ns : float
        A word of lanes.
    table_ns : float
        The weights of 8 channels looked up.
    field_ns : float
        Four bytes with weights in fields.
    byte_ns : float
        A byte of weights read from memory; those of up to `cache_bytes` stay in a cache of the core's own. The last
        cache, which cores share, is not much faster than memory.
    cache_bytes : float
    measured : bool
        Whether this machine was measured.
    """

    and_ns: float
    xor_ns: float
    bytes_ns: float
    pairs_ns: float
    multiply_ns: float
    table_ns: float
    field_ns: float
    byte_ns: float = 0.04
    cache_bytes: float = 2.0**20
    measured: bool = False


def default_times(features: str | None = None) -> StepTimes:
    """Those of a Zen 4 core with 512-bit vectors, or with 256-bit vectors, which have no population count.

    Examples
    --------
    >>> default_times("+avx512vpopcntdq").and_ns < default_times("").and_ns
    True
    """
    names = (host().features if features is None else features).split(",")
    if "+avx512vpopcntdq" in names:
        return StepTimes(1.05, 1.4, 0.63, 0.6, 1.55, 1.12, 0.66)
    return StepTimes(1.66, 2.0, 0.4, 0.4, 2.5, 1.12, 0.42)


def times_file() -> Path:
    """Where this CPU's step times are kept."""
    return cache_folder() / f"winograd_packed_steps_{host().cpu}_{host().vector_bytes}.json"


@cache
def step_times() -> StepTimes:
    """Those in the file; the defaults if there is none, or none that can be read."""
    try:
        values = json.loads(times_file().read_text())
        known = {field.name for field in fields(StepTimes)} - {"measured"}
        if values.keys() == known and all(isinstance(v, (int, float)) and v > 0 for v in values.values()):
            return StepTimes(**{name: float(value) for name, value in values.items()}, measured=True)
    except (OSError, ValueError, AttributeError):
        pass
    return default_times()


def keep_times(times: StepTimes) -> None:
    """Write the file, whole or not at all; what is chosen from now on is chosen by them."""
    values = asdict(replace(times, measured=True))
    del values["measured"]
    write_whole(times_file(), (json.dumps(values, indent=1) + "\n").encode())
    step_times.cache_clear()
