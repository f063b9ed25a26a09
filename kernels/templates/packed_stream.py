# Lanes of any width as one stream of bits without gaps, the first element in the lowest bits of the first byte.


@kernel
def write_stream(elements, bits, stream):
    """The lowest `bits` of each element; the last byte is filled up with zeros."""
    held = np.uint64(0)
    filled = 0
    at = 0
    field = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    for i in range(elements.size):
        held |= (np.uint64(elements[i]) & field) << np.uint64(filled)
        filled += bits
        while filled >= 8:
            stream[at] = held & np.uint64(255)
            held >>= np.uint64(8)
            filled -= 8
            at += 1
    if filled > 0:
        stream[at] = held & np.uint64(255)


@kernel
def read_stream(stream, bits, elements):
    """The inverse; elements are not negative."""
    held = np.uint64(0)
    filled = 0
    at = 0
    field = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    for i in range(elements.size):
        while filled < bits:
            held |= np.uint64(stream[at]) << np.uint64(filled)
            filled += 8
            at += 1
        elements[i] = held & field
        held >>= np.uint64(bits)
        filled -= bits
