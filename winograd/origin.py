"""Where a transform comes from: the options of the command that makes it, kept true as it is rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import sympy

from winograd.exact import parse_number

Origin: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs (option, text) of `python -m winograd m r`; none where the matrices were given by hand."""

COMMAND_OPTIONS = ("points", "moduli", "fractions", "scale-a", "scale-b", "subs", "transpose")
"""The options that change the matrices, in the order in which the command applies them."""


def described_origin(origin: Origin) -> str:
    """In words, for a name.

    Examples
    --------
    >>> described_origin((("points", "0, 1, inf"), ("transpose", ""))), described_origin(())
    ('points 0, 1, inf, transpose', 'given by hand')
    """
    return ", ".join(f"{option} {text}".strip() for option, text in origin) or "given by hand"


def command_of_origin(origin: Origin, m: int, r: int) -> str | None:
    """The command line; None where there is none.

    Examples
    --------
    >>> command_of_origin((("points", "0, 1, inf"), ("transpose", "")), 2, 2)
    'python -m winograd 2 2 --points "0, 1, inf" --transpose'
    """
    if not origin:
        return None
    options = (f' --{option} "{text}"' if text else f" --{option}" for option, text in origin)
    return f"python -m winograd {m} {r}" + "".join(options)


def scaled_origin(origin: Origin, A: Sequence[Any] | None, B: Sequence[Any] | None) -> Origin:
    """After scaling by A and B, SymPy numbers; the command scales first, then gives symbols values, then transposes."""
    options = dict(origin)
    if not options or ("subs" in options and any(f.free_symbols for f in (*(A or ()), *(B or ())))):
        return ()
    if "transpose" in options:
        A, B = B, A  # AT and BT change places
    for option, factors in (("scale-a", A), ("scale-b", B)):
        if factors is not None and option in options:
            factors = [f * parse_number(e) for f, e in zip(factors, options[option].split(","), strict=True)]
        if factors is not None:
            options[option] = ", ".join(str(f) for f in factors)
    return _ordered(options)


def transposed_origin(origin: Origin) -> Origin:
    """After transposing."""
    options = dict(origin)
    if options and options.pop("transpose", None) is None:
        options["transpose"] = ""
    return _ordered(options)


def substituted_origin(origin: Origin, table: Sequence[tuple[sympy.Symbol, sympy.Expr]]) -> Origin:
    """After giving symbols values, one after the other."""
    options = dict(origin)
    if options and table:
        given = ", ".join(f"{symbol} = {value}" for symbol, value in table)
        options["subs"] = f"{options['subs']}, {given}" if "subs" in options else given
    return _ordered(options)


def _ordered(options: Mapping[str, str]) -> Origin:
    return tuple((option, options[option]) for option in sorted(options, key=COMMAND_OPTIONS.index))
