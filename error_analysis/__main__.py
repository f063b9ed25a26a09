"""`python -m error_analysis`: see `error_analysis.cli`, `.judge_cli`, `.sweep_cli` and `.search_cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    from error_analysis import judge_cli, search_cli, sweep_cli  # noqa: F401  they add their commands to the application
    from error_analysis.cli import app
    from winograd.command import run_command

    return run_command(app, arguments, "python -m error_analysis")


if __name__ == "__main__":
    sys.exit(main())
