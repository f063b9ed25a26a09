"""Text of the product microkernel: M = V U, with the block of M held in registers while the channels pass by.

    U   one packed panel:  [channel][columns], columns = vectors * length, contiguous
    V   rows of channels:  V[v_offset + t * v_stride + c]
    M   rows of columns:   M[m_offset + t * m_stride + k]

Each element is one linear sum over the channels, in their order, from +0:

    acc = fma(V[t, c], U[c, k], acc)          or, without fma,          acc = acc + round(V[t, c] * U[c, k])

so its bits depend neither on the number of rows, nor on the tile, nor on the CPU.
"""

from kernels.host import Tile

__all__ = ["product_text", "row_counts"]


def row_counts(rows: int) -> tuple[int, ...]:
    """The heights of microkernel that cover any number of rows, greatest first.

    The greatest is the register tile's; the rest are the powers of two up to 8 below it, which finish what
    the greatest leaves in at most four calls. Each costs compile time, half a second at 14 rows.

    Examples
    --------
    >>> row_counts(14), row_counts(6)
    ((14, 8, 4, 2, 1), (6, 4, 2, 1))
    """
    return (rows, *(count for count in (8, 4, 2, 1) if count < rows))


def _micro_text(rows: int, vectors: int, length: int, fma: bool, prefix: str) -> list[str]:
    block = [(t, k) for t in range(rows) for k in range(vectors)]
    lines = [
        "@kernel",
        f"def {prefix}_{rows}(V, v_offset, v_stride, U, u_offset, M, m_offset, m_stride, channels):",
    ]
    lines += [f"    acc{t}_{k} = zero(M)" for t, k in block]
    lines += ["    for c in range(channels):", "        keep_rolled()"]
    at = f"u_offset + c * {vectors * length}"
    lines += [f"        u{k} = load(U, {at} + {k * length})" for k in range(vectors)]
    for t in range(rows):
        lines += [f"        v = broadcast(V, v_offset + {t} * v_stride + c)"]
        for k in range(vectors):
            acc = f"acc{t}_{k}"
            lines += [f"        {acc} = fma(v, u{k}, {acc})" if fma else f"        {acc} = {acc} + v * u{k}"]
    lines += [f"    store(M, m_offset + {t} * m_stride + {k * length}, acc{t}_{k})" for t, k in block]
    return lines


def product_text(tile: Tile, fma: bool, prefix: str = "micro", name: str = "product") -> str:
    """Text of a function that multiplies any number of rows by one packed panel.

    The text defines

        product(V, v_offset, v_stride, rows, U, u_offset, M, m_offset, m_stride, channels)

    and, for each height in `row_counts(tile.rows)`, the microkernel that it calls:

        micro_14(V, v_offset, v_stride, U, u_offset, M, m_offset, m_stride, channels)

    V, U and M are 1-D C-contiguous arrays of one dtype; offsets and strides count their elements and are not
    checked. M is written, not added to.

    Parameters
    ----------
    tile : Tile
        The register tile.
    fma : bool
        Whether a product is added with one rounding, or rounded first.
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
    def micro_1(V, v_offset, v_stride, U, u_offset, M, m_offset, m_stride, channels):
        acc0_0 = zero(M)
        for c in range(channels):
            keep_rolled()
            u0 = load(U, u_offset + c * 4 + 0)
            v = broadcast(V, v_offset + 0 * v_stride + c)
            acc0_0 = fma(v, u0, acc0_0)
        store(M, m_offset + 0 * m_stride + 0, acc0_0)
    <BLANKLINE>
    <BLANKLINE>
    @kernel
    def product(V, v_offset, v_stride, rows, U, u_offset, M, m_offset, m_stride, channels):
        t = 0
        while rows - t >= 1:
            micro_1(
                V, v_offset + t * v_stride, v_stride, U, u_offset,
                M, m_offset + t * m_stride, m_stride, channels,
            )
            t += 1
    <BLANKLINE>
    """
    counts = row_counts(tile.rows)
    parts = [_micro_text(rows, tile.vectors, tile.length, fma, prefix) for rows in counts]
    driver = [
        "@kernel",
        f"def {name}(V, v_offset, v_stride, rows, U, u_offset, M, m_offset, m_stride, channels):",
        "    t = 0",
    ]
    for rows in counts:
        driver += [
            f"    while rows - t >= {rows}:",
            f"        {prefix}_{rows}(",
            "            V, v_offset + t * v_stride, v_stride, U, u_offset,",
            "            M, m_offset + t * m_stride, m_stride, channels,",
            "        )",
            f"        t += {rows}",
        ]
    return "\n\n\n".join("\n".join(lines) for lines in [*parts, driver]) + "\n"
