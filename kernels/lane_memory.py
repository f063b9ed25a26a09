"""What moves Lanes between memory and registers: loads, stores, transpositions.

Offsets count elements from the start of a 1-D C-contiguous array and are **not checked**. Indexing the array
instead would cost a factor 2.5 inside a microkernel: Numba wraps negative indices around.
"""

from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from kernels.array_data import first_element
from kernels.simd import ELEMENTS, I32, Lanes, checked_length, lane_numbers, splatted

__all__ = ["LaneOps", "lane_ops", "prefetch"]


def _lanes_of(name: str, array: types.Type, length: int, written: bool = False) -> Lanes:
    """The Lanes type that `name` moves to or from this array."""
    if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C":
        raise TypingError(f"{name} takes a 1-D C-contiguous array; got {array}.")
    if array.dtype not in ELEMENTS:
        raise TypingError(f"{name} takes an array of float32 or float64; got {array}.")
    if written and not array.mutable:
        raise TypingError(f"{name} needs a writable array; got {array}.")
    return Lanes(array.dtype, length)


def _check_integers(name: str, *values: types.Type) -> None:
    for value in values:
        if not isinstance(value, types.Integer):
            raise TypingError(f"{name} takes integer offsets and strides; got {value}.")


def _check_boolean(name: str, value: types.Type) -> None:
    if value != types.boolean:
        raise TypingError(f"{name} takes a boolean; got {value}.")


def _pointer(
    context: Any, builder: ir.IRBuilder, array_type: types.Array, array: ir.Value, offset: ir.Value
) -> ir.Value:
    return builder.gep(first_element(context, builder, array_type, array), [offset])


def _load_vector(builder: ir.IRBuilder, lanes: Lanes, vector: ir.VectorType, pointer: ir.Value) -> ir.Value:
    value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    value.align = ELEMENTS[lanes.dtype].size_bytes  # a NumPy array promises no more
    return value


def _store_vector(builder: ir.IRBuilder, lanes: Lanes, value: ir.Value, pointer: ir.Value) -> None:
    stored = builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
    stored.align = ELEMENTS[lanes.dtype].size_bytes


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
        low = lane_numbers([k + length - distance if k & distance else k for k in range(length)])
        high = lane_numbers([k + length if k & distance else k + distance for k in range(length)])
        for first in range(length):
            if not first & distance:
                a, b = rows[first], rows[first + distance]
                rows[first] = builder.shuffle_vector(a, b, low)
                rows[first + distance] = builder.shuffle_vector(a, b, high)
        distance *= 2
    return rows


def _first_lanes(builder: ir.IRBuilder, count: ir.Value, length: int) -> ir.Value:
    """The mask of the first `count` lanes."""
    vector = ir.VectorType(I32, length)
    return builder.icmp_signed("<", lane_numbers(range(length)), splatted(builder, _narrow(builder, count), vector))


def _lanes_between(builder: ir.IRBuilder, first: ir.Value, end: ir.Value, length: int) -> ir.Value:
    """The mask of the lanes from `first` to before `end`."""
    vector = ir.VectorType(I32, length)
    lowest = builder.icmp_signed(">=", lane_numbers(range(length)), splatted(builder, _narrow(builder, first), vector))
    return builder.and_(lowest, _first_lanes(builder, end, length))


def _narrow(builder: ir.IRBuilder, count: ir.Value) -> ir.Value:
    return builder.trunc(count, I32) if count.type.width > 32 else count


def _or_zeros(builder: ir.IRBuilder, inside: ir.Value, pointer: ir.Value, length: int) -> ir.Value:
    """The pointer, or one to zeros: without a branch, and nothing is read that is not inside."""
    name = f"zeros.{length}.{pointer.type.pointee}"
    zeros = builder.module.globals.get(name)
    if zeros is None:
        array = ir.ArrayType(pointer.type.pointee, length)
        zeros = ir.GlobalVariable(builder.module, array, name)
        zeros.linkage, zeros.global_constant = "internal", True
        zeros.initializer = ir.Constant(array, [0.0] * length)
    return builder.select(inside, pointer, builder.bitcast(zeros, pointer.type))


def _masked_load(builder: ir.IRBuilder, lanes: Lanes, vector: ir.VectorType, pointer: ir.Value, mask: ir.Value) -> Any:
    # Lanes outside the mask read nothing, so they may lie beyond the array; they become +0.
    element = ELEMENTS[lanes.dtype]
    at = builder.bitcast(pointer, vector.as_pointer())
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [at.type, I32, mask.type, vector]),
        f"llvm.masked.load.v{vector.count}{element.suffix}.p0",
    )
    zeros = ir.Constant(vector, [0.0] * vector.count)
    return builder.call(function, [at, I32(element.size_bytes), mask, zeros])


def _masked_store(builder: ir.IRBuilder, lanes: Lanes, value: ir.Value, pointer: ir.Value, mask: ir.Value) -> None:
    element = ELEMENTS[lanes.dtype]
    at = builder.bitcast(pointer, value.type.as_pointer())
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [value.type, at.type, I32, mask.type]),
        f"llvm.masked.store.v{value.type.count}{element.suffix}.p0",
    )
    builder.call(function, [value, at, I32(element.size_bytes), mask])


@intrinsic
def prefetch(typingctx, array, offset, written):  # type: ignore[no-untyped-def]
    """Ask for the cache line of array[offset], to be read or, with a literal 1, written soon; no offset is wrong."""
    if not isinstance(array, types.Array) or array.layout != "C" or not isinstance(written, types.IntegerLiteral):
        raise TypingError(f"prefetch takes a C-contiguous array and a literal 0 or 1; got ({array}, {written}).")

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = _pointer(context, builder, sig.args[0], *args[:2])
        byte = builder.bitcast(pointer, ir.IntType(8).as_pointer())
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte.type, I32, I32, I32]), "llvm.prefetch.p0"
        )
        builder.call(function, [byte, I32(written.literal_value), I32(3), I32(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp, written), codegen


class LaneOps(NamedTuple):
    """The operations on Lanes of one length, for compiled code; see `lane_ops`."""

    load: Any
    load_first: Any
    load_if: Any
    load_between: Any
    evens: Any
    odds: Any
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
    - `load_if(array, offset, inside)`: as `load`, or zeros, and then nothing is read; inside is a boolean.
    - `load_between(array, offset, first, end)`: the lanes from `first` to before `end`, zeros in the others;
      nothing else is read. Both may lie outside 0 .. length.
    - `evens(low, high)`, `odds(low, high)`: every second of the lanes of two vectors that follow each other.
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
    >>> import numpy as np
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
    checked_length(length)

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
    def load_if(typingctx, array, offset, inside):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("load_if", array, length)
        _check_integers("load_if", offset)
        _check_boolean("load_if", inside)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            pointer = _or_zeros(builder, args[2], _pointer(context, builder, sig.args[0], *args[:2]), length)
            return _load_vector(builder, lanes, context.get_value_type(lanes), pointer)

        return lanes(array, types.intp, types.boolean), codegen

    @intrinsic
    def load_between(typingctx, array, offset, first, end):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("load_between", array, length)
        _check_integers("load_between", offset, first, end)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            pointer = _pointer(context, builder, sig.args[0], *args[:2])
            mask = _lanes_between(builder, args[2], args[3], length)
            return _masked_load(builder, lanes, context.get_value_type(lanes), pointer, mask)

        return lanes(array, types.intp, types.intp, types.intp), codegen

    @intrinsic
    def evens(typingctx, low, high):  # type: ignore[no-untyped-def]
        return _every_second("evens", low, high, 0)

    @intrinsic
    def odds(typingctx, low, high):  # type: ignore[no-untyped-def]
        return _every_second("odds", low, high, 1)

    @intrinsic
    def broadcast(typingctx, array, offset):  # type: ignore[no-untyped-def]
        lanes = _lanes_of("broadcast", array, length)
        _check_integers("broadcast", offset)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            scalar = builder.load(_pointer(context, builder, sig.args[0], *args))
            return splatted(builder, scalar, context.get_value_type(lanes))

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
        if scalar not in ELEMENTS:
            raise TypingError(f"splat takes a float32 or float64 scalar; got {scalar}.")
        lanes = Lanes(scalar, length)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return splatted(builder, args[0], context.get_value_type(lanes))

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

    def _every_second(name, low, high, first):  # type: ignore[no-untyped-def]
        if not isinstance(low, Lanes) or low.length != length or low != high:
            raise TypingError(f"{name} takes two Lanes of {length} numbers; got {low} and {high}.")

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return builder.shuffle_vector(*args, lane_numbers(range(first, 2 * length, 2)))

        return low(low, high), codegen

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

    return LaneOps(load, load_first, load_if, load_between, evens, odds, broadcast, store, store_first, zero, splat,
                   transpose_block, transpose_corner)
