# Convolution by wide multiplications: sums of products of words of activations and of weights, whose lanes are read
# before they may overflow. The header binds the operations on words and the places in `geometry`. Lowest stride last:
#
#   A     [image and group][phase][channel][row][word]                lanes are neighbours in a phase of a row
#   W     [group][vector][block][row of taps][channel][LENGTH filters]
#   sums  [element of the convolution of a row][LENGTH filters]


@inlined
def read_lanes(total, lanes, count, sums, at):
    """Add the lanes, as `lanes` says: shift, mask, and what was added to keep them from being negative."""
    for j in range(count):
        value = ((total >> get(lanes, 3 * j)) & get(lanes, 3 * j + 1)) - get(lanes, 3 * j + 2)
        store(sums, at + j * LENGTH, load(sums, at + j * LENGTH) + value)


@kernel
def run_multiply(A, y, shared, W, beta, lanes, geometry, sums):
    """Work off units until none is left: a unit is a row of outputs, for a vector of filters."""
    me = fetch_add(shared, 2, 1)
    filters, vectors, groups = geometry[FILTERS], geometry[VECTORS], geometry[GROUPS]
    channels, height, words, phases = geometry[CHANNELS], geometry[HEIGHT], geometry[WORDS], geometry[PHASES]
    blocks, rows, outputs = geometry[BLOCKS], geometry[ROWS], geometry[LANES]
    most, out_height, out_width = geometry[MOST], geometry[OUT_HEIGHT], geometry[OUT_WIDTH]
    start = splat(get(lanes, 3 * outputs))
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        vector, rest = unit % vectors, unit // vectors
        line, image = rest % out_height, rest // out_height
        group = image % groups
        last = min(LENGTH, filters - vector * LENGTH)
        for phase in range(phases):
            for i in range(sums.size):
                put(sums, i, np.uint64(0))
            for block in range(blocks):
                for q in range(words):
                    at = (q * geometry[A_LANES] + block * geometry[W_LANES]) * LENGTH
                    w = ((group * vectors + vector) * blocks + block) * rows * channels * LENGTH
                    total = start
                    left = most
                    for r in range(rows):
                        row = line * geometry[STRIDE_0] + r * geometry[DILATION_0]
                        a = ((image * phases + phase) * channels * height + row) * words + q
                        for _ in range(channels):
                            total = total + splat(get(A, a)) * load(W, w)
                            a += height * words
                            w += LENGTH
                            left -= 1
                            if left == 0:
                                read_lanes(total, lanes, outputs, sums, at)
                                total = start
                                left = most
                    read_lanes(total, lanes, outputs, sums, at)
            for column in range(out_width):
                place = column * geometry[STRIDE_1]
                if place % phases == phase:
                    at = (place // phases + geometry[FIRST]) * LENGTH
                    to = image * geometry[Y_IMAGE] + line * geometry[Y_ROW] + column * geometry[Y_COLUMN]
                    for k in range(last):
                        filter = vector * LENGTH + k
                        value = get(sums, at + k) + get(beta, group * filters + filter)
                        put(y, to + filter * geometry[Y_FILTER], np.int32(np.int64(value)))
        fetch_add(shared, 1, 1)
