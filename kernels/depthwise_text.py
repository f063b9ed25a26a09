"""The text of the innermost functions of depthwise convolution: a few outputs by one vector of them at a time.

Of the taps of a filter, rows and columns are unrolled, so that an element of the input is loaded once for all outputs
in registers that need it. What is sliced further (the slices of a three-dimensional filter; all rows of a big one) is
looped over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Pair", "Unrolled", "pixels_text", "planes_text", "unrolled"]

_MOST_TERMS = 400
"""Multiply-adds that one function may have: beyond, only a row of taps is unrolled."""


Pair = tuple[int, int]
"""Of rows, of columns."""


class Unrolled(NamedTuple):
    """Which part of a depthwise convolution a kernel is compiled for."""

    taps: Pair
    stride: Pair
    dilation: Pair

    def lines(self, count: int, axis: int) -> list[int]:
        """Places along an axis, from the first, that `count` outputs and their taps read."""
        return sorted({
            i * self.stride[axis] + a * self.dilation[axis] for i in range(count) for a in range(self.taps[axis])
        })


def unrolled(taps: Pair, stride: Pair, dilation: Pair, outputs: int) -> Unrolled:
    """What to unroll for `outputs` held in registers: all taps of a slice, or one row of them.

    Examples
    --------
    >>> unrolled((3, 3), (1, 2), (1, 1), 14)
    Unrolled(taps=(3, 3), stride=(1, 2), dilation=(1, 1))
    >>> unrolled((11, 11), (1, 2), (1, 1), 14)
    Unrolled(taps=(1, 11), stride=(1, 2), dilation=(1, 1))
    """
    if taps[0] * taps[1] * outputs > _MOST_TERMS:
        taps = (1, taps[1])
    if taps[0] == 1:
        stride, dilation = (1, stride[1]), (1, dilation[1])
    return Unrolled(taps, stride, dilation)


def pixels_text(part: Unrolled, down: int, across: int) -> str:
    """Text of `pixel_tile`, for images whose channels lie side by side: down x across outputs, a vector of channels.

    ::

        pixel_tile(x, offset, step, left, width, lines, slices, U, u_offset, u_chunk, bias, bias_offset, has_bias, relu,
                   out, out_offset, out_step, out_row, rows, columns, chunks)

    sums from +0, one fma for each tap, for `chunks` vectors of channels that follow each other in x and out and lie
    u_chunk apart in U. Input column q of the tile is column left + q of an image of so many columns (width) and lies
    at offset + q * step in a row; lines[slice, line] are the places of the rows, or -1: what is outside is zero. Only
    the first `rows` x `columns` outputs are written. The module must open with `kernels.compilation.header`.
    """
    heights, widths = part.lines(down, 0), part.lines(across, 1)
    grid = [(i, j) for i in range(down) for j in range(across)]
    body = [f"column{q} = (left + {q} >= 0) & (left + {q} < width)" for q in widths]
    body += ["for chunk in range(chunks):", "    c = chunk * LENGTH", "    panel = u_offset + chunk * u_chunk"]
    body += [f"    acc{i}_{j} = zero(out)" for i, j in grid]
    body += ["    for s in range(slices):", "        keep_rolled()", *_indented(_taps_text(part, "load", "LENGTH"), 8)]
    for place, k in enumerate(heights):
        body += [f"        line = lines[s * {len(heights)} + {place}]", "        if line >= 0:",
                 "            at = offset + line + c"]
        body += [f"            v{q} = load_if(x, at + {q} * step, column{q})" for q in widths]
        body += _indented(_sums_text(part, k, down, across, lambda j, b: f"v{_place(part, 1, j, b)}"), 12)
    body += ["    if has_bias:", "        shift = load(bias, bias_offset + c)"]
    body += [f"        acc{i}_{j} = acc{i}_{j} + shift" for i, j in grid]
    body += ["    if relu:", *(f"        acc{i}_{j} = at_least(acc{i}_{j}, zero(out))" for i, j in grid)]
    for i, j in grid:
        body += [f"    if {i} < rows and {j} < columns:",
                 f"        store(out, out_offset + {i} * out_row + {j} * out_step + c, acc{i}_{j})"]
    return _function("pixel_tile", "x, offset, step, left, width, lines, slices, U, u_offset, u_chunk, bias, "
                     "bias_offset, has_bias, relu, out, out_offset, out_step, out_row, rows, columns, chunks", body)


def planes_text(part: Unrolled, down: int, across: int) -> str:
    """Text of `plane_tile` and `plane_edge`, for images whose columns lie side by side: down x across vectors of them.

    ::

        plane_tile(x, offset, low, high, lines, lines_at, slices, w, w_offset, bias, bias_offset, has_bias,
                   relu, out, out_offset, out_row, rows, columns)

    sums from +0, one fma for each tap. Element e of the tile's row is at offset + e, inside the image where
    low <= e < high; lines, from lines_at on, are [slice][line], the places of the rows, or -1: what is outside is zero.
    Only the first `rows` rows of `columns` outputs are written. Where all that is read of a row lies inside, and all
    columns are to be written, plane_tile serves; else plane_edge. `plane_reach` is how many elements of a row are read.
    The stride along a row must be 1 or 2. The module must open with `kernels.compilation.header`.
    """
    stride = part.stride[1]
    if stride not in (1, 2):
        raise ValueError(f"stride along a row must be 1 or 2; got {stride}.")
    heights = part.lines(down, 0)
    grid = [(i, j) for i in range(down) for j in range(across)]
    # Of stride 2, taps at 2 q and 2 q + 1 take the even and the odd elements of the same two vectors.
    bases = sorted({b * part.dilation[1] // stride * stride for b in range(part.taps[1])})
    starts = [(f"{base} + {v} * LENGTH", f"v{base}_{v}") for base in bases for v in range(stride * across)]

    def taken(j: int, b: int) -> str:
        at = b * part.dilation[1]
        base = at // stride * stride
        if stride == 1:
            return f"v{base}_{j}"
        return f"{'odds' if at % 2 else 'evens'}(v{base}_{2 * j}, v{base}_{2 * j + 1})"

    texts = []
    for name in ("plane_tile", "plane_edge"):
        body = [f"acc{i}_{j} = zero(out)" for i, j in grid]
        body += ["for s in range(slices):", "    keep_rolled()", *_indented(_taps_text(part, "broadcast", "1"), 4)]
        for place, k in enumerate(heights):
            body += [f"    line = lines[lines_at + s * {len(heights)} + {place}]", "    if line >= 0:",
                     "        at = offset + line"]
            for start, v in starts:
                if name == "plane_tile":
                    body += [f"        {v} = load(x, at + {start})"]
                else:
                    body += [f"        {v} = load_between(x, at + {start}, low - ({start}), high - ({start}))"]
            for j in range(across):
                for b in range(part.taps[1]):
                    body += [f"        t{j}_{b} = {taken(j, b)}"]
            body += _indented(_sums_text(part, k, down, across, lambda j, b: f"t{j}_{b}"), 8)
        body += ["shift = broadcast(bias, bias_offset)", "if has_bias:"]
        body += [f"    acc{i}_{j} = acc{i}_{j} + shift" for i, j in grid]
        body += ["if relu:", *(f"    acc{i}_{j} = at_least(acc{i}_{j}, zero(out))" for i, j in grid)]
        for i in range(down):
            body += [f"if {i} < rows:"]
            for j in range(across):
                at = f"out_offset + {i} * out_row + {j} * LENGTH"
                body += [f"    store(out, {at}, acc{i}_{j})" if name == "plane_tile" else
                         f"    store_first(out, {at}, acc{i}_{j}, columns - {j} * LENGTH)"]
        texts.append(_function(name, "x, offset, low, high, lines, lines_at, slices, w, w_offset, bias, bias_offset, "
                               "has_bias, relu, out, out_offset, out_row, rows, columns", body))
    return f"plane_reach = {bases[-1]} + {stride * across} * LENGTH\n\n\n" + "\n\n".join(texts)


def _place(part: Unrolled, axis: int, output: int, tap: int) -> int:
    return output * part.stride[axis] + tap * part.dilation[axis]


def _taps_text(part: Unrolled, load: str, step: str) -> list[str]:
    """All taps of one slice to registers."""
    source, at = ("U", "panel") if load == "load" else ("w", "w_offset")
    rows, columns = part.taps
    return [f"u{a}_{b} = {load}({source}, {at} + (s * {rows * columns} + {a * columns + b}) * {step})"
            for a in range(rows) for b in range(columns)]


def _sums_text(part: Unrolled, line: int, down: int, across: int, value: Callable[[int, int], str]) -> list[str]:
    """What a line of the input adds to the outputs, column by column; value: of an output and a tap, the number."""
    lines = []
    for i in range(down):
        a, rest = divmod(line - i * part.stride[0], part.dilation[0])
        if rest == 0 and 0 <= a < part.taps[0]:
            lines += [f"acc{i}_{j} = fma({value(j, b)}, u{a}_{b}, acc{i}_{j})"
                      for b in range(part.taps[1]) for j in range(across)]
    return lines


def _indented(lines: list[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


def _function(name: str, arguments: str, body: list[str]) -> str:
    return "\n".join(["@kernel", f"def {name}({arguments}):", "    keep_apart()", *_indented(body, 4)]) + "\n"
