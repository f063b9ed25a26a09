"""Text of the product microkernel: M = V U, with the block of M held in registers while the channels pass by.

    U   one packed panel:  [tap][channel][columns], columns = vectors * length, contiguous
    V   rows of channels:  V[v_offset + t * v_stride + shifts[tap] + c]
    M   rows of columns:   M[m_offset + t * m_stride + k]

Each element is one linear sum over the taps and, inside, over the channels, in their order, from +0:

    acc = fma(V[t, c], U[c, k], acc)          or, without fma,          acc = acc + round(V[t, c] * U[c, k])

so its bits depend neither on the number of rows, nor on the tile, nor on the CPU.
"""

from typing import Literal

from kernels.host import Tile

__all__ = ["AHEAD", "product_text", "row_counts", "splits"]

Taps = Literal["", "rows", "columns"]

AHEAD = 24
"""So many rows of U before it needs one a product fetches it: U may come from memory, and the core's own foresight ends
with each page. With taps of columns, `shifts` says so many terms more where the next panel begins."""


def row_counts(rows: int) -> tuple[int, ...]:
    """The heights of microkernel that there are, greatest first.

    The greatest is the register tile's. With those below it any number of rows is covered in few calls of nearly
    equal heights: each call reads the panel once. Each height costs compile time, half a second at 14 rows.

    Examples
    --------
    >>> row_counts(14), row_counts(6)
    ((14, 8, 7, 4, 2, 1), (6, 4, 3, 2, 1))
    """
    heights = {rows, max(1, rows // 2), *(count for count in (8, 4, 2, 1) if count < rows)}
    return tuple(sorted(heights, reverse=True))


def splits(heights: tuple[int, ...]) -> tuple[int, ...]:
    """For 0, 1, ... rows, up to twice the greatest height: that to begin with, so that all calls together cost least.

    A call costs its rows, but never less than four, the time in which one row of the panel is loaded; and one more.

    Examples
    --------
    >>> splits(row_counts(14))[12:18]
    (8, 7, 14, 8, 8, 8)
    """
    best: list[tuple[int, int]] = [(0, 0)]
    for count in range(1, 2 * max(heights) + 1):
        best.append(min((max(h, 4) + 1 + best[count - h][0], -h) for h in heights if h <= count))
    return tuple(-height for _, height in best)


def _micro_text(rows: int, tile: Tile, fma: bool, prefix: str, taps: Taps, ahead: bool) -> list[str]:
    block = [(t, k) for t in range(rows) for k in range(tile.vectors)]
    # A block is so many rows; the next one is so many numbers further on in V and M, or beside it in U and M.
    steps = {"u_offset": str(tile.columns), "m_offset": str(tile.columns)}
    if taps != "columns":
        steps = {"v_offset": f"{rows} * v_stride", "m_offset": f"{rows} * m_stride"}
    lines = ["keep_rolled()", *(f"acc{t}_{k} = zero(M)" for t, k in block)]
    if ahead:
        lines += [f"prefetch(M, m_offset + {t} * m_stride + {k * tile.length}, 1)" for t, k in block]
    inner = ""
    if taps == "rows":
        lines += ["for tap in range(taps):", "    row = v_offset + shifts[tap]",
                  f"    panel = u_offset + tap * channels * {tile.columns}"]
        inner = "    "
    else:
        lines += ["row = v_offset", "panel = u_offset"]
    lines += [f"{inner}for c in range(channels):", f"{inner}    keep_rolled()"]
    inner += "    "
    at = "panel + shifts[c]" if taps == "columns" else f"panel + c * {tile.columns}"
    if taps == "columns":
        lines += [f"{inner}prefetch(U, panel + shifts[c + {AHEAD}] + {k * tile.length}, 0)"
                  for k in range(tile.vectors)]
    elif not taps:
        lines += [f"{inner}prefetch(U, {at} + {AHEAD * tile.columns + k * tile.length}, 0)"
                  for k in range(tile.vectors)]
    lines += [f"{inner}u{k} = load(U, {at} + {k * tile.length})" for k in range(tile.vectors)]
    for t in range(rows):
        lines += [f"{inner}v = broadcast(V, row + {t} * v_stride + c)"]
        for k in range(tile.vectors):
            acc = f"acc{t}_{k}"
            lines += [f"{inner}{acc} = fma(v, u{k}, {acc})" if fma else f"{inner}{acc} = {acc} + v * u{k}"]
    if taps:
        shift = "broadcast(bias, bias_offset + {t})" if taps == "columns" else "b{k}"
        lines += ["if has_bias:"]
        if taps == "rows":
            lines += [f"    b{k} = load(bias, bias_offset + {k * tile.length})" for k in range(tile.vectors)]
        lines += [f"    acc{t}_{k} = acc{t}_{k} + {shift.format(t=t, k=k)}" for t, k in block]
        lines += ["if relu:", *(f"    acc{t}_{k} = at_least(acc{t}_{k}, zero(M))" for t, k in block)]
    lines += [f"store(M, m_offset + {t} * m_stride + {k * tile.length}, acc{t}_{k})" for t, k in block]
    lines += [f"{name} += {step}" for name, step in steps.items()]
    arguments = ["blocks", *(name for name in _arguments(taps) if name not in ("rows", "panels"))]
    return ["@kernel", f"def {prefix}_{rows}({', '.join(arguments)}):", "    for _ in range(blocks):",
            *(f"        {line}" for line in lines)]


def _arguments(taps: Taps) -> list[str]:
    """Of the product."""
    shifts = {"": "", "rows": "shifts, taps, ", "columns": "panels, shifts, "}[taps]
    bias = ", bias, bias_offset, has_bias, relu" if taps else ""
    return f"V, v_offset, v_stride, rows, {shifts}U, u_offset, M, m_offset, m_stride, channels{bias}".split(", ")


def product_text(
    tile: Tile, fma: bool, prefix: str = "micro", name: str = "product", taps: Taps = "", ahead: bool = False
) -> str:
    """Text of a function that multiplies any number of rows by one packed panel.

    The text defines

        product(V, v_offset, v_stride, rows, U, u_offset, M, m_offset, m_stride, channels)

    or, where there are taps of rows or of columns,

        product(V, v_offset, v_stride, rows, shifts, taps, U, u_offset, M, m_offset, m_stride, channels,
                bias, bias_offset, has_bias, relu)
        product(V, v_offset, v_stride, rows, panels, shifts, U, u_offset, M, m_offset, m_stride, channels,
                bias, bias_offset, has_bias, relu)

    and, for each height in `row_counts(tile.rows)`, the microkernel that it calls, for blocks of so many rows that
    follow each other, or for panels:

        micro_14(blocks, V, v_offset, v_stride, U, u_offset, M, m_offset, m_stride, channels)

    V, U and M are 1-D C-contiguous arrays of one dtype; offsets and strides count their elements and are not
    checked. M is written, not added to.

    Parameters
    ----------
    tile : Tile
        The register tile.
    fma : bool
        Whether a product is added with one rounding, or rounded first.
    taps : "", "rows" or "columns"
        "rows": these are pixels, and summed over taps too, `shifts[tap]` numbers further on in V. "columns": these are
        pixels, in so many panels side by side in U and M; the one sum, over `channels` terms, finds the columns for a
        term at `U[u_offset + shifts[term]]`, and the next panel's first `AHEAD` behind those. With either, the filter's
        bias is then added to the sum, with one rounding, if `has_bias`, and what is negative becomes +0 if `relu`.
    ahead : bool
        Whether the places in M are fetched while the sums are made: where M is the image.
    prefix, name : str
        Names of the microkernels and of the function, for a module that holds more than one of these.

    Returns
    -------
    str
        To be put in a module that opens with `kernels.compilation.header(tile.length)`.

    Rounding
    --------
    With fma once for each channel, without it twice; in the arrays' format, in the order of the channels.

    Examples
    --------
    >>> print(product_text(Tile(1, 1, 4), fma=True))
    @kernel
    def micro_1(blocks, V, v_offset, v_stride, U, u_offset, M, m_offset, m_stride, channels):
        for _ in range(blocks):
            keep_rolled()
            acc0_0 = zero(M)
            row = v_offset
            panel = u_offset
            for c in range(channels):
                keep_rolled()
                prefetch(U, panel + c * 4 + 96, 0)
                u0 = load(U, panel + c * 4 + 0)
                v = broadcast(V, row + 0 * v_stride + c)
                acc0_0 = fma(v, u0, acc0_0)
            store(M, m_offset + 0 * m_stride + 0, acc0_0)
            v_offset += 1 * v_stride
            m_offset += 1 * m_stride
    <BLANKLINE>
    <BLANKLINE>
    product_HEIGHT = np.array((0, 1, 1))
    <BLANKLINE>
    <BLANKLINE>
    @kernel
    def product(V, v_offset, v_stride, rows, U, u_offset, M, m_offset, m_stride, channels):
        t = 0
        while t < rows:
            height = product_HEIGHT[min(rows - t, 2)]
            blocks = max(1, (rows - t) // 1 - 1)
            if height == 1:
                micro_1(
                    blocks, V, v_offset + t * v_stride, v_stride, U, u_offset, M,
                    m_offset + t * m_stride, m_stride, channels,
                )
            t += height * blocks
    <BLANKLINE>
    """
    # A narrow panel is rare; half the height hides the latency of an addition as well there.
    counts = row_counts(tile.rows if tile.vectors > 1 else max(1, tile.rows // 2))
    parts = [_micro_text(rows, tile, fma, prefix, taps, ahead) for rows in counts]
    table = [f"{name}_HEIGHT = np.array({splits(counts)})"]
    passed = {name: name for name in _arguments(taps) if name not in ("rows", "panels")}
    passed |= {"v_offset": "v_offset + t * v_stride", "m_offset": "m_offset + t * m_stride"}
    if taps == "columns":
        passed["bias_offset"] = "bias_offset + t"
    driver = [
        "@kernel",
        f"def {name}({', '.join(_arguments(taps))}):",
        "    t = 0",
        "    while t < rows:",
        f"        height = {name}_HEIGHT[min(rows - t, {2 * counts[0]})]",
        f"        blocks = {'panels' if taps == 'columns' else f'max(1, (rows - t) // {counts[0]} - 1)'}",
    ]
    values = list(passed.values())
    for number, rows in enumerate(counts):
        driver += [
            f"        {'elif' if number else 'if'} height == {rows}:",
            f"            {prefix}_{rows}(", f"                blocks, {', '.join(values[:6])},",
            f"                {', '.join(values[6:])},", "            )",
        ]
    driver += [f"        t += {'height' if taps == 'columns' else 'height * blocks'}"]
    return "\n\n\n".join("\n".join(lines) for lines in [*parts, table, driver]) + "\n"
