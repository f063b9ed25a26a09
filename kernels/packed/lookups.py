"""Scheme "tables": sums of four activations looked up by the bits of four weights, 32 filters at once.

For four neighbouring channels there are 16 sums of some of their activations: a table of 16 bytes. Of a bit plane of
the weights, four bits of a filter are a place in it, and one shuffle of bytes looks up the places of 32 filters:

    table   [0, a0, a1, a0 + a1, a2, ...]                        place k holds the sum of a[c] over the bits c of k
    U       one plane and tap: [8 channels][vector][32 bytes]    byte: the bits of 8 channels, the first one lowest
    bytes   filter of a vector  0 16  1 17  2 18 ... 15 31       so that the even bytes, and the odd ones, are in order

Activations are made unsigned by raising them, and those of more than `_ONE_TABLE` bits are cut into two parts with
tables of their own. For bipolar weights a place holds the sum of a[c] where the bit is 1 and of A - a[c] where it is 0,
with A the largest a: that is the product with -1 and +1 but for A times the zeros of the filter.

Sums of places are kept in bytes for as many steps of 8 channels as cannot overflow, 255 // (8 A), then in 16 bits for
at most 65535 // (8 A) steps, then in 32 bits.

Source
------
Wei and others: T-MAC, CPU Renaissance via Table Lookup for Low-Bit LLM Deployment on Edge, arXiv:2407.00088.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels.array_data import first_element
from kernels.host import host
from kernels.packed.numbers import Numbers
from kernels.packed.words import WordVector

__all__ = ["FILTERS", "LENGTH", "TableParts", "has_lookup", "lookup_ops", "lookup_text", "table_parts", "tables_of"]

LENGTH = 4
"""Words of a vector: shuffles of 32 bytes are no slower a byte than longer ones, and fill fewer filters up."""

FILTERS = 64
"""Of a panel: two vectors."""

_ONE_TABLE = 5
_NAME = "llvm.x86.avx2.pshuf.b"


def has_lookup(features: str | None = None) -> bool:
    """Whether the CPU has the shuffle of 32 bytes.

    Examples
    --------
    >>> has_lookup("+avx2,+fma"), has_lookup("+neon")
    (True, False)
    """
    return "+avx2" in (host().features if features is None else features).split(",")


class TableParts(NamedTuple):
    """How activations are cut: `number` parts of `bits` bits, the lowest first; `largest` is the largest part, A."""

    number: int
    bits: int
    largest: int


def table_parts(a: Numbers) -> TableParts:
    """The parts of activations of up to 8 bits, raised so that the smallest is 0.

    Examples
    --------
    >>> table_parts(Numbers(2, True)), table_parts(Numbers(8, False))
    (TableParts(number=1, bits=2, largest=3), TableParts(number=2, bits=4, largest=15))
    """
    if a.bipolar:
        return TableParts(1, 2, 2)  # 0 and 2, and 1 for the 0 of the padding
    count = 1 if a.bits <= _ONE_TABLE else 2
    bits = -(-a.bits // count)
    return TableParts(count, bits, (1 << bits) - 1)


def tables_of(values: np.ndarray, parts: TableParts, bipolar: bool) -> np.ndarray:
    """The tables of raised activations, as the compiled staging makes them: uint8, shape (parts, steps * 2, 16).

    Parameters
    ----------
    values : ndarray of integers, shape (channels,)
        From 0 up; the last step is filled up with zeros.
    parts : TableParts
    bipolar : bool
        Whether the weights are.

    Examples
    --------
    >>> tables_of(np.array([1, 2]), TableParts(1, 2, 3), False)[0, 0]
    array([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], dtype=uint8)
    """
    padded = np.zeros(-(-values.size // 8) * 8, np.int64)
    padded[: values.size] = values
    places = np.arange(16)[:, None] >> np.arange(4) & 1
    out = np.empty((parts.number, padded.size // 4, 16), np.uint8)
    for part in range(parts.number):
        fours = ((padded >> part * parts.bits) & ((1 << parts.bits) - 1)).reshape(-1, 1, 4)
        out[part] = np.where(places == 1, fours, parts.largest - fours if bipolar else 0).sum(-1)
    return out


class LookupOps(NamedTuple):
    """Operations on vectors of `LENGTH` words as bytes and larger numbers, for compiled code; see `lookup_ops`."""

    table: Any
    lookup: Any
    add8: Any
    sub8: Any
    add16: Any
    add_numbers: Any


def lookup_ops() -> LookupOps:
    """The operations.

    - `table(words, offset)`: two words, 16 bytes, in both halves of a vector.
    - `lookup(tables, places)`: of each half its 16 bytes at the places, which are below 16; 0 at places from 128 on.
    - `add8(a, b)`, `sub8(a, b)`, `add16(a, b)`: numbers of 8 and 16 bits, modulo 2**8 and 2**16.
    - `add_numbers(array, offset, vector, shift, flip)`: to 16 int32 of an array, the 16 numbers of a vector times
      2**shift, negated where flip is -1.

    Rounding
    --------
    None: exact, modulo a power of two.
    """
    vector_type = WordVector(LENGTH)
    wide = ir.VectorType(ir.IntType(64), LENGTH)
    bits32 = ir.IntType(32)
    octets = ir.VectorType(ir.IntType(8), 8 * LENGTH)
    pairs = ir.VectorType(ir.IntType(16), 4 * LENGTH)
    numbers = ir.VectorType(bits32, 4 * LENGTH)

    def pointer(context, builder, array_type, args, kind):  # type: ignore[no-untyped-def]
        data = first_element(context, builder, array_type, args[0])
        return builder.bitcast(builder.gep(data, [args[1]]), kind.as_pointer())

    @intrinsic
    def table(typingctx, words, offset):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            half = ir.VectorType(ir.IntType(64), 2)
            value = builder.load(pointer(context, builder, sig.args[0], args, half))
            value.align = 8
            twice = ir.Constant(ir.VectorType(bits32, LENGTH), [0, 1] * (LENGTH // 2))
            return builder.shuffle_vector(value, ir.Constant(half, ir.Undefined), twice)

        return vector_type(words, types.intp), codegen

    @intrinsic
    def lookup(typingctx, tables, places):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            kind = ir.FunctionType(octets, [octets] * 2)
            function = cgutils.get_or_insert_function(builder.module, kind, _NAME)
            return builder.bitcast(builder.call(function, [builder.bitcast(v, octets) for v in args]), wide)

        return vector_type(vector_type, vector_type), codegen

    def lane_by_lane(kind, instruction):  # type: ignore[no-untyped-def]
        @intrinsic
        def operation(typingctx, a, b):  # type: ignore[no-untyped-def]
            def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
                return builder.bitcast(getattr(builder, instruction)(*(builder.bitcast(v, kind) for v in args)), wide)

            return vector_type(vector_type, vector_type), codegen

        return operation

    @intrinsic
    def add_numbers(typingctx, array, offset, value, shift, flip):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            def everywhere(scalar):  # type: ignore[no-untyped-def]
                undefined = ir.Constant(numbers, ir.Undefined)
                first = builder.insert_element(undefined, builder.trunc(scalar, bits32), bits32(0))
                return builder.shuffle_vector(first, undefined, ir.Constant(numbers, [0] * numbers.count))

            at = pointer(context, builder, sig.args[0], args[:2], numbers)
            wider = builder.shl(builder.zext(builder.bitcast(args[2], pairs), numbers), everywhere(args[3]))
            sign = everywhere(args[4])
            before = builder.load(at)
            before.align = 4
            signed = builder.sub(builder.xor(wider, sign), sign)
            builder.store(builder.add(before, signed), at).align = 4
            return context.get_dummy_value()

        return types.void(array, types.intp, vector_type, types.intp, types.intp), codegen

    return LookupOps(
        table, lookup, lane_by_lane(octets, "add"), lane_by_lane(octets, "sub"), lane_by_lane(pairs, "add"), add_numbers
    )


_ARGUMENTS = "X, x_offset, x_stride, shifts, taps, words, U, u_offset, limit, shift, flip, M, m_offset"


def tile_rows() -> int:
    """Rows of the register tile: with 2 vectors of sums in bytes and 4 in 16 bits each."""
    return 4 if host().registers >= 32 else 3


def _micro_text(rows: int) -> list[str]:
    block = [(t, k) for t in range(rows) for k in range(2)]
    lines = ["@inlined", f"def micro_{rows}({_ARGUMENTS}):", "    nibble = splat(np.uint64(0x0F0F0F0F0F0F0F0F))",
             "    even = splat(np.uint64(0x00FF00FF00FF00FF))"]
    lines += [f"    acc{t}_{k} = low{t}_{k} = high{t}_{k} = splat(np.uint64(0))" for t, k in block]
    lines += [
        "    panel = u_offset",
        "    left = limit",
        "    for tap in range(taps):",
        "        row = x_offset + get(shifts, tap)",
        "        c = 0",
        "        while c < words:",
        "            end = min(words, c + left)",
        "            left -= end - c",
        "            while c < end:",
        "                keep_rolled()",
    ]
    inner: list[str] = []
    for k in range(2):
        inner += [f"w{k} = load(U, panel + {k} * LENGTH)", f"first{k} = w{k} & nibble",
                  f"second{k} = (w{k} >> 4) & nibble"]
        if rows < 3:  # a matrix times few vectors: weights may come from memory, and are asked for ahead
            inner += [f"prefetch(U, panel + AHEAD + {k} * LENGTH, 0)"] if k == 0 else []
    for place, name in ((0, "first"), (2, "second")):
        for t in range(rows):
            inner += [f"sums = table(X, row + {t} * x_stride + 4 * c + {place})"]
            inner += [f"acc{t}_{k} = add8(acc{t}_{k}, lookup(sums, {name}{k}))" for k in range(2)]
    inner += ["panel += 2 * LENGTH", "c += 1"]
    lines += [f"                {line}" for line in inner]
    lines += ["            if left == 0:", "                left = limit"]
    flush = []
    for t, k in block:
        flush += [f"low{t}_{k} = add16(low{t}_{k}, acc{t}_{k} & even)",
                  f"high{t}_{k} = add16(high{t}_{k}, (acc{t}_{k} >> 8) & even)", f"acc{t}_{k} = splat(np.uint64(0))"]
    lines += [f"                {line}" for line in flush]
    lines += [f"    {line}" for line in flush]
    for t, k in block:
        at = f"m_offset + {t} * NUMBERS + {32 * k}"
        lines += [f"    add_numbers(M, {at}, low{t}_{k}, shift, flip)",
                  f"    add_numbers(M, {at} + 16, high{t}_{k}, shift, flip)"]
    return lines


def lookup_text(rows: int) -> str:
    """Text of `product` as `kernels.packed.microkernel.product_text` has it, for tables and a greatest height.

    Pairs are (part of the activations, place of the plane, shift, flip), of one plane next to each other; X has the
    tables of a part `4 * words` elements after those of the one before. `sums` and what belongs to it is not used; the
    limit on steps in bytes and that on steps in 16 bits end `pairs`.

    Examples
    --------
    >>> "acc1_0 = add8(acc1_0, lookup(sums, first0))" in lookup_text(2)
    True
    """
    counts = range(rows, 0, -1)
    parts = [_micro_text(count) for count in counts]
    driver = [
        "@kernel",
        "def product(rows, X, x_offset, x_stride, shifts, taps, words, U, u_offset, u_plane, pairs, count, sums,",
        "            s_offset, has_sums, beta, b_offset, M, m_offset):",
        "    limit, most = get(pairs, 4 * count), get(pairs, 4 * count + 1)",
        "    # So many taps, or of a tap so many steps, at once that 16 bits hold their sums.",
        "    some_words = min(words, most)",
        "    some_taps = max(1, most // words)",
        "    t = 0",
        "    while t < rows:",
        *(f"        {'el' if n else ''}if rows - t >= {c}:\n            height = {c}" for n, c in enumerate(counts)),
        "        to = m_offset + t * NUMBERS",
        "        for k in range(0, NUMBERS, 2 * LENGTH):",
        "            b = load(beta, b_offset + (k >> 1))",
        "            for row in range(height):",
        "                store32(M, to + row * NUMBERS + k, b)",
        "        begin = 0",
        "        while begin < count:",
        "            plane = get(pairs, 4 * begin + 1)",
        "            behind = begin + 1",
        "            while behind < count and get(pairs, 4 * behind + 1) == plane:",
        "                behind += 1",
        "            for tap in range(0, taps, some_taps):",
        "                for c in range(0, words, some_words):",
        "                    n = min(some_words, words - c)",
        "                    at = u_offset + plane * u_plane + (tap * words + c) * 2 * LENGTH",
        "                    for pair in range(begin, behind):",
        "                        x = x_offset + t * x_stride + 4 * (get(pairs, 4 * pair) * words + c)",
        "                        shift, flip = get(pairs, 4 * pair + 2), get(pairs, 4 * pair + 3)",
    ]
    call = "X, x, x_stride, shifts[tap:], min(some_taps, taps - tap), n, U, at, limit, shift, flip, M, to"
    for number, count in enumerate(counts):
        driver += [f"                        {'elif' if number else 'if'} height == {count}:",
                   f"                            micro_{count}({call})"]
    driver += ["            begin = behind", "        t += height"]
    return "\n\n\n".join("\n".join(lines) for lines in [*parts, driver]) + "\n"
