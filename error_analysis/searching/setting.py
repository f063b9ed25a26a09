"""What is searched: the size, the shape of a tile, the format, and the model of what rounds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from error_analysis.searching.quick_estimate import Roundings
from winograd.rounding import format_of
from winograd.toom_cook import check_size

MODELS = ("literature", "kernel")
"""What an algorithm may do. "literature": sums in Huffman order, no fma, every operation in the working format, the
filter transform included. "kernel": any order, passes, fma, and the filter transformed in float64, then rounded once.

In formats narrower than float32, products are summed and the output is transformed in float32."""

_WIDE = 24


@dataclass(frozen=True)
class Setting:
    """What points are searched for.

    Attributes
    ----------
    m, r : int
    dims : 1 or 2
    dtype : str
    model : "literature" or "kernel"
        See `MODELS`.
    """

    m: int
    r: int
    dims: int = 2
    dtype: str = "float32"
    model: str = "literature"

    def __post_init__(self) -> None:
        check_size(self.m, self.r)
        if isinstance(self.dims, bool) or self.dims not in (1, 2):
            raise ValueError(f"dims must be 1 or 2; got {self.dims!r}.")
        object.__setattr__(self, "dtype", format_of(self.dtype).name)
        if self.model not in MODELS:
            raise ValueError(f"model must be one of {', '.join(MODELS)}; got {self.model!r}.")
        if self.m < 2 or self.r < 2:
            raise ValueError(f"m and r must be at least 2, or there is nothing to choose; got F({self.m}, {self.r}).")

    @property
    def n(self) -> int:
        """Points, infinity included."""
        return self.m + self.r - 1

    @property
    def formats(self) -> dict[str, str]:
        """The fields of an Algorithm that give its formats."""
        formats = {"dtype": self.dtype}
        if self.model == "kernel":
            formats["filter_dtype"] = "float64"
        if format_of(self.dtype).precision < _WIDE:
            formats |= {"sum_dtype": "float32", "output_dtype": "float32"}
        return formats

    @property
    def roundings(self) -> Roundings:
        """What of it a quick estimate sees."""
        kernel = self.model == "kernel"
        return Roundings(self.dtype, kernel, not kernel, "output_dtype" not in self.formats)

    @property
    def name(self) -> str:
        """F(m, r) by axis, format, model."""
        m, r = ("x".join([str(length)] * self.dims) for length in (self.m, self.r))
        return f"F({m}, {r}), {self.dtype}, {self.model}"

    def to_json(self) -> str:
        """As JSON text, the same for equal settings."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Setting:
        """The setting of a record."""
        return cls(**{name: record[name] for name in ("m", "r", "dims", "dtype", "model")})
