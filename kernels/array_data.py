"""Where an array's numbers lie, for intrinsics."""

from typing import Any

from llvmlite import ir
from numba.core import types

__all__ = ["first_element"]


def first_element(context: Any, builder: ir.IRBuilder, array_type: types.Array, array: ir.Value) -> ir.Value:
    """A pointer to an array's first element.

    Numba's `make_array` stores and loads the whole description of the array for this, which made a fifth of the work of
    compiling a microkernel.
    """
    return context.data_model_manager[array_type].get(builder, array, "data")
