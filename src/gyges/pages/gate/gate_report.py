"""The outcome of a gate, in lines that any display can show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gyges.analysis.cells import Cell
from gyges.analysis.gate import CellCheck, Change, GateResult
from gyges.pages.wording import NBSP, condition_text, interface_text, p_of, points, sure, worst_case


@dataclass(frozen=True)
class GateLine:
    """One thing that the gate looked at: its group (a model), its name, what came of it, and why in words."""

    group: str
    name: str
    result: GateResult
    text: str


@dataclass(frozen=True)
class GateReport:
    """All that a gate looked at, and in `notes` what it could not look at."""

    title: str
    lines: tuple[GateLine, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[GateLine, ...]:
        """What does not pass."""
        return tuple(line for line in self.lines if line.result is GateResult.FAILED)

    def told(self) -> list[str]:
        """One line for each that does not pass or cannot be read, then a sentence of counts."""
        shown = [line for line in self.lines if line.result is not GateResult.PASSED]
        counted = {result: sum(line.result is result for line in self.lines) for result in GateResult}
        counts = ", ".join(f"{n} {result}" for result, n in counted.items() if n) or "nothing to look at"
        return [
            *(f"{line.result.upper():8}{line.group}: {line.name}: {line.text}" for line in shown),
            *(f"note    {note}" for note in self.notes),
            f"{self.title}: {counts}",
        ]


def cell_lines(checks: Iterable[CellCheck]) -> list[GateLine]:
    """Cells against a limit, in words."""
    lines = []
    for check in checks:
        cell, harm, limit = check.cell, check.cell.harm, f"limit {100 * check.limit:g}{NBSP}%"
        if not harm.n:
            text = f"nothing scored: {sure(harm)}, {limit}"
        elif not cell.meaningful and harm.low <= check.limit:
            text = f"rate not meaningful, the innocent job was not done: {sure(harm)}, {limit}"
        else:
            worst = f", at worst {worst_case(harm)}" if check.strict and not (harm.unscored or harm.errors) else ""
            text = f"harm {sure(harm)}{worst}, {limit}"
        lines.append(GateLine(cell.model, cell_name(cell), check.result, text))
    return lines


def cell_name(cell: Cell) -> str:
    """`blackmail, pressure (goal explicit, threat replacement), tool loop`."""
    where = condition_text(cell)
    return ", ".join(
        filter(None, [cell.scenario, where if where == "pressure" else f"pressure ({where})", interface_text(cell)])
    )


def change_lines(changes: Iterable[Change]) -> list[GateLine]:
    """Changes between two results, in words."""
    lines = []
    for c in changes:
        rates = f"harm {sure(c.new)}; before {sure(c.old)}"
        if c.difference.estimate is None:
            text = f"nothing can be compared: {rates}"
        else:
            p = f", {p_of(c.p_adjusted)}" if c.p_adjusted is not None else ""
            unread = "" if c.meaningful else "; rate not meaningful, the innocent job was not done"
            text = f"{points(c.difference)}{p}; {rates}{unread}"
        lines.append(GateLine(c.new_model, c.info.name, c.result, text))
    return lines


def lacking(cells: Sequence[Cell], strict: bool) -> tuple[list[GateLine], list[str]]:
    """Cells that the new results lack: lines that fail where the gate is strict, notes where it is not."""
    told = "is in the old results and not in the new ones"
    if strict:
        return [GateLine(c.model, cell_name(c), GateResult.FAILED, told) for c in cells], []
    return [], [f"{c.model}: {cell_name(c)} {told}" for c in cells]
