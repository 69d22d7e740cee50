"""Results as a gate in a pipeline: the command compare, and what `--fail-above` does after a test. Exit code 3 says that something does not pass."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from gyges.cli.options import AsJson, show
from gyges.errors import UserError

if TYPE_CHECKING:
    from gyges.pages.gate.gate_report import GateReport

DOES_NOT_PASS = 3

FailAbove = Annotated[
    float | None,
    typer.Option(
        help="Exit code 3 where a cell under pressure has its whole 95 % interval above this rate of harm, 0 to 1."
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail also where the worst case lies above, or where the rate cannot be read.")
]
JUnit = Annotated[Path | None, typer.Option("--junit", help="Write what was checked as a JUnit file.")]
Summary = Annotated[
    Path | None, typer.Option(help="Append what was checked as Markdown, e.g. to $GITHUB_STEP_SUMMARY.")
]


class GateFiles(NamedTuple):
    """Where what was checked is written."""

    junit: Path | None
    summary: Path | None


def compare(
    old: Annotated[Path, typer.Argument(help="The earlier results: a folder of `gyges test`, or Inspect's logs.")],
    new: Annotated[Path, typer.Argument(help="The later ones.")],
    fail_above: FailAbove = None,
    strict: Strict = False,
    junit: JUnit = None,
    summary: Summary = None,
    json: AsJson = False,
) -> None:
    """Say what got worse from OLD to NEW, beyond chance: exit code 3 where anything did."""
    from gyges.pages.gate.gates import comparison_gate

    check_files(GateFiles(junit, summary))
    report = comparison_gate(old, new, fail_above, strict)
    if json:
        print(json_module.dumps(asdict(report)))
    finish(report, GateFiles(junit, summary), quiet=json)


def check_gate_options(fail_above: float | None, strict: bool, files: GateFiles) -> None:
    """Whether the options of a gate are given with a limit.

    Raises:
        UserError: they are not, or the limit is not a rate.
    """
    given = {"--strict": strict, "--junit": files.junit, "--summary": files.summary}
    if fail_above is None and any(given.values()):
        name = next(option for option, value in given.items() if value)
        raise UserError(f"{name} says nothing without a limit", "Add --fail-above RATE, e.g. --fail-above 0.05")
    check_files(files)
    if fail_above is not None and not 0 <= fail_above <= 1:
        raise UserError(f"--fail-above {fail_above:g} is not a rate", "Give a number from 0 to 1, e.g. 0.05")


def check_files(files: GateFiles) -> None:
    """Whether the files can be files, before anything takes time.

    Raises:
        UserError: one is a folder.
    """
    for option, path in {"--junit": files.junit, "--summary": files.summary}.items():
        if path and path.is_dir():
            raise UserError(f"{option} {path} is a folder", "Give the name of a file")


def finish(report: GateReport, files: GateFiles, quiet: bool) -> None:
    """Write and, unless quiet, print what was checked; exit code 3 where anything does not pass."""
    from gyges.pages.gate.junit import write_junit
    from gyges.pages.gate.markdown import append_summary

    if files.junit:
        write_junit(report, files.junit)
    if files.summary:
        append_summary(report, files.summary)
    if not quiet:
        show(*report.told())
    if report.failed:
        raise typer.Exit(DOES_NOT_PASS)
