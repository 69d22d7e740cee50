"""The command line: every command is one call of a public function.

Exit codes: 0 done; 1 done, but more than 2 % of the samples could not be scored; 2 a mistake of the user's, told in one line;
3 a gate (`compare`, `--fail-above`) does not pass; 70 a fault of ours,
told in one line with the place of its traceback; 130 interrupted.
"""

import errno
import io
import json as json_module
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gyges import __version__
from gyges.cli import gate_commands, page_commands, scenario_commands, study_commands, test_commands
from gyges.cli.options import ERR, AsJson, show
from gyges.errors import UserError

FAULT, INTERRUPTED = 70, 130
"""Exit codes after a fault of ours (`EX_SOFTWARE`) and after Ctrl-C (Typer's)."""

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""What a disk says that is full or may not be written."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
scenario_app = typer.Typer(no_args_is_help=True, help="Work on scenario packs.")
app.add_typer(scenario_app, name="scenario")
for command in (
    test_commands.test, test_commands.score, test_commands.calibrate, gate_commands.compare, page_commands.report, page_commands.index,
    scenario_commands.scenarios, study_commands.run, study_commands.plan, study_commands.status, study_commands.why,
    study_commands.gc,
):  # fmt: skip
    app.command()(command)
scenario_app.command()(scenario_commands.check)


@app.command()
def doctor(json: AsJson = False) -> None:
    """See what this machine has, and what is missing for what."""
    from gyges.cli.doctor import examine

    findings = examine()
    if json:
        print(json_module.dumps([f._asdict() for f in findings]))
    else:
        show(*(f"{'ok     ' if f.there else 'missing'}  {f.what}: {f.detail}" for f in findings))
    raise typer.Exit(0 if all(f.there or f.optional for f in findings) else 2)


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


@app.callback()
def callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Test whether a language-model agent stays good under pressure."""


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot print a letter gets a stand-in, never a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _check_letters(sys.argv[1:])
        app()
    except UserError as error:
        show(f"gyges: {error}", to=ERR)
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            show("gyges: interrupted. The same command continues where it was.", to=ERR)
        raise
    except OSError as error:
        if error.errno not in DISK:
            sys.exit(_tell_fault(error))
        where = f"'{error.filename}' cannot be written" if error.filename else "the disk cannot be written"
        show(f"gyges: {where}: {error.strerror}. Make room, or name another place", to=ERR)
        sys.exit(2)
    except Exception as fault:
        sys.exit(_tell_fault(fault))


def _check_letters(arguments: Sequence[str]) -> None:
    """Refuse what the locale could not read: such a name can be written into no table, page or log."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(argument).decode(errors="backslashreplace")
            problem = f"'{shown}' has letters that cannot be read in this locale"
            raise UserError(problem, "Set LC_ALL=C.UTF-8, or use another name") from None


def _tell_fault(fault: Exception) -> int:
    """One line for what should not have happened, with its traceback in a file: exit code 1 means something else."""
    with tempfile.NamedTemporaryFile("w", prefix="gyges-", suffix=".txt", delete=False, encoding="utf-8") as file:
        traceback.print_exception(fault, file=file)
    told = " ".join(str(fault).split())[:200]
    show(f"gyges: a fault of ours ({type(fault).__name__}: {told}). Please report it with {Path(file.name)}", to=ERR)
    return FAULT
