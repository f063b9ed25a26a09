"""Integers of 1 to 16 bits packed into 64-bit words: storage, arithmetic on all lanes of a word, products."""

from kernels.packed.array import PackedArray
from kernels.packed.interchange import from_bytes, from_ml_dtypes, to_bytes, to_ml_dtypes
from kernels.packed.storage import pack, pack_bipolar, pack_ternary

__all__ = [
    "PackedArray",
    "from_bytes",
    "from_ml_dtypes",
    "pack",
    "pack_bipolar",
    "pack_ternary",
    "to_bytes",
    "to_ml_dtypes",
]
