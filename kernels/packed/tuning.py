"""Measuring the steps of each scheme on this machine, once; "auto" then chooses by them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kernels.packed.convolution import Convolution
from kernels.packed.dot_products import has_byte_dot
from kernels.packed.fields import most_bits
from kernels.packed.lookups import has_lookup
from kernels.packed.numbers import numbers_of
from kernels.packed.rates import StepTimes, default_times, keep_times
from kernels.packed.schemes import steps
from kernels.packed.storage import pack

__all__ = ["tune"]

_CHANNELS, _SIZE, _CALLS = 128, 28, 9
_MEASURED = {"planes": (2, 2), "int8": (8, 8), "packed": (4, 4), "tables": (2, 2), "fields": (8, 2)}
"""Bits of activations and of weights, by scheme."""

_ALIKE = {"xor_ns": "and_ns", "pairs_ns": "bytes_ns", "field_ns": "bytes_ns"}
"""Steps of as many instructions of the same kinds, whose times keep the ratio of the defaults: to measure a step is to
compile a module, for seven seconds."""

_MEMORY_BYTES = 1 << 27


def _case_seconds(scheme: str) -> tuple[str, float]:
    """The step's name, and the seconds that one takes in a 3x3 layer, best of several calls."""
    random = np.random.default_rng(0)
    shapes = (1, _CHANNELS, _SIZE, _SIZE), (_CHANNELS, _CHANNELS, 3, 3)
    a, w = (  # of int8, as weights are unpacked: packing and unpacking are then one module
        pack(random.integers(0, 1 << min(7, bits - signed), shape, np.int8), bits, signed, axis=1)
        for bits, signed, shape in zip(_MEASURED[scheme], (False, True), shapes, strict=True)
    )
    layer = Convolution(w, padding=1, scheme=scheme)
    name, count, _ = steps(scheme, numbers_of(a), numbers_of(w), (_CHANNELS, _CHANNELS, (3, 3)))
    return name, _best(lambda: layer(a, threads=1)) / (count * _SIZE**2)


def _best(call: Callable[[], object]) -> float:
    call()
    best = float("inf")
    for _ in range(_CALLS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def _memory_seconds() -> float:
    """A byte read from memory, in an array far beyond the caches."""
    words = np.ones(_MEMORY_BYTES // 8, np.int64)
    return _best(words.max) / words.nbytes


def tune(progress: Callable[[str], None] = lambda line: None) -> StepTimes:
    """Measure the steps of each scheme on one thread, and keep them in the cache folder for later processes.

    It takes a few seconds, and half a minute more where the kernels were never compiled. The results of products do
    not depend on it, all schemes being exact.

    Parameters
    ----------
    progress : callable
        Is told of each step measured.

    Returns
    -------
    StepTimes
    """
    values = {"byte_ns": _memory_seconds() * 1e9}
    defaults = default_times()
    left_out = {"tables"} if not has_lookup() else set()
    if has_byte_dot() or not most_bits():
        left_out.add("fields")
    for scheme in (name for name in _MEASURED if name not in left_out):
        name, seconds = _case_seconds(scheme)
        values[name] = seconds * 1e9
        progress(f"{name}: {values[name]:.3f}")
    values.setdefault("bytes_ns", values.get("pairs_ns", defaults.bytes_ns))  # such a step may not occur
    for name, other in _ALIKE.items():
        values.setdefault(name, values[other] * getattr(defaults, name) / getattr(defaults, other))
    times = replace(defaults, **values, measured=True)
    keep_times(times)
    return times
