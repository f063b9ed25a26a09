# Direct convolution with one channel a group: LENGTH channels side by side, each with its own taps. The header binds
# LENGTH, the operations on Lanes, DOWN x ACROSS outputs of a tile, find_lines, pixel_tile, and what windows.py holds.
# Layouts, lowest stride last:
#
#   strip  [filter's slices][rows][columns][LENGTH channels]
#   U      [filter of the channel][chunk of LENGTH channels][filter slice, row, column][LENGTH]
#   out    [rows][columns][LENGTH]
#
# Where channels come last, whole vectors of them are read and written in the images themselves; else, and for the
# channels that are left over, by way of a strip.


@kernel
def pack_filter(w, channels, each, taps, U):
    """[channel][filter of the channel][tap] to U; channels beyond the last are zero."""
    chunks = (channels + LENGTH - 1) // LENGTH
    for q in range(each):
        for c in range(chunks * LENGTH):
            for tap in range(taps):
                at = ((q * chunks + c // LENGTH) * taps + tap) * LENGTH + c % LENGTH
                U[at] = w[(c * each + q) * taps + tap] if c < channels else WORK(0)


@kernel
def convolve(x, offset, step, left, width, z, z_step, depth, z_pitch, top, height, row_pitch, U, u_offset, u_chunk,
             bias, bias_offset, out, out_offset, out_step, out_row, rows, columns, chunks, geometry, lines):
    """rows x columns outputs of one plane, tile by tile; the last ones overlap, and write the same numbers twice."""
    each = geometry[TAPS_0] // TAP_ROWS
    slices = geometry[TAPS_Z] * each
    for down in range(0, rows, DOWN):
        i = max(0, min(down, rows - DOWN))
        find_lines(lines, 0, slices, each, z, z_step, depth, z_pitch, top + i * geometry[STRIDE_0],
                   geometry[DILATION_0], height, row_pitch)
        for across in range(0, columns, ACROSS):
            j = max(0, min(across, columns - ACROSS))
            q = j * geometry[STRIDE_1]
            pixel_tile(x, offset + q * step, step, left + q, width, lines, slices, U, u_offset, u_chunk,
                       bias, bias_offset, geometry[HAS_BIAS], geometry[RELU],
                       out, out_offset + i * out_row + j * out_step, out_step, out_row, rows - i, columns - j, chunks)


@kernel
def convolve_strip(x, U, bias, y, geometry, image, chunk, z, out0, out1, rows, columns, strip, out, lines):
    """Outputs out0 .. of rows, out1 .. of columns, of one plane of up to LENGTH channels."""
    channels, each = geometry[GROUPS], geometry[FILTERS]
    taps = geometry[TAPS_Z] * geometry[TAPS_0] * geometry[TAPS_1]
    chunks = (channels + LENGTH - 1) // LENGTH
    c = chunk * LENGTH
    lanes = min(LENGTH, channels - c)
    front = z * geometry[STRIDE_Z] - geometry[PAD_Z]
    top = out0 * geometry[STRIDE_0] - geometry[PAD_0]
    left = out1 * geometry[STRIDE_1] - geometry[PAD_1]
    strip_rows = (rows - 1) * geometry[STRIDE_0] + (geometry[TAPS_0] - 1) * geometry[DILATION_0] + 1
    strip_columns = (columns - 1) * geometry[STRIDE_1] + (geometry[TAPS_1] - 1) * geometry[DILATION_1] + 1
    source = (image * geometry[X_IMAGE] + c * geometry[X_CHANNEL] + front * geometry[X_Z]
              + top * geometry[X_ROW] + left * geometry[X_COLUMN])
    pitch = strip_columns * LENGTH
    row_begin, row_end = inside(top, 1, geometry[HEIGHT], strip_rows)
    begin, end = inside(left, 1, geometry[WIDTH], strip_columns)
    for i in range(geometry[TAPS_Z]):
        within = 0 <= front + i * geometry[DILATION_Z] < geometry[DEPTH]
        gather(x, source + i * geometry[DILATION_Z] * geometry[X_Z],
               geometry[X_CHANNEL], geometry[X_ROW], geometry[X_COLUMN],
               row_begin, row_end if within else row_begin, begin, end,
               strip_rows, strip_columns, lanes, strip, i * strip_rows * pitch, LENGTH)
    for q in range(each):
        convolve(strip, 0, LENGTH, 0, strip_columns, 0, 1, geometry[TAPS_Z], strip_rows * pitch, 0, strip_rows, pitch,
                 U, (q * chunks + chunk) * taps * LENGTH, 0, bias, (q * chunks + chunk) * LENGTH,
                 out, 0, LENGTH, columns * LENGTH, rows, columns, 1, geometry, lines)
        scatter(out, 0, LENGTH, columns * LENGTH, rows, columns, lanes, y,
                (image * geometry[Y_IMAGE] + (c * each + q) * geometry[Y_FILTER] + z * geometry[Y_Z]
                 + out0 * geometry[Y_ROW] + out1 * geometry[Y_COLUMN]),
                each * geometry[Y_FILTER], geometry[Y_ROW], geometry[Y_COLUMN])


@kernel
def run_units(x, y, shared, U, bias, geometry, strip, out, lines):
    """Work off units until none is left: a unit is a block of outputs of one plane, and a part of the channels."""
    me = fetch_add(shared, 2, 1)
    out_height, out_width, parts = geometry[OUT_HEIGHT], geometry[OUT_WIDTH], geometry[PARTS]
    block_rows, block_columns = geometry[BLOCK_ROWS], geometry[BLOCK_COLUMNS]
    blocks_down = (out_height + block_rows - 1) // block_rows
    blocks_across = (out_width + block_columns - 1) // block_columns
    chunks, whole = (geometry[GROUPS] + LENGTH - 1) // LENGTH, geometry[GROUPS] // LENGTH
    if not geometry[IN_PLACE]:
        whole = 0
    u_chunk = geometry[TAPS_Z] * geometry[TAPS_0] * geometry[TAPS_1] * LENGTH
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, rest = unit % parts, unit // parts
        across, rest = rest % blocks_across, rest // blocks_across
        down, rest = rest % blocks_down, rest // blocks_down
        z, image = rest % geometry[OUT_DEPTH], rest // geometry[OUT_DEPTH]
        out0, out1 = down * block_rows, across * block_columns
        rows, columns = min(block_rows, out_height - out0), min(block_columns, out_width - out1)
        first, last = chunks * part // parts, chunks * (part + 1) // parts
        if first < min(last, whole):
            c, left = first * LENGTH, out1 * geometry[STRIDE_1] - geometry[PAD_1]
            convolve(x, image * geometry[X_IMAGE] + c + left * geometry[X_COLUMN], geometry[X_COLUMN], left,
                     geometry[WIDTH], z * geometry[STRIDE_Z] - geometry[PAD_Z], geometry[DILATION_Z], geometry[DEPTH],
                     geometry[X_Z], out0 * geometry[STRIDE_0] - geometry[PAD_0], geometry[HEIGHT], geometry[X_ROW],
                     U, first * u_chunk, u_chunk, bias, c,
                     y, (image * geometry[Y_IMAGE] + c + z * geometry[Y_Z] + out0 * geometry[Y_ROW]
                         + out1 * geometry[Y_COLUMN]),
                     geometry[Y_COLUMN], geometry[Y_ROW], rows, columns, min(last, whole) - first, geometry, lines)
        for chunk in range(max(first, whole), last):
            convolve_strip(x, U, bias, y, geometry, image, chunk, z, out0, out1, rows, columns, strip, out, lines)
        fetch_add(shared, 1, 1)
