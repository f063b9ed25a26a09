# Direct convolution on planes, whose columns lie side by side, in and out: for each output the sum over filter row,
# filter column and channel, from +0, one fma each. The header binds LENGTH, COLUMNS, the operations on Lanes, `inside`,
# and two products of filters with COLUMNS outputs of a row (product), or with LENGTH (narrow_product).
#
# Layouts, lowest stride last:
#
#   W      [filter][filter slice, row, column][channel]            rows W_STRIDE apart
#   strip  [channel][filter's slices][row][phase][pitch: columns]  the window that a block of outputs needs; channels
#                                                                  lie PIXEL apart; phase f of a row holds its columns
#                                                                  f, f + stride, f + 2 stride, ...
#   M      [filter][COLUMNS]                                       for outputs that fill no whole vectors


@kernel
def fill_row(x, source, begin, end, stride, phases, pitch, strip, base):
    """A row of the strip: its columns begin .. end - 1 from the image, and zeros; whole vectors are written."""
    if begin >= end:
        for j in range(0, phases * pitch, LENGTH):
            store(strip, base + j, zero(strip))
    elif stride == 1:
        for j in range(0, pitch, LENGTH):
            if begin <= j and j + LENGTH <= end:
                store(strip, base + j, load(x, source + j))
            else:
                store(strip, base + j, load_between(x, source + j, begin - j, end - j))
    elif stride == 2:
        for j in range(0, pitch, LENGTH):
            low, high = 2 * j, 2 * j + LENGTH
            if begin <= low and high + LENGTH <= end:
                first, second = load(x, source + low), load(x, source + high)
            else:
                first = load_between(x, source + low, begin - low, end - low)
                second = load_between(x, source + high, begin - high, end - high)
            store(strip, base + j, evens(first, second))
            if phases == 2:
                store(strip, base + pitch + j, odds(first, second))
    else:
        for phase in range(phases):
            for j in range(pitch):
                place = j * stride + phase
                strip[base + phase * pitch + j] = x[source + place] if begin <= place < end else WORK(0)


@kernel
def run_units(x, y, shared, W, bias, geometry, strip, M, shifts):
    """Work off units until none is left: a block of outputs of one plane of one group each, for part of its filters."""
    me = fetch_add(shared, 2, 1)
    channels, filters, groups, parts = geometry[CHANNELS], geometry[FILTERS], geometry[GROUPS], geometry[PARTS]
    slices, taps0, taps1 = geometry[TAPS_Z], geometry[TAPS_0], geometry[TAPS_1]
    out_height, out_width, out_depth = geometry[OUT_HEIGHT], geometry[OUT_WIDTH], geometry[OUT_DEPTH]
    block_rows, block_columns = geometry[BLOCK_ROWS], geometry[BLOCK_COLUMNS]
    blocks_down = (out_height + block_rows - 1) // block_rows
    blocks_across = (out_width + block_columns - 1) // block_columns
    x_channel, y_filter, y_row = geometry[X_CHANNEL], geometry[Y_FILTER], geometry[Y_ROW]
    w_stride, channel_pitch = geometry[W_STRIDE], geometry[PIXEL]
    has_bias, relu, none = geometry[HAS_BIAS], geometry[RELU], np.int64(0)
    one = np.int64(1)
    terms = slices * taps0 * taps1 * channels
    stride1, dilation1 = geometry[STRIDE_1], geometry[DILATION_1]
    # An axis with one tap needs every stride-th row, and one phase of the columns.
    skip0 = geometry[STRIDE_0] if taps0 == 1 else 1
    stride0 = geometry[STRIDE_0] // skip0
    phases = 1 if taps1 == 1 else stride1
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, rest = unit % parts, unit // parts
        group, rest = rest % groups, rest // groups
        across, rest = rest % blocks_across, rest // blocks_across
        down, rest = rest % blocks_down, rest // blocks_down
        z, image = rest % out_depth, rest // out_depth
        out0, out1 = down * block_rows, across * block_columns
        rows, columns = min(block_rows, out_height - out0), min(block_columns, out_width - out1)
        strip_rows = (rows - 1) * stride0 + (taps0 - 1) * geometry[DILATION_0] + 1
        pitch = columns + (taps1 - 1) * dilation1 // stride1
        if phases > 1:  # whole vectors are written to each phase
            pitch = (pitch + LENGTH - 1) // LENGTH * LENGTH
        front = z * geometry[STRIDE_Z] - geometry[PAD_Z]
        top = out0 * geometry[STRIDE_0] - geometry[PAD_0]
        left = out1 * stride1 - geometry[PAD_1]
        source = (image * geometry[X_IMAGE] + group * channels * x_channel
                  + front * geometry[X_Z] + top * geometry[X_ROW] + left)
        slices_begin, slices_end = inside(front, geometry[DILATION_Z], geometry[DEPTH], slices)
        row_begin, row_end = inside(top, skip0, geometry[HEIGHT], strip_rows)
        begin, end = max(0, -left), geometry[WIDTH] - left
        for c in range(channels):
            base = c * channel_pitch
            for s in range(slices):
                for i in range(strip_rows):
                    here = slices_begin <= s < slices_end and row_begin <= i < row_end
                    fill_row(x, source + c * x_channel + s * geometry[DILATION_Z] * geometry[X_Z]
                             + i * skip0 * geometry[X_ROW], begin, end if here else none, stride1, phases, pitch,
                             strip, base)
                    base += phases * pitch
        term = 0
        for s in range(slices):
            for i in range(taps0):
                for j in range(taps1):
                    row = (s * strip_rows + i * geometry[DILATION_0]) * phases
                    at = (row + j * dilation1 % stride1) * pitch + j * dilation1 // stride1
                    for c in range(channels):
                        shifts[term] = at + c * channel_pitch
                        term += 1
        first, last = filters * part // parts, filters * (part + 1) // parts
        k = group * filters + first
        count = last - first
        target = image * geometry[Y_IMAGE] + k * y_filter + z * geometry[Y_Z] + out0 * y_row + out1
        row_pitch = stride0 * phases * pitch
        if row_pitch == columns == y_row:  # rows follow each other
            rows, columns = 1, rows * columns
        panels = columns // COLUMNS
        p = panels * COLUMNS
        width = columns - p
        for i in range(rows):
            at, out = i * row_pitch, target + i * y_row
            product(W, k * w_stride, w_stride, count, panels, shifts, strip, at, y, out, y_filter, terms, bias, k,
                    has_bias, relu)
            if width == LENGTH:
                narrow_product(W, k * w_stride, w_stride, count, one, shifts, strip, at + p, y, out + p, y_filter,
                               terms, bias, k, has_bias, relu)
            elif width > 0:
                if width < LENGTH:
                    narrow_product(W, k * w_stride, w_stride, count, one, shifts, strip, at + p, M, none,
                                   np.int64(COLUMNS), terms, bias, k, has_bias, relu)
                else:
                    product(W, k * w_stride, w_stride, count, one, shifts, strip, at + p, M, none, np.int64(COLUMNS),
                            terms, bias, k, has_bias, relu)
                for f in range(count):
                    for v in range(0, width, LENGTH):
                        store_first(y, out + p + f * y_filter + v, load(M, f * COLUMNS + v), min(LENGTH, width - v))
        fetch_add(shared, 1, 1)
