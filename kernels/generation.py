"""The text of the kernel module of an Algorithm: a header made from its Programs, then the template."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from kernels.compilation import header, load_module
from kernels.depthwise_text import Pair, pixels_text, planes_text, unrolled
from kernels.geometry import geometry_text
from kernels.host import Tile, host
from kernels.microkernel import AHEAD, Taps, product_text
from winograd import Algorithm, Program
from winograd.algorithm import Programs

_TEMPLATES = Path(__file__).parent / "templates"
_IDENTITY = Program(1, (), (0,), title="an axis that the algorithm does not have: it passes through")


def _template(name: str) -> str:
    return (_TEMPLATES / f"{name}.py").read_text()


@lru_cache(maxsize=64)
def algorithm_module(algorithm: Algorithm) -> ModuleType:
    """The compiled module of an Algorithm for this host."""
    tile = host().tile(algorithm.dtype)
    panels = panels_module(algorithm.dtype, algorithm.fma, tile)
    return load_module(algorithm_text(algorithm, tile, panels.__name__), f"{algorithm.size} {algorithm.dtype}")


@lru_cache(maxsize=8)
def windows_module(dtype: str, length: int) -> ModuleType:
    """The compiled module of what all kernels of one dtype share: compiled once, not once for each of them."""
    return load_module("\n".join([header(length), _constants_text(dtype, length), _template("windows")]),
                       f"windows {dtype}")


@lru_cache(maxsize=8)
def panels_module(dtype: str, fma: bool, tile: Tile) -> ModuleType:
    """The compiled module of what all Algorithms of one dtype share besides: products and sums of panels."""
    parts = [header(tile.length), _constants_text(dtype, tile.length), product_text(tile, fma), _template("sums")]
    return load_module("\n".join(parts), f"panels {dtype}")


@lru_cache(maxsize=8)
def direct_module(dtype: str, tile: Tile) -> ModuleType:
    """The compiled module of direct convolution."""
    return _direct_module("direct", dtype, tile, "rows")


@lru_cache(maxsize=8)
def planes_module(dtype: str, tile: Tile) -> ModuleType:
    """The compiled module of direct convolution on planes, whose columns lie side by side."""
    return _direct_module("direct_planes", dtype, tile, "columns")


def _direct_module(name: str, dtype: str, tile: Tile, taps: Taps) -> ModuleType:
    parts = [header(tile.length), _constants_text(dtype, tile.length), f"COLUMNS = {tile.columns}\nAHEAD = {AHEAD}\n",
             _windows_text(dtype, tile.length), geometry_text(), _template("direct_blocks"),
             product_text(tile, True, taps=taps, ahead=True),
             product_text(replace(tile, vectors=1), True, "narrow", "narrow_product", taps=taps)]
    return load_module("\n".join([*parts, _template(name)]), f"{name} {dtype}")


@lru_cache(maxsize=32)
def depthwise_module(dtype: str, tile: Tile, planes: bool, taps: Pair, stride: Pair, dilation: Pair) -> ModuleType:
    """The compiled module of direct convolution with one channel a group, for these taps of a slice.

    Parameters
    ----------
    planes : bool
        Whether vectors are of columns, which lie side by side, or of channels.
    """
    rows = tile.rows // 2
    down, across = (rows, 1) if planes else (2, rows)
    part = unrolled(taps, stride, dilation, down * across)
    if part.taps[0] == 1:
        down, across = 1, 4 if planes else rows
    name = "planes" if planes else "pixels"
    parts = [header(tile.length), _constants_text(dtype, tile.length), geometry_text(),
             f"TAP_ROWS, DOWN, ACROSS = {part.taps[0]}, {down}, {across}\nLINES = np.array({part.lines(down, 0)})\n"]
    if planes:
        parts += [planes_text(part, down, across)]
    else:
        parts += [_windows_text(dtype, tile.length), pixels_text(part, down, across)]
    parts += [_template("depthwise_lines"), _template(f"depthwise_{name}")]
    return load_module("\n".join(parts), f"depthwise {name} {part} {dtype}")


def chunk_channels(tile: Tile) -> int:
    """Channels that pass through the input transform together: two vectors, whole cache lines of each pixel."""
    return 2 * tile.length


def algorithm_text(algorithm: Algorithm, tile: Tile, panels: str) -> str:
    """The module's text. An Algorithm of fewer than three dimensions gets axes of length one that pass through.

    Parameters
    ----------
    algorithm : Algorithm
    tile : Tile
        Register tile of the product; its vector length is that of the whole module.
    panels : str
        Name of the module with the shared parts. It holds a hash of them, so this text changes when they do.
    """
    axes = list(algorithm.programs)
    sizes = list(zip(algorithm.m, algorithm.r, algorithm.n, algorithm.tile, strict=True))
    while len(axes) < 3:
        axes.insert(0, Programs(_IDENTITY, _IDENTITY, _IDENTITY))
        sizes.insert(0, (1, 1, 1, 1))
    leaf = 0 if algorithm.channel_sum == "linear" else algorithm.channel_block
    constants = {
        "LEAF": leaf,
        "PAIRWISE": algorithm.channel_sum == "pairwise",
        "FILTER": f"np.{algorithm.filter_dtype}",
    }
    for axis, (m, r, n, length) in zip("z01", sizes, strict=True):
        axis = axis.upper()
        constants |= {f"M{axis}": m, f"R{axis}": r, f"N{axis}": n, f"TILE{axis}": length}
    parts = [
        f"# {algorithm}",
        header(tile.length),
        f"from {panels} import add_into, product\n",
        _windows_text(algorithm.dtype, tile.length),
        _constants_text(algorithm.dtype, tile.length),
        f"COLUMNS = {tile.columns}\nCHUNK = {chunk_channels(tile)}\n",
        geometry_text(),
        *(f"{name} = {value}" for name, value in constants.items()),
    ]
    for axis, programs in zip("z01", axes, strict=True):
        parts += [
            _axis_text(programs.BT, f"bt{axis}", algorithm.dtype, "load(source, {})", "store(target, {}, {})"),
            _axis_text(programs.AT, f"at{axis}", algorithm.dtype, "load(source, {})", "store(target, {}, {})"),
            _axis_text(programs.G, f"g{axis}", algorithm.filter_dtype, "FILTER(source[{}])", "target[{}] = {}"),
        ]
    return "\n".join([*parts, _template("winograd")])


def _constants_text(dtype: str, length: int) -> str:
    return f"LENGTH = {length}\nWORK = np.{dtype}\n"


def _windows_text(dtype: str, length: int) -> str:
    return f"from {windows_module(dtype, length).__name__} import finish, gather, inside, scatter\n"


def _axis_text(program: Program, name: str, dtype: str, read: str, write: str) -> str:
    """The program's own text, and a function that applies it to values `stride` apart in memory."""
    inputs = ", ".join(f"x{i}" for i in range(program.inputs))
    outputs = ", ".join(f"y{i}" for i in range(len(program.outputs)))
    lines = ["@inlined", f"def {name}(source, source_offset, source_stride, target, target_offset, target_stride):"]
    lines += [f"    x{i} = " + read.format(f"source_offset + {i} * source_stride") for i in range(program.inputs)]
    lines += [f"    {outputs}, = apply_{name}({inputs})"]
    lines += [
        "    " + write.format(f"target_offset + {i} * target_stride", f"y{i}") for i in range(len(program.outputs))
    ]
    text = program.to_python(dtype, f"apply_{name}").replace("\ndef ", "\n@inlined\ndef ", 1)
    return text + "\n\n" + "\n".join(lines) + "\n\n"
