"""The shape of a convolution layer: all that its time depends on, but for the batch."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """One convolution, in one or two dimensions; equal shapes are measured once.

    Attributes
    ----------
    channels, filters : int
    size : tuple of int
        Of the input, (H, W) or (W,).
    taps : tuple of int
        Of the filter, as many.
    stride : int
    padding : tuple of int
        Zeros at both sides of each axis; half the filter, rounded down, unless given.
    groups : int
    """

    channels: int
    filters: int
    size: tuple[int, ...]
    taps: tuple[int, ...]
    stride: int = 1
    padding: tuple[int, ...] = ()
    groups: int = 1

    def __post_init__(self) -> None:
        if not self.padding:
            object.__setattr__(self, "padding", tuple(r // 2 for r in self.taps))
        if not len(self.size) == len(self.taps) == len(self.padding):
            raise ValueError(f"size, taps and padding must have as many axes; got {self}.")
        if self.channels % self.groups or self.filters % self.groups:
            raise ValueError(f"groups must divide channels and filters; got {self}.")

    @property
    def dims(self) -> int:
        """Number of axes, 1 or 2."""
        return len(self.size)

    @property
    def output(self) -> tuple[int, ...]:
        """Size of the result."""
        return tuple(
            (length + 2 * pad - r) // self.stride + 1
            for length, r, pad in zip(self.size, self.taps, self.padding, strict=True)
        )

    @property
    def terms(self) -> int:
        """Products that are summed in each output."""
        return self.channels // self.groups * math.prod(self.taps)

    @property
    def macs(self) -> int:
        """Multiply-adds of direct convolution for one image; zeros of the padding count, as usual."""
        return self.filters * math.prod(self.output) * self.terms

    @property
    def is_dense(self) -> bool:
        """Whether every filter sees every channel."""
        return self.groups == 1

    @property
    def is_plain_3x3(self) -> bool:
        """Whether this is a dense 3 x 3 convolution of stride 1."""
        return self.taps == (3, 3) and self.stride == 1 and self.is_dense

    def __str__(self) -> str:
        """Channels, filters, size, taps and what is not 1, such as `64 → 128, 56 × 56, 3 × 3 /2`."""
        text = f"{self.channels} → {self.filters}, {times(self.size)}, {times(self.taps)}"
        text += f" /{self.stride}" * (self.stride > 1)
        if self.groups == self.channels == self.filters:
            return f"{text} depthwise"
        return text + f" in {self.groups} groups" * (self.groups > 1)


def times(sizes: tuple[int, ...]) -> str:
    """`3 × 3`; a length alone stands alone."""
    return " × ".join(str(size) for size in sizes)
