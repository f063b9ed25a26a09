"""Scheme "fields": weights of 1 to 7 bits lie in memory as that many bits, and become bytes in registers.

A width is a sum of 4, 2 and 1, and the bits of a weight are cut into fields of these widths, the lowest bits first. For
32 channels of 16 filters (or as many as a vector has numbers of 32 bits), eight steps of 4 channels, fields of f bits
fill f vectors:

    U       [group][panel][tap][32 channels][vector][2 x 16 filters][filter][channel of a step]
    byte    f = 2:  | step 3 | step 2 | step 1 | step 0 |    the other vector of this width has steps 4 to 7

A shift and a mask give the fields of a step, with OR they are joined to bytes without a sign, and the CPU's dot product
of bytes adds up the products with 4 activations. Signed weights are raised by 2**(bits-1), and bipolar ones are halved
and raised by 1/2; that takes the sum of the activations times as much from each result:

    sum of a w = sum of a (w + r) - r (sum of a)          bipolar: 2 (sum of a (w + 1) / 2) - (sum of a)

Where few rows share the weights, sums are kept in several sets, so that a sum need not wait for the one before, and a
field may stay some bits higher: for 1 bit, four masks and a shift by 4 do instead of seven shifts. Sums of such a set
are shifted down before they could overflow.

Without a dot product of bytes, products are added in pairs of 16 bits, for as many steps as these cannot overflow.

Source
------
That weights of few bits are unpacked by shifts and masks next to a dot product of bytes is as in llama.cpp (ggml).
"""

from __future__ import annotations

from typing import NamedTuple

from kernels.host import host
from kernels.packed.dot_products import has_byte_dot, has_byte_pairs
from kernels.packed.numbers import Numbers

__all__ = ["BLOCK", "STEPS", "can_run_fields", "field_text", "field_vectors", "field_widths", "most_bits", "tile_rows"]

STEPS = 8
"""Of a block: so many fields of 1 bit has a byte."""

BLOCK = 4 * STEPS
"""Channels of a block."""

_LARGEST_A = 255
_ARGUMENTS = (
    "X, x_offset, x_stride, shifts, taps, words, U, u_offset, pairs, sums, s_offset, has_sums, beta, b_offset, M, "
    "m_offset"
)


def field_widths(bits: int) -> tuple[int, ...]:
    """The widths of the fields of a weight, the lowest field first.

    Examples
    --------
    >>> field_widths(2), field_widths(7)
    ((2,), (4, 2, 1))
    """
    return tuple(width for width in (4, 2, 1) if bits & width)


class FieldVector(NamedTuple):
    """Vectors of a block that hold fields of one width: of `width` bits, from bit `offset` of a weight on.

    Their fields are those of the steps from `step` on.
    """

    width: int
    offset: int
    step: int


def field_vectors(bits: int) -> list[FieldVector]:
    """Those of a block as they follow each other in memory: in the order in which they are needed.

    Examples
    --------
    >>> [(vector.width, vector.step) for vector in field_vectors(3)]
    [(2, 0), (1, 0), (2, 4)]
    """
    offset, vectors = 0, []
    for width in field_widths(bits):
        vectors += [FieldVector(width, offset, step) for step in range(0, STEPS, STEPS // width)]
        offset += width
    return sorted(vectors, key=lambda vector: (vector.step, vector.offset))


def most_bits() -> int:
    """Bits of a weight that the scheme takes: 7, or 6 without a dot product of bytes, or 0 where it cannot run."""
    if has_byte_dot():
        return 7
    return max(bits for bits in range(7) if not bits or _steps_in_pairs(bits)) if has_byte_pairs() else 0


def can_run_fields(a: Numbers, w: Numbers) -> bool:
    """Whether scheme "fields" takes these numbers: activations of up to 8 bits."""
    return a.bits <= 8 and w.bits <= most_bits()


def tile_rows() -> int:
    """Rows of the register tile; sums in pairs take as many registers again."""
    return 4 if host().registers >= 32 else 2


def _steps_in_pairs(bits: int) -> int:
    """So many steps of a block can be added up in signed numbers of 16 bits: a power of two, or 0."""
    most = 32767 // (2 * _LARGEST_A * ((1 << bits) - 1))
    return min(STEPS, 1 << most.bit_length() - 1) if most else 0


def _places(bits: int, rows: int) -> list[int]:
    """For each set of sums the place of its weights' lowest bit."""
    if not has_byte_dot():
        return [0]
    sets = min(4, 8 // rows)
    # Fields of 4 bits leave no room above.
    return [min(place * field_widths(bits)[0], 7 - bits) if bits < 4 else 0 for place in range(sets)]


def _limit(sets: int) -> int:
    """Blocks after which the sums of a higher place, unsigned numbers of 32 bits, might overflow."""
    return ((1 << 32) - 1) // (4 * _LARGEST_A * 127 * (STEPS // sets))


def _step_text(bits: int, step: int, place: int, k: int) -> str:
    """The weights of a step as bytes, `place` bits higher."""
    parts, offset = [], 0
    for width in field_widths(bits):
        within = step % (STEPS // width)
        shift = width * within - place - offset
        field = f"f{width}_{step - within}_{k}"
        moved = f"({field} >> {shift})" if shift > 0 else f"({field} << {-shift})" if shift else field
        mask = ((1 << width) - 1 << place + offset) * 0x0101010101010101
        parts.append(f"({moved} & splat(np.uint64(0x{mask:016X})))")
        offset += width
    return " | ".join(parts)


def _micro_text(bits: int, rows: int) -> list[str]:
    places, octets = _places(bits, rows), has_byte_dot()
    block = [(t, k) for t in range(rows) for k in range(2)]
    lines = ["@inlined", f"def micro_{rows}({_ARGUMENTS}):"]
    lines += [f"    acc{t}_{k}_{s} = splat(np.uint64(0))" for t, k in block for s in range(len(places))]
    lines += [
        "    panel = u_offset",
        "    for tap in range(taps):",
        "        row = x_offset + get(shifts, tap)",
        "        behind = row + STEPS * words",
        "        while row < behind:",
        f"            end = min(behind, row + STEPS * {_limit(len(places))})",
        "            while row < end:",
        "                keep_rolled()",
    ]
    inner = []
    group = _steps_in_pairs(bits)
    for step in range(STEPS):
        s = step % len(places)
        for place, vector in enumerate(field_vectors(bits)):
            if vector.step == step:
                # Else LLVM loads all vectors of a block first, in some order: the CPU reads memory ahead less well.
                inner += ["keep_rolled()"]
                for k in range(2):
                    at = f"panel + {2 * place + k} * LENGTH"
                    inner += [f"f{vector.width}_{step}_{k} = load(U, {at})"]
                    inner += [f"prefetch(U, AHEAD + {at}, 0)"] if bits < 4 else []  # the CPU looks ahead far enough
        inner += [f"w{k} = {_step_text(bits, step, places[s], k)}" for k in range(2)]
        for t in range(rows):
            inner += [f"v = splat32(X, row + {t} * x_stride + {step})"]
            for k in range(2):
                acc, pair = f"acc{t}_{k}_{s}", f"pair{t}_{k}"
                if octets:
                    inner += [f"{acc} = dot_bytes({acc}, v, w{k})"]
                else:
                    inner += [f"{pair} = " + ("byte_pairs(v, w{k})" if step % group == 0 else
                                              f"add16({pair}, byte_pairs(v, w{{k}}))").format(k=k)]
                    if (step + 1) % group == 0:
                        inner += [f"{acc} = dot_pairs({acc}, {pair}, splat(np.uint64(0x0001000100010001)))"]
    inner += [f"panel += {2 * bits} * LENGTH", "row += STEPS"]
    lines += [f"                {line}" for line in inner]
    for t, k in block:
        for s, place in enumerate(places):
            if s:
                moved = f"acc{t}_{k}_{s}"
                if place:
                    moved = f"({moved} >> {place}) & splat(np.uint64(0x{((1 << 32 - place) - 1) * 0x100000001:X}))"
                lines += [f"            acc{t}_{k}_0 = add32(acc{t}_{k}_0, {moved})",
                          f"            acc{t}_{k}_{s} = splat(np.uint64(0))"]
    lines += ["    if get(pairs, 2) != 0:"]
    lines += [f"        acc{t}_{k}_0 = add32(acc{t}_{k}_0, acc{t}_{k}_0)" for t, k in block]
    lines += ["    if has_sums:"]
    for t in range(rows):
        lines += [f"        less = np.uint64(-(get(sums, s_offset + {t}) << get(pairs, 3))) & np.uint64(0xFFFFFFFF)",
                  "        both = splat(less | (less << np.uint64(32)))"]
        lines += [f"        acc{t}_{k}_0 = add32(acc{t}_{k}_0, both)" for k in range(2)]
    for t, k in block:
        lines += [f"    b = load(beta, b_offset + {k} * LENGTH)",
                  f"    store32(M, m_offset + {t} * NUMBERS + {k} * 2 * LENGTH, add32(acc{t}_{k}_0, b))"]
    return lines


def field_text(bits: int, rows: int) -> str:
    """Text of `product` as `kernels.packed.microkernel.product_text` has it, for weights of so many bits.

    X has 8 words, of 4 activations each, for each block; those beyond the channels are zeros. Of `pairs`, number 2 says
    whether the sums are doubled, and number 3 by how many bits the sums of the activations are shifted.

    Examples
    --------
    >>> "f1_0_0 >> 4) & splat(np.uint64(0x0202020202020202" in field_text(1, 1)
    True
    """
    counts = [count for count in (4, 2, 1) if count <= rows]
    parts = [_micro_text(bits, count) for count in counts]
    driver = [
        "@kernel",
        "def product(rows, X, x_offset, x_stride, shifts, taps, words, U, u_offset, u_plane, pairs, count, sums,",
        "            s_offset, has_sums, beta, b_offset, M, m_offset):",
        "    t = 0",
        "    while t < rows:",
    ]
    call = _ARGUMENTS.replace("x_offset", "x_offset + t * x_stride").replace("s_offset", "s_offset + t")
    call = call.replace("m_offset", "m_offset + t * NUMBERS")
    for number, count in enumerate(counts):
        driver += [f"        {'el' if number else ''}if rows - t >= {count}:", f"            micro_{count}({call})",
                   f"            t += {count}"]
    return "\n\n\n".join("\n".join(lines) for lines in [*parts, driver]) + "\n"
