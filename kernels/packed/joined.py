"""Weights for few channels: the taps of a row are joined with the channels, so that words of bit planes are filled.

A word holds a plane of 64 channels. Three channels would leave 61 bits of it empty, for each tap. Joined, the channels
of the S taps of a filter row follow each other:

    bit    3 S - 1 ... 3 S - 3          5  4  3    2  1  0
             tap S - 1           ...     tap 1      tap 0        each with channels 2, 1, 0

and the activations are staged alike, for each output: the product sees R x 1 taps, and S C channels.
"""

from __future__ import annotations

import numpy as np

from kernels.packed.layout import WORD_BITS
from kernels.packed.numbers import Numbers
from kernels.packed.weights import Shape, Weights, in_panels

__all__ = ["JoinedWeights", "saves_words", "weights_for"]


def saves_words(w_shape: tuple[int, ...]) -> bool:
    """Whether weights (K, C / groups, ..., S) take fewer words joined.

    Examples
    --------
    >>> saves_words((64, 3, 7, 7)), saves_words((64, 64, 3, 3)), saves_words((64, 3, 7, 1))
    (True, False, False)
    """
    channels, joined = w_shape[1], w_shape[-1]
    return -(-joined * channels // WORD_BITS) < joined * -(-channels // WORD_BITS)


class JoinedWeights(Weights):
    """Weights of shape (K, C / groups, ..., S) as those of shape (K, S C / groups, ..., 1); sums are of the taps apart.

    Parameters
    ----------
    w : ndarray of integers, shape (K, C / groups, R, S) or (K, C / groups, S)
    kind : Numbers
    groups : int
    """

    def __init__(self, w: np.ndarray, kind: Numbers, groups: int = 1) -> None:
        filters, channels, *rows, joined = w.shape
        self._tap_shape = (*rows, joined)
        super().__init__(np.moveaxis(w, -1, 1).reshape(filters, joined * channels, *rows, 1), kind, groups)
        self.joined = joined

    def shape_for(self, scheme: str) -> Shape:
        """As `Weights.shape_for`; only planes are joined."""
        filters = self.filters * self.groups
        if scheme == "planes":
            return filters, self.channels, self.tap_shape
        return filters, self.channels // self.joined, self._tap_shape

    def tap_sums(self) -> np.ndarray:
        """Sums over the channels: int64, shape (groups, panels, R S, numbers)."""
        values = self.values().astype(np.int64)
        taps = values.reshape(*values.shape[:3], self.joined, -1).sum(-1)
        return in_panels(taps.reshape(self.groups, self.filters, -1), self.numbers, np.int64)

    def apart(self) -> Weights:
        """The same weights, not joined."""
        values = self.values().reshape(self.groups * self.filters, *self._tap_shape, self.channels // self.joined)
        return Weights(np.moveaxis(values, -1, 1), self.kind, self.groups)


def weights_for(w: np.ndarray, kind: Numbers, groups: int, scheme: str) -> Weights:
    """Weights of a convolution, joined where a scheme may take them so and it saves words."""
    joined = scheme in ("auto", "planes") and saves_words(w.shape)
    return (JoinedWeights if joined else Weights)(w, kind, groups)
