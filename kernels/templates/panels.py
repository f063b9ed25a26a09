# What no Algorithm changes: moving windows between planes and channels-innermost buffers, and sums of panels. The
# header binds LENGTH, COLUMNS, CHUNK, WORK, the operations on Lanes, and the product of a panel. Layouts: winograd.py.


@kernel
def gather(x, x_offset, plane, height, width, top, left, rows, columns, channels, strip):
    """Copy a window of up to CHUNK planes into the strip, channels innermost, zeros outside the image."""
    vectors = (channels + LENGTH - 1) // LENGTH
    begin = min(columns, max(0, -left))
    end = max(begin, min(columns, width - left))
    for i in range(rows):
        h = top + i
        base = i * columns * CHUNK
        inside = 0 <= h < height and begin < end
        for v in range(vectors):
            for j in range(begin if inside else columns):
                store(strip, base + j * CHUNK + v * LENGTH, zero(strip))
            if inside:
                for j in range(end, columns):
                    store(strip, base + j * CHUNK + v * LENGTH, zero(strip))
        if not inside:
            continue
        source = x_offset + h * width + left
        c = 0
        while c + LENGTH <= channels:
            j = begin
            while j + LENGTH <= end:
                transpose_block(x, source + c * plane + j, plane, strip, base + j * CHUNK + c, CHUNK)
                j += LENGTH
            if j < end and end - begin >= LENGTH:  # once more the last whole block: it overlaps
                j = end - LENGTH
                transpose_block(x, source + c * plane + j, plane, strip, base + j * CHUNK + c, CHUNK)
                j = end
            while j < end:
                for k in range(LENGTH):
                    strip[base + j * CHUNK + c + k] = x[source + (c + k) * plane + j]
                j += 1
            c += LENGTH
        if c < channels:
            for j in range(begin, end):
                for k in range(c, c + LENGTH):
                    value = WORK(0)
                    if k < channels:
                        value = x[source + k * plane + j]
                    strip[base + j * CHUNK + k] = value


@kernel
def add_into(sums, target, source, count):
    i = 0
    while i < count:
        store(sums, target + i, load(sums, target + i) + load(sums, source + i))
        i += LENGTH


@kernel
def scatter(out, columns, rows_inside, columns_inside, filters, bias, bias_offset, y, y_offset, plane, width):
    """Add the bias and copy what lies inside the image to its planes."""
    if bias.size > 0:
        shift = load(bias, bias_offset)
        for i in range(rows_inside):
            for j in range(columns_inside):
                at = (i * columns + j) * LENGTH
                store(out, at, load(out, at) + shift)
    for i in range(rows_inside):
        source = i * columns * LENGTH
        target = y_offset + i * width
        j = 0
        if filters == LENGTH:
            while j + LENGTH <= columns_inside:
                transpose_block(out, source + j * LENGTH, LENGTH, y, target + j, plane)
                j += LENGTH
            if j < columns_inside and columns_inside >= LENGTH:
                j = columns_inside - LENGTH
                transpose_block(out, source + j * LENGTH, LENGTH, y, target + j, plane)
                j = columns_inside
        for k in range(filters):
            for rest in range(j, columns_inside):
                y[target + k * plane + rest] = out[source + rest * LENGTH + k]
