"""`python -m winograd`: see `winograd.cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    import winograd.catalogue.cli  # noqa: F401  adds its commands to the application
    from winograd.cli import app
    from winograd.command import run_command

    return run_command(app, arguments, "python -m winograd", default="generate")


if __name__ == "__main__":
    sys.exit(main())
