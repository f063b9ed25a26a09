# Direct convolution on planes, whose columns lie side by side, in and out: for each output the sum over filter row,
# filter column and channel, from +0, one fma each. The header binds LENGTH, COLUMNS, AHEAD, the operations on Lanes,
# inside, block_of, and two products of filters with COLUMNS outputs of a row (product), or LENGTH (narrow_product).
#
# Layouts, lowest stride last:
#
#   W      [filter][filter slice, row, column][channel]            rows W_STRIDE apart
#   strip  [channel][filter's slices][row][phase][pitch: columns]  the window that a block of outputs needs; channels
#                                                                  lie PIXEL apart; phase f of a row holds its columns
#                                                                  f, f + stride, f + 2 stride, ...
#   M      [filter][COLUMNS]                                       for outputs that fill no whole vectors
#
# Where no padding is needed, and no stride along the rows, the image itself is read instead of a strip.

CHANNELS_AHEAD = 8


@kernel
def fill_row(x, source, begin, end, stride, phases, pitch, strip, base, ahead):
    """A row of the strip: its columns begin .. end - 1 from the image, and zeros; whole vectors are written.

    What lies `ahead` of it is asked for, as it will be copied soon.
    """
    if begin >= end:
        for j in range(0, phases * pitch, LENGTH):
            store(strip, base + j, zero(strip))
    elif stride == 1:
        for j in range(0, pitch, LENGTH):
            prefetch(x, source + j + ahead, 0)
            if begin <= j and j + LENGTH <= end:
                store(strip, base + j, load(x, source + j))
            else:
                store(strip, base + j, load_between(x, source + j, begin - j, end - j))
    elif stride == 2:
        for j in range(0, pitch, LENGTH):
            low, high = 2 * j, 2 * j + LENGTH
            prefetch(x, source + low + ahead, 0)
            prefetch(x, source + high + ahead, 0)
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
    channels, filters, parts = geometry[CHANNELS], geometry[FILTERS], geometry[PARTS]
    slices, taps0, taps1 = geometry[TAPS_Z], geometry[TAPS_0], geometry[TAPS_1]
    y_filter, y_row, w_stride = geometry[Y_FILTER], geometry[Y_ROW], geometry[W_STRIDE]
    has_bias, relu, none = geometry[HAS_BIAS], geometry[RELU], np.int64(0)
    one = np.int64(1)
    terms = slices * taps0 * taps1 * channels
    stride1, dilation1 = geometry[STRIDE_1], geometry[DILATION_1]
    # An axis with one tap needs every stride-th row, and one phase of the columns.
    skip0 = geometry[STRIDE_0] if taps0 == 1 else 1
    stride0 = geometry[STRIDE_0] // skip0
    phases = 1 if taps1 == 1 else stride1
    x_channel, x_slice = geometry[X_CHANNEL], geometry[DILATION_Z] * geometry[X_Z]
    x_row = skip0 * geometry[X_ROW]
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, group, image, z, out0, out1, rows, columns = block_of(unit, geometry)
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
        end_inside = begin == 0 and (columns - 1) * stride1 + (taps1 - 1) * dilation1 < end
        reach = source + ((channels - 1) * x_channel + (slices - 1) * x_slice + (strip_rows - 1) * x_row
                          + (taps1 - 1) * dilation1 + columns + COLUMNS)
        if geometry[IN_PLACE] and reach <= x.size:
            V, origin, channel_step, slice_step, row_step = x, source, x_channel, x_slice, x_row
        else:
            V, origin, channel_step = strip, none, geometry[PIXEL]
            slice_step, row_step = strip_rows * phases * pitch, phases * pitch
            for c in range(channels):
                for s in range(slices):
                    for i in range(strip_rows):
                        here = slices_begin <= s < slices_end and row_begin <= i < row_end
                        row = source + c * x_channel + s * x_slice + i * x_row
                        # What follows a row whose columns are all inside may be copied with it: nobody looks at it.
                        stop = x.size - row if end_inside else end
                        fill_row(x, row, begin, stop if here else none, stride1, phases, pitch,
                                 strip, c * channel_step + s * slice_step + i * row_step, CHANNELS_AHEAD * x_channel)
        term = 0
        for s in range(slices):
            for i in range(taps0):
                for j in range(taps1):
                    at = s * slice_step + i * geometry[DILATION_0] * row_step
                    at += j * dilation1 % stride1 * pitch + j * dilation1 // stride1
                    for c in range(channels):
                        shifts[term] = at + c * channel_step
                        term += 1
        for ahead in range(AHEAD):  # then the next panel follows
            shifts[terms + ahead] = shifts[ahead] + COLUMNS if ahead < terms else none
        first, last = filters * part // parts, filters * (part + 1) // parts
        target = image * geometry[Y_IMAGE] + z * geometry[Y_Z] + out0 * y_row + out1
        row_step *= stride0
        if row_step == columns == y_row:  # rows follow each other
            rows, columns = 1, rows * columns
        panels = columns // COLUMNS
        p = panels * COLUMNS
        width = columns - p
        while first < last:
            # So many filters that they stay near for all rows and panels.
            count = min(last - first, geometry[BLOCK])
            k = group * filters + first
            w = k * w_stride
            for i in range(rows):
                at, out = origin + i * row_step, target + k * y_filter + i * y_row
                product(W, w, w_stride, count, panels, shifts, V, at, y, out, y_filter, terms, bias, k, has_bias, relu)
                if width == LENGTH:
                    narrow_product(W, w, w_stride, count, one, shifts, V, at + p, y, out + p, y_filter, terms, bias, k,
                                   has_bias, relu)
                elif width > 0:
                    if width < LENGTH:
                        narrow_product(W, w, w_stride, count, one, shifts, V, at + p, M, none, np.int64(COLUMNS),
                                       terms, bias, k, has_bias, relu)
                    else:
                        product(W, w, w_stride, count, one, shifts, V, at + p, M, none, np.int64(COLUMNS), terms, bias,
                                k, has_bias, relu)
                    for f in range(count):
                        for v in range(0, width, LENGTH):
                            store_first(y, out + p + f * y_filter + v, load(M, f * COLUMNS + v), min(LENGTH, width - v))
            first += count
        fetch_add(shared, 1, 1)
