# Direct convolution: for each output the sum over filter row, filter column and channel, from +0, one fma each. The
# header binds LENGTH, COLUMNS, the operations on Lanes, what windows.py holds, block_of, and two products of a panel:
# COLUMNS filters wide (product), or LENGTH (narrow_product), which is for the last few filters.
#
# Layouts, lowest stride last:
#
#   strip  [filter's slices][rows][columns][PIXEL: channels]     the window that a block of outputs needs
#   U      [group][panel][filter slice, row, column][channel][COLUMNS, in a narrow last panel LENGTH]
#   M      [row][column][COLUMNS]      one panel at a time, unless the product can go to the image at once
#
# Where channels come last and no padding is needed, the products may read the image itself instead of a strip. Where
# the columns of the filter follow each other in memory as its channels do, a filter row is summed as one long tap.


@kernel
def pack_filter(w, filters, channels, taps, U):
    """[filter][channel][tap] to U, one group; filters beyond the last are zero."""
    padded = (filters + LENGTH - 1) // LENGTH * LENGTH
    for first in range(0, padded, COLUMNS):
        columns = min(COLUMNS, padded - first)
        for tap in range(taps):
            for c in range(channels):
                at = first * taps * channels + (tap * channels + c) * columns
                for k in range(columns):
                    U[at + k] = w[((first + k) * channels + c) * taps + tap] if first + k < filters else WORK(0)


@kernel
def convolve(V, v_offset, v_row, v_column, slice_pitch, row_pitch, column_pitch, rows, columns, shifts,
             U, u_offset, panel_begin, panel_end, bias, group, y, y_offset, geometry, M):
    """Panels of filters for rows x columns outputs; v_...: between outputs, ..._pitch: between taps."""
    channels, filters, taps1 = geometry[CHANNELS], geometry[FILTERS], geometry[TAPS_1]
    size = channels * geometry[TAPS_Z] * geometry[TAPS_0] * taps1
    if column_pitch == channels:
        channels, taps1 = channels * taps1, 1
    taps, none = np.int64(0), np.int64(0)  # typed: Numba compiles a callee anew for each literal
    for z in range(geometry[TAPS_Z]):
        for i in range(geometry[TAPS_0]):
            for j in range(taps1):
                shifts[taps] = z * slice_pitch + i * row_pitch + j * column_pitch
                taps += 1
    y_filter, y_row, y_column = geometry[Y_FILTER], geometry[Y_ROW], geometry[Y_COLUMN]
    has_bias, relu = geometry[HAS_BIAS], geometry[RELU]
    if v_row == columns * v_column and y_row == columns * y_column:
        rows, columns = 1, rows * columns
    for k in range(panel_begin * COLUMNS, min(filters, panel_end * COLUMNS), COLUMNS):
        panel = u_offset + k * size
        b = group * filters + k
        for i in range(rows):
            at = v_offset + i * v_row
            target = y_offset + b * y_filter + i * y_row
            if filters - k <= LENGTH:
                narrow_product(V, at, v_column, columns, shifts, taps, U, panel, M, none, LENGTH, channels,
                               bias, b, has_bias, relu)
                scatter(M, 0, LENGTH, 0, 1, columns, filters - k, y, target, y_filter, y_row, y_column)
            elif y_filter == 1 and filters - k >= COLUMNS:
                product(V, at, v_column, columns, shifts, taps, U, panel, y, target, y_column, channels,
                        bias, b, has_bias, relu)
            else:
                product(V, at, v_column, columns, shifts, taps, U, panel, M, none, np.int64(COLUMNS), channels,
                        bias, b, has_bias, relu)
                for v in range(0, COLUMNS, LENGTH):
                    if k + v < filters:
                        scatter(M, v, COLUMNS, 0, 1, columns, min(LENGTH, filters - k - v), y, target + v * y_filter,
                                y_filter, y_row, y_column)


@kernel
def run_units(x, y, shared, U, bias, geometry, strip, M, shifts):
    """Work off units until none is left: a block of rows of one plane of one group each, and part of its panels."""
    me = fetch_add(shared, 2, 1)
    channels, filters, parts = geometry[CHANNELS], geometry[FILTERS], geometry[PARTS]
    taps = geometry[TAPS_Z] * geometry[TAPS_0] * geometry[TAPS_1]
    padded = (filters + LENGTH - 1) // LENGTH * LENGTH
    panels = (filters + COLUMNS - 1) // COLUMNS
    pixel = geometry[PIXEL]
    # An axis with one tap needs every stride-th row only; planes are still read column by column, whole vectors.
    skip0 = geometry[STRIDE_0] if geometry[TAPS_0] == 1 else 1
    skip1 = geometry[STRIDE_1] if geometry[TAPS_1] == 1 and geometry[X_COLUMN] != 1 else 1
    stride0, stride1 = geometry[STRIDE_0] // skip0, geometry[STRIDE_1] // skip1
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, group, image, z, out0, out1, rows, columns = block_of(unit, geometry)
        strip_rows = (rows - 1) * stride0 + (geometry[TAPS_0] - 1) * geometry[DILATION_0] + 1
        strip_columns = (columns - 1) * stride1 + (geometry[TAPS_1] - 1) * geometry[DILATION_1] + 1
        if geometry[TAPS_1] == 1:
            strip_columns = columns * stride1  # rows of outputs then follow each other as columns do
        front = z * geometry[STRIDE_Z] - geometry[PAD_Z]
        top = out0 * geometry[STRIDE_0] - geometry[PAD_0]
        left = out1 * geometry[STRIDE_1] - geometry[PAD_1]
        source = (image * geometry[X_IMAGE] + group * channels * geometry[X_CHANNEL]
                  + front * geometry[X_Z] + top * geometry[X_ROW] + left * geometry[X_COLUMN])
        target = (image * geometry[Y_IMAGE] + z * geometry[Y_Z] + out0 * geometry[Y_ROW] + out1 * geometry[Y_COLUMN])
        u_offset = group * padded * taps * channels
        slices_begin, slices_end = inside(front, geometry[DILATION_Z], geometry[DEPTH], geometry[TAPS_Z])
        row_begin, row_end = inside(top, skip0, geometry[HEIGHT], strip_rows)
        begin, end = inside(left, skip1, geometry[WIDTH], strip_columns)
        whole = (slices_end - slices_begin == geometry[TAPS_Z] and row_end - row_begin == strip_rows
                 and end - begin == strip_columns)
        panel_begin, panel_end = panels * part // parts, panels * (part + 1) // parts
        if whole and geometry[IN_PLACE]:
            convolve(x, source, geometry[STRIDE_0] * geometry[X_ROW], geometry[STRIDE_1] * geometry[X_COLUMN],
                     geometry[DILATION_Z] * geometry[X_Z], geometry[DILATION_0] * geometry[X_ROW],
                     geometry[DILATION_1] * geometry[X_COLUMN], rows, columns, shifts,
                     U, u_offset, panel_begin, panel_end, bias, group, y, target, geometry, M)
        else:
            area = strip_rows * strip_columns * pixel
            for i in range(geometry[TAPS_Z]):
                last = row_end if slices_begin <= i < slices_end else row_begin
                gather(x, source + i * geometry[DILATION_Z] * geometry[X_Z], geometry[X_CHANNEL],
                       skip0 * geometry[X_ROW], skip1 * geometry[X_COLUMN], row_begin, last, begin, end,
                       strip_rows, strip_columns, channels, strip, i * area, pixel)
            convolve(strip, np.int64(0), stride0 * strip_columns * pixel, stride1 * pixel,
                     area, geometry[DILATION_0] * strip_columns * pixel, geometry[DILATION_1] * pixel,
                     rows, columns, shifts, U, u_offset, panel_begin, panel_end, bias, group, y, target, geometry, M)
        fetch_add(shared, 1, 1)
