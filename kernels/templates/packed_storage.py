# Between arrays of integers, one or two bytes an element, and words of lanes. The header binds the operations on words,
# LENGTH (words in a vector), FIELD (bits of an element in the staging buffer: 8, 16 or 32), ONES (1 in each field) and
# BIT_MOVES: whether the CPU gathers and scatters the bits of a word, which then does a chunk in one step.
#
# A word's lanes are handled in chunks of 64 / FIELD elements, which are one word of the staging buffer. Squeezing a
# chunk of 3-bit lanes with FIELD = 8, where s = FIELD - 3 = 5 bits of each field are empty:
#
#     bit 56   48   40   32   24   16    8    0
#          h    g    f    e    d    c    b    a      eight fields of 8 bits, each < 2**3; the odd ones move by s
#              hg        fe        dc        ba      pairs joined: four of 16 bits, each < 2**6
#                      hgfe                dcba      and again: two of 32 bits, each < 2**12
#                                      hgfedcba      and again: 24 bits
#
# Spreading is the same backwards. What the array `c` of constants holds: see kernels/packed/staging.py.


@inlined
def squeezed(x, c):
    shift = c[4]
    x = (x & c[5]) | ((x >> shift) & (c[5] << c[0]))
    if FIELD <= 16:
        shift += shift
        x = (x & c[6]) | ((x >> shift) & (c[6] << (c[0] + c[0])))
    if FIELD == 8:
        shift += shift
        x = (x & c[7]) | ((x >> shift) & (c[7] << (c[0] << np.uint64(2))))
    return x


@inlined
def extended(x, c):
    # The sign of each field: with S its sign bit and T its top bit, (x ^ S) + (T - S) stays below 2 T.
    return ((x ^ c[9]) + c[10]) ^ c[11]


@inlined
def spread(x, c):
    shift = c[4]
    if FIELD == 8:
        x = (x & c[7]) | ((x << (shift << np.uint64(2))) & (c[7] << np.uint64(4 * FIELD)))
    if FIELD <= 16:
        x = (x & c[6]) | ((x << (shift + shift)) & (c[6] << np.uint64(2 * FIELD)))
    x = (x & c[5]) | ((x << shift) & (c[5] << np.uint64(FIELD)))
    return extended(x, c)


@inlined
def squeeze_rest(staging, start, words, at, k, count, c):
    """Words k and on, their chunks gathered from fields; most widths have two."""
    stride, chunks, step, width = np.int64(c[1]), np.int64(c[2]), 64 // FIELD, c[12]
    kept = ONES * c[14]
    last = c[3] & kept
    lanes = ONES * ((np.uint64(1) << c[0]) - np.uint64(1))
    if chunks == 2:
        while k < count:
            place = start + k * stride
            first = gathered_bits(peek(staging, place) & kept, lanes)
            poke(words, at + k, (gathered_bits(peek(staging, place + step) & last, lanes) << width) | first)
            k += 1
    while k < count:
        place = start + k * stride + (chunks - 1) * step
        one = gathered_bits(peek(staging, place) & last, lanes)
        for _ in range(chunks - 1):
            keep_rolled()
            place -= step
            one = (one << width) | gathered_bits(peek(staging, place) & kept, lanes)
        poke(words, at + k, one)
        k += 1


@inlined
def expand_rest(words, at, k, count, staging, start, c):
    """Words k and on, their chunks scattered to fields."""
    stride, chunks, step, width = np.int64(c[1]), np.int64(c[2]), 64 // FIELD, c[12]
    lanes = ONES * ((np.uint64(1) << c[0]) - np.uint64(1))
    sign, room, top = c[9], c[10], c[11]
    if chunks == 2:
        while k < count:
            word = peek(words, at + k)
            first, second = scattered_bits(word, lanes), scattered_bits(word >> width, lanes)
            poke_two(staging, start + k * stride, first, second, sign, room, top)
            k += 1
    while k < count:
        place, word = start + k * stride, peek(words, at + k)
        for _ in range(chunks):
            keep_rolled()
            poke(staging, place, ((scattered_bits(word, lanes) ^ sign) + room) ^ top)
            word >>= width
            place += step
        k += 1


@kernel
def squeeze(staging, start, words, at, count, c):
    """`count` words from the elements staged; of each the lowest bits are taken."""
    stride = np.int64(c[1])
    chunks = np.int64(c[2])
    step = 64 // FIELD
    width = c[12]
    lone = np.int64(c[16]) == 1  # the last chunk is a single element: there is nothing to squeeze
    k = 0
    brimming = ONES * c[14] == ~np.uint64(0)  # fields without gaps are words already
    while brimming and k + LENGTH <= count:
        store(words, at + k, load(staging, start + k * stride))
        k += LENGTH
    if BIT_MOVES:
        squeeze_rest(staging, start, words, at, k, count, c)
        return
    while k + LENGTH <= count:
        word = gather(staging, start + k * stride + (chunks - 1) * step, stride) & c[3]
        word = word & c[5] if lone else squeezed(word, c)
        for j in range(chunks - 2, -1, -1):
            word = (word << width) | squeezed(gather(staging, start + k * stride + j * step, stride), c)
        store(words, at + k, word)
        k += LENGTH
    while k < count:
        one = squeezed(peek(staging, start + k * stride + (chunks - 1) * step) & c[3], c)
        for j in range(chunks - 2, -1, -1):
            one = (one << width) | squeezed(peek(staging, start + k * stride + j * step), c)
        words[at + k] = one
        k += 1


@kernel
def expand(words, at, count, staging, start, c):
    """The elements of `count` words. What a word's last chunk writes too far, the next word's first one covers."""
    stride = np.int64(c[1])
    chunks = np.int64(c[2])
    step = 64 // FIELD
    width = c[12]
    lone = np.int64(c[16]) == 1
    k = 0
    brimming = ONES * c[14] == ~np.uint64(0)
    while brimming and k + LENGTH <= count:
        store(staging, start + k * stride, load(words, at + k))
        k += LENGTH
    if BIT_MOVES:
        expand_rest(words, at, k, count, staging, start, c)
        return
    while k + LENGTH <= count:
        word = load(words, at + k)
        last = chunks - 1
        if lone:
            scatter(staging, start + k * stride + last * step, stride, extended(word >> (width * np.uint64(last)), c))
            last -= 1
        for j in range(last, -1, -1):
            scatter(staging, start + k * stride + j * step, stride, spread((word >> (width * np.uint64(j))) & c[8], c))
        k += LENGTH
    while k < count:
        for j in range(chunks - 1, -1, -1):
            poke(staging, start + k * stride + j * step, spread((words[at + k] >> (width * np.uint64(j))) & c[8], c))
        k += 1
