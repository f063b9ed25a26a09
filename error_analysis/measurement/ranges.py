"""How large and how small the numbers inside an algorithm get, stage by stage: range, apart from rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from winograd import Algorithm
from winograd.rounding import BinaryFormat, format_of

STAGES = {
    "filter": "filter_dtype", "U": "product_dtype", "input": "input_dtype", "V": "product_dtype", "M": "sum_dtype",
    "output": "output_dtype", "y": "stored_dtype",
}
"""What `emulate` lets be observed, and the format it is in: each transform before and after it is rounded on."""

_ROUNDED_FROM = {"U": "filter", "V": "input", "y": "output"}


@dataclass(frozen=True)
class StageRange:
    """The range of the numbers of one stage.

    Attributes
    ----------
    stage, dtype : str
        Which, see `STAGES`, and its format.
    values : int
        How many numbers were seen.
    largest : float
        The largest finite magnitude.
    overflows : int
        Infinities; in a format without infinity, where NaN stands for them, NaNs.
    nans : int
    underflows : int
        Nonzero numbers below the smallest normal one of the format: they have lost bits, or may have.
    flushed : int
        Numbers that became zero when they were rounded into this stage: U from filter, V from input, y from output.
    """

    stage: str
    dtype: str
    values: int = 0
    largest: float = 0.0
    overflows: int = 0
    nans: int = 0
    underflows: int = 0
    flushed: int = 0

    def __add__(self, other: StageRange) -> StageRange:
        counts = ("values", "overflows", "nans", "underflows", "flushed")
        return replace(self, largest=max(self.largest, other.largest),
                       **{name: getattr(self, name) + getattr(other, name) for name in counts})

    @property
    def eventful(self) -> bool:
        """Whether anything but rounding happened."""
        return bool(self.overflows or self.nans or self.underflows or self.flushed)

    def __str__(self) -> str:
        counts = ((self.overflows, "overflows"), (self.nans, "NaNs"), (self.underflows, "underflows"),
                  (self.flushed, "flushed to zero"))
        told = [f"{count} {name}" for count, name in counts if count]
        return f"{self.stage} up to {self.largest:.3g}" + "".join(f", {text}" for text in told)


class RangeObserver:
    """Collects a `StageRange` for each stage; `emulate` calls it with what each stage computed.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> from error_analysis import emulate
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]))
    >>> seen = RangeObserver(A)
    >>> y = emulate(A, np.float32([[[1, 2, 3, 4]]]), np.float32([[[1, 0, -1]]]), observe=seen)
    >>> print(seen.ranges["V"])
    V up to 5
    """

    def __init__(self, A: Algorithm) -> None:
        self._formats: dict[str, BinaryFormat] = {stage: format_of(getattr(A, name)) for stage, name in STAGES.items()}
        self._zeros: dict[str, int] = {}
        self.ranges: dict[str, StageRange] = {}

    def __call__(self, stage: str, values: np.ndarray) -> None:
        """Take the numbers of a stage into account; stages that are not in `STAGES` are passed over."""
        fmt = self._formats.get(stage)
        if fmt is None or not values.size:
            return
        size = np.abs(values)
        largest = float(np.max(size))
        infinite = nans = 0
        if not np.isfinite(largest):
            infinite, nans = int(np.isinf(size).sum()), int(np.isnan(size).sum())
            finite = size[np.isfinite(size)]
            largest = float(finite.max()) if finite.size else 0.0
        zeros = size.size - int(np.count_nonzero(size))
        normal = size.dtype.type(2.0**fmt.smallest_exponent)
        seen = StageRange(
            stage, fmt.name, size.size, largest, nans=nans,
            overflows=nans if fmt.overflow == "nan" else infinite,
            underflows=int(np.count_nonzero(size < normal)) - zeros,
            flushed=max(0, zeros - self._zeros.get(_ROUNDED_FROM.get(stage, ""), zeros)),
        )
        self._zeros[stage] = zeros
        self.ranges[stage] = self.ranges[stage] + seen if stage in self.ranges else seen
