"""Between int32 in memory and Lanes of float64: what an output stage of real numbers needs in compiled code."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from kernels.array_data import first_element
from kernels.simd import Lanes, checked_length

__all__ = ["RealOps", "real_ops"]

_I32 = ir.IntType(32)


class RealOps(NamedTuple):
    """The operations on Lanes of float64 of one length, for compiled code; see `real_ops`."""

    load_integers: Any
    store_integers: Any
    store_floats: Any
    store_signs: Any


@cache
def real_ops(length: int) -> RealOps:
    """The operations on so many Lanes; offsets count elements and are not checked.

    - `load_integers(array, offset)`: `length` numbers of an int32 array, exactly.
    - `store_integers(array, offset, value, more)`: integers that fit int32, to an int32 array, `more` added to each.
    - `store_floats(array, offset, value)`: rounded to float32, to a float32 array.
    - `store_signs(array, offset, value)`: 1 for what is at least 0, else 0, to an int32 array.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> load_integers, store_integers, *_ = real_ops(2)
    >>> @njit
    ... def doubled(x, out):
    ...     store_integers(out, 0, load_integers(x, 0) * np.float64(2), 100)
    >>> out = np.zeros(2, np.int32)
    >>> doubled(np.array([3, -4], np.int32), out)
    >>> out
    array([106,  92], dtype=int32)
    """
    lanes = Lanes(types.float64, checked_length(length))
    numbers, reals = ir.VectorType(_I32, length), ir.VectorType(ir.DoubleType(), length)
    narrow = ir.VectorType(ir.FloatType(), length)

    def check(name, array, dtype):  # type: ignore[no-untyped-def]
        if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C" or array.dtype != dtype:
            raise TypingError(f"{name} takes a 1-D C-contiguous array of {dtype}; got {array}.")

    def pointer(context, builder, sig, args, vector):  # type: ignore[no-untyped-def]
        data = first_element(context, builder, sig.args[0], args[0])
        return builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())

    @intrinsic
    def load_integers(typingctx, array, offset):  # type: ignore[no-untyped-def]
        check("load_integers", array, types.int32)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            loaded = builder.load(pointer(context, builder, sig, args, numbers))
            loaded.align = 4
            return builder.sitofp(loaded, reals)

        return lanes(array, types.intp), codegen

    @intrinsic
    def store_integers(typingctx, array, offset, value, more):  # type: ignore[no-untyped-def]
        check("store_integers", array, types.int32)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            whole = builder.fptosi(args[2], numbers)
            undefined = ir.Constant(numbers, ir.Undefined)
            first = builder.insert_element(undefined, builder.trunc(args[3], _I32), _I32(0))
            added = builder.shuffle_vector(first, undefined, ir.Constant(numbers, [0] * length))
            at = pointer(context, builder, sig, args, numbers)
            builder.store(builder.add(whole, added), at).align = 4
            return context.get_dummy_value()

        return types.void(array, types.intp, lanes, types.int64), codegen

    @intrinsic
    def store_floats(typingctx, array, offset, value):  # type: ignore[no-untyped-def]
        check("store_floats", array, types.float32)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            at = pointer(context, builder, sig, args, narrow)
            builder.store(builder.fptrunc(args[2], narrow), at).align = 4
            return context.get_dummy_value()

        return types.void(array, types.intp, lanes), codegen

    @intrinsic
    def store_signs(typingctx, array, offset, value):  # type: ignore[no-untyped-def]
        check("store_signs", array, types.int32)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            at = pointer(context, builder, sig, args, numbers)
            signs = builder.fcmp_ordered(">=", args[2], ir.Constant(reals, [0.0] * length))
            builder.store(builder.zext(signs, numbers), at).align = 4
            return context.get_dummy_value()

        return types.void(array, types.intp, lanes), codegen

    return RealOps(load_integers, store_integers, store_floats, store_signs)
