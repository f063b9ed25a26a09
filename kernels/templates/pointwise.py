# Direct convolution by filters of one tap, on planes whose pixels follow each other: a product of matrices. The header
# binds LENGTH, COLUMNS, the operations on Lanes, and the product of a panel, here of COLUMNS pixels with all filters
# (product), or of LENGTH (narrow_product). Layouts, lowest stride last:
#
#   W      [filter][channel]       rows W_STRIDE apart
#   panel  [channel][COLUMNS pixels, in a narrow last panel LENGTH]
#   M      [filter][COLUMNS]       only for pixels that fill no whole vectors


@kernel
def finish_rows(y, offset, y_filter, filters, width, bias, k, has_bias, relu):
    for i in range(filters):
        for v in range(0, width, LENGTH):
            at = offset + i * y_filter + v
            value = load(y, at)
            if has_bias:
                value = value + broadcast(bias, k + i)
            if relu:
                value = at_least(value, zero(y))
            store(y, at, value)


@kernel
def run_units(x, y, shared, W, bias, geometry, panel, M):
    """Work off units until none is left: a unit is a block of pixels of an image, and a part of the filters."""
    me = fetch_add(shared, 2, 1)
    channels, filters, groups, parts = geometry[CHANNELS], geometry[FILTERS], geometry[GROUPS], geometry[PARTS]
    pixels = geometry[DEPTH] * geometry[HEIGHT] * geometry[WIDTH]
    block, w_stride = geometry[BLOCK_COLUMNS], geometry[W_STRIDE]
    x_channel, y_filter = geometry[X_CHANNEL], geometry[Y_FILTER]
    has_bias, relu, none = geometry[HAS_BIAS], geometry[RELU], np.int64(0)
    blocks = (pixels + block - 1) // block
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, rest = unit % parts, unit // parts
        start, rest = rest % blocks * block, rest // blocks
        group, image = rest % groups, rest // groups
        end = min(start + block, pixels)
        first, last = filters * part // parts, filters * (part + 1) // parts
        k = group * filters + first
        source = image * geometry[X_IMAGE] + group * channels * x_channel
        for c in range(channels):
            for p in range(start, end, COLUMNS):
                at = source + c * x_channel + p
                if p + COLUMNS <= end:
                    for v in range(0, COLUMNS, LENGTH):
                        store(panel, (p - start) * channels + c * COLUMNS + v, load(x, at + v))
                else:
                    width = LENGTH if end - p <= LENGTH else COLUMNS
                    for v in range(0, width, LENGTH):
                        store(panel, (p - start) * channels + c * width + v,
                              load_first(x, at + v, max(0, min(LENGTH, end - p - v))))
        for p in range(start, end, COLUMNS):
            target = image * geometry[Y_IMAGE] + k * y_filter + p
            at = (p - start) * channels
            if p + COLUMNS <= end:
                product(W, k * w_stride, w_stride, last - first, panel, at, y, target, y_filter, channels)
                if has_bias or relu:
                    finish_rows(y, target, y_filter, last - first, np.int64(COLUMNS), bias, k, has_bias, relu)
                continue
            width = np.int64(LENGTH if end - p <= LENGTH else COLUMNS)  # typed, as literals compile a callee anew
            if width == LENGTH:
                narrow_product(W, k * w_stride, w_stride, last - first, panel, at, M, none, width, channels)
            else:
                product(W, k * w_stride, w_stride, last - first, panel, at, M, none, width, channels)
            if has_bias or relu:
                finish_rows(M, none, width, last - first, width, bias, k, has_bias, relu)
            for i in range(last - first):
                for v in range(0, end - p, LENGTH):
                    store_first(y, target + i * y_filter + v, load(M, i * width + v), min(LENGTH, end - p - v))
        fetch_add(shared, 1, 1)
