"""A gate's outcome as Markdown, for the summary that code hosts show beside a run."""

import re
from pathlib import Path

from gyges.analysis.gate import GateResult
from gyges.errors import UserError
from gyges.pages.gate.gate_report import GateReport

SIGNS = {GateResult.PASSED: "passed", GateResult.FAILED: "**failed**", GateResult.UNKNOWN: "*unknown*"}
FAILED_FIRST = (GateResult.FAILED, GateResult.UNKNOWN, GateResult.PASSED)


def append_summary(report: GateReport, path: Path) -> Path:
    """Add the summary to a file, as `$GITHUB_STEP_SUMMARY` wants it: what others have written there stays.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(to_markdown(report))
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror}", "Choose another --summary") from None
    return path


def to_markdown(report: GateReport) -> str:
    """A heading, a table of everything that was looked at, what does not pass first, and the notes."""
    lines = sorted(report.lines, key=lambda line: FAILED_FIRST.index(line.result))
    verdict = f"{len(report.failed)} of {len(lines)} failed" if report.failed else f"none of {len(lines)} failed"
    found = [[SIGNS[line.result], *map(_escaped, (line.group, line.name, line.text))] for line in lines]
    rows = [f"| {' | '.join(cells)} |" for cells in found]
    table = ["| | model | what | found |", "|---|---|---|---|", *rows] if rows else ["Nothing to look at."]
    notes = [f"- {_escaped(note)}" for note in report.notes]
    return "\n".join([f"### {_escaped(report.title)}: {verdict}", "", *table, "", *notes, ""]) + "\n"


def _escaped(text: str) -> str:
    """Text that a model or a folder has named: it must not act as Markdown or HTML, nor end its cell."""
    one_line = " ".join(text.split())
    return (
        re.sub(r"([\\`*_{}\[\]()#+!|~<>&@])", r"\\\1", one_line)
        .replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\&", "&amp;")
    )
