# Bytes of a pixel for weights in fields: whole blocks of them, with zeros beyond the channels, so that sums over the
# words are sums over the channels. `c` ends with the word of the last channel, and a mask of its bytes that count.


@kernel
def stage(source, start, x_word, x_column, count, row_words, c, X, target, pixel, words):
    """`count` pixels of the source, x_column apart, to X, there `pixel` apart."""
    stage_fields(source, start, x_word, x_column, count, row_words, c, X, target, pixel, words)
    last = np.int64(c[19])
    for p in range(count):
        at = target + p * pixel
        put(X, at + last, get(X, at + last) & np.uint32(c[20]))
        for k in range(last + 1, STEPS * words):
            put(X, at + k, np.uint32(0))


@kernel
def pixel_sums(X, target, pixel, words, bits, signed, count, S, s_offset):
    """The sum over the channels of each of `count` pixels."""
    pairs = np.uint32(0x00FF00FF)
    for p in range(count):
        total = np.uint32(0)
        for k in range(STEPS * words):
            four = get(X, target + p * pixel + k)
            two = (four & pairs) + ((four >> np.uint32(8)) & pairs)
            total += (two & np.uint32(0xFFFF)) + (two >> np.uint32(16))
        put(S, s_offset + p, np.int64(total))
