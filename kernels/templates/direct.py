from kernels.compilation import kernel


@kernel
def run_direct(x, w, bias, y, stride0, stride1, pad0, pad1, dilation0, dilation1, groups, first, step):
    """Output planes first, first + step, ...: channel, then filter row, then filter column, one after the other."""
    images, _, height, width = x.shape
    filters, per_group, rows, columns = w.shape
    for plane in range(first, images * filters, step):
        n, k = plane // filters, plane % filters
        start = k // (filters // groups) * per_group
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                total = x.dtype.type(0)
                for c in range(per_group):
                    for a in range(rows):
                        h = i * stride0 - pad0 + a * dilation0
                        if 0 <= h < height:
                            for b in range(columns):
                                v = j * stride1 - pad1 + b * dilation1
                                if 0 <= v < width:
                                    total += x[n, start + c, h, v] * w[k, c, a, b]
                if bias.size > 0:
                    total += bias[k]
                y[n, k, i, j] = total
