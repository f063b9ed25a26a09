# Arrays of integers, or of real numbers that are quantised first, to words of lanes. A unit of work is a part of a row
# of words: along an axis that has others inside of it, lanes come from rows of elements, which `pack_block` packs;
# along the last axis they are squeezed from neighbours. The header binds REAL, ELEMENT (the dtype of the staging
# buffer), KIND (of what `pack_block` takes), the places in `geometry`, and functions of packed_elements.py and
# packed_storage.py.


@inlined
def clipped(value, low, high):
    value = low if value < low else value  # what is not a number stays so
    return high if value > high else value


@kernel
def quantised(x, at, count, reals, bipolar, staging, to):
    """rounded(x / scale) + zero point; how many are not a number, whose results mean nothing."""
    scale, inverse, low, high = get(reals, 0), get(reals, 1), get(reals, 2), get(reals, 3)
    zero = np.int32(get(reals, 4))
    large = np.float64(6755399441055744.0)  # see packed_rounding.py
    missing = 0
    if bipolar:
        for i in range(count):
            value = get(x, at + i)
            missing += value != value
            put(staging, to + i, ELEMENT(value >= 0))
        return missing
    # The product with the inverse differs from the quotient by less than 2**-34 where it counts, below 2**17. Only
    # where it is as close as that to half way between integers, or is not a number, there must be divisions: slow ones.
    close = False
    for i in range(count):
        value = clipped(np.float64(get(x, at + i)) * inverse, low, high)
        whole = (value + large) - large
        close |= not (abs(value - whole) <= np.float64(0.5 - 2.0**-32))
        put(staging, to + i, ELEMENT(np.int32(whole) + zero))
    if close:
        for i in range(count):
            value = np.float64(get(x, at + i)) / scale
            missing += value != value
            put(staging, to + i, ELEMENT(np.int32((clipped(value, low, high) + large) - large) + zero))
    return missing


@kernel
def run_packing(x, words, shared, geometry, c, reals, memory):
    """Work off units until none is left.

    `reals` holds the scale, its inverse or NaN, the ends of the range, the zero point, and, as an integer, how many are
    not a number.
    """
    missing = reals.view(np.int64)
    me = fetch_add(shared, 2, 1)
    length, inner, row_words = geometry[LENGTH_ALONG], geometry[INNER], geometry[ROW_WORDS]
    block, bipolar = geometry[BLOCK], geometry[BIPOLAR] != 0
    pitch, per_word, none = c[0], np.int64(c[1]), np.uint64(0)
    mask = KIND(c[14])
    staging = memory.view(ELEMENT)
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        if inner > 1:
            chunks = (inner + block - 1) // block
            first, row = unit % chunks * block, unit // chunks
            count = min(block, inner - first)
            lane = row % row_words * per_word
            lanes = min(per_word, length - lane)
            source = (row // row_words * length + lane) * inner + first
            to = row * inner + first
            if REAL:
                bad = 0
                if count == inner:  # rows follow each other
                    bad = quantised(x, source, lanes * inner, reals, bipolar, staging, 0)
                else:
                    for k in range(lanes):
                        bad += quantised(x, source + k * inner, count, reals, bipolar, staging, k * count)
                if bad > 0:
                    fetch_add(missing, 5, bad)
                pack_block(staging, 0, count, count, lanes, mask, mask, mask, words, to, pitch, none, none)
            else:
                pack_block(x, source, inner, count, lanes, mask, mask, mask, words, to, pitch, none, none)
        else:
            blocks = (row_words + block - 1) // block
            first, row = unit % blocks * block, unit // blocks
            count = min(block, row_words - first)
            source = row * length + first * per_word
            elements = min(count * per_word, length - first * per_word)
            if REAL:
                bad = quantised(x, source, elements, reals, bipolar, staging, 0)
                if bad > 0:
                    fetch_add(missing, 5, bad)
            else:
                for i in range(elements):
                    put(staging, i, ELEMENT(get(x, source + i) & mask))
            for i in range(elements, count * per_word + 8):
                put(staging, i, ELEMENT(0))
            squeeze(staging, 0, words, row * row_words + first, count, c)
        fetch_add(shared, 1, 1)
