"""`python -m kernels`, also installed as `winograd-kernels`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kernels.cli import app
from winograd.command import run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 for bad input."""
    return run_command(app, arguments, "python -m kernels")


if __name__ == "__main__":
    sys.exit(main())
