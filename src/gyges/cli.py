"""The command line: every command is one call of a public function."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from gyges.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
scenario_app = typer.Typer(no_args_is_help=True, help="Work on scenario packs.")
app.add_typer(scenario_app, name="scenario")
out, err = Console(), Console(stderr=True)


@scenario_app.command("check")
def scenario_check(path: Annotated[str, typer.Argument(help="A scenario's name or the folder of a pack.")]) -> None:
    """Render every cell of a pack; print what is unfilled, unused or unreachable."""
    from gyges.scenarios.check import check_pack

    check = check_pack(path)
    for finding in check.findings:
        out.print(str(finding), soft_wrap=True, markup=False, highlight=False)
    out.print(f"{path}: {check.cells} cells rendered, {len(check.findings)} findings", markup=False, highlight=False)
    raise typer.Exit(0 if check.passed else 2)


@app.callback()
def callback() -> None:
    """Test whether a language-model agent stays good under pressure."""


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        err.print(f"gyges: {error}", soft_wrap=True, markup=False, highlight=False)
        sys.exit(2)
