"""What is searched: the size, the shape of a tile, the format, and the model of what rounds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from error_analysis.searching.quick_estimate import Roundings
from winograd.catalogue.models import measured_data, stage_formats
from winograd.rounding import format_of
from winograd.toom_cook import check_size


@dataclass(frozen=True)
class Setting:
    """What points are searched for.

    Attributes
    ----------
    m, r : int
    dims : 1 or 2
    dtype : str
    model : "literature" or "kernel"
        See `winograd.catalogue.models.MODELS`.
    """

    m: int
    r: int
    dims: int = 2
    dtype: str = "float32"
    model: str = "literature"

    def __post_init__(self) -> None:
        check_size(self.m, self.r)
        if self.m < 2 or self.r < 2:
            raise ValueError(f"m and r must be at least 2, or there is nothing to choose; got F({self.m}, {self.r}).")
        if isinstance(self.dims, bool) or not isinstance(self.dims, int) or self.dims not in (1, 2):
            raise ValueError(f"dims must be 1 or 2; got {self.dims!r}.")
        object.__setattr__(self, "dtype", format_of(self.dtype).name)
        stage_formats(self.dtype, self.model)  # refuses an unknown model

    @property
    def n(self) -> int:
        """Points, infinity included."""
        return self.m + self.r - 1

    @property
    def formats(self) -> dict[str, str]:
        """The fields of an Algorithm that give its formats."""
        return stage_formats(self.dtype, self.model)

    @property
    def data(self) -> str:
        """The kind of data that errors are measured on."""
        return measured_data(self.dtype)

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
