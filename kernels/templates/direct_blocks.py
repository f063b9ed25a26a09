# What both direct kernels do with a unit's number. The header binds the places in `geometry`.


@inlined
def block_of(unit, geometry):
    """Part of the filters, group, image, slice of outputs; the block's first row and column, and how many it has."""
    out_height, out_width, out_depth = geometry[OUT_HEIGHT], geometry[OUT_WIDTH], geometry[OUT_DEPTH]
    block_rows, block_columns = geometry[BLOCK_ROWS], geometry[BLOCK_COLUMNS]
    blocks_down = (out_height + block_rows - 1) // block_rows
    blocks_across = (out_width + block_columns - 1) // block_columns
    part, rest = unit % geometry[PARTS], unit // geometry[PARTS]
    group, rest = rest % geometry[GROUPS], rest // geometry[GROUPS]
    out1, rest = rest % blocks_across * block_columns, rest // blocks_across
    out0, rest = rest % blocks_down * block_rows, rest // blocks_down
    return (part, group, rest // out_depth, rest % out_depth, out0, out1, min(block_rows, out_height - out0),
            min(block_columns, out_width - out1))
