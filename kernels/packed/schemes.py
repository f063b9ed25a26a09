"""Which scheme a product of packed numbers takes, and why."""

from __future__ import annotations

from kernels.packed.arguments import check_choice
from kernels.packed.dot_products import has_byte_dot
from kernels.packed.filters import can_run_int8
from kernels.packed.numbers import Numbers
from kernels.packed.weights import Weights

__all__ = ["SCHEMES", "check_scheme", "chosen_scheme"]

SCHEMES = ("auto", "planes", "int8")


def check_scheme(scheme: str) -> str:
    """One of `SCHEMES`, else ValueError."""
    return check_choice(scheme, "scheme", SCHEMES)


def chosen_scheme(scheme: str, a: Numbers, weights: Weights, pixels: int) -> tuple[str, str]:
    """The scheme, and one sentence that says why.

    Raises
    ------
    ValueError
        If it cannot take these numbers.
    """
    w = weights.kind
    able = can_run_int8(a, w)
    if scheme == "int8" and not able:
        raise ValueError(f'scheme must be "planes" for {a} and {w}, which the dot products do not take; got "int8".')
    if scheme != "auto":
        return scheme, f"{scheme}: asked for"
    if not able:
        return "planes", f"planes: the CPU's dot products do not take {a} and {w}"
    pairs = 1 if a.bipolar and w.bipolar else a.bits * w.bits
    most = _MOST_PAIRS[has_byte_dot()]
    name = "planes" if pairs <= most else "int8"
    return name, f"{name}: {pairs} pairs of bit planes, and up to {most} are as fast as the CPU's dot products"


_MOST_PAIRS = {True: 4, False: 6}
"""Pairs of planes up to which planes are faster, with a dot product of bytes and without."""
