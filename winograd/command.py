"""How every command of this library ends: bad input is one line on stderr and exit code 2, never a traceback."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import typer


def run_command(app: typer.Typer, arguments: Sequence[str] | None, program: str, default: str | None = None) -> int:
    """Run a command line on a typer application and return its exit code.

    Parameters
    ----------
    app : typer.Typer
    arguments : sequence of str, optional
        `sys.argv[1:]` by default.
    program : str
        What the user typed to get here, for the help text.
    default : str, optional
        The subcommand meant where the first argument names none.

    Returns
    -------
    int
        0; 2 for bad input; what the command chose otherwise.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given and default is None:
        given = ["--help"]
    command = typer.main.get_command(app)
    names = getattr(command, "commands", {})
    if default is not None and (not given or given[0] not in names):
        given.insert(0, default)
    try:
        result = command.main(args=given, prog_name=program, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (ValueError, TypeError, OverflowError) as error:
        # What the library raises for what it was given; its messages are one sentence.
        return _refused(program, str(error))
    except OSError as error:
        return _refused(program, f"{error.filename or 'output'}: {error.strerror or error}")
    except typer.Abort:
        return 130
    except Exception as error:
        # A usage error: click's own class, which typer carries along under another name in its later releases.
        if not hasattr(error, "format_message"):
            raise
        message = error.format_message()
        negative = re.match(r"No such option: (-\d\S*)", message)
        return _refused(program, f"arguments must not be negative; got {negative[1]}." if negative else message)


def _refused(program: str, message: str) -> int:
    line = " ".join(message.split())
    print(f"{program}: {line}", file=sys.stderr)
    return 2
