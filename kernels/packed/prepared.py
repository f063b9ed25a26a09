"""Weights and a bias, with what each kind of activations needs of them, made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.packed.arguments import as_bias
from kernels.packed.array import PackedArray
from kernels.packed.filters import Corrections, Panels, corrections_of, panels_of
from kernels.packed.multiplying import WordPanels, multiply, word_panels
from kernels.packed.numbers import Numbers, check_sum, check_zero_point, numbers_of
from kernels.packed.output import SUMS, Output
from kernels.packed.running import Call, run
from kernels.packed.schemes import check_scheme, chosen_scheme
from kernels.packed.weights import Weights
from kernels.packed.widths import widen

__all__ = ["Finish", "Prepared", "stageable"]

Finish = Callable[[int, int], Output]
"""The output stage for so many groups, and filters in a panel."""

_MOST_CORRECTIONS = 64
"""Zero points remembered: a layer that takes its scale from each input may meet all there are."""


def stageable(a: PackedArray) -> PackedArray:
    """The same activations; without spacers where a lane of 8 or 16 bits would be wider than the field it is moved to.

    Examples
    --------
    >>> from kernels import packed
    >>> stageable(packed.pack([200], 8, False, spacer=True)), stageable(packed.pack([9], 7, False, spacer=True)).spacer
    (PackedArray(uint8, shape=(1,), axis=0, 8 bytes), True)
    """
    return widen(a, a.bits, spacer=False) if a.spacer and a.bits in (8, 16) else a


class Prepared:
    """The weights of a product or convolution, for one scheme or the fastest.

    Parameters
    ----------
    weights : Weights
    scheme : str
    bias : array of integers, shape (K,), optional
    padded : bool
        Whether taps may lie outside of the image.
    """

    def __init__(self, weights: Weights, scheme: str, bias: Any, padded: bool) -> None:
        self.weights = weights
        self.scheme = check_scheme(scheme)
        self._bias, self._bias_range = as_bias(bias, weights.filters * weights.groups)
        self._padded = padded
        self._panels: dict[tuple[Numbers, bool, str], Panels] = {}
        self._corrections: dict[tuple[str, Numbers, int], Corrections] = {}
        self._words: dict[tuple[Numbers, bool], WordPanels] = {}

    def explain(self, a: PackedArray, pixels: int) -> str:
        """Which scheme such activations take, and why."""
        return chosen_scheme(self.scheme, numbers_of(a), self.weights, pixels)[1]

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held: bit planes, and what other schemes have made of them."""
        return self.weights.nbytes + sum(panels.W.nbytes for panels in self._words.values())

    def check(self, a: PackedArray, zero_point: int) -> int:
        """The zero point; refuses sums that might not fit int32."""
        kind, weights = numbers_of(a), self.weights
        zero = check_zero_point(kind, zero_point)
        check_sum(kind, weights.kind, weights.channels * weights.taps, zero, self._bias_range)
        return zero

    def fill(
        self, a: PackedArray, words: np.ndarray, y_shape: tuple[int, ...], axis: int, call: Call, zero_point: int,
        finish: Finish | None,
    ) -> np.ndarray:
        """The sums for such activations, after an output stage.

        Parameters
        ----------
        a : PackedArray
        words : ndarray of uint64
            Its words, of which no one holds channels of two groups.
        y_shape : tuple of int
        axis : int
            Where the filters are in y; where they come last, the activations are rows.
        call : Call
        zero_point : int
        finish : callable, optional
        """
        kind, weights = numbers_of(a), self.weights
        scheme = chosen_scheme(self.scheme, kind, weights, call.pixels)[0]
        if scheme == "packed":
            y = np.zeros(y_shape, np.int32)
            is_rows = call.y_filter == 1 and axis == len(y_shape) - 1
            place = kind, not is_rows
            if place not in self._words:
                self._words[place] = word_panels(weights, kind, None if is_rows else call.taps)
            shape = (-1, weights.channels) if is_rows else (call.images, weights.channels, *call.size)
            multiply(self._words[place], a.unpack().reshape(shape), y, zero_point, self._bias, call)
            return y if finish is None else finish(weights.groups, weights.filters).applied(y, axis)
        panels, corrections = self._parts(kind, a.spacer, scheme, zero_point)
        output = SUMS if finish is None else finish(weights.groups, panels.numbers)
        y = np.empty(y_shape, output.dtype)
        run(panels, corrections, words, y, call, output)
        return y

    def _parts(self, kind: Numbers, spacer: bool, scheme: str, zero_point: int) -> tuple[Panels, Corrections]:
        key = kind, spacer, scheme
        if key not in self._panels:
            self._panels[key] = panels_of(self.weights, kind, spacer, scheme)
        panels = self._panels[key]
        place = scheme, kind, zero_point
        corrections = self._corrections.get(place)
        if corrections is None:
            if len(self._corrections) >= _MOST_CORRECTIONS:
                self._corrections.clear()
            corrections = self._corrections[place] = corrections_of(panels, zero_point, self._bias, self._padded)
        return panels, corrections
