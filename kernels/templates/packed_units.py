# The product of packed rows with packed panels, and the convolution. The header binds the operations on words, the
# places in `geometry`, stage and product; WORD, the dtype of an element of X; NUMBERS, sums in a row of M. Layouts,
# lowest stride last:
#
#   strip X   [row][column][PIXEL elements], with the padding; S sums of its pixels, T sums of the pixels of a window.
#             Where taps are joined with the channels, a column is one of the outputs, with its taps' channels; the row
#             that is staged first lies behind.
#   panels U  [group][panel][plane][tap][word, or step of 8 channels][2 vectors]
#   M         [output][NUMBERS], and behind it, at T_AT, some of it transposed: [filter][T_PIXELS outputs]


T_PIXELS = 64


@kernel
def fill_pixels(X, at, count, pixel, padding):
    for p in range(count):
        for k in range(pixel):
            put(X, at + p * pixel + k, WORD(get(padding, k)))


@kernel
def fix_edges(M, M_words, m_offset, columns, first_column, row_inside, tap_row, fixes, f_offset, geometry):
    """Add, for taps that lie outside of the image, what takes their part of the sum away."""
    stride, dilation, pad = geometry[STRIDE_1], geometry[DILATION_1], geometry[PAD_1]
    for tap in range(geometry[TAPS_1]):
        at = f_offset + (tap_row * geometry[TAPS_1] + tap) * NUMBERS
        # The outputs from `begin` to before `end` find this tap inside.
        first = pad - tap * dilation - first_column * stride
        begin, end = first, geometry[WIDTH] + first
        if stride > 1:  # divisions are slow
            begin, end = (begin + stride - 1) // stride, (end + stride - 1) // stride
        begin = min(columns, max(0, begin))
        end = max(begin, min(columns, end))
        if not row_inside:
            begin = end = 0
        for outside in range(begin + columns - end):
            p = outside if outside < begin else outside - begin + end
            place = m_offset + p * NUMBERS
            for k in range(0, NUMBERS, 2 * LENGTH):
                store32(M, place + k, add32(load(M_words, (place + k) >> 1), load(fixes, (at + k) >> 1)))


@kernel
def write_out(M, m_offset, pixels, y, y_offset, y_filter, filters):
    """M transposed to y, whose pixels follow each other and whose filters lie y_filter apart."""
    # The transposition moves bits, so that it may take them for floats.
    source, target = M.view(np.float32), y.view(np.float32)
    for first in range(0, filters, SQUARE):
        columns = min(SQUARE, filters - first)
        for p in range(0, pixels, SQUARE):
            rows = min(SQUARE, pixels - p)
            at, to = m_offset + p * NUMBERS + first, y_offset + first * y_filter + p
            if rows == SQUARE and columns == SQUARE:
                transpose_block(source, at, NUMBERS, target, to, y_filter)
            else:
                transpose_corner(source, at, NUMBERS, rows, columns, target, to, y_filter)


@kernel
def pack_out(M, m_offset, pixels, t_at, y, at, word_step, filter, count, bits):
    """As `write_out`, for numbers that become lanes of words; words of a pixel lie word_step apart."""
    words = y.view(np.uint64)
    mask, lanes = np.int32((1 << bits) - 1), 64 // bits
    for p in range(0, pixels, T_PIXELS):
        some = min(T_PIXELS, pixels - p)
        write_out(M, m_offset + p * NUMBERS, some, M, t_at, T_PIXELS, count)
        k = 0
        while k < count:
            lane, word = (filter + k) % lanes, (filter + k) // lanes
            run = min(lanes - lane, count - k)
            kept = np.uint64(0) if lane == 0 else ~np.uint64(0)
            pack_block(M, t_at + k * T_PIXELS, T_PIXELS, some, run, mask, mask, mask, words, at + p + word * word_step,
                       np.uint64(bits), np.uint64(bits * lane), kept)
            k += run


@kernel
def pack_row(M, m_offset, y, at, filter, count, bits):
    """The same for a pixel whose words follow each other."""
    words = y.view(np.uint64)
    mask, lanes = np.int32((1 << bits) - 1), 64 // bits
    k = 0
    while k < count:
        lane, word = (filter + k) % lanes, (filter + k) // lanes
        run = min(lanes - lane, count - k)
        held = np.uint64(0) if lane == 0 else get(words, at + word)
        for j in range(run):
            held |= np.uint64(get(M, m_offset + k + j) & mask) << np.uint64(bits * (lane + j))
        put(words, at + word, held)
        k += run


@kernel
def join_planes(M, pixels, planes, signed, beta, b_offset, sums, has_sums):
    """The rows of M, one for each plane of each pixel, become one for each pixel; then sums and beta as in product."""
    for p in range(pixels):
        less = get(sums, p) if has_sums else np.int64(0)
        for k in range(NUMBERS):
            total = np.int64(get(M, (p * planes + planes - 1) * NUMBERS + k))
            total = -total if signed else total
            for i in range(planes - 2, -1, -1):
                total = 2 * total + np.int64(get(M, (p * planes + i) * NUMBERS + k))
            put(M, p * NUMBERS + k, np.int32(total - less + np.int64(get(beta, b_offset + k))))


@inlined
def real(M, at, factors, additions, f):
    return load_integers(M, at) * load_reals(factors, f) + load_reals(additions, f)


@kernel
def finish(M, count, factors, additions, f_offset, geometry):
    """`count` rows of sums become float32 or integers of few bits, in place."""
    low, high = splat_real(np.float64(geometry[LOW])), splat_real(np.float64(geometry[HIGH]))
    zero, output = geometry[ZERO], geometry[OUTPUT]
    floats = M.view(np.float32)
    least = splat_real(np.float64(0) if output == 3 else np.float64(-np.inf))
    for k in range(0, NUMBERS, LENGTH):
        f = f_offset + k
        if output == 2:
            for p in range(count):
                # As `rounded` of packed_rounding.py; the lower end is first, so that it takes what is not a number.
                value = -at_least(-at_least(low, real(M, p * NUMBERS + k, factors, additions, f)), -high)
                value = (value + np.float64(6755399441055744.0)) - np.float64(6755399441055744.0)
                store_integers(M, p * NUMBERS + k, value, zero)
        elif output == 4:
            for p in range(count):
                store_signs(M, p * NUMBERS + k, real(M, p * NUMBERS + k, factors, additions, f))
        else:
            for p in range(count):
                value = at_least(real(M, p * NUMBERS + k, factors, additions, f), least)
                store_floats(floats, p * NUMBERS + k, value)


@kernel
def run_units(source, y, shared, U, pairs, shifts, beta, constants, padding, fixes, c, geometry, factors, additions,
              memory, sums):
    """Work off units until none is left: a unit is a block of outputs of an image, and a part of the filters.

    `constants`, which the products add, are `beta`, or zeros where each plane of a pixel is a row of its own.
    """
    me = fetch_add(shared, 2, 1)
    height, width = geometry[HEIGHT], geometry[WIDTH]
    out_height, out_width = geometry[OUT_HEIGHT], geometry[OUT_WIDTH]
    block_rows, block_columns = geometry[BLOCK_ROWS], geometry[BLOCK_COLUMNS]
    pixel, words, strip = geometry[PIXEL], geometry[WORDS], geometry[STRIP_PIXELS]
    filters, groups, parts = geometry[FILTERS], geometry[GROUPS], geometry[PARTS]
    tap_rows, stride, dilation = geometry[TAPS_0], geometry[STRIDE_0], geometry[DILATION_0]
    joined = geometry[JOINED]
    taps = tap_rows * geometry[TAPS_1] // joined
    y_filter, y_bits = geometry[Y_FILTER], geometry[Y_BITS]
    panels = (filters + NUMBERS - 1) // NUMBERS
    down, across = (out_height + block_rows - 1) // block_rows, (out_width + block_columns - 1) // block_columns
    X = memory[: geometry[X_WORDS]].view(WORD)
    M_words = memory[geometry[X_WORDS] :]
    M = M_words.view(np.int32)
    S, T = sums[: geometry[STRIP_ROWS] * strip], sums[geometry[STRIP_ROWS] * strip :]
    # Apart, each plane of a pixel is a row of its own, so that each weight is read once; then there is but one row.
    apart = geometry[APART] == 1
    rows_each = geometry[A_PLANES] if apart else 1
    step = 1 if joined > 1 else geometry[STRIDE_1]
    x_step = words if apart else step * pixel
    has_sums = 0 if apart else geometry[HAS_SUMS]
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, rest = unit % parts, unit // parts
        first_column, rest = rest % across * block_columns, rest // across
        first_row, image = rest % down * block_rows, rest // down
        rows, columns = min(block_rows, out_height - first_row), min(block_columns, out_width - first_column)
        strip_columns = (columns - 1) * geometry[STRIDE_1] + (geometry[TAPS_1] - 1) * geometry[DILATION_1] + 1
        left = first_column * geometry[STRIDE_1] - geometry[PAD_1]
        begin = min(max(0, -left), strip_columns)
        end = max(begin, min(strip_columns, width - left))
        for row in range((rows - 1) * stride + (tap_rows - 1) * dilation + 1):
            line = first_row * stride - geometry[PAD_0] + row
            to = row * strip * pixel
            if line < 0 or line >= height:
                fill_pixels(X, to, columns if joined > 1 else strip_columns, pixel, padding)
            elif joined > 1:
                at = image * geometry[X_IMAGE] + line * geometry[X_ROW] + (left + begin) * geometry[X_COLUMN]
                row_at, row_pixel = geometry[ROW_AT], geometry[ROW_PIXEL]
                if begin > 0 or end < strip_columns:
                    for k in range(geometry[X_WORDS] - row_at):
                        put(X, row_at + k, WORD(0))
                stage(source, at, geometry[X_CHANNEL], geometry[X_COLUMN], end - begin, geometry[CHANNELS], c,
                      X, row_at + begin * row_pixel, row_pixel, geometry[ROW_PLANE])
                join_taps(X, to, columns, words, geometry)
            else:
                fill_pixels(X, to, begin, pixel, padding)
                fill_pixels(X, to + end * pixel, strip_columns - end, pixel, padding)
                at = image * geometry[X_IMAGE] + line * geometry[X_ROW] + (left + begin) * geometry[X_COLUMN]
                stage(source, at, geometry[X_CHANNEL], geometry[X_COLUMN], end - begin, geometry[CHANNELS], c,
                      X, to + begin * pixel, pixel, words)
            if geometry[HAS_SUMS]:
                pixel_sums(X, to, pixel, words, geometry[A_PLANES], geometry[A_SIGNED],
                           columns if joined > 1 else strip_columns, S, row * strip)
        if geometry[HAS_SUMS]:
            for row in range(rows):
                for p in range(columns):
                    total = np.int64(0)
                    for tap in range(taps):
                        place = row * stride * strip + p * step + get(shifts, tap) // pixel
                        total += get(S, place)
                    put(T, row * columns + p, total)
        group = image % groups
        for panel in range(panels * part // parts, panels * (part + 1) // parts):
            at = (group * panels + panel) * geometry[W_PLANES] * taps * words * 2 * LENGTH
            b_offset = (group * panels + panel) * BETA_WORDS
            for row in range(rows):
                product(columns * rows_each, X, row * stride * strip * pixel, x_step, shifts, taps, words, U, at,
                        taps * words * 2 * LENGTH, pairs, geometry[PAIRS], T, row * columns, has_sums, constants,
                        0 if apart else b_offset, M, row * columns * NUMBERS)
                if apart:
                    join_planes(M, columns, rows_each, geometry[A_SIGNED], beta, b_offset, T, geometry[HAS_SUMS])
                if geometry[HAS_FIXES]:
                    for tap_row in range(tap_rows):
                        line = (first_row + row) * stride - geometry[PAD_0] + tap_row * dilation
                        fix_edges(M, M_words, row * columns * NUMBERS, columns, first_column, 0 <= line < height,
                                  tap_row, fixes, (group * panels + panel) * taps * joined * NUMBERS, geometry)
            if geometry[OUTPUT]:
                finish(M, rows * columns, factors, additions, (group * panels + panel) * NUMBERS, geometry)
            k = panel * NUMBERS
            last = min(NUMBERS, filters - k)
            first_pixel = first_row * out_width + first_column
            spans, span = (1, rows * columns) if columns == out_width else (rows, columns)
            if y_filter == 1:
                for row in range(rows):
                    for p in range(columns):
                        to = image * out_height * out_width + first_pixel + row * out_width + p
                        at = (row * columns + p) * NUMBERS
                        if y_bits > 0:
                            pack_row(M, at, y, to * geometry[Y_WORDS], k, last, y_bits)
                        else:
                            for j in range(last):
                                put(y, to * filters + k + j, get(M, at + j))
            else:
                for row in range(spans):
                    at, to = row * span * NUMBERS, first_pixel + row * out_width
                    if y_bits > 0:
                        pack_out(M, at, span, geometry[T_AT], y, image * geometry[Y_WORDS] * y_filter + to, y_filter, k,
                                 last, y_bits)
                    else:
                        write_out(M, at, span, y, (image * filters + k) * y_filter + to, y_filter, last)
        fetch_add(shared, 1, 1)
