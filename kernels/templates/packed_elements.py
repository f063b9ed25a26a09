# Between arrays of one dtype and the staging buffer or planes of lanes. The header binds SATURATE, UNSIGNED (the
# unsigned dtype of the elements' size), and `squeeze` and `expand` of packed_storage.py.


@inlined
def fitted(value, low, high):
    if SATURATE:
        value = low if value < low else value
        value = high if value > high else value
    return value


@kernel
def stage(x, start, count, low, high, mask, staging):
    """Move elements to the staging buffer; how far beyond `low` the farthest lies, as unsigned numbers go."""
    farthest = UNSIGNED(0)
    for i in range(count):
        value = fitted(get(x, start + i), low, high)
        beyond = UNSIGNED(value - low)
        farthest = beyond if beyond > farthest else farthest
        put(staging, i, value & mask)
    return farthest


@kernel
def farthest_of(x, start, count, low):
    """What `stage` gives, without moving anything."""
    farthest = UNSIGNED(0)
    for i in range(count):
        beyond = UNSIGNED(get(x, start + i) - low)
        farthest = beyond if beyond > farthest else farthest
    return farthest


@kernel
def pack_rows(x, rows, length, low, high, mask, words, row_words, staging, c):
    """Pack rows of consecutive elements; whether every element was inside [low, high]."""
    per_word = np.int64(c[1])
    block = np.int64(c[13])
    span = UNSIGNED(high - low)
    for row in range(rows):
        for first in range(0, row_words, block):
            count = min(block, row_words - first)
            start = row * length + first * per_word
            to = row * row_words + first
            elements = min(count * per_word, length - first * per_word)
            # The last chunk of a word reads up to 8 elements beyond it: they must be there.
            if DIRECT and (first + count) * per_word + 8 <= length:
                if farthest_of(x, start, elements, low) > span:
                    return False
                squeeze(x, start, words, to, count, c)
                continue
            if stage(x, start, elements, low, high, mask, staging) > span:
                return False
            for i in range(elements, count * per_word + 8):
                staging[i] = 0
            squeeze(staging, 0, words, to, count, c)
    return True


@kernel
def unpack_rows(words, rows, row_words, x, length, staging, c):
    """Unpack rows of consecutive elements."""
    per_word = np.int64(c[1])
    block = np.int64(c[13])
    for row in range(rows):
        for first in range(0, row_words, block):
            count = min(block, row_words - first)
            elements = min(count * per_word, length - first * per_word)
            at = row * row_words + first
            start = row * length + first * per_word
            # The last chunk of a word writes up to 8 elements beyond it, which the next block must cover.
            if DIRECT and (first + count) * per_word + 8 <= length:
                expand(words, at, count, x, start, c)
                continue
            expand(words, at, count, staging, 0, c)
            for i in range(elements):
                put(x, start + i, get(staging, i))


@inlined
def placed(x, at, low, high, mask, shift):
    return np.uint64(fitted(get(x, at), low, high) & mask) << shift


@kernel
def pack_block(x, source, apart, count, lanes, low, high, mask, words, to, pitch, bit, kept):
    """So many lanes of `count` words, from `bit` on; each lane comes from a row of elements, which lie so far apart.

    `kept` is 0 for words that hold nothing yet, so that the first lanes do not look at them, else all ones.
    """
    lane = 0
    while lane + 4 <= lanes:  # four at a time: the words come from memory and go back less often
        at0 = source + lane * apart
        at1, at2, at3 = at0 + apart, at0 + 2 * apart, at0 + 3 * apart
        shift0 = bit + pitch * np.uint64(lane)
        shift1 = shift0 + pitch
        shift2 = shift1 + pitch
        shift3 = shift2 + pitch
        for i in range(count):
            word = (get(words, to + i) & kept) | placed(x, at0 + i, low, high, mask, shift0)
            word |= placed(x, at1 + i, low, high, mask, shift1)
            word |= placed(x, at2 + i, low, high, mask, shift2)
            put(words, to + i, word | placed(x, at3 + i, low, high, mask, shift3))
        lane += 4
        kept = ~np.uint64(0)
    while lane < lanes:
        shift = bit + pitch * np.uint64(lane)
        at = source + lane * apart
        for i in range(count):
            put(words, to + i, (get(words, to + i) & kept) | placed(x, at + i, low, high, mask, shift))
        lane += 1
        kept = ~np.uint64(0)


@kernel
def pack_planes(x, planes, length, inner, low, high, mask, words, plane_words, c):
    """Pack along an axis that has others inside of it: each lane of a row of words comes from one plane of elements."""
    pitch, per_word = c[0], np.int64(c[1])
    span = UNSIGNED(high - low)
    for plane in range(planes):
        for w in range(plane_words):
            lanes = min(per_word, length - w * per_word)
            for first in range(0, inner, 4096):
                count = min(4096, inner - first)
                to = (plane * plane_words + w) * inner + first
                source = (plane * length + w * per_word) * inner + first
                if not SATURATE:
                    for lane in range(lanes):
                        if farthest_of(x, source + lane * inner, count, low) > span:
                            return False
                pack_block(x, source, inner, count, lanes, low, high, mask, words, to, pitch, np.uint64(0),
                           np.uint64(0))
    return True


@kernel
def unpack_planes(words, planes, plane_words, x, length, inner, c):
    """The inverse of pack_planes."""
    pitch, per_word, field, sign = c[0], np.int64(c[1]), c[14], c[15]
    for plane in range(planes):
        for w in range(plane_words):
            lanes = min(per_word, length - w * per_word)
            for first in range(0, inner, 4096):
                count = min(4096, inner - first)
                source = (plane * plane_words + w) * inner + first
                for lane in range(lanes):
                    to = (plane * length + w * per_word + lane) * inner + first
                    shift = pitch * np.uint64(lane)
                    for i in range(count):
                        put(x, to + i, ELEMENT((((get(words, source + i) >> shift) & field) ^ sign) - sign))
