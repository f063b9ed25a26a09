"""Scheme "packed": convolution by wide multiplications of words, see `kernels/packed/products.py`.

Of a convolution the lanes of a word are neighbours in a row of the image, or in a row of taps, the last one first: the
product of two words holds their convolution, and the products of all channels and rows of taps are added up before
lanes are read, as many as `LanePlan.most_words` says.

Of a product of rows the lanes are neighbours in the sum, in one operand the last one first, so that lane N - 1 of the
product is the inner product of the words, and the only one that is read: see `dot_lanes_for`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from kernels.compilation import load_module
from kernels.packed.layout import WORD_BITS
from kernels.packed.numbers import Numbers
from kernels.packed.plan import DotPlan, LanePlan, dot_lanes_for, lanes_for
from kernels.packed.products import lane_words
from kernels.packed.running import Call
from kernels.packed.staging import word_header
from kernels.packed.weights import Weights, in_panels
from kernels.sharing import share

__all__ = ["READ_COST", "WordPanels", "chosen_plan", "multiply", "row_plan", "word_panels"]

_TEMPLATES = Path(__file__).parent.parent / "templates"
_FIELDS = (
    *("FILTERS", "VECTORS", "GROUPS", "CHANNELS", "HEIGHT", "WORDS", "PHASES", "BLOCKS", "ROWS", "LANES", "MOST"),
    *("OUT_HEIGHT", "OUT_WIDTH", "STRIDE_0", "STRIDE_1", "DILATION_0", "A_LANES", "W_LANES", "FIRST", "UNITS"),
    *("Y_IMAGE", "Y_ROW", "Y_COLUMN", "Y_FILTER"),
)
READ_COST = 4
"""Reading a lane, in multiplications and additions of words."""


@cache
def _module() -> ModuleType:
    lines = [word_header(), "from kernels.atomic import claimed_unit, fetch_add\n"]
    lines += [f"{name} = {place}" for place, name in enumerate(_FIELDS)]
    text = (_TEMPLATES / "packed_multiply.py").read_text()
    return load_module("\n".join([*lines, "\n", text]), "packed multiply")


def _bits(kind: Numbers) -> tuple[int, bool]:
    """Width and signedness of lanes; bipolar ones also hold the 0 of the padding."""
    return (2, True) if kind.bipolar else (kind.bits, kind.signed)


@cache
def chosen_plan(a: Numbers, w: Numbers, taps: int, words: int) -> LanePlan:
    """The plan whose multiplications and reading of lanes cost least, for sums of so many words.

    Examples
    --------
    >>> plan = chosen_plan(Numbers(2, False), Numbers(2, True), 3, 192)
    >>> plan.a_lanes, plan.w_lanes, plan.most_words >= 8
    (3, 3, True)
    """
    best: tuple[float, LanePlan] | None = None
    accumulate = 1
    while accumulate == 1 or accumulate < 2 * words:
        try:
            plan = lanes_for(
                _bits(a)[0], _bits(w)[0], taps, accumulate, a_signed=_bits(a)[1], w_signed=_bits(w)[1]
            )
        except ValueError:
            break
        each = 1 + READ_COST * plan.outputs / min(words, plan.most_words)
        cost = each * -(-taps // plan.w_lanes) / plan.a_lanes
        if best is None or cost < best[0]:
            best = cost, plan
        accumulate *= 2
    assert best is not None  # single products of up to 32 bits fit a word
    return best[1]


@cache
def row_plan(a: Numbers, w: Numbers, channels: int) -> DotPlan:
    """The plan for products of rows."""
    (a_bits, a_signed), (w_bits, w_signed) = _bits(a), _bits(w)
    return dot_lanes_for(a_bits, w_bits, channels, a_signed=a_signed, w_signed=w_signed)


@dataclass(frozen=True)
class WordPanels:
    """Weights as words for wide multiplications, with the plan they are made for.

    Attributes
    ----------
    weights : Weights
    a : Numbers
        The kind of the activations.
    plan : LanePlan or DotPlan
    W : ndarray of uint64
        As the template draws it.
    lanes : ndarray of uint64
        What the template reads lanes by.
    taps : (int, int)
    """

    weights: Weights
    a: Numbers
    plan: LanePlan | DotPlan
    W: np.ndarray
    lanes: np.ndarray
    taps: tuple[int, int]


def _lane_table(plan: LanePlan | DotPlan) -> np.ndarray:
    """Shift, mask, what was added, for each lane that is read; at the end the sum of what was added."""
    signed = plan.product_range[0] < 0
    if isinstance(plan, DotPlan):
        widths = [plan.lane_bits] * plan.lanes
        read = [plan.lanes - 1]
    else:
        widths = [plan.lane_bits] * (plan.outputs - 1) + [plan.product_bits - plan.lane_bits * (plan.outputs - 1)]
        read = list(range(plan.outputs))
    raised = [1 << width - 1 if signed else 0 for width in widths]
    rows = [v for j in read for v in (plan.lane_bits * j, (1 << widths[j]) - 1, raised[j])]
    total = sum(value << plan.lane_bits * j for j, value in enumerate(raised))
    return np.array([*rows, total % (1 << WORD_BITS)], np.uint64)


def word_panels(weights: Weights, a: Numbers, taps: tuple[int, int] | None) -> WordPanels:
    """The words of weights for activations of one kind: of a convolution with these taps, or of rows if None."""
    values = weights.values().astype(np.int64)
    groups, filters, _, channels = values.shape
    numbers = weights.numbers // 2
    plan: LanePlan | DotPlan
    if taps is None:
        plan = row_plan(a, weights.kind, channels)
        blocks = -(-channels // plan.lanes)
        padded = np.zeros((groups, filters, 1, 1, blocks, plan.lanes), np.int64)
        padded.reshape(groups, filters, -1)[..., :channels] = values[:, :, 0]
        words = lane_words(np.ascontiguousarray(padded[..., ::-1]), plan.lane_bits)
    else:
        plan = chosen_plan(a, weights.kind, taps[1], channels * taps[0])
        blocks = -(-taps[1] // plan.w_lanes)
        padded = np.zeros((groups, filters, taps[0], channels, blocks * plan.w_lanes), np.int64)
        rows = np.moveaxis(values.reshape(groups, filters, taps[0], taps[1], channels), 3, 4)
        padded[..., : taps[1]] = rows[..., ::-1]
        parts = padded.reshape(*padded.shape[:-1], blocks, plan.w_lanes)
        words = np.moveaxis(lane_words(parts, plan.lane_bits), -1, 2)
    panels = in_panels(words, numbers, np.uint64)
    return WordPanels(weights, a, plan, panels.reshape(-1), _lane_table(plan), taps or (1, 1))


def _image_words(panels: WordPanels, x: np.ndarray, zero_point: int, call: Call) -> np.ndarray:
    """Words of an image (images, channels, rows, columns), padded: (images, phases, channels, rows, words)."""
    plan = panels.plan
    assert isinstance(plan, LanePlan)
    needed = [
        (outputs - 1) * stride + (taps - 1) * dilation + 1
        for outputs, stride, taps, dilation in zip(call.out, call.stride, call.taps, call.dilation, strict=True)
    ]
    phases = call.dilation[1]
    each = -(-needed[1] // phases)
    words = -(-each // plan.a_lanes)
    padded = np.full((*x.shape[:2], needed[0], words * plan.a_lanes * phases), zero_point, np.int64)
    last = [max(0, min(size, n - before)) for size, n, before in zip(x.shape[2:], needed, call.pad, strict=True)]
    (top, left), (down, across) = call.pad, last
    padded[:, :, top : top + down, left : left + across] = x[..., :down, :across]
    lanes = padded.reshape(*padded.shape[:3], words, plan.a_lanes, phases)
    return lane_words(np.ascontiguousarray(lanes.transpose(0, 5, 1, 2, 3, 4)), plan.lane_bits)


def _row_words(panels: WordPanels, x: np.ndarray) -> np.ndarray:
    """Words of rows (rows, channels): (words, rows)."""
    plan = panels.plan
    assert isinstance(plan, DotPlan)
    words = -(-x.shape[1] // plan.lanes)
    padded = np.zeros((x.shape[0], words * plan.lanes), np.int64)
    padded[:, : x.shape[1]] = x
    return lane_words(padded.reshape(x.shape[0], words, plan.lanes), plan.lane_bits).T


def multiply(panels: WordPanels, x: np.ndarray, y: np.ndarray, zero_point: int, bias: np.ndarray | None, call: Call
             ) -> None:
    """Fill y, C-contiguous int32, from unpacked activations: images (N groups, C, H, W), or rows (rows, C).

    Rows are the rows of an image that is one word wide, with as many channels as a row has words.
    """
    weights, plan = panels.weights, panels.plan
    sums = weights.tap_sums().sum(2).reshape(weights.groups, -1)[:, : weights.filters].reshape(-1)
    beta = -zero_point * sums if bias is None else bias - zero_point * sums
    pixels = math.prod(call.out)
    if isinstance(plan, DotPlan):
        words = _row_words(panels, x)
        sizes = {
            "CHANNELS": words.shape[0], "HEIGHT": call.out[1], "WORDS": 1, "PHASES": 1, "BLOCKS": 1, "ROWS": 1,
            "OUT_HEIGHT": call.out[1], "OUT_WIDTH": 1, "STRIDE_0": 1, "STRIDE_1": 1, "DILATION_0": 1, "A_LANES": 1,
            "W_LANES": 1, "FIRST": 0, "LANES": 1, "Y_IMAGE": 0, "Y_ROW": weights.filters, "Y_COLUMN": 0, "Y_FILTER": 1,
        }
    else:
        words = _image_words(panels, x, zero_point, call)
        sizes = {
            "CHANNELS": weights.channels, "HEIGHT": words.shape[3], "WORDS": words.shape[4], "PHASES": words.shape[1],
            "BLOCKS": -(-call.taps[1] // plan.w_lanes), "ROWS": call.taps[0], "OUT_HEIGHT": call.out[0],
            "OUT_WIDTH": call.out[1], "STRIDE_0": call.stride[0], "STRIDE_1": call.stride[1],
            "DILATION_0": call.dilation[0], "A_LANES": plan.a_lanes, "W_LANES": plan.w_lanes,
            "FIRST": call.taps[1] - 1, "LANES": plan.outputs, "Y_IMAGE": weights.filters * pixels,
            "Y_ROW": call.out[1], "Y_COLUMN": 1, "Y_FILTER": pixels,
        }
    vectors = -(-weights.filters // (weights.numbers // 2))
    units = call.images * sizes["OUT_HEIGHT"] * vectors
    sizes |= {
        "FILTERS": weights.filters, "VECTORS": vectors, "GROUPS": weights.groups, "MOST": plan.most_words,
        "UNITS": units,
    }
    if not units or not y.size:
        return
    geometry = np.array([sizes[name] for name in _FIELDS], np.int64)
    elements = sizes["WORDS"] * sizes["A_LANES"] + sizes["BLOCKS"] * sizes["W_LANES"] + sizes["LANES"]
    needed = elements * weights.numbers // 2
    source, target = np.ascontiguousarray(words).reshape(-1), y.reshape(-1)
    added = beta.astype(np.int64).view(np.uint64)
    share(_module().run_multiply, (source, target, panels.W, added, panels.lanes, geometry), (needed,), "uint64", 0,
          units, call.threads)
