"""Weights and a bias, with what each kind of activations needs of them and what calls of each shape do, made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernels.packed.arguments import as_bias, as_integer
from kernels.packed.array import PackedArray
from kernels.packed.filters import Corrections, Panels, corrections_of, panels_of
from kernels.packed.layout import WORD_BITS, lane_layout
from kernels.packed.multiplying import WordPanels, multiply, word_panels
from kernels.packed.numbers import Numbers, check_sum, check_zero_point, numbers_of
from kernels.packed.output import SUMS, Stage
from kernels.packed.rates import StepTimes, step_times
from kernels.packed.running import Call, job_of
from kernels.packed.schemes import check_scheme, chosen_scheme
from kernels.packed.storage import pack, pack_bipolar
from kernels.packed.weights import Weights
from kernels.packed.widths import widen
from kernels.problem import flat_memory
from kernels.sharing import Job
from kernels.team import thread_count

__all__ = ["Frame", "Prepared", "group_words", "stageable"]

Frame = Callable[[PackedArray, int], tuple[Call, tuple[int, ...], int]]
"""Of activations, which it checks, and threads: the call, the shape of y, and where the filters are in y."""

_MOST_CORRECTIONS = 64
"""Zero points remembered: a layer that takes its scale from each input may meet all there are."""

_MOST_PLANS = 64


def stageable(a: PackedArray) -> PackedArray:
    """The same activations; without spacers where a lane of 8 or 16 bits would be wider than the field it is moved to.

    Examples
    --------
    >>> from kernels import packed
    >>> stageable(packed.pack([200], 8, False, spacer=True)), stageable(packed.pack([9], 7, False, spacer=True)).spacer
    (PackedArray(uint8, shape=(1,), axis=0, 8 bytes), True)
    """
    return widen(a, a.bits, spacer=False) if a.spacer and a.bits in (8, 16) else a


def group_words(a: PackedArray, groups: int) -> int:
    """Words of a pixel's channels of one group, which begin in a word of their own when they are staged."""
    lanes = lane_layout(a.bits, a.signed, a.spacer and a.bits not in (8, 16)).lanes
    return -(-(a.shape[a.axis] // groups) // lanes)


def _staged_words(a: PackedArray, groups: int) -> np.ndarray:
    """The words with each group's channels beginning in a word of their own."""
    a = stageable(a)
    channels = a.shape[a.axis] // groups
    if groups == 1 or channels % a.layout.lanes == 0:
        return a.words
    x = a.unpack().reshape(a.shape[0] * groups, channels, -1)
    if a.bipolar:
        return pack_bipolar(x, axis=1, spacer=a.spacer).words
    return pack(x, a.bits, a.signed, 1, a.spacer).words


@dataclass(frozen=True, eq=False)
class _Plan:
    """What calls with activations of one kind and shape do; the stage for another scale of them is worked out anew.

    Attributes
    ----------
    job : Job, optional
        If there is anything to do.
    shape : tuple of int
        Of y.
    dtype : dtype
        Of y: uint64 where y is the words of the outputs.
    layout : (int, int)
        Groups, and filters in a panel.
    straight : bool
        Whether words are staged as they are.
    times : StepTimes
        By which the scheme was chosen.
    """

    job: Job | None
    shape: tuple[int, ...]
    dtype: np.dtype
    layout: tuple[int, int]
    straight: bool
    stage: Stage | None
    scale: float
    times: StepTimes

    def __call__(self, a: PackedArray, scale: float) -> np.ndarray:
        y = np.empty(self.shape, self.dtype)
        if self.job is not None:
            words = a.words if self.straight else _staged_words(a, self.layout[0])
            if self.stage is None or scale == self.scale:
                self.job(flat_memory(words), y.reshape(-1).view(np.int32))
            else:
                output = self.stage.output(*self.layout, scale)
                self.job(flat_memory(words), y.reshape(-1).view(np.int32), (output.factors, output.additions))
        return y


@dataclass(frozen=True, eq=False)
class _WidePlan:
    """The same for scheme "packed"."""

    panels: WordPanels
    call: Call
    shape: tuple[int, ...]
    axis: int
    rows: tuple[int, ...]
    zero_point: int
    bias: np.ndarray | None
    stage: Stage | None
    times: StepTimes

    def __call__(self, a: PackedArray, scale: float) -> np.ndarray:
        y = np.zeros(self.shape, np.int32)
        multiply(self.panels, a.unpack().reshape(self.rows), y, self.zero_point, self.bias, self.call)
        if self.stage is None:
            return y
        return self.stage.output(self.panels.weights.groups, self.panels.weights.filters, scale).applied(y, self.axis)


class Prepared:
    """The weights of a product or convolution, for one scheme or the fastest. It may be called from several threads.

    Parameters
    ----------
    weights : Weights
    scheme : str
    bias : array of integers, shape (K,), optional
    padded : bool
        Whether taps may lie outside of the image.
    """

    def __init__(self, weights: Weights, scheme: str, bias: Any, padded: bool) -> None:
        self._weights, self._apart = weights, weights if weights.joined == 1 else None
        self._channels = weights.channels // weights.joined
        self.scheme = check_scheme(scheme)
        self._bias, self._bias_range = as_bias(bias, weights.filters * weights.groups)
        self._padded = padded
        self._panels: dict[tuple[Numbers, bool, str], Panels] = {}
        self._corrections: dict[tuple[str, Numbers, int], Corrections] = {}
        self._words: dict[tuple[Numbers, bool], WordPanels] = {}
        self._plans: dict[Any, _Plan | _WidePlan] = {}
        self._lock = threading.RLock()

    def explain(self, a: PackedArray, pixels: int) -> str:
        """Which scheme such activations take, and why."""
        return chosen_scheme(self.scheme, numbers_of(a), self._weights, pixels)[1]

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held: bit planes, and what other schemes have made of them."""
        others = sum(panels.W.nbytes for panels in self._words.values())
        if self._apart is not None and self._apart is not self._weights:
            others += self._apart.nbytes
        return self._weights.nbytes + others

    def __call__(
        self, frame: Frame, a: PackedArray, threads: int | None, zero_point: int, stage: Stage | None = None,
        scale: float = 1.0,
    ) -> np.ndarray:
        """The sums for such activations, after an output stage; or, of integers, the packed words: uint64.

        Parameters
        ----------
        frame : callable
            Always the same for these weights.
        a : PackedArray
        threads : int, optional
        zero_point : int
        stage : Stage, optional
        scale : float
            Of the activations, for the stage.

        Raises
        ------
        TypeError, ValueError
            As `frame`, and if the sums might not fit int32.
        """
        count = thread_count(threads)
        zero = zero_point if type(zero_point) is int else as_integer(zero_point, "zero_point")
        key = None
        if isinstance(a, PackedArray):
            key = a.shape, a.axis, a.bits, a.signed, a.spacer, a.bipolar, count, zero, stage
            plan = self._plans.get(key)
            if plan is not None and plan.times is step_times():
                return plan(a, scale)
        call, shape, axis = frame(a, count)
        check_zero_point(numbers_of(a), zero)
        with self._lock:
            plan = self._planned(a, call, shape, axis, zero, stage, scale)
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan(a, scale)

    def _planned(
        self, a: PackedArray, call: Call, shape: tuple[int, ...], axis: int, zero_point: int, stage: Stage | None,
        scale: float,
    ) -> _Plan | _WidePlan:
        kind, weights, times = numbers_of(a), self._weights, step_times()
        check_sum(kind, weights.kind, weights.channels * weights.taps, zero_point, self._bias_range)
        scheme = chosen_scheme(self.scheme, kind, weights, call.pixels)[0]
        weights = self._weights_for(scheme)
        if scheme == "packed":
            is_rows = call.y_filter == 1 and axis == len(shape) - 1
            place = kind, not is_rows
            if place not in self._words:
                self._words[place] = word_panels(weights, kind, None if is_rows else call.taps)
            rows = (call.size[1], weights.channels) if is_rows else (call.images, weights.channels, *call.size)
            return _WidePlan(self._words[place], call, shape, axis, rows, zero_point, self._bias, stage, times)
        spacer = a.spacer and a.bits not in (8, 16)
        panels, corrections = self._parts(kind, spacer, scheme, zero_point)
        layout = weights.groups, panels.numbers
        output = SUMS if stage is None else stage.output(*layout, scale)
        straight = spacer == a.spacer and (
            weights.groups == 1 or self._channels % lane_layout(a.bits, a.signed, spacer).lanes == 0
        )
        job, packs = job_of(panels, corrections, call, output)
        if packs:
            shape = (*shape[:axis], -(-shape[axis] // (WORD_BITS // output.bits)), *shape[axis + 1 :])
        dtype = np.dtype(np.uint64) if packs else output.dtype
        return _Plan(job, shape, dtype, layout, straight, stage, scale, times)

    def _weights_for(self, scheme: str) -> Weights:
        if scheme == "planes":
            return self._weights
        if self._apart is None:
            self._apart = self._weights.apart()
        return self._apart

    def _parts(self, kind: Numbers, spacer: bool, scheme: str, zero_point: int) -> tuple[Panels, Corrections]:
        key = kind, spacer, scheme
        if key not in self._panels:
            self._panels[key] = panels_of(self._weights_for(scheme), kind, spacer, scheme)
        panels = self._panels[key]
        place = scheme, kind, zero_point
        corrections = self._corrections.get(place)
        if corrections is None:
            if len(self._corrections) >= _MOST_CORRECTIONS:
                self._corrections.clear()
            corrections = self._corrections[place] = corrections_of(panels, zero_point, self._bias, self._padded)
        return panels, corrections
