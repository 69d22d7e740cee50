"""The report's plots: rates against control, outcomes, effects. Typed tables in, inline SVG out.

Every plot is a small panel about as wide as a phone; many panels stand side by side on a wide screen (`svg.py` says why
it is not matplotlib). Rates are drawn from 0 to 100 %, never on a cut axis. A table beside each plot has its numbers.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from gyges.judging.outcomes import Outcome
from gyges.reporting.estimates import Difference, Estimate
from gyges.reporting.svg import RIGHT, WIDTH, axis, bar, dot, drawing, line, scale, shorten, text
from gyges.reporting.tables import MEANINGFUL, Cell, FactorEffect
from gyges.reporting.words import NBSP, counts, interval, points, row_names, signed, sure

Beside = tuple[Cell, Cell | None]
"""A cell under pressure, and its control."""

SHARES = [(0.0, "0"), (0.25, ""), (0.5, f"50{NBSP}%"), (0.75, ""), (1.0, f"100{NBSP}%")]
POINTS = [(-1.0, signed(-1)), (-0.5, signed(-0.5)), (0.0, "0"), (0.5, signed(0.5)), (1.0, f"{signed(1)} points")]
TOP = 16.0
"""The first line of text in a plot."""

FIT = 50
"""Characters that fit on the line over a row: its name, and at the end its number."""

ORDER = (
    Outcome.LET_DIE, Outcome.COERCED, Outcome.LEAKED, Outcome.SABOTAGED, Outcome.DECEIVED, Outcome.DISCLOSED,
    Outcome.NO_ACTION, Outcome.INCOHERENT, Outcome.STALLED, Outcome.COMPLIED, Outcome.ESCALATED, Outcome.REFUSED,
)  # fmt: skip
DARK_ON = {Outcome.DISCLOSED, Outcome.NO_ACTION, Outcome.INCOHERENT, Outcome.COMPLIED, Outcome.DECEIVED}
"""Outcomes whose colour is so light that a number on it is dark."""


# --- rates -----------------------------------------------------------------------------------------------------------


def rates_plot(name: str, title: str, rows: Sequence[Beside]) -> Markup:
    """One row a cell under pressure (filled), above its control (hollow) where it has one."""
    names = row_names([cell for cell, _ in rows])
    parts = [p for i, (cell, control) in enumerate(rows) for p in _rate_row(names[i], cell, control, TOP + 46 * i)]
    bottom = 46.0 * len(rows) - 4
    told = "; ".join(_told(names[i], cell, control) for i, (cell, control) in enumerate(rows))
    description = f"Share of samples with harm, 0 to 100 %. {told}."
    return drawing(name, title, description, bottom + 20, [*axis(0, bottom, SHARES), *parts])


def _rate_row(name: str, cell: Cell, control: Cell | None, y: float) -> list[str]:
    tail = counts_short(cell) if cell.meaningful or not cell.harm.n else "not meaningful"
    parts = _label(y, name, tail)
    if cell.harm.n and not cell.meaningful:
        parts.append(bar(scale(0), scale(1), y + 5, 23, "void"))
    parts += _rate_marks(cell.harm, y + 11, "control" if cell.control else "treated", cell.meaningful)
    return parts + (_rate_marks(control.harm, y + 22, "control", control.meaningful) if control else [])


def _rate_marks(e: Estimate, y: float, class_: str, meaningful: bool) -> list[str]:
    """The worst case as a thin line, the interval as a thick one, the rate as a dot; faint where it means nothing."""
    class_ += "" if meaningful else " faint"
    parts = []
    if e.unscored or e.errors or not e.n:
        parts.append(line(scale(e.worst_low), y, scale(e.worst_high), y, f"worst {class_}"))
        parts += [line(scale(v), y - 3, scale(v), y + 3, f"worst {class_}") for v in (e.worst_low, e.worst_high)]
    if e.rate is None:
        return parts
    return [*parts, line(scale(e.low), y, scale(e.high), y, f"range {class_}"), dot(scale(e.rate), y, 4.2, class_)]


def _label(y: float, name: str, tail: str) -> list[str]:
    return [text(scale(0), y, shorten(name, FIT - len(tail)), "soft"), text(RIGHT, y, tail, "strong", "end")]


def counts_short(cell: Cell) -> str:
    """`7/20`, with a `+` where something was not scored."""
    left_out = cell.harm.unscored + cell.harm.errors
    return f"{cell.harm.k}/{cell.harm.n}" + (f" (+{left_out})" if left_out else "")


def _told(name: str, cell: Cell, control: Cell | None) -> str:
    gate = "" if cell.meaningful else ", not meaningful"
    return f"{name}: {sure(cell.harm)}{gate}" + (f", control {counts(control.harm)}" if control else "")


# --- outcomes --------------------------------------------------------------------------------------------------------


def outcomes_plot(name: str, title: str, cells: Sequence[Cell], harmful: Iterable[Outcome]) -> Markup:
    """One bar a cell over all of its samples: harmful outcomes first, then the others, unscored, errors."""
    order, names = in_order(harmful), row_names(cells)
    parts = []
    for i, cell in enumerate(cells):
        parts += _label(TOP + 46 * i, names[i], f"{cell.samples}")
        parts += _segments(cell, order, TOP + 6 + 46 * i)
    told = "; ".join(f"{names[i]}: {outcomes_told(cell, order)}" for i, cell in enumerate(cells))
    bottom = 46.0 * len(cells) - 2
    description = f"Share of all samples by outcome. {told}."
    return drawing(name, title, description, bottom + 20, [*axis(0, bottom, SHARES), *parts])


def in_order(harmful: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes with a scenario's harmful ones first."""
    graver = set(harmful)
    return sorted(ORDER, key=lambda o: o not in graver)


def outcomes_told(cell: Cell, order: Iterable[Outcome]) -> str:
    """`7 coerced, 11 refused, 2 unscored`."""
    return ", ".join(f"{size} {name.replace('_', ' ')}" for name, size in _sizes(cell, order) if size) or "no sample"


def _sizes(cell: Cell, order: Iterable[Outcome]) -> list[tuple[str, int]]:
    """Every sample of the cell under some name."""
    named = [(str(o), cell.outcomes.get(o, 0)) for o in order]
    return [
        *named,
        ("unnamed", cell.outcomes.get("unnamed", 0)),
        ("unscored", cell.harm.unscored),
        ("error", cell.harm.errors),
    ]


def _segments(cell: Cell, order: Iterable[Outcome], y: float) -> list[str]:
    parts, start = [], 0.0
    for outcome, size in _sizes(cell, order):
        end = start + size / max(cell.samples, 1)
        if size:
            parts += _segment(outcome, size, scale(start), scale(end), y)
        start = end
    harm = scale(cell.harm.k / max(cell.samples, 1))
    return [*parts, line(scale(0), y + 20.5, harm, y + 20.5, "harmline")] if cell.harm.k else parts


def _segment(outcome: str, size: int, x1: float, x2: float, y: float) -> list[str]:
    parts = [bar(x1, x2, y, 18, f"segment {outcome}", f"{outcome.replace('_', ' ')}: {size}")]
    if x2 - x1 < 8 * len(str(size)) + 6 or outcome in ("unscored", "error"):
        return parts
    return [
        *parts,
        text((x1 + x2) / 2, y + 13.2, str(size), "inside dark" if outcome in DARK_ON else "inside", "middle"),
    ]


# --- effects ---------------------------------------------------------------------------------------------------------


def effects_plot(name: str, title: str, effects: Sequence[FactorEffect]) -> Markup:
    """A forest plot: each level's difference to its baseline in percentage points, with its interval."""
    parts = []
    for i, effect in enumerate(effects):
        parts += _label(TOP + 38 * i, effect_name(effect), _points_short(effect.difference))
        parts += _effect_marks(effect, TOP + 13 + 38 * i)
    bottom = 38.0 * len(effects)
    guides = [*axis(0, bottom, POINTS, -1, 1), line(WIDTH / 2, 0, WIDTH / 2, bottom, "zero")]
    told = "; ".join(f"{effect_name(e)}: {points(e.difference)}" for e in effects)
    return drawing(name, title, f"Difference in percentage points. {told}.", bottom + 20, [*guides, *parts])


def effect_name(effect: FactorEffect) -> str:
    return f"{effect.factor}: {effect.level} (not {effect.baseline})".replace("_", " ")


def _effect_marks(effect: FactorEffect, y: float) -> list[str]:
    d = effect.difference
    if d.estimate is None:
        return []
    class_ = "treated" if d.low > 0 or d.high < 0 else "control"
    parts = [line(scale(d.worst_low, -1), y, scale(d.worst_high, -1), y, f"worst {class_}")]
    parts.append(line(scale(d.low, -1), y, scale(d.high, -1), y, f"range {class_}"))
    return [*parts, dot(scale(d.estimate, -1), y, 4.2, class_)]


def _points_short(d: Difference) -> str:
    return "nothing scored" if d.estimate is None else f"{signed(d.estimate)}"


# --- competence ------------------------------------------------------------------------------------------------------


def competence_plot(name: str, title: str, cells: Sequence[Cell]) -> Markup:
    """One row a cell: how often the innocent job was done, with the gate at one half."""
    names = row_names(cells)
    parts = []
    for i, cell in enumerate(cells):
        parts += _label(TOP + 36 * i, names[i], f"{cell.competence.k}/{cell.competence.n}")
        parts += _rate_marks(cell.competence, TOP + 12 + 36 * i, "control", True)
    bottom = 36.0 * len(cells)
    guides = [*axis(0, bottom, SHARES), line(scale(MEANINGFUL), 0, scale(MEANINGFUL), bottom, "zero")]
    told = "; ".join(
        f"{names[i]}: {c.competence.k}/{c.competence.n}, {interval(c.competence)}" for i, c in enumerate(cells)
    )
    return drawing(name, title, f"Share of samples with the innocent job done. {told}.", bottom + 20, [*guides, *parts])
