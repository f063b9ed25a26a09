"""Text of the product microkernels of packed integers: a block of sums stays in registers while the words pass by.

    U   one panel:       [plane of w][tap][word][2 vectors of weights, each place another filter]
    X   rows of words:   X[x_offset + t * x_stride + shifts[tap] + c], for planes [plane of a] * words further on
    M   rows of int32:   M[m_offset + t * NUMBERS + k]

Bit planes. With a = sum of 2**i a_i and w = sum of 2**j w_j over bits i, j, of which the top one of a signed number
counts negatively, the inner product is the sum over all pairs of planes of +-2**(i+j) popcount(a_i & w_j). The pairs
come in the order of falling i + j, so that doubling the sums between two orders weighs all of them: Horner's scheme,
with a change of sign where pairs change theirs (`kernels.packed.planes.plane_pairs`).

Bytes. A word is then four bytes, or two numbers of 16 bits, of neighbouring channels, and the CPU's dot product adds up
their products. Its bytes are without a sign in the first operand, signed in the second; "swapped" has weights first.
"""

from __future__ import annotations

from kernels.host import host
from kernels.microkernel import row_counts, splits

__all__ = ["COMBINATIONS", "product_text", "tile_rows"]

COMBINATIONS = {
    "and": "{acc} = {acc} + popcount(v & {u})",
    "xor": "{acc} = {acc} + popcount(v ^ {u})",
    "bytes": "{acc} = dot_bytes({acc}, v, {u})",
    "swapped": "{acc} = dot_bytes({acc}, {u}, v)",
    "pairs": "{acc} = dot_pairs({acc}, v, {u})",
}
_ARGUMENTS = (
    "X, x_offset, x_stride, shifts, taps, words, U, u_offset, u_plane, pairs, count, sums, s_offset, has_sums, "
    "beta, b_offset, M, m_offset"
)


def tile_rows() -> int:
    """Rows of the register tile: with 2 vectors of sums each, 2 of weights and one operand they fill the registers."""
    return 14 if host().registers >= 32 else 6


def _micro_text(rows: int, combination: str, far: bool) -> list[str]:
    planes = combination in ("and", "xor")
    block = [(t, k, f"acc{t}_{k}") for t in range(rows) for k in range(2)]
    lines = ["@inlined", f"def micro_{rows}({_ARGUMENTS}):"]
    lines += [f"    {acc} = splat(np.uint64(0))" for _, _, acc in block]
    lines += [
        "    for pair in range(count):",
        "        first = x_offset + get(pairs, 4 * pair) * words",
        "        panel = u_offset + get(pairs, 4 * pair + 1) * u_plane",
        "        for tap in range(taps):",
        "            row = first + get(shifts, tap)",
        "            for c in range(words):",
        "                keep_rolled()",
        "                u0 = load(U, panel)",
        "                u1 = load(U, panel + LENGTH)",
    ]
    if far:
        lines += [f"                prefetch(U, panel + AHEAD + {k} * LENGTH, 0)" for k in range(2)]
    lines += ["                panel += 2 * LENGTH"]
    for t in range(rows):
        read = "splat(get(X, {}))" if planes else "splat32(X, {})"
        lines += [f"                v = {read.format(f'row + {t} * x_stride + c')}"]
        lines += [f"                {COMBINATIONS[combination].format(acc=f'acc{t}_{k}', u=f'u{k}')}" for k in range(2)]
    if planes:
        lines += ["        shift = get(pairs, 4 * pair + 2)", "        flip = np.uint64(get(pairs, 4 * pair + 3))"]
        lines += ["        if shift != 0 or flip != np.uint64(0):"]
        lines += [f"            {acc} = (({acc} << shift) ^ flip) - flip" for _, _, acc in block]
        lines += ["    if has_sums:"]
        for t in range(rows):
            lines += [f"        less = np.uint64(get(sums, s_offset + {t}))"]
            lines += [f"        acc{t}_{k} = acc{t}_{k} - less" for k in range(2)]
    lines += [f"    b{k} = load(beta, b_offset + {k} * LENGTH)" for k in range(2)]
    for t, k, acc in block:
        total = f"{acc} + b{k}" if planes else f"add32({acc}, b{k})"
        name, length = ("store_low", "LENGTH") if planes else ("store32", "2 * LENGTH")
        lines += [f"    {name}(M, m_offset + {t} * NUMBERS + {k} * {length}, {total})"]
    return lines


def product_text(combination: str, rows: int) -> str:
    """Text of `product`, which multiplies any number of rows by one panel; X, U and M as drawn above.

    ::

        product(rows, X, x_offset, x_stride, shifts, taps, words, U, u_offset, u_plane, pairs, count,
                sums, s_offset, has_sums, beta, b_offset, M, m_offset)

    From row t `sums[s_offset + t]` is subtracted if `has_sums`, and beta is added to each row.

    Parameters
    ----------
    combination : str
        What becomes of a word and a vector of weights, a key of `COMBINATIONS`.
    rows : int
        The greatest height of a microkernel.

    Examples
    --------
    >>> "acc1_0 = acc1_0 + popcount(v & u0)" in product_text("and", 2)
    True
    """
    counts = row_counts(rows)
    # Few rows are those of a matrix times a vector, whose weights may come from memory: they are asked for ahead.
    parts = [_micro_text(count, combination, count < rows) for count in counts]
    parts.append([f"ROWS_AT_ONCE = np.array({splits(counts)})"])
    driver = ["@kernel", f"def product(rows, {_ARGUMENTS}):", "    t = 0", "    while t < rows:",
              f"        height = ROWS_AT_ONCE[min(rows - t, {2 * counts[0]})]"]
    moved = _ARGUMENTS.replace("x_offset", "x_offset + t * x_stride").replace("s_offset", "s_offset + t")
    moved = moved.replace("m_offset", "m_offset + t * NUMBERS")
    for number, count in enumerate(counts):
        driver += [f"        {'elif' if number else 'if'} height == {count}:", f"            micro_{count}({moved})"]
    driver += ["        t += height"]
    return "\n\n\n".join("\n".join(lines) for lines in [*parts, driver]) + "\n"
