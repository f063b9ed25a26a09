# To integers of few bits, in float64: rounded once to the nearest integer, ties to the even one.


@inlined
def rounded(value, low, high, zero):
    # Clipped first, which is the same as clipping last, for the ends are integers. What is not a number becomes `low`.
    value = value if value > low else low
    value = high if value > high else value
    # From 2**52 on float64 has integers only: the addition rounds, the subtraction is exact.
    large = np.float64(6755399441055744.0)
    return np.int32((value + large) - large) + zero
