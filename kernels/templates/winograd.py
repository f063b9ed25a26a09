# Fast convolution of a batch, in blocks of tiles that stay in the cache. The generated header binds the names in
# capitals, the operations on Lanes, the transforms of the three axes (gz g0 g1, btz bt0 bt1, atz at0 at1), and what
# windows.py and sums.py hold. An axis that the Algorithm does not have has one product and passes through.
#
# Layouts, lowest stride last; p runs over the NZ x N0 x N1 products of a tile, t over the tiles of a block:
#
#   strip  [TILEZ][TILE0][columns of a run][CHUNK channels]    a run: tiles of a block that are neighbours in one row
#   V      [p][t][channel, whole vectors]   rows v_stride apart, planes v_plane
#   U      [group][panel][p][channel][COLUMNS]     a panel: COLUMNS filters
#   M      [p][t][COLUMNS]                  one panel at a time
#   out    [MZ][M0 rows][M1 columns of each tile of a run][LENGTH filters]
#
# A strided convolution is one of stride 1 over the stride's phases of the image, as so many more channels (STEPS).
# A dilated one is one of dilation 1 over each phase of the image by itself, as so many more images (PHASES).


@kernel
def transform_filter(w, filters, channels, first, second, result, U):
    """U = G g G^T for every filter and channel of a group; filters beyond the last are zero.

    To work in: first[NZ * R0 * R1], second[N0 * R1], result[NZ * N0 * N1], of the filter's format.
    """
    panels = (filters + COLUMNS - 1) // COLUMNS
    for k in range(panels * COLUMNS):
        panel, column = k // COLUMNS, k % COLUMNS
        for c in range(channels):
            at = (panel * NZ * N0 * N1 * channels + c) * COLUMNS + column
            if k < filters:
                for j in range(R0 * R1):
                    gz(w, (k * channels + c) * RZ * R0 * R1 + j, R0 * R1, first, j, R0 * R1)
                for z in range(NZ):
                    for j in range(R1):
                        g0(first, z * R0 * R1 + j, R1, second, j, R1)
                    for i in range(N0):
                        g1(second, i * R1, 1, result, (z * N0 + i) * N1, 1)
                for p in range(NZ * N0 * N1):
                    U[p * channels * COLUMNS + at] = WORK(result[p])
            else:
                for p in range(NZ * N0 * N1):
                    U[p * channels * COLUMNS + at] = WORK(0)


@kernel
def input_plane(source, offset, pixel, columns, run, stage, V, v_offset, v_plane, v_stride):
    """BT d B for the tiles of a run, two axes; neighbours share the columns that they overlap in."""
    for j in range(columns):
        bt0(source, offset + j * pixel, columns * pixel, stage, j * LENGTH, columns * LENGTH)
    for t in range(run):
        for i in range(N0):
            bt1(stage, (i * columns + t * M1) * LENGTH, LENGTH, V, v_offset + t * v_stride + i * N1 * v_plane, v_plane)


@kernel
def transform_input(strip, columns, run, vectors, stage_z, stage, V, v_offset, v_plane, v_stride):
    for v in range(vectors):
        if NZ == 1:
            input_plane(strip, v * LENGTH, CHUNK, columns, run, stage, V, v_offset + v * LENGTH, v_plane, v_stride)
        else:
            area = TILE0 * columns
            for j in range(area):
                btz(strip, j * CHUNK + v * LENGTH, area * CHUNK, stage_z, j * LENGTH, area * LENGTH)
            for z in range(NZ):
                input_plane(stage_z, z * area * LENGTH, LENGTH, columns, run, stage,
                            V, v_offset + v * LENGTH + z * N0 * N1 * v_plane, v_plane, v_stride)


@kernel
def summed_product(V, v_offset, v_stride, tiles, U, u_offset, M, m_offset, channels, sums):
    """M = V U for one panel, the channel sum in leaves of LEAF channels (0: one leaf), combined as CHANNEL_SUM says."""
    if LEAF == 0:
        product(V, v_offset, v_stride, tiles, U, u_offset, M, m_offset, np.int64(COLUMNS), channels)
        return
    size = tiles * COLUMNS
    depth = 0
    for leaf in range((channels + LEAF - 1) // LEAF):
        c = leaf * LEAF
        product(V, v_offset + c, v_stride, tiles, U, u_offset + c * COLUMNS, sums, depth * size,
                np.int64(COLUMNS), min(LEAF, channels - c))
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
def output_plane(source, offset, plane, stage, out, out_offset, out_row):
    """AT M A for one tile and one vector of filters, two axes."""
    for j in range(N1):
        at0(source, offset + j * plane, N1 * plane, stage, j * LENGTH, N1 * LENGTH)
    for i in range(M0):
        at1(stage, i * N1 * LENGTH, LENGTH, out, out_offset + i * out_row, LENGTH)


@kernel
def transform_output(M, m_offset, m_plane, run, stage_z, stage, out):
    out_row = run * M1 * LENGTH
    for t in range(run):
        if NZ == 1:
            output_plane(M, m_offset + t * COLUMNS, m_plane, stage, out, t * M1 * LENGTH, out_row)
        else:
            for j in range(N0 * N1):
                atz(M, m_offset + t * COLUMNS + j * m_plane, N0 * N1 * m_plane, stage_z, j * LENGTH, N0 * N1 * LENGTH)
            for z in range(MZ):
                output_plane(stage_z, z * N0 * N1 * LENGTH, LENGTH, stage, out,
                             z * M0 * out_row + t * M1 * LENGTH, out_row)


@inlined
def place(tile, most, geometry):
    """How many neighbours follow a tile in its row, at most `most`; its image; per axis its phase and first output."""
    across, down, deep = geometry[TILES_ACROSS], geometry[TILES_DOWN], geometry[TILES_DEEP]
    row, t1 = tile // across, tile % across
    rest, t0 = row // down, row % down
    rest, tz = rest // deep, rest % deep
    rest, phase1 = rest // geometry[PHASES_1], rest % geometry[PHASES_1]
    rest, phase0 = rest // geometry[PHASES_0], rest % geometry[PHASES_0]
    image, phasez = rest // geometry[PHASES_Z], rest % geometry[PHASES_Z]
    return min(most, across - t1), image, phasez, phase0, phase1, tz * MZ, t0 * M0, t1 * M1


@kernel
def take_block(x, group, start, count, geometry, strip, stage_z, stage, V, v_plane, v_stride):
    """V for the tiles of a block."""
    channels = geometry[CHANNELS]
    t = 0
    while t < count:
        run, image, phasez, phase0, phase1, outz, out0, out1 = place(start + t, count - t, geometry)
        columns = (run - 1) * M1 + TILE1
        v_channel = 0
        for step in range(geometry[STEPS_Z] * geometry[STEPS_0] * geometry[STEPS_1]):
            step1 = step % geometry[STEPS_1]
            step0 = step // geometry[STEPS_1] % geometry[STEPS_0]
            stepz = step // geometry[STEPS_1] // geometry[STEPS_0]
            # Steps and phases are never both more than one.
            stride_z = geometry[STEPS_Z] * geometry[PHASES_Z]
            stride0, stride1 = geometry[STEPS_0] * geometry[PHASES_0], geometry[STEPS_1] * geometry[PHASES_1]
            z = outz * stride_z + phasez + stepz - geometry[PAD_Z]
            top = out0 * stride0 + phase0 + step0 - geometry[PAD_0]
            left = out1 * stride1 + phase1 + step1 - geometry[PAD_1]
            row_begin, row_end = inside(top, stride0, geometry[HEIGHT], TILE0)
            begin, end = inside(left, stride1, geometry[WIDTH], columns)
            for c in range(0, channels, CHUNK):
                chunk = min(CHUNK, channels - c)
                for i in range(TILEZ):
                    at = z + i * stride_z
                    last = row_end if 0 <= at < geometry[DEPTH] else row_begin
                    gather(x, (image * geometry[X_IMAGE] + (group * channels + c) * geometry[X_CHANNEL]
                               + at * geometry[X_Z] + top * geometry[X_ROW] + left * geometry[X_COLUMN]),
                           geometry[X_CHANNEL], stride0 * geometry[X_ROW], stride1 * geometry[X_COLUMN],
                           row_begin, last, begin, end, TILE0, columns, chunk,
                           strip, i * TILE0 * columns * CHUNK, CHUNK)
                transform_input(strip, columns, run, (chunk + LENGTH - 1) // LENGTH, stage_z, stage,
                                V, t * v_stride + v_channel + c, v_plane, v_stride)
            v_channel += channels
        t += run


@kernel
def give_vector(M, m_column, m_plane, y, bias, group, filter_, start, count, geometry, stage_z, stage, out):
    """One vector of filters of a block to the image."""
    filters = min(LENGTH, geometry[FILTERS] - filter_)
    k = group * geometry[FILTERS] + filter_
    t = 0
    while t < count:
        run, image, phasez, phase0, phase1, outz, out0, out1 = place(start + t, count - t, geometry)
        transform_output(M, t * COLUMNS + m_column, m_plane, run, stage_z, stage, out)
        columns = run * M1
        finish(out, MZ * M0, columns, bias, k, geometry[HAS_BIAS], geometry[RELU])
        # Outputs of this phase: every PHASES-th of the image.
        rows_inside = min(M0, (geometry[OUT_HEIGHT] - phase0 + geometry[PHASES_0] - 1) // geometry[PHASES_0] - out0)
        width = (geometry[OUT_WIDTH] - phase1 + geometry[PHASES_1] - 1) // geometry[PHASES_1]
        columns_inside = min(columns, width - out1)
        z = outz * geometry[PHASES_Z] + phasez
        for i in range(MZ):
            if z < geometry[OUT_DEPTH]:
                scatter(out, i * M0 * columns * LENGTH, LENGTH, columns * LENGTH,
                        rows_inside, columns_inside, filters, y,
                        (image * geometry[Y_IMAGE] + k * geometry[Y_FILTER] + z * geometry[Y_Z]
                         + (out0 * geometry[PHASES_0] + phase0) * geometry[Y_ROW]
                         + (out1 * geometry[PHASES_1] + phase1) * geometry[Y_COLUMN]),
                        geometry[Y_FILTER], geometry[PHASES_0] * geometry[Y_ROW],
                        geometry[PHASES_1] * geometry[Y_COLUMN])
            z += geometry[PHASES_Z]
        t += run


@kernel
def run_units(x, y, shared, U, bias, geometry, V, M, sums, strip, stage_z, stage, out):
    """Work off units until none is left: a unit is a block of tiles of one group, and a part of its panels."""
    me = fetch_add(shared, 2, 1)
    channels = geometry[CHANNELS] * geometry[STEPS_Z] * geometry[STEPS_0] * geometry[STEPS_1]
    filters, groups, parts = geometry[FILTERS], geometry[GROUPS], geometry[PARTS]
    tiles, block, v_stride = geometry[TILES], geometry[BLOCK], geometry[V_STRIDE]
    panels = (filters + COLUMNS - 1) // COLUMNS
    v_plane = block * v_stride + LENGTH  # the odd vector keeps planes off each other's cache sets
    m_plane = block * COLUMNS + LENGTH
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        # Part by part, so that its filters, once read from memory, are in a shared cache for all blocks.
        part, rest = unit // (geometry[UNITS] // parts), unit % (geometry[UNITS] // parts)
        group, start = rest % groups, rest // groups * block
        count = min(block, tiles - start)
        take_block(x, group, start, count, geometry, strip, stage_z, stage, V, v_plane, v_stride)
        for panel in range(panels * part // parts, panels * (part + 1) // parts):
            for p in range(NZ * N0 * N1):
                summed_product(V, p * v_plane, v_stride, count,
                               U, ((group * panels + panel) * NZ * N0 * N1 + p) * channels * COLUMNS,
                               M, p * m_plane, channels, sums)
            for k in range(panel * COLUMNS, min(filters, (panel + 1) * COLUMNS), LENGTH):
                give_vector(M, k - panel * COLUMNS, m_plane, y, bias, group, k, start, count, geometry,
                            stage_z, stage, out)
        fetch_add(shared, 1, 1)
