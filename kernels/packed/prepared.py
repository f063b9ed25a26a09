"""Weights and a bias, with what each kind of activations needs of them, made once."""

from __future__ import annotations

from typing import Any

from kernels.packed.arguments import as_bias
from kernels.packed.array import PackedArray
from kernels.packed.filters import Corrections, Panels, corrections_of, panels_of
from kernels.packed.numbers import Numbers, check_sum, check_zero_point, numbers_of
from kernels.packed.schemes import check_scheme, chosen_scheme
from kernels.packed.weights import Weights

__all__ = ["Prepared"]

_MOST_CORRECTIONS = 64
"""Zero points remembered: a layer that takes its scale from each input may meet all there are."""


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

    def explain(self, a: PackedArray, pixels: int) -> str:
        """Which scheme such activations take, and why."""
        return chosen_scheme(self.scheme, numbers_of(a), self.weights, pixels)[1]

    @property
    def nbytes(self) -> int:
        """Bytes of the weights as they are held: bit planes, and what other schemes have made of them."""
        others = {id(p.U): p.U.nbytes for p in self._panels.values() if p.combination in ("bytes", "pairs")}
        return self.weights.nbytes + sum(others.values())

    def check(self, a: PackedArray, zero_point: int) -> int:
        """The zero point; refuses sums that might not fit int32."""
        kind, weights = numbers_of(a), self.weights
        zero = check_zero_point(kind, zero_point)
        check_sum(kind, weights.kind, weights.channels * weights.taps, zero, self._bias_range)
        return zero

    def parts(self, a: PackedArray, pixels: int, zero_point: int) -> tuple[Panels, Corrections]:
        """What the product takes for such activations, for so many outputs of each filter."""
        kind = numbers_of(a)
        scheme = chosen_scheme(self.scheme, kind, self.weights, pixels)[0]
        key = kind, a.spacer, scheme
        if key not in self._panels:
            self._panels[key] = panels_of(self.weights, kind, a.spacer, scheme)
        panels = self._panels[key]
        place = scheme, kind, zero_point
        if place not in self._corrections:
            if len(self._corrections) >= _MOST_CORRECTIONS:
                self._corrections.clear()
            self._corrections[place] = corrections_of(panels, zero_point, self._bias, self._padded)
        return panels, self._corrections[place]
