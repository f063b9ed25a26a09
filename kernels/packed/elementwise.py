"""The lane functions, compiled, over arrays of words that broadcast.

The text of `kernels/packed/lanes.py` is the text that is compiled: it is copied into a generated module, where it runs
on vectors of words, and on single words at the end of a row. Lane widths are data, so one kernel serves all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType

import numpy as np

from kernels.compilation import load_module
from kernels.host import host
from kernels.packed import lanes
from kernels.packed.layout import LaneLayout
from kernels.packed.staging import word_header

__all__ = ["lane_kernels", "run_lanes"]

_UNARY = ("absolute", "absolute_saturating", "lane_sum", "negate", "negate_saturating", "relu")
_COUNTED = ("multiply_scalar", "shift_left", "shift_right")
_BINARY = (
    "add",
    "add_saturating",
    "add_spaced",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "less_spaced",
    "maximum",
    "minimum",
    "multiply",
    "not_equal",
    "subtract",
    "subtract_saturating",
    "subtract_spaced",
)

_START = np.zeros(1, np.int64)

_UNARY_TEXT = """

@kernel
def run_{name}(a, {count}out, constants):
    lane = layout(constants)
    i = 0
    while i + LENGTH <= out.size:
        store(out, i, {name}(load(a, i), {count}lane))
        i += LENGTH
    while i < out.size:
        out[i] = {name}(a[i], {count}lane)
        i += 1
"""

_BINARY_TEXT = """

@kernel
def run_{name}(a, a_starts, a_step, b, b_starts, b_step, out, inner, constants):
    lane = layout(constants)
    for row in range(a_starts.size):
        i, to, p, q = 0, row * inner, a_starts[row], b_starts[row]
        while i + LENGTH <= inner:
            store(out, to + i, {name}(load(a, p + i * a_step), load(b, q + i * b_step), lane))
            i += LENGTH
        while i < inner:
            out[to + i] = {name}(a[p + i * a_step], b[q + i * b_step], lane)
            i += 1
"""

_SELECT_TEXT = """

@kernel
def run_select(mask, a, b, out, constants):
    lane = layout(constants)
    i = 0
    while i + LENGTH <= out.size:
        store(out, i, select(filled(load(mask, i), lane), load(a, i), load(b, i), lane))
        i += LENGTH
    while i < out.size:
        out[i] = select(filled(mask[i], lane), a[i], b[i], lane)
        i += 1
"""


@cache
def lane_kernels() -> ModuleType:
    """The generated module: `run_add` and so on; each is compiled when it is first called."""
    functions = [f for f in vars(lanes).values() if inspect.isfunction(f) and f.__module__ == lanes.__name__]
    fields = ", ".join(f"c[{k}]" for k in range(len(LaneLayout._fields)))
    parts = [
        word_header(),
        "from kernels.packed.layout import LaneLayout\n",
        f"\n@inlined\ndef layout(c):\n    return LaneLayout({fields})\n",
        *(f"\n@inlined\n{inspect.getsource(f)}" for f in functions),
        *(_UNARY_TEXT.format(name=name, count="") for name in _UNARY),
        *(_UNARY_TEXT.format(name=name, count="count, ") for name in _COUNTED),
        *(_BINARY_TEXT.format(name=name) for name in _BINARY),
        _SELECT_TEXT,
    ]
    return load_module("\n".join(parts), "packed lanes")


@cache
def _runner(name: str) -> Callable[..., None]:
    """The compiled function over arrays, of one lane function."""
    run: Callable[..., None] = getattr(lane_kernels(), f"run_{name}")
    return run


def _flat(words: np.ndarray) -> np.ndarray:
    return words if words.ndim == 1 else words.reshape(-1)


def _held(words: np.ndarray, starts: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray, int]:
    """An operand as the kernels walk it: a word that stays for a whole row is there once for each place of a vector."""
    if step:
        return _flat(words), starts, step
    length = max(2, host().length(np.uint64))
    return np.repeat(_flat(words), length), starts * length, 0


def _rows(shape: tuple[int, ...], operands: Sequence[np.ndarray]) -> tuple[int, list[tuple[np.ndarray, int]]]:
    """How to walk operands broadcast to a shape: the length of a row; for each operand where rows start, and its step.

    A row is the longest run of trailing axes along which each operand goes on by one word, or stays at one word.
    """
    strides = [[s // 8 for s in np.broadcast_to(x, shape).strides] for x in operands]
    steps: list[int | None] = [None] * len(operands)
    inner, axis = 1, len(shape)
    while axis > 0:
        moves = [s[axis - 1] for s in strides]
        if shape[axis - 1] != 1:
            if not all(
                (move == inner and step != 0) or (move == 0 and step != 1)
                for move, step in zip(moves, steps, strict=True)
            ):
                break
            steps = [1 if move else 0 for move in moves]
            inner *= shape[axis - 1]
        axis -= 1
    walks = []
    for s, step in zip(strides, steps, strict=True):
        starts = np.zeros((1,) * max(axis, 1), np.int64)
        for k in range(axis):
            starts = starts + (np.arange(shape[k]) * s[k]).reshape([-1 if j == k else 1 for j in range(axis)])
        walks.append((starts.reshape(-1), 1 if step is None else step))
    return inner, walks


def run_lanes(
    name: str, lane: LaneLayout, operands: Sequence[np.ndarray], shape: tuple[int, ...], out: np.ndarray
) -> None:
    """Apply a lane function of two operands to words, broadcast to a shape; `out` has it. All are C-contiguous.

    `out` may be an operand that has this shape.
    """
    a, b = operands
    if a.shape == b.shape:
        _runner(name)(_flat(a), _START, 1, _flat(b), _START, 1, _flat(out), out.size, lane.as_words())
    elif out.size:
        inner, (a_walk, b_walk) = _rows(shape, (a, b))
        _runner(name)(*_held(a, *a_walk), *_held(b, *b_walk), _flat(out), inner, lane.as_words())
