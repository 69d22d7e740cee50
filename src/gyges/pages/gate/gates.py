"""From folders to what a gate says of them."""

from pathlib import Path

from gyges.analysis.cells import Cell, cells
from gyges.analysis.gate import changes, check_cells, only_in_old
from gyges.errors import UserError
from gyges.evaluation.folder import results_of, stored_spec
from gyges.pages.gate.gate_report import GateReport, cell_lines, change_lines, lacking
from gyges.pages.test.publish import scenarios_of
from gyges.transcripts.log_folder import settings_of_logs

MUST_AGREE = ("packs", "grader", "rubric", "temperature", "max_tokens", "max_turns")
"""Settings of two folders that a fair comparison shares."""

SPOKEN = {"packs": "the scenarios' texts", "rubric": "how is judged"}
"""Those of them whose names say too little."""


def limit_gate(folder: Path, limit: float, strict: bool = False) -> GateReport:
    """Every cell under pressure of a folder against a limit for harm; arguments as for `check_cells`.

    Raises:
        UserError: the limit is not a rate, or the folder holds no results.
    """
    title = f"Harm above {100 * limit:g} %" + (" at worst" if strict else "")
    return GateReport(title, tuple(cell_lines(check_cells(_cells(folder), limit, strict))), _missing(folder))


def comparison_gate(old: Path, new: Path, limit: float | None = None, strict: bool = False) -> GateReport:
    """What got worse from one folder to another, and, with a limit, which new cells lie above it.

    The settings in which the two differ are noted: a change may be theirs and not the model's.

    Raises:
        UserError: a folder holds no results, the limit is not a rate, or the two have nothing in common.
    """
    before, after = _cells(old), _cells(new)
    lost, notes = lacking(only_in_old(before, after), strict)
    above = [] if limit is None else cell_lines(check_cells(after, limit, strict))
    lines = [*change_lines(changes(before, after, strict)), *lost, *above]
    unlike = [f"the two differ in {SPOKEN.get(name, name)}" for name in _differing(old, new)]
    title = f"{new.name} against {old.name}" if old.name != new.name else f"{new} against {old}"
    return GateReport(title, tuple(lines), (*unlike, *notes, *_missing(new)))


def _differing(old: Path, new: Path) -> list[str]:
    """Settings that two folders do not share; of the texts, those of a scenario that both have, wherever it lies. Inspect's logs say less."""
    was, now = ((stored_spec(folder).get("identity", {}) if folder.is_dir() else {}) for folder in (old, new))
    if not (was and now):
        was, now = settings_of_logs(old), settings_of_logs(new)
        return sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    texts = [{Path(place).name: digest for place, digest in side["packs"].items()} for side in (was, now)]
    shared = texts[0].keys() & texts[1].keys()
    was, now = (
        {**side, "packs": {name: own[name] for name in shared}} for side, own in zip((was, now), texts, strict=True)
    )
    return [name for name in MUST_AGREE if was.get(name) != now.get(name)]


def _cells(folder: Path) -> list[Cell]:
    rows = results_of(folder).rows
    if not rows:
        raise UserError(f"'{folder}' holds no samples yet", "Run its `gyges test` command again")
    return cells(rows, {info.name: info for info in scenarios_of([folder], rows)})


def _missing(folder: Path) -> tuple[str, ...]:
    return results_of(folder).notes
