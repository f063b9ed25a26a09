"""Integers of 1 to 16 bits packed into 64-bit words: storage, arithmetic on all lanes of a word, products."""

from kernels.packed.affine import Affine, dequantize, quantize
from kernels.packed.array import PackedArray
from kernels.packed.comparisons import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    not_equal,
    relu,
    select,
)
from kernels.packed.convolution import Convolution, conv1d, conv2d
from kernels.packed.interchange import from_bytes, from_ml_dtypes, to_bytes, to_ml_dtypes
from kernels.packed.layers import Conv2d, Linear
from kernels.packed.matrices import dot, matmul
from kernels.packed.operations import absolute, add, multiply, negate, shift_left, shift_right, subtract, total
from kernels.packed.plan import LanePlan, lanes_for
from kernels.packed.products import convolve, lane_words, product_lanes
from kernels.packed.storage import pack, pack_bipolar, pack_ternary
from kernels.packed.tuning import tune
from kernels.packed.widths import narrow, widen

__all__ = [
    "Affine",
    "Conv2d",
    "Convolution",
    "LanePlan",
    "Linear",
    "PackedArray",
    "absolute",
    "add",
    "conv1d",
    "conv2d",
    "convolve",
    "dequantize",
    "dot",
    "equal",
    "from_bytes",
    "from_ml_dtypes",
    "greater",
    "greater_equal",
    "lane_words",
    "lanes_for",
    "less",
    "less_equal",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "narrow",
    "negate",
    "not_equal",
    "pack",
    "pack_bipolar",
    "pack_ternary",
    "product_lanes",
    "quantize",
    "relu",
    "select",
    "shift_left",
    "shift_right",
    "subtract",
    "to_bytes",
    "to_ml_dtypes",
    "total",
    "tune",
    "widen",
]
