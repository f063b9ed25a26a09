# Lanes of packed words become numbers of FIELD bits, a pixel's channels next to each other. Chunks of a word,
# 64 / FIELD lanes each, are spread (see packed_storage.py) and then changed in all fields alike: shifted, and offset
# by an XOR.
# What a word's last chunk writes too far, the next word's first one covers. c ends with that shift and that XOR.


@inlined
def changed(word, c):
    return (word << c[17]) ^ c[18]


@kernel
def stage_fields(source, start, x_word, x_column, count, row_words, c, X, target, pixel, words):
    """`count` pixels of the source, x_column apart, to X, there `pixel` apart (both in elements of X, of 4 bytes)."""
    lanes, chunks, width = np.int64(c[1]), np.int64(c[2]), c[12]
    lone = np.int64(c[16]) == 1  # the last chunk is a single lane: there is nothing to spread
    field, step, apart = FIELD // 8, 8, pixel * 4
    octets = X.view(np.uint8)
    p = 0
    while p + LENGTH <= count:
        for q in range(row_words):
            word = gather(source, start + q * x_word + p * x_column, x_column)
            at = (target + p * pixel) * 4 + q * lanes * field
            for j in range(chunks):
                part = (word >> (width * np.uint64(j))) & c[8]
                part = extended(part & c[14], c) if lone and j == chunks - 1 else spread(part, c)
                scatter(octets, at + j * step, apart, changed(part, c))
        p += LENGTH
    while p < count:
        for q in range(row_words):
            one = get(source, start + q * x_word + p * x_column)
            at = (target + p * pixel) * 4 + q * lanes * field
            for j in range(chunks):
                bits = (one >> (width * np.uint64(j))) & c[8]
                bits = extended(bits & c[14], c) if lone and j == chunks - 1 else spread(bits, c)
                poke(octets, at + j * step, changed(bits, c))
        p += 1
