"""The Algorithm: the full recipe of a fast convolution layer. All that can change a rounded bit is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from winograd.orders import order_named
from winograd.passes import PASSES
from winograd.program import Counts, Program
from winograd.rounding import format_of
from winograd.transform import MATRIX_NAMES, Transform

CHANNEL_SUMS = ("linear", "blocked", "pairwise")


class Programs(NamedTuple):
    """The three programs of one axis: output, filter and input transform."""

    AT: Program
    G: Program
    BT: Program


class StageCounts(NamedTuple):
    """Operations of one tile of one channel: the three transforms, and the products."""

    input: Counts
    filter: Counts
    output: Counts
    products: int

    @property
    def transforms(self) -> Counts:
        """The three transforms together."""
        return self.input + self.filter + self.output


@dataclass(frozen=True)
class Algorithm:
    """A fast convolution, down to the last rounding: what kernels compile, emulation runs and bounds read.

    Every step rounds to nearest even, in this order:

    1. The filter tile g is transformed by G in `filter_dtype`, then rounded once to `dtype`: U.
    2. The data tile d is transformed by BT in `dtype`: V.
    3. M = sum over channels of V * U. A leaf of channels is summed from +0, one channel after the other:
       M + V*U, with one rounding if `fma`, else two. `channel_sum` says how leaves are combined: "linear" has one
       leaf; "blocked" adds the sums of `channel_block` channels each, left to right; "pairwise" adds them as a
       binary tree over adjacent leaves.
    4. M is transformed by AT in `dtype`: y.

    In two dimensions each transform applies its program along axis 0 (height) first, then along axis 1 (width).

    Parameters
    ----------
    transforms : Transform, or one Transform for each axis
        Each is proved by `verify` here; free symbols are refused.
    dims : int, optional
        Axes, 1 or 2; a single Transform serves all of them. By default the number of transforms given.
    order : str
        Order of the sums in the programs, see `winograd.orders`.
    passes : iterable of str
        Passes on the programs, see `winograd.passes`; "fuse" is not among them: `fma` asks for it.
    fma : bool
        Fuse multiplications into additions, in the programs and in the channel sum.
    dtype : str
        Working format: "float32" or "float64".
    filter_dtype : str, optional
        Format of the filter transform; `dtype` by default.
    channel_sum : "linear", "blocked" or "pairwise"
    channel_block : int
        Channels in a leaf; must stay 1 for "linear", which has no blocks.

    Raises
    ------
    NotAConvolution
        If a transform is not the convolution its shapes promise.
    ValueError
        For an unknown order, pass, dtype or channel sum, a transposed transform, or free symbols.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, "inf"]), dims=2)
    >>> str(A)
    'F(2x2, 3x3) points 0, 1, -1, inf; huffman; float32; linear'
    >>> Algorithm.from_json(A.to_json()) == A
    True
    """

    transforms: tuple[Transform, ...]
    dims: int = 0
    order: str = "huffman"
    passes: tuple[str, ...] = ()
    fma: bool = False
    dtype: str = "float32"
    filter_dtype: str = ""
    channel_sum: str = "linear"
    channel_block: int = 1

    def __post_init__(self) -> None:
        given = (self.transforms,) if isinstance(self.transforms, Transform) else tuple(self.transforms)
        for transform in given:
            _check_transform(transform)
        dims = self.dims or len(given)
        if len(given) == 1 and dims in (1, 2):
            given *= dims
        if dims not in (1, 2) or len(given) != dims:
            raise ValueError(f"dims must be 1 or 2, with one transform or one for each axis; got dims = {dims} "
                             f"and {len(given)} transforms.")
        order_named(self.order)
        passes = (self.passes,) if isinstance(self.passes, str) else tuple(self.passes)
        for name in passes:
            if name not in PASSES or name in ("fuse", "transpose"):
                raise ValueError(f"passes must be among share, factor (fma=True fuses); got {name!r}.")
        dtype = format_of(self.dtype).name
        filter_dtype = format_of(self.filter_dtype or dtype).name
        for name, value in (("dtype", dtype), ("filter_dtype", filter_dtype)):
            if value not in ("float32", "float64"):
                raise ValueError(f"{name} must be float32 or float64; got {value}.")
        if self.channel_sum not in CHANNEL_SUMS:
            raise ValueError(f"channel_sum must be one of {', '.join(CHANNEL_SUMS)}; got {self.channel_sum!r}.")
        if not isinstance(self.channel_block, int) or self.channel_block < 1:
            raise ValueError(f"channel_block must be an integer of at least 1; got {self.channel_block!r}.")
        if self.channel_sum == "linear" and self.channel_block != 1:
            raise ValueError("channel_block must be 1 for the linear channel sum, which has no blocks; "
                             f"got {self.channel_block}.")
        read = {"transforms": given, "dims": dims, "passes": passes, "fma": bool(self.fma), "dtype": dtype}
        for field, checked in {**read, "filter_dtype": filter_dtype}.items():
            object.__setattr__(self, field, checked)

    @property
    def m(self) -> tuple[int, ...]:
        """Outputs per tile, by axis."""
        return tuple(t.m for t in self.transforms)

    @property
    def r(self) -> tuple[int, ...]:
        """Taps, by axis."""
        return tuple(t.r for t in self.transforms)

    @property
    def n(self) -> tuple[int, ...]:
        """Products, by axis."""
        return tuple(t.n for t in self.transforms)

    @property
    def tile(self) -> tuple[int, ...]:
        """Length of the input tile, by axis."""
        return tuple(t.tile for t in self.transforms)

    @cached_property
    def programs(self) -> tuple[Programs, ...]:
        """For each axis, the programs of AT, G and BT exactly as they run."""
        passes = (*self.passes, "fuse") if self.fma else self.passes
        return tuple(_programs(t, self.order, passes) for t in self.transforms)

    def counts(self) -> StageCounts:
        """Operations of each stage for one tile of one channel, filter transform included.

        In two dimensions a program runs once for each column, then once for each row of what the columns gave.
        """
        first, last = self.programs[0], self.programs[-1]
        if self.dims == 1:
            return StageCounts(first.BT.counts(), first.G.counts(), first.AT.counts(), self.n[0])
        (n0, n1), (_, r1), (_, tile1) = self.n, self.r, self.tile
        return StageCounts(
            tile1 * first.BT.counts() + n0 * last.BT.counts(),
            r1 * first.G.counts() + n0 * last.G.counts(),
            n1 * first.AT.counts() + self.m[0] * last.AT.counts(),
            n0 * n1,
        )

    @property
    def size(self) -> str:
        """F(m, r), or F(m0xm1, r0xr1)."""
        return f"F({'x'.join(map(str, self.m))}, {'x'.join(map(str, self.r))})"

    def __str__(self) -> str:
        distinct = dict.fromkeys(self.transforms)
        origins = " and ".join(t.description.split(", ", 2)[2] for t in distinct)
        parts = [f"{self.size} {origins}", "+".join((self.order, *self.passes))]
        if self.fma:
            parts.append("fma")
        parts.append(self.dtype + ("" if self.filter_dtype == self.dtype else f", filter in {self.filter_dtype}"))
        parts.append(self.channel_sum + ("" if self.channel_sum == "linear" else f" by {self.channel_block}"))
        return "; ".join(parts)

    def to_json(self) -> str:
        """The algorithm as JSON text, matrices exact; `from_json` reads it back equal."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN_FIELDS}
        record["transforms"] = [json.loads(t.to_json()) for t in self.transforms]
        return json.dumps(record)

    @classmethod
    def from_json(cls, text: str) -> Algorithm:
        """The algorithm that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            record = json.loads(text)
            transforms = tuple(Transform.from_json(json.dumps(t)) for t in record["transforms"])
            plain = {name: record[name] for name in _PLAIN_FIELDS}
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"text must be an Algorithm record as JSON; {error!r}.") from None
        return cls(transforms, **plain)


_PLAIN_FIELDS = ("dims", "order", "passes", "fma", "dtype", "filter_dtype", "channel_sum", "channel_block")


def _check_transform(transform: Any) -> None:
    if not isinstance(transform, Transform):
        raise TypeError(f"transforms must be Transform objects; got {type(transform).__name__}.")
    if transform.free_symbols:
        names = ", ".join(sorted(str(s) for s in transform.free_symbols))
        raise ValueError(f"an Algorithm needs numbers; give the symbol {names} a value with Transform.subs(...) first.")
    if transform.kind != "correlation":
        raise ValueError("transforms must be correlations F(m, r); got a transposed one: call transpose() first.")
    transform.verify()


@lru_cache(maxsize=256)
def _programs(transform: Transform, order: str, passes: Iterable[str]) -> Programs:
    return Programs(*(transform.program(name, order, passes) for name in MATRIX_NAMES))
