"""Bits of a word gathered and scattered by one instruction each (x86: pext, pdep), for compiled code.

    gathered_bits(0b0110_1011, mask=0b0000_1111)  ->  0b1011       the bits under the mask, next to each other
    scattered_bits(0b11, mask=0b0100_0001)        ->  0b0100_0001  the lowest bits, to the places of the mask

These are the steps of packing and unpacking a chunk of lanes (`kernels/templates/packed_storage.py`).
"""

from __future__ import annotations

from functools import cache

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels.host import host

__all__ = ["gathered_bits", "has_bit_moves", "scattered_bits"]


@cache
def has_bit_moves(cpu: str | None = None, features: str | None = None) -> bool:
    """Whether the CPU has both, in hardware: the first two generations of Zen take up to hundreds of cycles.

    Examples
    --------
    >>> has_bit_moves("haswell", "+bmi2"), has_bit_moves("znver2", "+bmi2"), has_bit_moves("generic", "+neon")
    (True, False, False)
    """
    name = host().cpu if cpu is None else cpu
    names = (host().features if features is None else features).split(",")
    return "+bmi2" in names and name not in ("znver1", "znver2")


def _moving(name):  # type: ignore[no-untyped-def]
    @intrinsic
    def moved(typingctx, word, mask):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            word_type = ir.IntType(64)
            kind = ir.FunctionType(word_type, [word_type] * 2)
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

        return types.uint64(types.uint64, types.uint64), codegen

    return moved


gathered_bits = _moving("llvm.x86.bmi.pext.64")
scattered_bits = _moving("llvm.x86.bmi.pdep.64")
