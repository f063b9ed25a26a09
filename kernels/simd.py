"""The SIMD value type: `Lanes(dtype, length)`, a Numba type that lowers to one LLVM vector.

Plain Python text such as `t0 = x0 + x1; y0 = fma(t0, C, x2)` compiles unchanged for scalars and for `Lanes`,
and rounds alike in every lane: no fast-math or contraction flag is set here, so LLVM may neither reorder an
addition nor turn a product and a sum into an fma.

Offsets count elements from the start of a 1-D C-contiguous array and are **not checked**. Indexing the array
instead would cost a factor 2.5 inside a microkernel: Numba wraps negative indices around.
"""

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model
from numba.np.numpy_support import from_dtype

__all__ = ["LENGTHS", "LaneOps", "Lanes", "at_least", "fma", "keep_apart", "keep_rolled", "lane_ops", "prefetch"]

LENGTHS = (2, 4, 8, 16, 32, 64)

_I32 = ir.IntType(32)


class _Element(NamedTuple):
    llvm: ir.Type
    suffix: str  # as LLVM names its intrinsics
    size_bytes: int


# Integer lanes need a row each here, and their own instructions in _ARITHMETIC.
_ELEMENTS = {
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
        if element not in _ELEMENTS:
            raise TypeError(f"dtype must be float32 or float64; got {element}.")
        self.dtype = element
        self.length = _checked_length(length)
        super().__init__(name=f"Lanes({element}, {length})")

    @property
    def key(self) -> tuple[types.Type, int]:
        """What tells one of these types from another."""
        return self.dtype, self.length


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(_ELEMENTS[fe_type.dtype].llvm, fe_type.length))


def _checked_length(length: int) -> int:
    if length not in LENGTHS:
        raise ValueError(f"length must be one of {', '.join(map(str, LENGTHS))}; got {length}.")
    return length


def _constant(indices: Sequence[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(_I32, len(indices)), list(indices))


def _splat(builder: ir.IRBuilder, scalar: ir.Value, vector: ir.VectorType) -> ir.Value:
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    return builder.shuffle_vector(first, undefined, _constant([0] * vector.count))


def _widened(builder: ir.IRBuilder, values: Sequence[ir.Value], vector: ir.Type) -> list[ir.Value]:
    """The values, scalars among them repeated in every lane where the result is a vector."""
    if not isinstance(vector, ir.VectorType):
        return list(values)
    return [v if isinstance(v.type, ir.VectorType) else _splat(builder, v, vector) for v in values]


def _common_type(name: str, operands: Sequence[types.Type]) -> types.Type:
    """The one type the operands mix to: Lanes if any is, else their one float type."""
    result = next((t for t in operands if isinstance(t, Lanes)), operands[0])
    scalar = result.dtype if isinstance(result, Lanes) else result
    if scalar not in _ELEMENTS or any(t not in (result, scalar) for t in operands):
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
            builder.module, ir.FunctionType(llvm, [llvm] * 3), f"llvm.fma.{lanes}{_ELEMENTS[dtype].suffix}"
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


@intrinsic
def prefetch(typingctx, array, offset, written):  # type: ignore[no-untyped-def]
    """Ask for the cache line of array[offset], to be read or, with a literal 1, written soon; no offset is wrong."""
    if not isinstance(array, types.Array) or array.layout != "C" or not isinstance(written, types.IntegerLiteral):
        raise TypingError(f"prefetch takes a C-contiguous array and a literal 0 or 1; got ({array}, {written}).")

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = _pointer(context, builder, sig.args[0], *args[:2])
        byte = builder.bitcast(pointer, ir.IntType(8).as_pointer())
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte.type, _I32, _I32, _I32]), "llvm.prefetch.p0"
        )
        builder.call(function, [byte, _I32(written.literal_value), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp, written), codegen


# ---- memory -----------------------------------------------------------------------------------------------


def _lanes_of(name: str, array: types.Type, length: int, written: bool = False) -> Lanes:
    """The Lanes type that `name` moves to or from this array."""
    if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C":
        raise TypingError(f"{name} takes a 1-D C-contiguous array; got {array}.")
    if array.dtype not in _ELEMENTS:
        raise TypingError(f"{name} takes an array of float32 or float64; got {array}.")
    if written and not array.mutable:
        raise TypingError(f"{name} needs a writable array; got {array}.")
    return Lanes(array.dtype, length)


def _check_integers(name: str, *values: types.Type) -> None:
    for value in values:
        if not isinstance(value, types.Integer):
            raise TypingError(f"{name} takes integer offsets and strides; got {value}.")


def _pointer(
    context: Any, builder: ir.IRBuilder, array_type: types.Array, array: ir.Value, offset: ir.Value
) -> ir.Value:
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [offset])


def _load_vector(builder: ir.IRBuilder, lanes: Lanes, vector: ir.VectorType, pointer: ir.Value) -> ir.Value:
    value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    value.align = _ELEMENTS[lanes.dtype].size_bytes  # a NumPy array promises no more
    return value


def _store_vector(builder: ir.IRBuilder, lanes: Lanes, value: ir.Value, pointer: ir.Value) -> None:
    stored = builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
    stored.align = _ELEMENTS[lanes.dtype].size_bytes


def _transposed(builder: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """The square block of vectors, transposed in log2(length) stages.

    The stage of distance d swaps bit d of the row number with bit d of the lane number. With 4 rows:

                   distance 1:           distance 2:
        a0 a1 a2 a3    ->    a0 b0 a2 b2    ->    a0 b0 c0 d0
        b0 b1 b2 b3          a1 b1 a3 b3          a1 b1 c1 d1
        c0 c1 c2 c3          c0 d0 c2 d2          a2 b2 c2 d2
        d0 d1 d2 d3          c1 d1 c3 d3          a3 b3 c3 d3
    """
    length = len(rows)
    distance = 1
    while distance < length:
        # Lane l of a shuffle's second operand has number length + l.
        low = _constant([k + length - distance if k & distance else k for k in range(length)])
        high = _constant([k + length if k & distance else k + distance for k in range(length)])
        for first in range(length):
            if not first & distance:
                a, b = rows[first], rows[first + distance]
                rows[first] = builder.shuffle_vector(a, b, low)
                rows[first + distance] = builder.shuffle_vector(a, b, high)
        distance *= 2
    return rows


def _first_lanes(builder: ir.IRBuilder, count: ir.Value, length: int) -> ir.Value:
    """The mask of the first `count` lanes."""
    vector = ir.VectorType(_I32, length)
    narrow = builder.trunc(count, _I32) if count.type.width > 32 else count
    return builder.icmp_signed("<", _constant(range(length)), _splat(builder, narrow, vector))


def _masked_load(builder: ir.IRBuilder, lanes: Lanes, vector: ir.VectorType, pointer: ir.Value, mask: ir.Value) -> Any:
    # Lanes outside the mask read nothing, so they may lie beyond the array; they become +0.
    element = _ELEMENTS[lanes.dtype]
    at = builder.bitcast(pointer, vector.as_pointer())
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [at.type, _I32, mask.type, vector]),
        f"llvm.masked.load.v{vector.count}{element.suffix}.p0",
    )
    zeros = ir.Constant(vector, [0.0] * vector.count)
    return builder.call(function, [at, _I32(element.size_bytes), mask, zeros])


def _masked_store(builder: ir.IRBuilder, lanes: Lanes, value: ir.Value, pointer: ir.Value, mask: ir.Value) -> None:
    element = _ELEMENTS[lanes.dtype]
    at = builder.bitcast(pointer, value.type.as_pointer())
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [value.type, at.type, _I32, mask.type]),
        f"llvm.masked.store.v{value.type.count}{element.suffix}.p0",
    )
    builder.call(function, [value, at, _I32(element.size_bytes), mask])


class LaneOps(NamedTuple):
    """The operations on Lanes of one length, for compiled code; see `lane_ops`."""

    load: Any
    load_first: Any
    broadcast: Any
    store: Any
    store_first: Any
    zero: Any
    splat: Any
    transpose_block: Any
    transpose_corner: Any


@cache
def lane_ops(length: int) -> LaneOps:
    """The operations that make, load and store Lanes of this length, to be called from compiled code.

    - `load(array, offset)`: `length` consecutive elements.
    - `load_first(array, offset, count)`: the first `count` of them, zeros in the other lanes; nothing else is read.
    - `broadcast(array, offset)`: one element in every lane.
    - `store(array, offset, value)`, `store_first(array, offset, value, count)`: the inverse of these loads.
    - `zero(array)`: +0 in every lane, of the array's dtype.
    - `splat(scalar)`: a scalar in every lane.
    - `transpose_block(src, src_offset, src_stride, dst, dst_offset, dst_stride)`: the square block of
      `length` rows, `src_stride` elements apart, is written transposed to rows `dst_stride` elements apart.
      All loads come before the first store, so a block may be transposed in place.
    - `transpose_corner(src, src_offset, src_stride, rows, columns, dst, dst_offset, dst_stride)`: the same for its
      first `rows` rows and `columns` columns; nothing else is read or written.

    Compiled code refers to them by global names: `ops = lane_ops(16); load = ops.load`.

    Parameters
    ----------
    length : int
        Number of lanes, one of `LENGTHS`.

    Returns
    -------
    LaneOps

    Raises
    ------
    ValueError
        If the length is another.

    Rounding
    --------
    None: exact.

    Examples
    --------
    >>> from numba import njit
    >>> load, store = lane_ops(4).load, lane_ops(4).store
    >>> @njit
    ... def double(x, y):
    ...     store(y, 0, load(x, 0) + load(x, 0))
    >>> y = np.zeros(4)
    >>> double(np.array([1.0, 2.0, 3.0, 4.0]), y)
    >>> y
    array([2., 4., 6., 8.])
    """
    _checked_length(length)

    @intrinsic
    def load(typingctx, array, offset):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("load", array, length)
        _check_integers("load", offset)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            pointer = _pointer(context, builder, sig.args[0], *args)
            return _load_vector(builder, lanes, context.get_value_type(lanes), pointer)

        return lanes(array, types.intp), codegen

    @intrinsic
    def load_first(typingctx, array, offset, count):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("load_first", array, length)
        _check_integers("load_first", offset, count)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            pointer = _pointer(context, builder, sig.args[0], *args[:2])
            mask = _first_lanes(builder, args[2], length)
            return _masked_load(builder, lanes, context.get_value_type(lanes), pointer, mask)

        return lanes(array, types.intp, types.intp), codegen

    @intrinsic
    def broadcast(typingctx, array, offset):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("broadcast", array, length)
        _check_integers("broadcast", offset)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            scalar = builder.load(_pointer(context, builder, sig.args[0], *args))
            return _splat(builder, scalar, context.get_value_type(lanes))

        return lanes(array, types.intp), codegen

    @intrinsic
    def store(typingctx, array, offset, value):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("store", array, length, written=True)
        _check_integers("store", offset)
        if value != lanes:
            raise TypingError(f"store takes {lanes} for {array}; got {value}.")

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            _store_vector(builder, lanes, args[2], _pointer(context, builder, sig.args[0], *args[:2]))
            return context.get_dummy_value()

        return types.void(array, types.intp, value), codegen

    @intrinsic
    def store_first(typingctx, array, offset, value, count):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("store_first", array, length, written=True)
        _check_integers("store_first", offset, count)
        if value != lanes:
            raise TypingError(f"store_first takes {lanes} for {array}; got {value}.")

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            pointer = _pointer(context, builder, sig.args[0], *args[:2])
            _masked_store(builder, lanes, args[2], pointer, _first_lanes(builder, args[3], length))
            return context.get_dummy_value()

        return types.void(array, types.intp, value, types.intp), codegen

    @intrinsic
    def zero(typingctx, array):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("zero", array, length)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return ir.Constant(context.get_value_type(lanes), [0.0] * length)

        return lanes(array), codegen

    @intrinsic
    def splat(typingctx, scalar):  # type: ignore[no-untyped-def]
        if scalar not in _ELEMENTS:
            raise TypingError(f"splat takes a float32 or float64 scalar; got {scalar}.")
        lanes = Lanes(scalar, length)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return _splat(builder, args[0], context.get_value_type(lanes))

        return lanes(scalar), codegen

    @intrinsic
    def transpose_block(  # type: ignore[no-untyped-def]
        typingctx, src, src_offset, src_stride, dst, dst_offset, dst_stride
    ):
        lanes = _checked_block(src, dst, src_offset, src_stride, dst_offset, dst_stride)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            vector = context.get_value_type(lanes)
            sources = [_row(context, builder, sig, args, 0, k) for k in range(length)]
            rows = [_load_vector(builder, lanes, vector, source) for source in sources]
            for k, value in enumerate(_transposed(builder, rows)):
                _store_vector(builder, lanes, value, _row(context, builder, sig, args, 3, k))
            return context.get_dummy_value()

        return types.void(src, types.intp, types.intp, dst, types.intp, types.intp), codegen

    @intrinsic
    def transpose_corner(  # type: ignore[no-untyped-def]
        typingctx, src, src_offset, src_stride, rows, columns, dst, dst_offset, dst_stride
    ):
        lanes = _checked_block(src, dst, src_offset, src_stride, dst_offset, dst_stride, rows, columns)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            vector = context.get_value_type(lanes)
            row_count, column_count = args[3:5]
            nothing = ir.Constant(ir.VectorType(ir.IntType(1), length), [0] * length)

            def masks(across: ir.Value, down: ir.Value) -> list[ir.Value]:
                # Of the first `down` vectors the first `across` lanes, of the others none.
                first = _first_lanes(builder, across, length)
                return [
                    builder.select(builder.icmp_signed("<", down.type(k), down), first, nothing) for k in range(length)
                ]

            values = [
                _masked_load(builder, lanes, vector, _row(context, builder, sig, args, 0, k), mask)
                for k, mask in enumerate(masks(column_count, row_count))
            ]
            stores = masks(row_count, column_count)
            for k, value in enumerate(_transposed(builder, values)):
                _masked_store(builder, lanes, value, _row(context, builder, sig, args, 5, k), stores[k])
            return context.get_dummy_value()

        intp = types.intp
        return types.void(src, intp, intp, intp, intp, dst, intp, intp), codegen

    def _checked_block(src, dst, *integers):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("transpose_block", src, length)
        target = _lanes_of("transpose_block", dst, length, written=True)
        _check_integers("transpose_block", *integers)
        if lanes != target:
            raise TypingError(f"transpose_block takes two arrays of one dtype; {src} and {dst} were given")
        return lanes

    def _row(context, builder, sig, args, which, number):  # type: ignore[no-untyped-def]
        array, offset, stride = args[which : which + 3]
        at = builder.add(offset, builder.mul(stride, stride.type(number)))
        return _pointer(context, builder, sig.args[which], array, at)

    return LaneOps(load, load_first, broadcast, store, store_first, zero, splat, transpose_block, transpose_corner)
