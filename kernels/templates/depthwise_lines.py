# Where a tile of outputs of depthwise convolution finds the rows of its input. The header binds TAP_ROWS, how many of
# the filter's rows are unrolled, and LINES, the rows that a tile reads for them.


@kernel
def find_lines(lines, at, slices, each, z, z_step, depth, z_pitch, row, row_step, height, row_pitch):
    """From `at` on, [slice][line]: the place of a row, or -1 outside; `each` slices, row_step apart, for each plane."""
    for s in range(slices):
        at_z, first = z + s // each * z_step, row + s % each * row_step
        within = 0 <= at_z < depth
        for k in range(len(LINES)):
            at_row = first + LINES[k]
            inside_too = within and 0 <= at_row < height
            lines[at + s * len(LINES) + k] = at_z * z_pitch + at_row * row_pitch if inside_too else -1
