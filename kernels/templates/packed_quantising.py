# Arrays of numbers become integers of few bits, one each: rounded(x / scale) + zero point. Lists have a number for each
# channel. The header binds `rounded` of packed_rounding.py and TARGET, the dtype of what is written.


@kernel
def quantise(x, outer, channels, inner, scales, lows, highs, zeros, out):
    """x of shape (outer, channels, inner) to out; how many are not a number, whose results mean nothing."""
    missing = 0
    if inner == 1:
        for row in range(outer):
            for k in range(channels):
                value = np.float64(get(x, row * channels + k)) / get(scales, k)
                missing += value != value
                put(out, row * channels + k, TARGET(rounded(value, get(lows, k), get(highs, k), get(zeros, k))))
        return missing
    for row in range(outer):
        for k in range(channels):
            scale, low, high, zero = get(scales, k), get(lows, k), get(highs, k), get(zeros, k)
            at = (row * channels + k) * inner
            for i in range(inner):
                value = np.float64(get(x, at + i)) / scale
                missing += value != value
                put(out, at + i, TARGET(rounded(value, low, high, zero)))
    return missing
