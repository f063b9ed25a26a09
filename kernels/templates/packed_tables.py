# Tables of a pixel: [part of the activations][step of 8 channels][two tables of 16 bytes]. The activations as bytes are
# staged in the last of these words first (packed_bytes.py):
#
#     part 0, step 0 | step 1 | ...      last part, step 0 | step 1 | ...   [bytes, 8 to a word]
#
# and the steps are made in this order, so that no step overwrites bytes that are still to be read. What `c` holds from
# 19 on: parts, bits of a part, their mask in each byte, whether the weights are bipolar, the channels in the last step;
# then for each of four channels the places in whose sums it is, and at each place the largest part A times its zeros.


@inlined
def tables(word, c):
    """Two tables, of the four lower bytes and of the four upper ones."""
    held = splat(word)
    sums = add8(add8(lookup(held, load(c, 24)), lookup(held, load(c, 24 + LENGTH))),
                add8(lookup(held, load(c, 24 + 2 * LENGTH)), lookup(held, load(c, 24 + 3 * LENGTH))))
    if c[22] != np.uint64(0):
        # The sum of a where the bit is 1, of A - a where it is 0: twice the former, less the sum of all, and the As.
        whole = lookup(sums, splat(np.uint64(0x0F0F0F0F0F0F0F0F)))
        sums = add8(sub8(add8(sums, sums), whole), load(c, 24 + 4 * LENGTH))
    return sums


@kernel
def stage(source, start, x_word, x_column, count, row_words, c, X, target, pixel, words):
    """`count` pixels of the source, x_column apart, to X, there `pixel` apart."""
    parts = np.int64(c[19])
    tail = (4 * parts - 1) * words
    stage_fields(source, start, x_word, x_column, count, row_words, c, X.view(np.uint32), 2 * (target + tail),
                 2 * pixel, words)
    for p in range(count):
        at = target + p * pixel
        put(X, at + tail + words - 1, get(X, at + tail + words - 1) & c[23])
        for part in range(parts):
            shift = np.uint64(part) * c[20]
            to = at + 4 * part * words
            for step in range(words):
                store(X, to + 4 * step, tables((get(X, at + tail + step) >> shift) & c[21], c))
