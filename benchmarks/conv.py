"""Compiled convolution against its peers: `python benchmarks/conv.py`, `--help` for what else it measures.

The layers of six networks against PyTorch, ncnn and onnxruntime, one process, two threads, batch 1, float32.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from convolution.comparison_tables import summary
from convolution.exactness import WrongResult
from convolution.peers import missing
from convolution.running import run
from convolution.sections import NAMES
from convolution.settings import Settings


def main(
    threads: Annotated[int, typer.Option(min=1, help="Threads of every contestant.")] = 2,
    batch: Annotated[int, typer.Option(min=1, help="Images at once.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contestant.")] = 5,
    algorithm: Annotated[str, typer.Option(help='Ours: "auto", "direct" or another word that layers take.')] = "auto",
    network: Annotated[list[str] | None, typer.Option(help="Only networks whose name holds this.")] = None,
    layer: Annotated[list[str] | None, typer.Option(help="Only layers whose name or shape holds this.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A call or two a turn: to see that it runs.")] = False,
    stages: Annotated[bool, typer.Option("--stages", help="The product stage against sgemm.")] = False,
    scaling: Annotated[bool, typer.Option("--scaling", help="All threads against one, large layers.")] = False,
    batches: Annotated[bool, typer.Option("--batches", help="An image in a batch of 16 against one alone.")] = False,
    workspace: Annotated[bool, typer.Option("--workspace", help="Memory of a layer.")] = False,
    startup: Annotated[bool, typer.Option("--startup", help="First call, and compilation from nothing.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="The layers, and all of these.")] = False,
    write: Annotated[Path | None, typer.Option(help="Markdown page to write these sections into.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="With --write: keep rows already measured.")] = False,
) -> None:
    """Measure the layers against peers, or what the flags say; Ctrl-C ends a run, and --write keeps what is done.

    \b
    Examples:
      python benchmarks/conv.py --network vgg
      python benchmarks/conv.py --all --write benchmarks/RESULTS.md
      python benchmarks/conv.py --all --write benchmarks/RESULTS.md --resume
    """
    asked = {"stages": stages, "scaling": scaling, "batches": batches, "workspace": workspace, "startup": startup}
    names = [name for name in NAMES if everything or asked.get(name)] or ["layers"]
    if resume and write is None:
        raise typer.BadParameter("--resume must come with --write, whose rows it keeps.")
    if "scaling" in names and threads == 1:
        raise typer.BadParameter("--scaling must have --threads of 2 or more.")
    settings = Settings(threads, batch, rounds, algorithm, tuple(network or ()), tuple(layer or ()), quick)
    for text in missing():
        typer.echo(text, err=True)
    try:
        rows = run(names, settings, write, resume)
    except (ValueError, WrongResult) as error:
        kind = "Wrong result. " if isinstance(error, WrongResult) else ""
        typer.echo(f"{kind}{error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        kept = f"; what was finished is in {write}, --resume goes on" if write and write.exists() else ""
        typer.echo(f"Interrupted{kept}.", err=True)
        raise typer.Exit(130) from None
    if "layers" in rows:
        typer.echo(summary(rows["layers"]))


def keep_freed_memory() -> None:
    """Start this process anew, with glibc told to keep freed memory.

    Else large results cost page faults in some calls and none in others, whoever's they are: up to five times the time
    of the convolution.
    """
    wanted = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
    if not wanted.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | wanted)


if __name__ == "__main__":
    keep_freed_memory()
    typer.run(main)
