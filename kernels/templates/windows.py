# Moving windows between images and channels-innermost buffers. The header binds LENGTH and the operations on Lanes.
#
# An image is x[offset + c * channel_step + i * row_step + j * column_step]: planes where column_step is 1, channels
# last where channel_step is 1, any other steps one number at a time. A window of it lies in a buffer as
#
#   buffer [row][column][pixel: channels, innermost, up to the next whole vector]


@inlined
def inside(start, step, length, count):
    """The i of 0 .. count - 1 for which start + i * step lies in 0 .. length - 1: the first, and one after the last."""
    begin = min(count, max(0, (step - 1 - start) // step))
    return begin, max(begin, min(count, (length - 1 - start) // step + 1))


@inlined
def clear(strip, offset, pixel, columns, channels):
    for j in range(columns):
        for c in range(0, channels, LENGTH):
            store(strip, offset + j * pixel + c, zero(strip))


@kernel
def gather(x, offset, channel_step, row_step, column_step, row_begin, row_end, begin, end, rows, columns, channels,
           strip, strip_offset, pixel):
    """Copy rows row_begin .. row_end, columns begin .. end of the window into the strip, and zeros around them."""
    for i in range(rows):
        base = strip_offset + i * columns * pixel
        if not row_begin <= i < row_end or begin >= end:
            clear(strip, base, pixel, columns, channels)
            continue
        clear(strip, base, pixel, begin, channels)
        clear(strip, base + end * pixel, pixel, columns - end, channels)
        source = offset + i * row_step
        if channel_step == 1 and column_step == channels == pixel:  # the row as a whole
            at, count = base + begin * pixel, (end - begin) * pixel
            j = 0
            while j + LENGTH <= count:
                store(strip, at + j, load(x, source + begin * pixel + j))
                j += LENGTH
            if j < count:
                store_first(strip, at + j, load_first(x, source + begin * pixel + j, count - j), count - j)
        elif channel_step == 1 and channels == LENGTH:
            for j in range(begin, end):
                store(strip, base + j * pixel, load(x, source + j * column_step))
        elif channel_step == 1:
            for j in range(begin, end):
                at, target = source + j * column_step, base + j * pixel
                c = 0
                while c + LENGTH <= channels:
                    store(strip, target + c, load(x, at + c))
                    c += LENGTH
                if c < channels:
                    store(strip, target + c, load_first(x, at + c, channels - c))
        elif column_step == 1 and channels > 3:
            for c in range(0, channels, LENGTH):
                j = begin
                if c + LENGTH <= channels:
                    while j + LENGTH <= end:
                        transpose_block(x, source + c * channel_step + j, channel_step, strip, base + j * pixel + c,
                                        pixel)
                        j += LENGTH
                while j < end:
                    transpose_corner(x, source + c * channel_step + j, channel_step, min(LENGTH, channels - c),
                                     min(LENGTH, end - j), strip, base + j * pixel + c, pixel)
                    j += LENGTH
        else:
            for c in range(channels):
                for j in range(begin, end):
                    strip[base + j * pixel + c] = x[source + c * channel_step + j * column_step]


@kernel
def scatter(out, out_offset, pixel, out_row, rows, columns, filters, y, offset, filter_step, row_step, column_step):
    """Copy a window of at most LENGTH filters from its buffer to the image."""
    for i in range(rows):
        source = out_offset + i * out_row
        target = offset + i * row_step
        if column_step == 1:
            j = 0
            if filters == LENGTH:
                while j + LENGTH <= columns:
                    transpose_block(out, source + j * pixel, pixel, y, target + j, filter_step)
                    j += LENGTH
            while j < columns:
                transpose_corner(out, source + j * pixel, pixel, min(LENGTH, columns - j), filters, y, target + j,
                                 filter_step)
                j += LENGTH
        elif filter_step == 1:
            for j in range(columns):
                store_first(y, target + j * column_step, load(out, source + j * pixel), filters)
        else:
            for j in range(columns):
                for k in range(filters):
                    y[target + k * filter_step + j * column_step] = out[source + j * pixel + k]


@kernel
def finish(out, rows, columns, bias, bias_offset, has_bias, relu):
    """Add the bias to a window of one vector of filters, then put zero in the place of what is negative."""
    if has_bias:
        shift = load(bias, bias_offset)
        for i in range(0, rows * columns * LENGTH, LENGTH):
            store(out, i, load(out, i) + shift)
    if relu:
        for i in range(0, rows * columns * LENGTH, LENGTH):
            store(out, i, at_least(load(out, i), zero(out)))
