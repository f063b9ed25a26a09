"""Products of weights in fields, every height of the microkernel; `test_fields.py` runs it for other CPUs.

As a script, told the widths as "135", it prints one object: the bytes of a vector register, whether there is a dot
product of bytes, and for each width whether all sums are right.
"""

import json
import sys

import numpy as np

from kernels.compilation import load_module
from kernels.host import host
from kernels.packed.dot_products import DotOps, has_byte_dot
from kernels.packed.fields import STEPS, field_text, tile_rows
from kernels.packed.numbers import Numbers
from kernels.packed.staging import word_header
from kernels.packed.weights import Weights

BLOCKS, TAPS = 3, 2


def product_of(bits):
    """The compiled product alone: a module with all around it takes three times as long to compile."""
    lines = (
        word_header(), "from kernels.lane_memory import prefetch", "from kernels.packed.dot_products import dot_ops",
        "from kernels.simd import keep_rolled\n", f"{', '.join(DotOps._fields)} = dot_ops(LENGTH)",
        "NUMBERS = 4 * LENGTH", "AHEAD = 1024", f"STEPS = {STEPS}\n\n", field_text(bits, tile_rows()),
    )
    return load_module("\n".join(lines), f"product of fields {bits}").product


def is_right(bits):
    """Random sums, and those with all numbers at the upper end, for every number of rows up to two tiles and one."""
    random, product, channels = np.random.default_rng(bits), product_of(bits), 4 * STEPS * BLOCKS
    fine = True
    for top in (False, True):
        w = random.integers(top * ((1 << bits) - 1), 1 << bits, (7, channels, TAPS))
        weights = Weights(w, Numbers(bits, False))
        numbers = 2 * weights.numbers
        beta = random.integers(-99, 99, numbers).astype(np.int32)
        for rows in range(1, 2 * tile_rows() + 2):
            x = random.integers(255 * top, 256, (rows, TAPS, channels)).astype(np.uint8)
            sums = random.integers(0, 1 << 20, rows)
            expected = np.einsum("rtc,kct->rk", x.astype(np.int64), w)
            for doubled, shift in ((0, bits - 1), (1, 0)):
                out = np.zeros(rows * numbers, np.int32)
                product(rows, x.reshape(-1).view(np.uint32), 0, TAPS * channels // 4, np.arange(TAPS) * channels // 4,
                        TAPS, BLOCKS, weights.as_fields(), 0, 0, np.array([0, 0, doubled, shift]), 1, sums, 0, 1,
                        beta.view(np.uint64), 0, out, 0)
                whole = (expected << doubled) - (sums[:, None] << shift) + beta[:7]
                fine &= bool((out.reshape(rows, numbers)[:, :7] == whole).all())
    return fine


if __name__ == "__main__":
    results = {bits: is_right(int(bits)) for bits in sys.argv[1]}
    print(json.dumps({"bytes": host().vector_bytes, "has_byte_dot": has_byte_dot(), "results": results}))
