"""The command line of `kernels`: what kernels are compiled for, and the cache of their code."""

from __future__ import annotations

from dataclasses import fields

import typer

from kernels.compilation import cache_folder, clear_cache
from kernels.host import host
from kernels.packed.rates import times_file
from kernels.packed.tuning import tune as measured_steps
from kernels.rates import Rates, rates_file
from kernels.tune import tune as measured_rates

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def commands() -> None:
    """Compiled convolution kernels."""


@app.command()
def info() -> None:
    """Print the CPU that kernels are compiled for, their register tiles, and the code cache.

    \b
    Example:
      python -m kernels info
    """
    cpu = host()
    print(f"CPU          {cpu.cpu}, vectors of {cpu.vector_bytes} bytes, {cpu.registers} registers, "
          f"fma {'in hardware' if cpu.fma else 'by the C library (slow)'}")
    for dtype in ("float32", "float64"):
        tile = cpu.tile(dtype)
        print(f"{dtype}      {tile.length} numbers a vector, register tile {tile.rows} x {tile.columns}")
    files = list(cache_folder().glob("winograd_kernels_*"))
    size = sum(path.stat().st_size for path in files)
    print(f"code cache   {cache_folder()}: {len(files)} files, {size / 2**20:.1f} MiB")


@app.command()
def tune() -> None:
    """Time a few layers for half a minute, and keep what the choices of algorithms and schemes need to know.

    \b
    Example:
      python -m kernels tune
    """
    model, before, after = measured_rates(lambda line: print(f"timed: {line}", flush=True))
    for field in fields(Rates):
        print(f"{field.name:12} {getattr(model, field.name):12.4g}")
    print(f"Expected times are off by a factor of {after:.2f} on average; before, {before:.2f}.")
    print(f"Kept in {rates_file()}.")
    measured_steps(lambda line: print(f"packed integers: {line}", flush=True))
    print(f"Kept in {times_file()}.")


@app.command()
def clear() -> None:
    """Delete the code cache; kernels are then compiled anew when they are next used.

    \b
    Example:
      python -m kernels clear
    """
    print(f"Deleted {clear_cache()} files from {cache_folder()}.")
