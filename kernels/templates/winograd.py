# Fast convolution of a batch, in blocks of tiles that stay in the cache. The generated header binds the names in
# capitals, the operations on Lanes, the axis transforms g0 g1 bt0 bt1 at0 at1, and what panels.py holds.
#
# Layouts, lowest stride last; p runs over the N0 x N1 products of a tile, t over the tiles of a block:
#
#   x      [image][channel][height][width]          y    [image][filter][out_height][out_width]
#   strip  [TILE0 rows][columns of a run][CHUNK channels]    a run: tiles of a block that are neighbours in one row
#   V      [p][t][channel, whole vectors]   rows v_stride apart, planes v_plane
#   U      [p][panel][channel][COLUMNS]     a panel: COLUMNS filters
#   M      [p][t][COLUMNS]                  one panel at a time
#   out    [M0 rows][M1 columns of each tile of a run][LENGTH filters]


@kernel
def transform_filter(w, filters, channels, U):
    """U = G g G^T for every filter and channel; filters beyond the last are zero."""
    panels = (filters + COLUMNS - 1) // COLUMNS
    stage = np.empty(N0 * R1, FILTER)
    result = np.empty(N0 * N1, FILTER)
    for k in range(panels * COLUMNS):
        panel, column = k // COLUMNS, k % COLUMNS
        for c in range(channels):
            at = (panel * channels + c) * COLUMNS + column
            if k < filters:
                for j in range(R1):
                    g0(w, (k * channels + c) * R0 * R1 + j, R1, stage, j, R1)
                for i in range(N0):
                    g1(stage, i * R1, 1, result, i * N1, 1)
                for p in range(N0 * N1):
                    U[p * panels * channels * COLUMNS + at] = WORK(result[p])
            else:
                for p in range(N0 * N1):
                    U[p * panels * channels * COLUMNS + at] = WORK(0)


@kernel
def transform_input(strip, columns, run, vectors, stage, V, v_offset, v_plane, v_stride):
    """V = BT d B for the tiles of a run; neighbours share the columns that they overlap in."""
    for v in range(vectors):
        for j in range(columns):
            bt0(strip, j * CHUNK + v * LENGTH, columns * CHUNK, stage, j * LENGTH, columns * LENGTH)
        for t in range(run):
            for i in range(N0):
                bt1(stage, (i * columns + t * M1) * LENGTH, LENGTH,
                    V, v_offset + t * v_stride + v * LENGTH + i * N1 * v_plane, v_plane)


@kernel
def summed_product(V, v_offset, v_stride, tiles, U, u_offset, M, m_offset, channels, sums):
    """M = V U for one panel, the channel sum in leaves of LEAF channels (0: one leaf), combined as CHANNEL_SUM says."""
    if LEAF == 0:
        product(V, v_offset, v_stride, tiles, U, u_offset, M, m_offset, COLUMNS, channels)
        return
    size = tiles * COLUMNS
    depth = 0
    for leaf in range((channels + LEAF - 1) // LEAF):
        c = leaf * LEAF
        product(V, v_offset + c, v_stride, tiles, U, u_offset + c * COLUMNS, sums, depth * size, COLUMNS,
                min(LEAF, channels - c))
        depth += 1
        # Pairwise: sums of equally many leaves are added at once, as a binary counter carries.
        carry = leaf + 1 if PAIRWISE else 2 * (depth - 1)
        while depth > 1 and carry % 2 == 0:
            add_into(sums, (depth - 2) * size, (depth - 1) * size, size)
            depth -= 1
            carry = carry // 2 if PAIRWISE else 1
    while depth > 1:
        add_into(sums, (depth - 2) * size, (depth - 1) * size, size)
        depth -= 1
    i = 0
    while i < size:
        store(M, m_offset + i, load(sums, i))
        i += LENGTH


@kernel
def transform_output(M, m_offset, m_plane, run, stage, out):
    """out = AT M A for the tiles of a run and one vector of filters."""
    for t in range(run):
        for j in range(N1):
            at0(M, m_offset + t * COLUMNS + j * m_plane, N1 * m_plane, stage, j * LENGTH, N1 * LENGTH)
        for i in range(M0):
            at1(stage, i * N1 * LENGTH, LENGTH, out, (i * run + t) * M1 * LENGTH, LENGTH)


@kernel
def run_blocks(x, channels, height, width, U, filters, bias, y, out_height, out_width, pad_top, pad_left,
               begin, end, block_tiles, v_stride, V, M, sums, strip, stage, out):
    """Tiles begin to end of the batch, block by block, each block through all three stages."""
    tiles_down = (out_height + M0 - 1) // M0
    tiles_across = (out_width + M1 - 1) // M1
    panels = (filters + COLUMNS - 1) // COLUMNS
    v_plane = block_tiles * v_stride + LENGTH  # the odd vector keeps planes off each other's cache sets
    m_plane = block_tiles * COLUMNS + LENGTH
    for start in range(begin, end, block_tiles):
        count = min(block_tiles, end - start)
        for c in range(0, channels, CHUNK):
            chunk = min(CHUNK, channels - c)
            t = 0
            while t < count:
                row, across = (start + t) // tiles_across, (start + t) % tiles_across
                image, down = row // tiles_down, row % tiles_down
                run = min(count - t, tiles_across - across)
                columns = (run - 1) * M1 + TILE1
                gather(x, (image * channels + c) * height * width, height * width, height, width,
                       down * M0 - pad_top, across * M1 - pad_left, TILE0, columns, chunk, strip)
                transform_input(strip, columns, run, (chunk + LENGTH - 1) // LENGTH, stage,
                                V, t * v_stride + c, v_plane, v_stride)
                t += run
        for panel in range(panels):
            for p in range(N0 * N1):
                summed_product(V, p * v_plane, v_stride, count, U, (p * panels + panel) * channels * COLUMNS,
                               M, p * m_plane, channels, sums)
            for k in range(panel * COLUMNS, min(filters, (panel + 1) * COLUMNS), LENGTH):
                t = 0
                while t < count:
                    row, across = (start + t) // tiles_across, (start + t) % tiles_across
                    image, down = row // tiles_down, row % tiles_down
                    run = min(count - t, tiles_across - across)
                    transform_output(M, t * COLUMNS + k - panel * COLUMNS, m_plane, run, stage, out)
                    scatter(out, run * M1, min(M0, out_height - down * M0), min(run * M1, out_width - across * M1),
                            min(LENGTH, filters - k), bias, k, y,
                            ((image * filters + k) * out_height + down * M0) * out_width + across * M1,
                            out_height * out_width, out_width)
                    t += run
