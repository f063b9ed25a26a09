# Direct convolution with one channel a group: LENGTH channels side by side, each with its own taps. The header binds
# LENGTH, the operations on Lanes, what windows.py holds, and depthwise_row. Layouts, lowest stride last:
#
#   strip  [filter's slices][rows][columns][LENGTH channels]
#   U      [filter of the channel][chunk of LENGTH channels][filter slice, row, column][LENGTH]
#   out    [rows][columns][LENGTH]
#
# Where channels come last, whole vectors of them are read and written in the images themselves, and taps that lie
# outside are left out; else, and for the channels that are left over, by way of a strip, with zeros outside.


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
def convolve_strip(x, U, bias, y, geometry, image, chunk, z, out0, out1, rows, columns, strip, out, shifts, places):
    """Outputs out0 .. of rows, out1 .. of columns, of one plane of up to LENGTH channels."""
    channels, each = geometry[GROUPS], geometry[FILTERS]
    tap_rows = geometry[TAPS_Z] * geometry[TAPS_0]
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
    for row in range(tap_rows):
        i, a = row // geometry[TAPS_0], row % geometry[TAPS_0]
        shifts[row] = (i * strip_rows + a * geometry[DILATION_0]) * pitch
        places[row] = row * geometry[TAPS_1] * LENGTH
    for q in range(each):
        taps_at = (q * chunks + chunk) * tap_rows * geometry[TAPS_1] * LENGTH
        for i in range(rows):
            depthwise_row(strip, i * geometry[STRIDE_0] * pitch, LENGTH, shifts, places, tap_rows, U, taps_at, 0,
                          bias, (q * chunks + chunk) * LENGTH, geometry[HAS_BIAS], geometry[RELU],
                          out, i * columns * LENGTH, LENGTH, columns, 1, 0, 0)
        scatter(out, 0, LENGTH, columns * LENGTH, rows, columns, lanes, y,
                (image * geometry[Y_IMAGE] + (c * each + q) * geometry[Y_FILTER] + z * geometry[Y_Z]
                 + out0 * geometry[Y_ROW] + out1 * geometry[Y_COLUMN]),
                each * geometry[Y_FILTER], geometry[Y_ROW], geometry[Y_COLUMN])


@kernel
def convolve_in_place(x, U, bias, y, geometry, image, chunk, chunks, z, out0, out1, rows, columns, shifts, places):
    """The same for whole vectors of channels, `chunks` of them, which come last in both images."""
    u_chunk = geometry[TAPS_Z] * geometry[TAPS_0] * geometry[TAPS_1] * LENGTH
    has_bias, relu, step, y_step = geometry[HAS_BIAS], geometry[RELU], geometry[X_COLUMN], geometry[Y_COLUMN]
    stride1, dilation1 = geometry[STRIDE_1], geometry[DILATION_1]
    c, u_offset = chunk * LENGTH, chunk * u_chunk
    front = z * geometry[STRIDE_Z] - geometry[PAD_Z]
    # Outputs all of whose taps along a row lie inside.
    begin, end = inside(out1 * stride1 - geometry[PAD_1], stride1,
                        geometry[WIDTH] - (geometry[TAPS_1] - 1) * dilation1, columns)
    for row in range(out0, out0 + rows):
        top = row * geometry[STRIDE_0] - geometry[PAD_0]
        tap_rows = 0
        for i in range(geometry[TAPS_Z]):
            for a in range(geometry[TAPS_0]):
                at_z, at_row = front + i * geometry[DILATION_Z], top + a * geometry[DILATION_0]
                if 0 <= at_z < geometry[DEPTH] and 0 <= at_row < geometry[HEIGHT]:
                    shifts[tap_rows] = at_z * geometry[X_Z] + at_row * geometry[X_ROW]
                    places[tap_rows] = (i * geometry[TAPS_0] + a) * geometry[TAPS_1] * LENGTH
                    tap_rows += 1
        source = image * geometry[X_IMAGE] + c + (out1 * stride1 - geometry[PAD_1]) * step
        target = image * geometry[Y_IMAGE] + c + z * geometry[Y_Z] + row * geometry[Y_ROW] + out1 * y_step
        for j in range(columns):
            if j < begin or j >= end:
                first, last = inside((out1 + j) * stride1 - geometry[PAD_1], dilation1, geometry[WIDTH],
                                     geometry[TAPS_1])
                for k in range(chunks):
                    depthwise_edge(x, source + j * stride1 * step + k * LENGTH, step, shifts, places, tap_rows,
                                   U, u_offset + k * u_chunk, bias, c + k * LENGTH, has_bias, relu,
                                   y, target + j * y_step + k * LENGTH, first, last)
        if begin < end:
            depthwise_row(x, source + begin * stride1 * step, step, shifts, places, tap_rows, U, u_offset, u_chunk,
                          bias, c, has_bias, relu, y, target + begin * y_step, y_step, end - begin, chunks,
                          shifts[tap_rows - 1] + geometry[STRIDE_0] * geometry[X_ROW], geometry[Y_ROW])


@kernel
def run_units(x, U, bias, y, geometry, shared, doorbell, strip, out, integers):
    """Work off units until none is left: a unit is a block of outputs of one plane, and a part of the channels."""
    fetch_add(doorbell, 0, 1)
    out_height, out_width, parts = geometry[OUT_HEIGHT], geometry[OUT_WIDTH], geometry[PARTS]
    block_rows, block_columns = geometry[BLOCK_ROWS], geometry[BLOCK_COLUMNS]
    blocks_down = (out_height + block_rows - 1) // block_rows
    blocks_across = (out_width + block_columns - 1) // block_columns
    chunks, whole = (geometry[GROUPS] + LENGTH - 1) // LENGTH, geometry[GROUPS] // LENGTH
    if not geometry[IN_PLACE]:
        whole = 0
    shifts, places = integers[: geometry[TAPS_Z] * geometry[TAPS_0]], integers[geometry[TAPS_Z] * geometry[TAPS_0] :]
    while True:
        unit = fetch_add(shared, 0, 1)
        if unit >= geometry[UNITS]:
            return
        part, rest = unit % parts, unit // parts
        across, rest = rest % blocks_across, rest // blocks_across
        down, rest = rest % blocks_down, rest // blocks_down
        z, image = rest % geometry[OUT_DEPTH], rest // geometry[OUT_DEPTH]
        out0, out1 = down * block_rows, across * block_columns
        rows, columns = min(block_rows, out_height - out0), min(block_columns, out_width - out1)
        first, last = chunks * part // parts, chunks * (part + 1) // parts
        if first < min(last, whole):
            convolve_in_place(x, U, bias, y, geometry, image, first, min(last, whole) - first, z, out0, out1,
                              rows, columns, shifts, places)
        for chunk in range(max(first, whole), last):
            convolve_strip(x, U, bias, y, geometry, image, chunk, z, out0, out1, rows, columns,
                           strip, out, shifts, places)
        fetch_add(shared, 1, 1)
