"""Which scheme a product of packed numbers takes, and why: the one whose steps should take the least time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from kernels.host import host
from kernels.packed.arguments import check_choice
from kernels.packed.fields import BLOCK, STEPS, can_run_fields, field_widths, most_bits
from kernels.packed.fields import tile_rows as field_rows
from kernels.packed.filters import can_run_int8, can_run_tables, uses_bytes
from kernels.packed.layout import WORD_BITS
from kernels.packed.lookups import FILTERS, table_parts
from kernels.packed.multiplying import READ_COST, chosen_plan, row_plan
from kernels.packed.numbers import Numbers
from kernels.packed.rates import StepTimes, step_times
from kernels.packed.weights import Shape, Weights

__all__ = ["SCHEMES", "check_scheme", "chosen_scheme", "expected_ns", "steps"]

SCHEMES = ("auto", "planes", "tables", "fields", "int8", "packed")

_FLUSH_STEPS = 0.6
"""Sums of bytes added to those of 16 bits, in steps of tables."""

_TABLE_STEPS = 3.0
"""Two tables made, in steps."""

_TILE_ROWS = 4
"""So many pixels share the weights of a step, which must be unpacked and brought near; fewer take no less time."""

_UNPACK_STEPS, _JOIN_STEPS = 1.4, 2.7
"""The bytes of a step made from fields of one width, in steps of a pixel; and joined with those of each other width."""

_UNHIDDEN = 0.25
"""What of the shorter one of work and reading from memory is not hidden behind the longer one."""


def check_scheme(scheme: str) -> str:
    """One of `SCHEMES`, else ValueError."""
    return check_choice(scheme, "scheme", SCHEMES)


def steps(scheme: str, a: Numbers, w: Numbers, shape: Shape) -> tuple[str, float, float]:
    """What a scheme does for one pixel of all filters: the step's name, how many, and bits that a weight takes.

    Examples
    --------
    >>> steps("planes", Numbers(2, False), Numbers(1, True), (16, 64, (3, 3)))[0]
    'and_ns'
    """
    filters, channels, tap_shape = shape
    taps = int(np.prod(tap_shape))
    vector = max(2, host().length(np.uint64))
    if scheme == "planes":
        both = a.bipolar and w.bipolar
        pairs = 1 if both else a.bits * w.bits
        panels = -(-filters // (2 * vector))
        return ("xor_ns" if both else "and_ns"), float(pairs * -(-channels // WORD_BITS) * taps * panels), w.bits
    if scheme == "int8":
        octets = uses_bytes(a, w)
        each, panels = 4 if octets else 2, -(-filters // (4 * vector))
        return ("bytes_ns" if octets else "pairs_ns"), float(-(-channels // each) * taps * panels), 32 / each
    if scheme == "fields":
        return "field_ns", float(STEPS * -(-channels // BLOCK) * taps * -(-filters // (4 * vector))), w.bits
    if scheme == "tables":
        parts = table_parts(a)
        looked_up = w.bits * -(-filters // FILTERS) * taps * (1 + _FLUSH_STEPS / (255 // (8 * parts.largest)))
        return "table_ns", parts.number * -(-channels // 8) * (looked_up + _TABLE_STEPS), w.bits
    vectors = -(-filters // vector)
    if not tap_shape:
        dot = row_plan(a, w, channels)
        words = -(-channels // dot.lanes)
        return "multiply_ns", vectors * words * (1 + READ_COST / min(words, dot.most_words)), WORD_BITS / dot.lanes
    plan = chosen_plan(a, w, tap_shape[-1], channels * taps // tap_shape[-1])
    blocks, words = -(-tap_shape[-1] // plan.w_lanes), channels * taps // tap_shape[-1]
    each_word = 1 + READ_COST * plan.outputs / min(words, plan.most_words)
    return "multiply_ns", vectors * words * blocks * each_word / plan.a_lanes, WORD_BITS / plan.w_lanes


@lru_cache(maxsize=4096)
def expected_ns(scheme: str, a: Numbers, w: Numbers, shape: Shape, pixels: int, times: StepTimes) -> float:
    """Nanoseconds that one thread should need for so many pixels; more where the weights come from memory."""
    name, count, bits = steps(scheme, a, w, shape)
    each: float = pixels
    if scheme == "tables":
        each = max(pixels, _TILE_ROWS)
    elif scheme == "fields":
        each = _field_steps(pixels, len(field_widths(w.bits)))
    work = each * count * float(getattr(times, name))
    nbytes = shape[0] * shape[1] * float(np.prod(shape[2])) * bits / 8
    reading = nbytes * times.byte_ns
    return max(work, reading) + _UNHIDDEN * min(work, reading) if nbytes > times.cache_bytes else work


def _field_steps(pixels: int, fields: int) -> float:
    """The time of so many pixels in steps of one among many: only half the CPU's units for vectors take dot products.

    So bytes are made in the time of the products, if that is enough.
    """
    unpacked = _UNPACK_STEPS + _JOIN_STEPS * (fields - 1)

    def block(rows: int) -> float:
        return max(rows, (rows + unpacked) / 2) if rows else 0.0

    blocks, rest = divmod(pixels, field_rows())
    return blocks * block(field_rows()) + block(rest)


def chosen_scheme(scheme: str, a: Numbers, weights: Weights, pixels: int) -> tuple[str, str]:
    """The scheme for so many outputs of each filter, and one sentence that says why.

    Raises
    ------
    ValueError
        If it cannot take these numbers.
    """
    w = weights.kind
    able = {"planes": True, "tables": can_run_tables(a), "fields": can_run_fields(a, w), "int8": can_run_int8(a, w),
            "packed": True}
    if scheme != "auto" and not able[scheme]:
        why = {"int8": "which the dot products do not take", "tables": "tables take up to 8 bits, on a CPU with AVX2",
               "fields": f"fields take weights of up to {most_bits()} bits, with activations of up to 8"}
        names = " or ".join(f'"{name}"' for name in able if able[name])
        raise ValueError(f'scheme must be {names} for {a} and {w}, {why[scheme]}; got "{scheme}".')
    if scheme != "auto":
        return scheme, f"{scheme}: asked for"
    times = step_times()
    tried = [name for name in SCHEMES[1:] if able[name]]
    expected = {name: expected_ns(name, a, w, weights.shape_for(name), max(1, pixels), times) for name in tried}
    best = min(tried, key=lambda name: expected[name])
    beside = ", ".join(f"{name} {expected[name] / 1000:.3g}" for name in sorted(tried, key=lambda name: expected[name]))
    source = "measured on this machine" if times.measured else "the defaults for such a CPU"
    without = "" if able["int8"] else f"; int8 does not take {a} and {w}"
    return best, f"{best}: expected us on one thread: {beside}; step times are {source}{without}"
