"""The SIMD value type: `Lanes(dtype, length)`, a Numba type that lowers to one LLVM vector.

Plain Python text such as `t0 = x0 + x1; y0 = fma(t0, C, x2)` compiles unchanged for scalars and for `Lanes`,
and rounds alike in every lane: no fast-math or contraction flag is set here, so LLVM may neither reorder an
addition nor turn a product and a sum into an fma.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model
from numba.np.numpy_support import from_dtype

__all__ = [
    "ELEMENTS", "I32", "LENGTHS", "Lanes", "at_least", "checked_length", "fma", "keep_apart", "keep_rolled",
    "lane_numbers", "splatted",
]

LENGTHS = (2, 4, 8, 16, 32, 64)

I32 = ir.IntType(32)


class _Element(NamedTuple):
    llvm: ir.Type
    suffix: str  # as LLVM names its intrinsics
    size_bytes: int


# Integer lanes need a row each here, and their own instructions in _ARITHMETIC.
ELEMENTS = {
    types.float32: _Element(ir.FloatType(), "f32", 4),
    types.float64: _Element(ir.DoubleType(), "f64", 8),
}
_ARITHMETIC = {
    ("+", "fadd"): (operator.add, operator.iadd),
    ("-", "fsub"): (operator.sub, operator.isub),
    ("*", "fmul"): (operator.mul, operator.imul),
}


class Lanes(types.Type):
    """`length` numbers of `dtype`, held in one vector register (or in as many as LLVM needs).

    Compiled code may add, subtract, multiply and negate them, use `fma`, and mix them with scalars of their
    dtype, which stand for that scalar in every lane.

    Parameters
    ----------
    dtype : Numba type, or anything `numpy.dtype` takes
        float32 or float64.
    length : int
        Number of lanes, one of `LENGTHS`.

    Raises
    ------
    TypeError
        If the dtype is another.
    ValueError
        If the length is another.

    Rounding
    --------
    Each operation rounds once per lane, to nearest even.

    Examples
    --------
    >>> Lanes(np.float32, 16)
    Lanes(float32, 16)
    """

    def __init__(self, dtype: Any, length: int) -> None:
        element = dtype if isinstance(dtype, types.Type) else from_dtype(np.dtype(dtype))
        if element not in ELEMENTS:
            raise TypeError(f"dtype must be float32 or float64; got {element}.")
        self.dtype = element
        self.length = checked_length(length)
        super().__init__(name=f"Lanes({element}, {length})")

    @property
    def key(self) -> tuple[types.Type, int]:
        """What tells one of these types from another."""
        return self.dtype, self.length


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(ELEMENTS[fe_type.dtype].llvm, fe_type.length))


def checked_length(length: int) -> int:
    """The length, if it is one of `LENGTHS`."""
    if length not in LENGTHS:
        raise ValueError(f"length must be one of {', '.join(map(str, LENGTHS))}; got {length}.")
    return length


def lane_numbers(indices: Sequence[int]) -> ir.Constant:
    """A vector of integers, as shuffles and masks take it."""
    return ir.Constant(ir.VectorType(I32, len(indices)), list(indices))


def splatted(builder: ir.IRBuilder, scalar: ir.Value, vector: ir.VectorType) -> ir.Value:
    """A scalar in every lane."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, I32(0))
    return builder.shuffle_vector(first, undefined, lane_numbers([0] * vector.count))


def _widened(builder: ir.IRBuilder, values: Sequence[ir.Value], vector: ir.Type) -> list[ir.Value]:
    """The values, scalars among them repeated in every lane where the result is a vector."""
    if not isinstance(vector, ir.VectorType):
        return list(values)
    return [v if isinstance(v.type, ir.VectorType) else splatted(builder, v, vector) for v in values]


def _common_type(name: str, operands: Sequence[types.Type]) -> types.Type:
    """The one type the operands mix to: Lanes if any is, else their one float type."""
    result = next((t for t in operands if isinstance(t, Lanes)), operands[0])
    scalar = result.dtype if isinstance(result, Lanes) else result
    if scalar not in ELEMENTS or any(t not in (result, scalar) for t in operands):
        raise TypingError(
            f"{name} takes Lanes of one type and scalars of their dtype, or scalars that are all float32 or "
            f"all float64; got ({', '.join(map(str, operands))}) (type constants: np.float32(0.5))."
        )
    return result


# ---- + - * and unary - ------------------------------------------------------------------------------------


def _register_arithmetic(function: Callable[..., Any], name: str, instruction: str) -> None:
    @infer_global(function)
    class _Typing(AbstractTemplate):
        def generic(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
            if not any(isinstance(a, Lanes) for a in args):
                return None  # none of our business
            return signature(_common_type(name, args), *args)

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        left, right = _widened(builder, args, context.get_value_type(sig.return_type))
        return getattr(builder, instruction)(left, right)

    for operands in ((Lanes, Lanes), (Lanes, types.Float), (types.Float, Lanes)):
        lower_builtin(function, *operands)(lower)


for (_name, _instruction), _functions in _ARITHMETIC.items():
    for _function in _functions:
        _register_arithmetic(_function, _name, _instruction)


@infer_global(operator.neg)
class _NegationTyping(AbstractTemplate):
    def generic(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
        return signature(args[0], args[0]) if isinstance(args[0], Lanes) else None


@lower_builtin(operator.neg, Lanes)
def _lower_negation(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
    return builder.fneg(args[0])


@intrinsic
def fma(typingctx, a, b, c):  # type: ignore[no-untyped-def]
    """a * b + c with one rounding, on float scalars of one type, or on Lanes and scalars of their dtype.

    On a CPU without the instruction LLVM calls the C library's `fma` for each lane: slow, with the same bits.
    """
    result = _common_type("fma", (a, b, c))

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        llvm = context.get_value_type(sig.return_type)
        lanes = f"v{llvm.count}" if isinstance(llvm, ir.VectorType) else ""
        dtype = sig.return_type.dtype if isinstance(sig.return_type, Lanes) else sig.return_type
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(llvm, [llvm] * 3), f"llvm.fma.{lanes}{ELEMENTS[dtype].suffix}"
        )
        return builder.call(function, _widened(builder, args, llvm))

    return result(a, b, c), codegen


@intrinsic
def at_least(typingctx, value, floor):  # type: ignore[no-untyped-def]
    """The value, or the floor where the value is less, on Lanes of one type; a NaN stays a NaN."""
    if not isinstance(value, Lanes) or value != floor:
        raise TypingError(f"at_least takes two Lanes of one type; got ({value}, {floor}).")

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.select(builder.fcmp_ordered("<", *args), args[1], args[0])

    return value(value, floor), codegen


@intrinsic
def keep_rolled(typingctx):  # type: ignore[no-untyped-def]
    """Inside a loop: LLVM leaves the loop as it is written. It costs no instruction.

    LLVM unrolls a loop without asking how many registers its body fills: a 12 x 2 microkernel, unrolled
    twice, spilled its accumulators and ran at 40 % of its rate. The empty assembly statement keeps the
    unroller away.
    """

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def keep_apart(typingctx):  # type: ignore[no-untyped-def]
    """First in a function: LLVM does not merge it into its callers. It costs no instruction.

    A loop that fills the registers runs up to twice as fast in a function of its own, where nothing else needs them.
    """

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen
