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

from kernels.array_data import first_element
from kernels.host import host

__all__ = ["gathered_bits", "has_bit_moves", "poke_two", "scattered_bits"]


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


@intrinsic
def poke_two(typingctx, array, offset, first, second, sign, room, top):  # type: ignore[no-untyped-def]
    """Write 16 bytes from an element of an array on: ((word ^ sign) + room) ^ top of each of two words.

    One store: two stores of 8 bytes are what limits how fast most widths are unpacked.
    """

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pair, place = ir.VectorType(ir.IntType(64), 2), ir.IntType(32)

        def both(low, high):  # type: ignore[no-untyped-def]
            lower = builder.insert_element(ir.Constant(pair, ir.Undefined), low, place(0))
            return builder.insert_element(lower, high, place(1))

        data = first_element(context, builder, sig.args[0], args[0])
        at = builder.bitcast(builder.gep(data, [args[1]]), pair.as_pointer())
        sign, room, top = (both(v, v) for v in args[4:])
        value = builder.xor(builder.add(builder.xor(both(args[2], args[3]), sign), room), top)
        builder.store(value, at).align = 1
        return context.get_dummy_value()

    return types.void(array, types.intp, *[types.uint64] * 5), codegen


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
