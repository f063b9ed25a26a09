"""The CPU that kernels are compiled for: its vector registers, and the register tile that follows."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba.core import config as numba_config
from numba.core.codegen import get_host_cpu_features

config: Any = numba_config  # read from the environment when Numba is imported

__all__ = ["Host", "Tile", "host", "host_of"]

_PROBE = """
define <16 x float> @probe(<16 x float> %a, <16 x float> %b, <16 x float> %c) {
  %sum = call <16 x float> @llvm.fma.v16f32(<16 x float> %a, <16 x float> %b, <16 x float> %c)
  ret <16 x float> %sum
}
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
"""


@dataclass(frozen=True)
class Tile:
    """The block of a matrix product that a microkernel holds in registers: rows x (vectors * length) numbers.

    Attributes
    ----------
    rows : int
        Rows of the block.
    vectors : int
        Vectors in each row.
    length : int
        Numbers in each vector.
    """

    rows: int
    vectors: int
    length: int

    @property
    def columns(self) -> int:
        """Numbers in each row: the width of a packed panel of U."""
        return self.vectors * self.length


@dataclass(frozen=True)
class Host:
    """A CPU as Numba compiles for it.

    Attributes
    ----------
    cpu : str
        Its name, as LLVM has it.
    features : str
        Its features, as LLVM has them: "+avx2,-avx512f,...".
    vector_bytes : int
        Width of a vector register: 64 with AVX-512, 32 with AVX, else 16.
    registers : int
        Number of vector registers that an instruction can name.
    fma : bool
        Whether fma is an instruction. Where it is not, an fma is a call into the C library for each number.
    """

    cpu: str
    features: str
    vector_bytes: int
    registers: int
    fma: bool

    def length(self, dtype: Any) -> int:
        """Numbers of this dtype in one vector register.

        Examples
        --------
        >>> Host("haswell", "", 32, 16, True).length(np.float32)
        8
        """
        return self.vector_bytes // np.dtype(dtype).itemsize

    def tile(self, dtype: Any) -> Tile:
        """The register tile of the product microkernel for this dtype.

        With `rows` x 2 accumulators, each channel costs two vector loads of U, `rows` broadcasts of V and
        2 `rows` multiply-adds, so the multiply-adds are the bottleneck from `rows` = 3 or so on. More rows
        read U less often, and hide the latency of an addition (4 cycles, two begun in each) behind
        independent ones.

        - 32 registers: 14 x 2 = 28 accumulators, 2 vectors of U, 1 broadcast: 31 are taken. (AVX-512, NEON.)
        - 16 registers: 6 x 2 = 12 accumulators, 2 vectors of U, 1 broadcast: 15 are taken, and the last one
          holds the product where multiplication and addition are apart. (AVX, SSE.)

        Examples
        --------
        >>> Host("haswell", "", 32, 16, True).tile(np.float32)
        Tile(rows=6, vectors=2, length=8)
        """
        return Tile(14 if self.registers >= 32 else 6, 2, self.length(dtype))


@cache
def host_of(cpu: str, features: str) -> Host:
    """What LLVM makes of this CPU name and these features.

    LLVM itself is asked, by compiling one vector fma: a CPU's name alone implies features, and no table here
    would keep up with its list of names.

    Parameters
    ----------
    cpu : str
        Name of the CPU, as LLVM has it.
    features : str
        Features added to or taken from what the name implies; may be empty.

    Returns
    -------
    Host

    Examples
    --------
    >>> host_of(host().cpu, host().features) == host()
    True
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2)
    module = llvm.parse_assembly(_PROBE)
    module.triple = llvm.get_default_triple()
    text = machine.emit_assembly(module)
    widest = next((width for name, width in (("zmm", 64), ("ymm", 32)) if name in text), 16)
    on_x86 = module.triple.startswith(("x86", "i386", "i686"))
    return Host(
        cpu=cpu,
        features=features,
        vector_bytes=widest,
        registers=16 if on_x86 and widest < 64 else 32,
        fma=not re.search(r"\bfmaf\b", text),
    )


@cache
def host() -> Host:
    """The CPU that Numba compiles for in this process.

    This is the machine's own CPU, unless NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say otherwise (set both: with
    the name alone, Numba keeps the features of the machine).

    Returns
    -------
    Host

    Examples
    --------
    >>> host().length("float32") in (4, 8, 16)
    True
    """
    cpu = llvm.get_host_cpu_name() if config.CPU_NAME is None else config.CPU_NAME
    features = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    return host_of(cpu, features)
