"""What the product microkernels need besides words: sums of 32 bits, and the CPU's dot products of bytes and of pairs.

A WordVector of `length` words is seen as 2 length numbers of 32 bits, the first in the lowest bits of the first word.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from kernels.array_data import first_element
from kernels.host import host
from kernels.packed.words import WordVector

__all__ = ["DotOps", "dot_ops", "has_byte_dot", "has_byte_pairs"]

_I16, _I32 = ir.IntType(16), ir.IntType(32)
# By bytes of a vector: unsigned times signed bytes, four products to a sum; and signed pairs of 16 bits.
_BYTE_DOTS = {64: "llvm.x86.avx512.vpdpbusd.512", 32: "llvm.x86.avx512.vpdpbusd.256"}
_BYTE_PAIRS = {64: "llvm.x86.avx512.pmaddubs.w.512", 32: "llvm.x86.avx2.pmadd.ub.sw",
               16: "llvm.x86.ssse3.pmadd.ub.sw.128"}
_PAIR_DOTS = {64: "llvm.x86.avx512.pmaddw.d.512", 32: "llvm.x86.avx2.pmadd.wd", 16: "llvm.x86.sse2.pmadd.wd"}


class DotOps(NamedTuple):
    """The operations on vectors of words of one length, for compiled code; see `dot_ops`."""

    splat32: Any
    add32: Any
    store32: Any
    store_low: Any
    dot_bytes: Any
    dot_pairs: Any
    byte_pairs: Any
    add16: Any


@cache
def has_byte_dot(features: str | None = None) -> bool:
    """Whether the CPU has a dot product of bytes, in vectors as long as `Host.length` says.

    Examples
    --------
    >>> has_byte_dot("+avx512vnni,+avx512f"), has_byte_dot("-avx512vnni,+avx2")
    (True, False)
    """
    names = (host().features if features is None else features).split(",")
    width = host().vector_bytes if features is None else 64
    # 256-bit vectors have it with AVX-512's lengths, which are then as good as the longest.
    return "+avx512vnni" in names and width == 64 and "+avx512f" in names


def has_byte_pairs(features: str | None = None, vector_bytes: int | None = None) -> bool:
    """Whether the CPU multiplies bytes and adds up pairs of products, in vectors as long as `Host.length` says.

    Examples
    --------
    >>> has_byte_pairs("+ssse3,+avx2", 32), has_byte_pairs("+ssse3,+avx", 32), has_byte_pairs("+neon", 16)
    (True, False, False)
    """
    names = (host().features if features is None else features).split(",")
    return {64: "+avx512bw", 32: "+avx2", 16: "+ssse3"}[vector_bytes or host().vector_bytes] in names


@cache
def dot_ops(length: int) -> DotOps:
    """The operations on WordVectors of this length.

    - `splat32(array, offset)`: an element of 4 bytes in all places of 32 bits.
    - `add32(a, b)`: sums of 32 bits, modulo 2**32.
    - `store32(array, offset, vector)`: 2 length numbers to an array of int32.
    - `store_low(array, offset, vector)`: the lower half of each word, `length` numbers, to an array of int32.
    - `dot_bytes(acc, a, w)`: to each sum of 32 bits, four products of a's bytes (unsigned) and w's (signed).
      Only where `has_byte_dot`.
    - `dot_pairs(acc, a, w)`: the same with two products of signed numbers of 16 bits.
    - `byte_pairs(a, w)`: for each 16 bits the sum of two products of a's bytes (unsigned) and w's (signed), which
      saturates. Only where `has_byte_pairs`.
    - `add16(a, b)`: sums of 16 bits, modulo 2**16.

    Parameters
    ----------
    length : int
        Words in a vector: 2, 4 or 8.

    Rounding
    --------
    None: exact, modulo 2**32.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> from kernels.packed.words import word_ops
    >>> load, (splat32, add32, store32, *_) = word_ops(2).load, dot_ops(2)
    >>> @njit
    ... def shifted(a, b, out):
    ...     store32(out, 0, add32(load(a, 0), splat32(b, 0)))
    >>> out = np.zeros(4, np.int32)
    >>> shifted(np.array([1, 2 << 32], np.uint64), np.array([5], np.uint32), out)
    >>> out
    array([6, 5, 5, 7], dtype=int32)
    """
    vector_type = WordVector(length)
    wide = ir.VectorType(ir.IntType(64), length)
    numbers = ir.VectorType(_I32, 2 * length)
    low = ir.VectorType(_I32, length)
    pairs = ir.VectorType(_I16, 4 * length)

    def pointer(context, builder, array_type, args, kind):  # type: ignore[no-untyped-def]
        data = first_element(context, builder, array_type, args[0])
        return builder.bitcast(builder.gep(data, [args[1]]), kind.as_pointer())

    def check(name, array, size):  # type: ignore[no-untyped-def]
        if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C" or array.dtype.bitwidth != size:
            raise TypingError(f"{name} takes a 1-D C-contiguous array of {size} bits each; got {array}.")

    @intrinsic
    def splat32(typingctx, array, offset):  # type: ignore[no-untyped-def]
        check("splat32", array, 32)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            value = builder.load(pointer(context, builder, sig.args[0], args, _I32))
            undefined = ir.Constant(numbers, ir.Undefined)
            first = builder.insert_element(undefined, value, _I32(0))
            zeros = ir.Constant(numbers, [0] * numbers.count)
            return builder.bitcast(builder.shuffle_vector(first, undefined, zeros), wide)

        return vector_type(array, types.intp), codegen

    @intrinsic
    def add32(typingctx, a, b):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return builder.bitcast(builder.add(*(builder.bitcast(v, numbers) for v in args)), wide)

        return vector_type(vector_type, vector_type), codegen

    @intrinsic
    def add16(typingctx, a, b):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return builder.bitcast(builder.add(*(builder.bitcast(v, pairs) for v in args)), wide)

        return vector_type(vector_type, vector_type), codegen

    @intrinsic
    def byte_pairs(typingctx, a, w):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            octets = ir.VectorType(ir.IntType(8), 8 * length)
            kind = ir.FunctionType(pairs, [octets] * 2)
            function = cgutils.get_or_insert_function(builder.module, kind, _BYTE_PAIRS[8 * length])
            return builder.bitcast(builder.call(function, [builder.bitcast(v, octets) for v in args]), wide)

        return vector_type(vector_type, vector_type), codegen

    def storing(name, shorten, kind):  # type: ignore[no-untyped-def]
        @intrinsic
        def stored(typingctx, array, offset, value):  # type: ignore[no-untyped-def]
            check(name, array, 32)

            def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
                at = pointer(context, builder, sig.args[0], args[:2], kind)
                builder.store(shorten(builder, args[2]), at).align = 4
                return context.get_dummy_value()

            return types.void(array, types.intp, vector_type), codegen

        return stored

    def dot(names, operand):  # type: ignore[no-untyped-def]
        @intrinsic
        def dotted(typingctx, acc, a, w):  # type: ignore[no-untyped-def]
            def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
                total = builder.bitcast(args[0], numbers)
                left, right = (builder.bitcast(v, operand) for v in args[1:])
                name = names.get(8 * length) if builder.module.triple.startswith(("x86", "i386", "i686")) else None
                if operand == numbers:
                    kind = ir.FunctionType(numbers, [numbers] * 3)
                    function = cgutils.get_or_insert_function(builder.module, kind, name)
                    return builder.bitcast(builder.call(function, [total, left, right]), wide)
                if name:
                    kind = ir.FunctionType(numbers, [pairs] * 2)
                    function = cgutils.get_or_insert_function(builder.module, kind, name)
                    products = builder.call(function, [left, right])
                else:
                    halves = [
                        builder.mul(*(
                            builder.sext(builder.shuffle_vector(v, v, _every_other(first, numbers.count)), numbers)
                            for v in (left, right)
                        ))
                        for first in (0, 1)
                    ]
                    products = builder.add(*halves)
                return builder.bitcast(builder.add(total, products), wide)

            return vector_type(vector_type, vector_type, vector_type), codegen

        return dotted

    return DotOps(
        splat32,
        add32,
        storing("store32", lambda builder, value: builder.bitcast(value, numbers), numbers),
        storing("store_low", lambda builder, value: builder.trunc(value, low), low),
        dot(_BYTE_DOTS, numbers),
        dot(_PAIR_DOTS, pairs),
        byte_pairs,
        add16,
    )


def _every_other(first: int, count: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(_I32, count), list(range(first, first + 2 * count, 2)))
