"""What threads of compiled code share: counters that each may add to."""

import ctypes
import sys
from typing import Any

from llvmlite import binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic, register_jitable

from kernels.array_data import first_element

__all__ = ["claimed_unit", "fetch_add", "give_way", "pause", "put_if", "seen"]

_GIVE_WAY = "winograd_kernels_give_way"
if sys.platform == "win32":
    _system = ctypes.windll.kernel32.SwitchToThread
else:
    _system = ctypes.CDLL(None).sched_yield
llvm.add_symbol(_GIVE_WAY, ctypes.cast(_system, ctypes.c_void_p).value)  # machine code from the cache finds it by name


def _check_counters(name: str, array: types.Type) -> None:
    if not isinstance(array, types.Array) or array.dtype != types.int64 or array.ndim != 1 or array.layout != "C":
        raise TypingError(f"{name} takes a 1-D C-contiguous array of int64; got {array}.")


@intrinsic
def fetch_add(typingctx, array, index, amount):  # type: ignore[no-untyped-def]
    """Add to array[index], as one step that no other thread can come between; returns what stood there before.

    All that a thread wrote before its call is seen by a thread whose later call on that number returns the new value.
    """
    _check_counters("fetch_add", array)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = builder.gep(first_element(context, builder, sig.args[0], args[0]), [args[1]])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def seen(typingctx, array, index):  # type: ignore[no-untyped-def]
    """array[index] as it is now, and with it all that was written before the `fetch_add` that made it so."""
    _check_counters("seen", array)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = builder.gep(first_element(context, builder, sig.args[0], args[0]), [args[1]])
        return builder.load_atomic(pointer, "seq_cst", 8)

    return types.int64(array, types.intp), codegen


@intrinsic
def put_if(typingctx, array, index, expected, value):  # type: ignore[no-untyped-def]
    """Put a value into array[index] if the expected one stands there, as one step; whether it did."""
    _check_counters("put_if", array)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = builder.gep(first_element(context, builder, sig.args[0], args[0]), [args[1]])
        return builder.extract_value(builder.cmpxchg(pointer, args[2], args[3], "seq_cst", "seq_cst"), 1)

    return types.boolean(array, types.intp, types.int64, types.int64), codegen


@register_jitable
def claimed_unit(shared: Any, me: int, units: int) -> int:
    """The next unit for the thread that arrived as number `me`, or -1 if none is left.

    Units are dealt out in runs of equal length, one for each thread. A thread takes those of its own run first, then
    helps others with theirs. So a thread meets the same part of the data in call after call, which its own cache may
    still hold, and yet it does not matter which threads come, nor when.

    Parameters
    ----------
    shared : ndarray of int64
        [units claimed, units finished, threads arrived, then for each run: units taken of it], at first zeros.
    me : int
        From 0.
    units : int
    """
    if fetch_add(shared, 0, 1) >= units:  # type: ignore[call-arg]
        return -1
    runs = len(shared) - 3
    run = me % runs
    # Fewer units were taken than claimed, this claim among them, so some run has one left.
    while True:
        begin, end = units * run // runs, units * (run + 1) // runs
        unit = begin + fetch_add(shared, 3 + run, 1)
        if unit < end:
            return unit
        run = (run + 1) % runs


@intrinsic
def pause(typingctx):  # type: ignore[no-untyped-def]
    """Tell the core that this is a loop that waits."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        if builder.module.triple.startswith(("x86", "i386", "i686")):
            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"
            )
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def give_way(typingctx):  # type: ignore[no-untyped-def]
    """Let another thread have this core, if one waits for it."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        builder.call(cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), []), _GIVE_WAY
        ), [])
        return context.get_dummy_value()

    return types.void(), codegen
