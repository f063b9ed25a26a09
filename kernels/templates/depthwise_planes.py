# Direct convolution with one channel a group, on planes whose columns lie side by side: LENGTH columns at a time. The
# header binds LENGTH, the operations on Lanes, DOWN x ACROSS vectors of a tile, find_lines, plane_tile, plane_edge and
# plane_reach. w is as the layer has it: [channel][filter of the channel][filter slice, row, column].


@kernel
def run_units(x, y, shared, w, bias, geometry, lines):
    """Work off units until none is left: a block of rows of some planes, which are numbered as the filters are."""
    me = fetch_add(shared, 2, 1)
    filters, block = geometry[GROUPS] * geometry[FILTERS], geometry[BLOCK]
    planes = geometry[TILES]
    blocks_down = (geometry[OUT_HEIGHT] + geometry[BLOCK_ROWS] - 1) // geometry[BLOCK_ROWS]
    each = geometry[TAPS_0] // TAP_ROWS
    slices = geometry[TAPS_Z] * each
    taps = slices * TAP_ROWS * geometry[TAPS_1]
    width, columns, stride1 = geometry[WIDTH], geometry[OUT_WIDTH], geometry[STRIDE_1]
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        down, rest = unit % blocks_down, unit // blocks_down
        z, first = rest % geometry[OUT_DEPTH], rest // geometry[OUT_DEPTH] * block
        out0 = down * geometry[BLOCK_ROWS]
        rows = min(geometry[BLOCK_ROWS], geometry[OUT_HEIGHT] - out0)
        for tile in range(0, rows, DOWN):  # the last one overlaps, and writes the same numbers twice
            i = out0 + max(0, min(tile, rows - DOWN))
            find_lines(lines, tile // DOWN * slices * len(LINES), slices, each,
                       z * geometry[STRIDE_Z] - geometry[PAD_Z], geometry[DILATION_Z], geometry[DEPTH], geometry[X_Z],
                       i * geometry[STRIDE_0] - geometry[PAD_0], geometry[DILATION_0], geometry[HEIGHT],
                       geometry[X_ROW])
        image, k = first // filters, first % filters - 1
        for _ in range(min(block, planes - first)):
            k += 1
            if k == filters:
                image, k = image + 1, 0
            source = image * geometry[X_IMAGE] + k // geometry[FILTERS] * geometry[X_CHANNEL]
            target = image * geometry[Y_IMAGE] + k * geometry[Y_FILTER] + z * geometry[Y_Z]
            for tile in range(0, rows, DOWN):
                i = out0 + max(0, min(tile, rows - DOWN))
                at, out = tile // DOWN * slices * len(LINES), target + i * geometry[Y_ROW]
                for j in range(0, columns, ACROSS * LENGTH):
                    left = j * stride1 - geometry[PAD_1]
                    if left >= 0 and left + plane_reach <= width and j + ACROSS * LENGTH <= columns:
                        plane_tile(x, source + left, 0, 0, lines, at, slices, w, k * taps, bias, k,
                                   geometry[HAS_BIAS], geometry[RELU], y, out + j, geometry[Y_ROW], out0 + rows - i,
                                   columns - j)
                    else:
                        plane_edge(x, source + left, -left, width - left, lines, at, slices, w, k * taps, bias, k,
                                   geometry[HAS_BIAS], geometry[RELU], y, out + j, geometry[Y_ROW], out0 + rows - i,
                                   columns - j)
        fetch_add(shared, 1, 1)
