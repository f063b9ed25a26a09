"""Everything about one transform: its matrices, the proof, and what applying them costs, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from winograd.algorithm import Algorithm, StageCounts
from winograd.program import Counts, Program
from winograd.reference_counts import reference_counts
from winograd.rendering.text import matrix_text
from winograd.transform import MATRIX_NAMES, Transform


def report_text(
    transform: Transform, order: str = "left", passes: tuple[str, ...] = (), dims: int = 1, dtype: str | None = None
) -> str:
    """Name, matrices, proof, and the counts of each matrix with what each pass did, ready to print.

    Parameters
    ----------
    transform : Transform
        With free symbols, its matrices are printed and proved but operations are not counted.
    order, passes
        As in `Transform.program`.
    dims : 1 or 2
        With 2, also the counts of the three transforms of a two-dimensional tile, and their distance to what others
        report.
    dtype : str, optional
        Also print the matrices as rounded to this format.

    Raises
    ------
    NotAConvolution
        If the matrices are not the convolution that their shapes promise.
    OverflowError
        If an entry exceeds the dtype.
    """
    transform.verify()
    parts = [str(transform)]
    if dtype is not None:
        rounded = transform.matrices(dtype)
        parts += [f"{name} in {dtype} =\n{matrix_text(a)}" for name, a in zip(MATRIX_NAMES, rounded, strict=True)]
    parts.append(_proof(transform))
    symbols = ", ".join(sorted(str(s) for s in transform.free_symbols))
    if symbols and dims == 1:
        parts.append(f"operations: not counted, for the matrices hold the symbol {symbols}")
    else:
        parts += _counts_lines(transform, order, passes, dims)
    if transform.command is not None:
        parts.append(f"made by: {_command(transform, 'text', order, passes, dims, dtype)}")
    return "\n".join(parts)


def report_json(
    transform: Transform, order: str = "left", passes: tuple[str, ...] = (), dims: int = 1, dtype: str | None = None
) -> str:
    """The same as JSON: `Transform.from_json` reads the transform back, `foreign_program` the operations."""
    transform.verify()
    record: dict[str, Any] = {
        "name": transform.name,
        "description": transform.description,
        "command": _command(transform, "json", order, passes, dims, dtype),
        "transform": json.loads(transform.to_json()),
        "proved_coefficients": _coefficients(transform),
        "order": order,
        "passes": list(passes),
        "programs": None,
    }
    if dtype is not None:
        rounded = zip(MATRIX_NAMES, transform.matrices(dtype), strict=True)
        # As doubles, which hold every float16, float32 and float64 exactly.
        record["rounded"] = {"dtype": dtype} | {name: a.astype(np.float64).tolist() for name, a in rounded}
    if not transform.free_symbols or dims == 2:
        programs = _programs(transform, order, passes)
        record["programs"] = {name: _program_record(program) for name, program in programs.items()}
    if dims == 2:
        counts = _tile_counts(transform, order, passes)
        stages = ("input", "filter", "output", "transforms")
        record["tile"] = {stage: asdict(getattr(counts, stage)) for stage in stages} | {"products": counts.products}
        reference = reference_counts(transform.m, transform.r)
        record["reference"] = reference and reference._asdict()
    entries = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    return f"{{\n{entries}\n}}"


def _programs(transform: Transform, order: str, passes: tuple[str, ...]) -> dict[str, Program]:
    return {name: transform.program(name, order, passes) for name in MATRIX_NAMES}


def _tile_counts(transform: Transform, order: str, passes: tuple[str, ...]) -> StageCounts:
    fma = passes[-1:] == ("fuse",)
    return Algorithm((transform,), 2, order, passes[:-1] if fma else passes, fma).counts()


def _program_record(program: Program) -> dict[str, Any]:
    operations = [
        [op.kind, op.args[0], *([] if op.constant is None else [str(op.constant)]), *op.args[1:]] for op in program.ops
    ]
    history = [{"pass": h.name, "before": asdict(h.before), "after": asdict(h.after)} for h in program.history]
    return {
        "counts": asdict(program.counts()),
        "history": history,
        "inputs": program.inputs,
        "operations": operations,
        "outputs": list(program.outputs),
    }


def _coefficients(transform: Transform) -> int:
    return int(transform.AT.rows * transform.r * transform.BT.cols)


def _proof(transform: Transform) -> str:
    index = "i + k" if transform.kind == "correlation" else "i - k"
    return f"proved: y[i] = sum_k d[{index}] g[k], the identity holds exactly, {_coefficients(transform)} coefficients"


def _counts_lines(transform: Transform, order: str, passes: tuple[str, ...], dims: int) -> list[str]:
    lines = [f"operations, order {order}, {transform.n} products:"]
    total = Counts(0, 0)
    for name, program in _programs(transform, order, passes).items():
        total += program.counts()
        lines.append(f"  {name}: {program.counts()}")
        lines += [f"    {record}" for record in program.history]
    lines.append(f"  together: {total}")
    if dims == 2:
        lines += _tile_lines(transform, _tile_counts(transform, order, passes))
    return lines


def _tile_lines(transform: Transform, counts: StageCounts) -> list[str]:
    m, r = transform.m, transform.r
    size = f"F({m}x{m}, {r}x{r})"
    lines = [f"one tile of {size}, one channel, {counts.products} products:"]
    lines += [f"  {stage} transform: {getattr(counts, stage)}" for stage in ("input", "filter", "output")]
    lines.append(f"  the three transforms together: {counts.transforms}")
    reference = reference_counts(m, r)
    if reference is not None:
        # An fma holds an addition.
        additions = counts.transforms.additions + counts.transforms.fmas
        distances = ", ".join(
            f"{what} {value} ({_distance(additions - value)})"
            for what, value in (("usual", reference.usual), ("best found", reference.best_found))
        )
        lines.append(
            f"  {additions} additions beside {distances}; constant multiplications not counted "
            f"({reference.source})"
        )
    return lines


def _distance(difference: int) -> str:
    if difference == 0:
        return "equal"
    return f"{abs(difference)} {'more' if difference > 0 else 'fewer'}"


def _command(
    transform: Transform, format: str, order: str, passes: tuple[str, ...], dims: int, dtype: str | None
) -> str | None:
    if transform.command is None:
        return None
    options = [f"--format {format}", f"--order {order}"]
    options += [f"--passes {','.join(passes)}"] if passes else []
    options += [f"--dtype {dtype}"] if dtype is not None else []
    options += [f"--dims {dims}"] if dims != 1 else []
    return f"{transform.command} {' '.join(options)}"
