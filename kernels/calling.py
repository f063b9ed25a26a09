"""Compiled functions called by their address, from compiled code: no interpreter lock is needed to begin one.

The function takes one-dimensional arrays and returns nothing. Its arguments are told as integers, three for each array:
where it lies, how many elements it has, and how many bytes an element.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from kernels.array_data import first_element

__all__ = ["TOLD", "address_of", "call_at", "machine_code", "told"]

TOLD = 3
"""Integers that tell of an array."""


def told(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """The integers of these arrays, which whoever calls must keep alive.

    Examples
    --------
    >>> told((np.zeros(5, np.float32), np.zeros(2)))[[1, 2, 4, 5]].tolist()
    [5, 4, 2, 8]
    """
    return np.array([(array.ctypes.data, array.size, array.itemsize) for array in arrays], np.int64).reshape(-1)


def machine_code(function: Any, arrays: tuple[np.ndarray, ...]) -> int:
    """The address of a kernel's machine code for arrays of these types; the kernel must be kept alive."""
    signature = tuple(numba.typeof(array) for array in arrays)
    function.compile(signature)
    compiled = function.overloads[signature]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


@intrinsic
def address_of(typingctx, array):  # type: ignore[no-untyped-def]
    """Where an array's first element lies."""
    if not isinstance(array, types.Array):
        raise TypingError(f"address_of takes an array; got {array}.")

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        data = first_element(context, builder, sig.args[0], args[0])
        return builder.ptrtoint(data, ir.IntType(64))

    return types.int64(array), codegen


@intrinsic
def call_at(typingctx, address, words, count):  # type: ignore[no-untyped-def]
    """Call the function at an address with `count` arrays, a literal, of which the integers at `words` tell."""
    if not isinstance(count, types.IntegerLiteral):
        raise TypingError("call_at takes a literal count.")
    # All arrays are passed as arrays of int64: what points to data is one pointer like any other.
    array_type = types.Array(types.int64, 1, "C")
    passed = (array_type,) * count.literal_value

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        address, words, _ = args
        source = builder.inttoptr(words, ir.IntType(64).as_pointer())
        kind = context.call_conv.get_function_type(types.none, passed)
        arrays = []
        for number in range(len(passed)):
            place, length, item = (
                builder.load(builder.gep(source, [ir.IntType(64)(TOLD * number + part)])) for part in range(TOLD)
            )
            array = context.make_array(array_type)(context, builder)
            data = builder.inttoptr(place, ir.IntType(64).as_pointer())
            populate_array(array, data=data, shape=[length], strides=[item], itemsize=item, meminfo=None)
            arrays.append(array._getvalue())
        function = builder.inttoptr(address, kind.as_pointer())
        context.call_conv.call_function(builder, function, types.none, passed, arrays)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, count), codegen
