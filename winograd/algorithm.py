"""The Algorithm: the full recipe of a fast convolution layer. All that can change a rounded bit is in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import DTypeLike

from winograd.orders import order_named
from winograd.passes import PASSES
from winograd.program import Counts, Program
from winograd.rounding import format_of
from winograd.transform import MATRIX_NAMES, Transform

CHANNEL_SUMS = ("linear", "blocked", "pairwise", "kahan")
ROUNDINGS = ("nearest", "toward_zero", "stochastic")
STAGE_DTYPES = ("filter_dtype", "input_dtype", "product_dtype", "sum_dtype", "output_dtype", "stored_dtype")


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

    Every step has a format and rounds once an operation, in this order:

    1. Data and filter are numbers of `stored_dtype`.
    2. The filter tile g is transformed by G in `filter_dtype`, then rounded to `product_dtype`: U.
    3. The data tile d is transformed by BT in `input_dtype`, then rounded to `product_dtype`: V.
    4. M = sum over channels of V * U in `sum_dtype`. A leaf of channels is summed from +0, one channel after the
       other: M + V*U, with one rounding if `fma`, else two. `channel_sum` says how leaves are combined: "linear" has
       one leaf; "blocked" adds the sums of `channel_block` channels each, left to right; "pairwise" adds them as a
       binary tree over adjacent leaves; "kahan" is linear with Kahan's compensation: term = V*U - lost,
       next = sum + term, lost = (next - sum) - term.
    5. M is rounded to `output_dtype` and transformed by AT in it, then rounded to `stored_dtype`: y.

    A value that enters a narrower format is rounded once, U and V on entering `sum_dtype` too; one that enters a wider
    format is kept. In several dimensions each transform applies its program along axis 0 first, then along axis 1, 2.

    Parameters
    ----------
    transforms : Transform, or one Transform for each axis
        Each is proved by `verify` here; free symbols are refused.
    dims : int, optional
        Axes, 1 to 3; a single Transform serves all of them. By default the number of transforms given.
    order : str
        Order of the sums in the programs, see `winograd.orders`.
    passes : iterable of str
        Passes on the programs, see `winograd.passes`; "fuse" is not among them: `fma` asks for it.
    fma : bool
        Fuse multiplications into additions, in the programs and in the channel sum.
    dtype : str
        Working format, a name as `winograd.format_of` reads it: "float32", "float16", "bfloat16", "tf32", ...
    filter_dtype, input_dtype, product_dtype, sum_dtype, output_dtype, stored_dtype : str, optional
        Formats of single stages; `dtype` by default.
    rounding : "nearest", "toward_zero" or "stochastic"
        How operations and conversions round; matrix entries are always rounded to nearest, once.
    channel_sum : "linear", "blocked", "pairwise" or "kahan"
    channel_block : int
        Channels in a leaf; must stay 1 for "linear" and "kahan", which have no blocks.

    Raises
    ------
    NotAConvolution
        If a transform is not the convolution its shapes promise.
    ValueError
        For an unknown order, pass, format, rounding or channel sum, a transposed transform, or free symbols.

    Source
    ------
    Mixed precision and pairwise summation: Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020, section 6
    (arXiv:1803.10986).

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
    input_dtype: str = ""
    product_dtype: str = ""
    sum_dtype: str = ""
    output_dtype: str = ""
    stored_dtype: str = ""
    rounding: str = "nearest"
    channel_sum: str = "linear"
    channel_block: int = 1

    if TYPE_CHECKING:  # what the constructor takes is wider than what the fields hold

        def __init__(
            self,
            transforms: Transform | Iterable[Transform],
            dims: int = 0,
            order: str = "huffman",
            passes: str | Iterable[str] = (),
            fma: bool = False,
            dtype: DTypeLike = "float32",
            filter_dtype: DTypeLike = "",
            input_dtype: DTypeLike = "",
            product_dtype: DTypeLike = "",
            sum_dtype: DTypeLike = "",
            output_dtype: DTypeLike = "",
            stored_dtype: DTypeLike = "",
            rounding: str = "nearest",
            channel_sum: str = "linear",
            channel_block: int = 1,
        ) -> None: ...

    def __post_init__(self) -> None:
        given = self.transforms if isinstance(self.transforms, (tuple, list)) else (self.transforms,)
        for transform in given:
            _check_transform(transform)
        dims = self.dims if self.dims != 0 else len(given)
        if isinstance(dims, bool) or not isinstance(dims, int):
            raise TypeError(f"dims must be an integer; got {type(dims).__name__} {dims!r}.")
        given = tuple(given) * (dims if len(given) == 1 and dims in (1, 2, 3) else 1)
        if dims not in (1, 2, 3) or len(given) != dims:
            raise ValueError(f"dims must be 1, 2 or 3, with one transform or one for each axis; got dims = {dims} "
                             f"and {len(given)} transforms.")
        order_named(self.order)
        if not isinstance(self.fma, bool):
            raise TypeError(f"fma must be True or False; got {self.fma!r}.")
        passes = (self.passes,) if isinstance(self.passes, str) else tuple(self.passes or ())
        for name in passes:
            if name not in PASSES or name in ("fuse", "transpose"):
                raise ValueError(f"passes must be among share, factor (fma=True fuses); got {name!r}.")
        read: dict[str, Any] = {"transforms": given, "dims": dims, "passes": passes, "fma": self.fma}
        read["dtype"] = format_of(self.dtype).name
        for name in STAGE_DTYPES:
            given_dtype = getattr(self, name)
            read[name] = read["dtype"] if given_dtype == "" else format_of(given_dtype).name
        for name, choices in (("rounding", ROUNDINGS), ("channel_sum", CHANNEL_SUMS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}; got {getattr(self, name)!r}.")
        block = self.channel_block
        if isinstance(block, bool) or not isinstance(block, int) or not 1 <= block < 2**31:
            raise ValueError(f"channel_block must be an integer from 1 to 2**31 - 1; got {block!r}.")
        if self.channel_sum in ("linear", "kahan") and block != 1:
            raise ValueError(f"channel_block must be 1 for the {self.channel_sum} channel sum, which has no blocks; "
                             f"got {block}.")
        for field, checked in read.items():
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
        distinct = dict.fromkeys(self.transforms)
        made = {t: Programs(*(t.program(name, self.order, passes) for name in MATRIX_NAMES)) for t in distinct}
        return tuple(made[t] for t in self.transforms)

    def counts(self) -> StageCounts:
        """Operations of each stage for one tile of one channel, filter transform included.

        Along axis 0 a program runs once for each line of what it is given, along axis 1 once for each line of what
        axis 0 gave, and so on.
        """
        return StageCounts(
            self._tile_counts("BT", self.tile), self._tile_counts("G", self.r), self._tile_counts("AT", self.n),
            math.prod(self.n),
        )

    def _tile_counts(self, matrix: str, shape: tuple[int, ...]) -> Counts:
        """Operations of one transform on a block of this shape, axis by axis."""
        total, lengths = Counts(0, 0), list(shape)
        for axis, programs in enumerate(self.programs):
            program: Program = getattr(programs, matrix)
            total += math.prod(length for other, length in enumerate(lengths) if other != axis) * program.counts()
            lengths[axis] = len(program.outputs)
        return total

    def with_formats(self, dtype: DTypeLike, **stages: DTypeLike) -> Algorithm:
        """The same algorithm in another format: every stage in `dtype`, but for those named.

        Examples
        --------
        >>> from winograd import toom_cook
        >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, "inf"]))
        >>> str(A.with_formats("float16", sum_dtype="float32"))
        'F(2, 3) points 0, 1, -1, inf; huffman; float16, sum in float32; linear'
        """
        changes: dict[str, Any] = {"dtype": dtype, **dict.fromkeys(STAGE_DTYPES, ""), **stages}
        return replace(self, **changes)

    @property
    def stage_dtypes(self) -> dict[str, str]:
        """The format of each stage, by the name of its field."""
        return {name: getattr(self, name) for name in STAGE_DTYPES}

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
        other = {name.removesuffix("_dtype"): dtype for name, dtype in self.stage_dtypes.items() if dtype != self.dtype}
        stages = [f"{stage} in {dtype}" for stage, dtype in other.items()]
        parts.append(", ".join([self.dtype, *stages]))
        if self.rounding != "nearest":
            parts.append(f"rounded {self.rounding.replace('_', ' ')}")
        blocks = f" by {self.channel_block}" if self.channel_sum in ("blocked", "pairwise") else ""
        parts.append(self.channel_sum + blocks)
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
            return cls(transforms, **plain)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"text must be an Algorithm record as JSON; {error!r}.") from None


_PLAIN_FIELDS = (
    "dims", "order", "passes", "fma", "dtype", *STAGE_DTYPES, "rounding", "channel_sum", "channel_block",
)


def _check_transform(transform: Any) -> None:
    if not isinstance(transform, Transform):
        raise TypeError(f"transforms must be Transform objects; got {type(transform).__name__}.")
    if transform.free_symbols:
        names = ", ".join(sorted(str(s) for s in transform.free_symbols))
        raise ValueError(f"an Algorithm needs numbers; give the symbol {names} a value with Transform.subs(...) first.")
    if transform.kind != "correlation":
        raise ValueError("transforms must be correlations F(m, r); got a transposed one: call transpose() first.")
    transform.verify()

