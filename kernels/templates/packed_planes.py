# Lanes of packed words become bit planes: a pixel's words are [plane][64 channels each], the first channel lowest.
#
# Bit i of 3-bit lanes, 1 of each 3 bits, moves together in steps that double the groups (c[5:] are the steps' masks):
#
#     ..f..e..d..c..b..a     >> 2, joined:  ....fe....dc....ba     >> 4, joined:  ........fe......dcba    and so on
#
# The other constants: pitch, lanes, steps, bits, the lowest bit of each lane.


@inlined
def squeezed_bits(word, i, c):
    word = (word >> np.uint64(i)) & c[4]
    shift = c[0] - np.uint64(1)
    for step in range(np.int64(c[2])):
        word = (word | (word >> shift)) & c[5 + step]
        shift += shift
    return word


@kernel
def stage(source, start, x_word, x_column, count, row_words, c, X, target, pixel, words):
    """`count` pixels of the source, x_column apart, to X, there `pixel` apart."""
    lanes, bits = np.int64(c[1]), np.int64(c[3])
    p = 0
    while p + LENGTH <= count:
        for i in range(bits):
            filled = 0
            at = target + p * pixel + i * words
            end = at + words
            held = splat(np.uint64(0))
            for q in range(row_words):
                lane_bits = squeezed_bits(gather(source, start + q * x_word + p * x_column, x_column), i, c)
                held = held | (lane_bits << filled)
                filled += lanes
                if filled >= 64:
                    scatter(X, at, pixel, held)
                    at += 1
                    filled -= 64
                    held = splat(np.uint64(0))
                    if filled > 0:  # else the shift would be by 64 where words have 64 lanes
                        held = lane_bits >> (lanes - filled)
            if filled > 0 and at < end:
                scatter(X, at, pixel, held)
        p += LENGTH
    while p < count:
        for i in range(bits):
            filled = 0
            at = target + p * pixel + i * words
            end = at + words
            one = np.uint64(0)
            for q in range(row_words):
                word_bits = squeezed_bits(get(source, start + q * x_word + p * x_column), i, c)
                one |= word_bits << np.uint64(filled)
                filled += lanes
                if filled >= 64:
                    put(X, at, one)
                    at += 1
                    filled -= 64
                    one = np.uint64(0)
                    if filled > 0:
                        one = word_bits >> np.uint64(lanes - filled)
            if filled > 0 and at < end:
                put(X, at, one)
        p += 1


@kernel
def pixel_sums(X, target, pixel, words, bits, signed, count, S, s_offset):
    """The sum over the channels of each of `count` pixels."""
    for p in range(count):
        total = np.int64(0)
        for i in range(bits):
            ones = np.uint64(0)
            for k in range(words):
                ones += popcount(get(X, target + p * pixel + i * words + k))
            weighted = np.int64(ones) << np.int64(i)
            total += -weighted if signed and i == bits - 1 else weighted
        put(S, s_offset + p, total)


@inlined
def row_words(X, at, apart):
    return load(X, at) if apart == 1 else gather(X, at, apart)


@kernel
def join_taps(X, target, count, words, geometry):
    """The channels of a row's taps, one after the other, for `count` outputs: from the staged row to X."""
    row_at, row_pixel, row_plane = geometry[ROW_AT], geometry[ROW_PIXEL], geometry[ROW_PLANE]
    channels, joined, pixel = geometry[TAP_CHANNELS], geometry[JOINED], geometry[PIXEL]
    step, tap_step = geometry[STRIDE_1] * row_pixel, geometry[DILATION_1] * row_pixel
    tap_words = (channels + 63) >> 6
    p = 0
    while p + LENGTH <= count:
        for i in range(geometry[A_PLANES]):
            at = target + p * pixel + i * words
            filled = 0
            held = splat(np.uint64(0))
            for tap in range(joined):
                for q in range(tap_words):
                    part = row_words(X, row_at + p * step + tap * tap_step + i * row_plane + q, step)
                    bits = min(np.int64(64), channels - 64 * q)
                    held = held | (part << filled)
                    filled += bits
                    if filled >= 64:
                        scatter(X, at, pixel, held)
                        at += 1
                        filled -= 64
                        held = splat(np.uint64(0))
                        if filled > 0:
                            held = part >> (bits - filled)
            if filled > 0:
                scatter(X, at, pixel, held)
        p += LENGTH
    while p < count:
        for i in range(geometry[A_PLANES]):
            at = target + p * pixel + i * words
            filled = 0
            one = np.uint64(0)
            for tap in range(joined):
                for q in range(tap_words):
                    piece = get(X, row_at + p * step + tap * tap_step + i * row_plane + q)
                    bits = min(np.int64(64), channels - 64 * q)
                    one |= piece << np.uint64(filled)
                    filled += bits
                    if filled >= 64:
                        put(X, at, one)
                        at += 1
                        filled -= 64
                        one = np.uint64(0)
                        if filled > 0:
                            one = piece >> np.uint64(bits - filled)
            if filled > 0:
                put(X, at, one)
        p += 1
