"""Vectors of 64-bit words in compiled code: `WordVector(length)`, a Numba type that lowers to one LLVM vector.

Plain Python text such as `((a & low) + (b & low)) ^ ((a ^ b) & tops)` compiles unchanged for one uint64 and for many.
Scalars mixed in must be uint64 (a signed one would make Numba compute in float64); shift counts may be any
integer below 64. Offsets count elements of a 1-D C-contiguous array and are **not checked**, as in `kernels.simd`.

Bytes are read and written as little-endian words, so that the first byte is in the lowest bits: the byte order of
every CPU that Numba compiles for.
"""

from __future__ import annotations

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
from numba.extending import intrinsic, models, overload, register_model

from kernels.array_data import first_element

__all__ = ["WordOps", "WordVector", "popcount", "word_ops"]

_I32 = ir.IntType(32)
_I64 = ir.IntType(64)

_ARITHMETIC = {
    "and_": (operator.and_, operator.iand),
    "or_": (operator.or_, operator.ior),
    "xor": (operator.xor, operator.ixor),
    "add": (operator.add, operator.iadd),
    "sub": (operator.sub, operator.isub),
    "mul": (operator.mul, operator.imul),
}
_SHIFTS = {"shl": (operator.lshift, operator.ilshift), "lshr": (operator.rshift, operator.irshift)}


class WordVector(types.Type):
    """`length` words of 64 bits, unsigned, in one vector register (or in as many as LLVM needs)."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(name=f"WordVector({length})")


@register_model(WordVector)
class _WordVectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: WordVector) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(_I64, fe_type.length))


def _splat(builder: ir.IRBuilder, scalar: ir.Value, vector: ir.VectorType) -> ir.Value:
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    lanes = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, lanes)


def _register(function: Callable[..., Any], instruction: str, is_shift: bool) -> None:
    @infer_global(function)
    class _Typing(AbstractTemplate):
        def generic(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
            vector = next((a for a in args if isinstance(a, WordVector)), None)
            if vector is None:
                return None  # none of our business
            if is_shift and args[0] == vector and isinstance(args[1], types.Integer):
                return signature(vector, *args)
            if is_shift or any(a not in (vector, types.uint64) for a in args):
                raise TypingError(f"{function.__name__} takes WordVectors and uint64; got {args}.")
            return signature(vector, *args)

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        vector = context.get_value_type(sig.return_type)
        values = []
        for value in args:
            if not isinstance(value.type, ir.VectorType):
                # A shift count below 64 keeps its value through either extension.
                wide = value if value.type.width == 64 else builder.zext(value, _I64)
                value = _splat(builder, wide, vector)
            values.append(value)
        return getattr(builder, instruction)(*values)

    for operands in ((WordVector, WordVector), (WordVector, types.Integer), (types.Integer, WordVector)):
        lower_builtin(function, *operands)(lower)


for _table, _are_shifts in ((_ARITHMETIC, False), (_SHIFTS, True)):
    for _instruction, _functions in _table.items():
        for _function in _functions:
            _register(_function, _instruction, _are_shifts)


def popcount(words: Any) -> Any:
    """The number of ones in each word: of a Python int, of uint64 arrays, and in compiled code.

    Examples
    --------
    >>> popcount(0b1011)
    3
    >>> popcount(np.array([7, 8], np.uint64))
    array([3, 1], dtype=uint64)
    """
    if isinstance(words, int):
        return words.bit_count()
    return np.bitwise_count(words).astype(np.uint64)


@intrinsic
def _count_ones(typingctx, words):  # type: ignore[no-untyped-def]
    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        llvm = args[0].type
        suffix = f"v{llvm.count}i64" if isinstance(llvm, ir.VectorType) else "i64"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(llvm, [llvm]), f"llvm.ctpop.{suffix}")
        return builder.call(function, args)

    return words(words), codegen


@overload(popcount)
def _popcount_overload(words):  # type: ignore[no-untyped-def]
    if isinstance(words, WordVector) or words == types.uint64:
        return lambda words: _count_ones(words)  # type: ignore[call-arg]
    return None


def _pointer(
    context: Any, builder: ir.IRBuilder, array_type: types.Array, place: Sequence[ir.Value], kind: ir.Type
) -> ir.Value:
    """Address of the element at a place, which is (array, offset), to be read as `kind`."""
    array, offset = place
    data = first_element(context, builder, array_type, array)
    return builder.bitcast(builder.gep(data, [offset]), kind.as_pointer())


def _check_array(name: str, array: types.Type, written: bool = False) -> None:
    if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C":
        raise TypingError(f"{name} takes a 1-D C-contiguous array; got {array}.")
    if written and not array.mutable:
        raise TypingError(f"{name} needs a writable array; got {array}.")


class WordOps(NamedTuple):
    """The operations on vectors of words of one length, for compiled code; see `word_ops`."""

    load: Any
    store: Any
    splat: Any
    gather: Any
    scatter: Any
    peek: Any
    poke: Any
    get: Any
    put: Any


@cache
def word_ops(length: int) -> WordOps:
    """The operations that make, load and store WordVectors of this length, to be called from compiled code.

    - `load(words, offset)`, `store(words, offset, vector)`: `length` consecutive words of a uint64 array.
    - `splat(word)`: one word in every place.
    - `gather(array, offset, stride)`: the 8 bytes from each of the elements `offset + k * stride`, k < `length`, as
      words; they may overlap. The array is of any dtype.
    - `scatter(array, offset, stride, vector)`: the inverse; written in the order of k.
    - `peek(array, offset)`, `poke(array, offset, word)`: the same for a single word.
    - `get(array, offset)`, `put(array, offset, value)`: one element of the array's own dtype. LLVM makes vectors of
      loops over these, but not of indexing, for Numba wraps negative indices around.

    Parameters
    ----------
    length : int
        Words in a vector: a power of two, at least 2.

    Returns
    -------
    WordOps

    Raises
    ------
    ValueError
        If the length is another.

    Examples
    --------
    >>> from numba import njit
    >>> load, store = word_ops(2).load, word_ops(2).store
    >>> @njit
    ... def complement(a, ones):
    ...     store(a, 0, load(a, 0) ^ ones)
    >>> a = np.array([1, 2], np.uint64)
    >>> complement(a, np.uint64(255))
    >>> a
    array([254, 253], dtype=uint64)
    """
    if length not in (2, 4, 8, 16):
        raise ValueError(f"length must be 2, 4, 8 or 16; got {length}.")
    vector_type = WordVector(length)
    vector = ir.VectorType(_I64, length)

    def read(builder, pointer, align):  # type: ignore[no-untyped-def]
        value = builder.load(pointer)
        value.align = align
        return value

    def write(builder, value, pointer, align):  # type: ignore[no-untyped-def]
        builder.store(value, pointer).align = align

    @intrinsic
    def load(typingctx, words, offset):  # type: ignore[no-untyped-def]
        _check_array("load", words)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return read(builder, _pointer(context, builder, sig.args[0], args, vector), 8)

        return vector_type(words, types.intp), codegen

    @intrinsic
    def store(typingctx, words, offset, value):  # type: ignore[no-untyped-def]
        _check_array("store", words, written=True)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            write(builder, args[2], _pointer(context, builder, sig.args[0], args[:2], vector), 8)
            return context.get_dummy_value()

        return types.void(words, types.intp, vector_type), codegen

    @intrinsic
    def splat(typingctx, word):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return _splat(builder, args[0], vector)

        return vector_type(types.uint64), codegen

    def places(builder, offset, stride):  # type: ignore[no-untyped-def]
        for k in range(length):
            yield k, builder.add(offset, builder.mul(stride, stride.type(k)))

    @intrinsic
    def gather(typingctx, array, offset, stride):  # type: ignore[no-untyped-def]
        _check_array("gather", array)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            value = ir.Constant(vector, ir.Undefined)
            for k, at in places(builder, *args[1:]):
                word = read(builder, _pointer(context, builder, sig.args[0], (args[0], at), _I64), 1)
                value = builder.insert_element(value, word, _I32(k))
            return value

        return vector_type(array, types.intp, types.intp), codegen

    @intrinsic
    def scatter(typingctx, array, offset, stride, value):  # type: ignore[no-untyped-def]
        _check_array("scatter", array, written=True)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            for k, at in places(builder, *args[1:3]):
                word = builder.extract_element(args[3], _I32(k))
                write(builder, word, _pointer(context, builder, sig.args[0], (args[0], at), _I64), 1)
            return context.get_dummy_value()

        return types.void(array, types.intp, types.intp, vector_type), codegen

    @intrinsic
    def peek(typingctx, array, offset):  # type: ignore[no-untyped-def]
        _check_array("peek", array)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return read(builder, _pointer(context, builder, sig.args[0], args, _I64), 1)

        return types.uint64(array, types.intp), codegen

    @intrinsic
    def poke(typingctx, array, offset, word):  # type: ignore[no-untyped-def]
        _check_array("poke", array, written=True)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            write(builder, args[2], _pointer(context, builder, sig.args[0], args[:2], _I64), 1)
            return context.get_dummy_value()

        return types.void(array, types.intp, types.uint64), codegen

    @intrinsic
    def get(typingctx, array, offset):  # type: ignore[no-untyped-def]
        _check_array("get", array)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            data = first_element(context, builder, sig.args[0], args[0])
            return context.unpack_value(builder, sig.return_type, builder.gep(data, [args[1]]))

        return array.dtype(array, types.intp), codegen

    @intrinsic
    def put(typingctx, array, offset, value):  # type: ignore[no-untyped-def]
        _check_array("put", array, written=True)

        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            data = first_element(context, builder, sig.args[0], args[0])
            context.pack_value(builder, sig.args[2], args[2], builder.gep(data, [args[1]]))
            return context.get_dummy_value()

        return types.void(array, types.intp, array.dtype), codegen

    return WordOps(load, store, splat, gather, scatter, peek, poke, get, put)
