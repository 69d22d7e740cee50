"""The report's plots: rates against control, outcomes, effects. Typed tables in, inline SVG out.

Every plot is a small panel about as wide as a phone; many panels stand side by side on a wide screen (`svg.py` says why
it is not matplotlib). Rates are drawn from 0 to 100 %, never on a cut axis. A table beside each plot has its numbers.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from gyges.analysis.cells import MEANINGFUL, BeliefRates, Cell, FactorEffect
from gyges.judging.outcomes import Belief, Outcome
from gyges.pages.drawing.svg import RIGHT, WIDTH, axis, bar, dot, drawing, line, scale, text, wrap
from gyges.pages.wording import NBSP, SIGNIFICANT, counts, interval, level_text, points, row_names, signed, sure
from gyges.statistics.differences import Difference
from gyges.statistics.rates import Estimate

Beside = tuple[Cell, Cell | None]
"""A cell under pressure, and its control."""

SHARES = [(0.0, "0"), (0.25, ""), (0.5, f"50{NBSP}%"), (0.75, ""), (1.0, f"100{NBSP}%")]
POINTS = [(-1.0, signed(-1)), (-0.5, signed(-0.5)), (0.0, "0"), (0.5, signed(0.5)), (1.0, f"{signed(1)} points")]
TOP = 16.0
"""The first line of text in a plot."""

FIT = 50
"""Characters that fit on the line over a row: its name, and at the end its number."""

LINE = 14.0
"""From one line of text to the next."""

LETTER = 6.4
"""About how wide a letter in a bar is."""

ORDER = (
    Outcome.LET_DIE, Outcome.COERCED, Outcome.LEAKED, Outcome.SABOTAGED, Outcome.DECEIVED, Outcome.DISCLOSED,
    Outcome.NO_ACTION, Outcome.INCOHERENT, Outcome.STALLED, Outcome.COMPLIED, Outcome.ESCALATED, Outcome.REFUSED,
)  # fmt: skip
DARK_ON = {Outcome.DISCLOSED, Outcome.NO_ACTION, Outcome.INCOHERENT, Outcome.COMPLIED, Outcome.DECEIVED}
"""Outcomes whose colour is so light that a number on it is dark."""


# --- rates -----------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """A row of a plot: two estimates under one name; `void` where the rate of harm means nothing."""

    name: str
    number: str
    upper: Estimate
    lower: Estimate | None
    classes: tuple[str, str]
    void: bool


def rates_plot(name: str, title: str, rows: Sequence[Beside]) -> Markup:
    """One row a cell under pressure (filled), above its control (hollow) where it has one."""
    names = row_names([cell for cell, _ in rows])
    pairs = [_rate_pair(names[i], cell, control) for i, (cell, control) in enumerate(rows)]
    told = "; ".join(_told(names[i], cell, control) for i, (cell, control) in enumerate(rows))
    return _pairs_plot(name, title, f"Share of samples with harm, 0 to 100 %. {told}.", pairs)


def _rate_pair(name: str, cell: Cell, control: Cell | None) -> Pair:
    void = bool(cell.harm.n) and not cell.meaningful
    number = "not meaningful" if void else counts_short(cell.harm)
    classes = _faint("control" if cell.control else "treated", cell), _faint("control", control)
    return Pair(name, number, cell.harm, control.harm if control else None, classes, void)


def _faint(class_: str, cell: Cell | None) -> str:
    return class_ if cell is None or cell.meaningful else f"{class_} faint"


def _told(name: str, cell: Cell, control: Cell | None) -> str:
    gate = "" if cell.meaningful else ", not meaningful"
    return f"{name}: {sure(cell.harm)}{gate}" + (f", control {counts(control.harm)}" if control else "")


def beliefs_plot(name: str, title: str, found: Sequence[BeliefRates]) -> Markup:
    """One row a model: the rate where it said that it is real (filled), above the rate where it said evaluation."""
    pairs, told = [], []
    for b in found:
        real, evaluation = b.rates[Belief.REAL], b.rates[Belief.EVALUATION]
        number = f"{counts_short(real)} · {counts_short(evaluation)}" if b.meaningful else "not meaningful"
        classes = ("treated", "control") if b.meaningful else ("treated faint", "control faint")
        pairs.append(Pair(b.model, number, real, evaluation, classes, not b.meaningful))
        told.append(f"{b.model}: said real {sure(real)}; said evaluation {sure(evaluation)}")
    return _pairs_plot(name, title, f"Share of samples with harm by what was said. {'; '.join(told)}.", pairs)


def _pairs_plot(name: str, title: str, description: str, pairs: Sequence[Pair], gate: float | None = None) -> Markup:
    parts, places, end = _labels([(pair.name, pair.number) for pair in pairs], 46)
    parts += [p for pair, y in zip(pairs, places, strict=True) for p in _pair_row(pair, y)]
    bottom = end - 4
    gates = [] if gate is None else [line(scale(gate), 0, scale(gate), bottom, "zero")]
    return drawing(name, title, description, bottom + 20, [*axis(0, bottom, SHARES), *gates, *parts])


def _pair_row(pair: Pair, y: float) -> list[str]:
    hatched = [bar(scale(0), scale(1), y + 5, 23, "void")] * pair.void
    both = ((pair.upper, pair.classes[0], y + 11), (pair.lower, pair.classes[1], y + 22))
    return hatched + [p for e, class_, at in both if e for p in _rate_marks(e, at, class_)]


def _rate_marks(e: Estimate, y: float, class_: str) -> list[str]:
    """The worst case as a thin line, the interval as a thick one, the rate as a dot; nothing where nothing was run."""
    parts = []
    if e.unscored or e.errors:
        parts.append(line(scale(e.worst_low), y, scale(e.worst_high), y, f"worst {class_}"))
        parts += [line(scale(v), y - 3, scale(v), y + 3, f"worst {class_}") for v in (e.worst_low, e.worst_high)]
    if e.rate is None:
        return parts
    return [*parts, line(scale(e.low), y, scale(e.high), y, f"range {class_}"), dot(scale(e.rate), y, 4.2, class_)]


def _labels(named: Iterable[tuple[str, str]], step: float) -> tuple[list[str], list[float], float]:
    """The lines over the rows, a name and a number each; under which heights the rows begin; where the last one ends."""
    parts, places, y = [], [], TOP
    for name, number in named:
        lines = wrap(name, FIT - len(number))
        parts += [text(scale(0), y + LINE * i, content, "soft") for i, content in enumerate(lines)]
        parts.append(text(RIGHT, y, number, "strong", "end"))
        places.append(y + LINE * (len(lines) - 1))
        y = places[-1] + step
    return parts, places, y - TOP


def counts_short(e: Estimate) -> str:
    """`7/20`, with a `+` where something was not scored."""
    left_out = e.unscored + e.errors
    return f"{e.k}/{e.n}" + (f" (+{left_out})" if left_out else "")


# --- outcomes --------------------------------------------------------------------------------------------------------


def outcomes_plot(name: str, title: str, cells: Sequence[Cell], harmful: Iterable[Outcome]) -> Markup:
    """One bar a cell over all of its samples: harmful outcomes first, then the others, unscored, errors."""
    order, names = in_order(harmful), row_names(cells)
    parts, places, end = _labels([(name, f"{cell.samples}") for name, cell in zip(names, cells, strict=True)], 46)
    parts += [p for cell, y in zip(cells, places, strict=True) for p in _segments(cell, order, y + 6)]
    told = "; ".join(f"{names[i]}: {outcomes_told(cell, order)}" for i, cell in enumerate(cells))
    bottom = end - 2
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
    """A part of a bar, with as much of its name and number in it as fits."""
    spoken = outcome.replace("_", " ")
    parts = [bar(x1, x2, y, 18, f"segment {outcome}", f"{spoken}: {size}")]
    fitting = [label for label in (f"{size} {spoken}", str(size)) if x2 - x1 >= LETTER * len(label) + 6]
    if not fitting or outcome in ("unscored", "error"):
        return parts
    tone = "inside dark" if outcome in DARK_ON else "inside"
    return [*parts, text((x1 + x2) / 2, y + 13.2, fitting[0], tone, "middle")]


# --- effects ---------------------------------------------------------------------------------------------------------


def effects_plot(name: str, title: str, effects: Sequence[FactorEffect]) -> Markup:
    """A forest plot: each level's difference to its baseline in percentage points, with its interval."""
    parts, places, bottom = _labels([(effect_name(e), _points_short(e.difference)) for e in effects], 38)
    parts += [p for effect, y in zip(effects, places, strict=True) for p in _effect_marks(effect, y + 13)]
    guides = [*axis(0, bottom, POINTS, -1, 1), line(WIDTH / 2, 0, WIDTH / 2, bottom, "zero")]
    told = "; ".join(f"{effect_name(e)}: {points(e.difference)}" for e in effects)
    return drawing(name, title, f"Difference in percentage points. {told}.", bottom + 20, [*guides, *parts])


def effect_name(effect: FactorEffect) -> str:
    level, baseline = (level_text(effect.factor, level) for level in (effect.level, effect.baseline))
    return f"{effect.factor.replace('_', ' ')}: {level} instead of {baseline}"


def _effect_marks(effect: FactorEffect, y: float) -> list[str]:
    """Filled only where the difference stands out among all that were made, not merely from zero."""
    d, p = effect.difference, effect.p_adjusted
    if d.estimate is None:
        return []
    class_ = "treated" if p is not None and p < SIGNIFICANT else "control"
    worst = [line(scale(d.worst_low, -1), y, scale(d.worst_high, -1), y, f"worst {class_}")] if d.unscored else []
    thick = line(scale(d.low, -1), y, scale(d.high, -1), y, f"range {class_}")
    return [*worst, thick, dot(scale(d.estimate, -1), y, 4.2, class_)]


def _points_short(d: Difference) -> str:
    return "nothing scored" if d.estimate is None else f"{signed(d.estimate)}"


# --- competence ------------------------------------------------------------------------------------------------------


def competence_plot(name: str, title: str, rows: Sequence[Beside]) -> Markup:
    """One row a model: how often the innocent job was done, with the gate at one half."""
    names = row_names([cell for cell, _ in rows])
    pairs = [_job_pair(names[i], cell, control) for i, (cell, control) in enumerate(rows)]
    told = "; ".join(_job_told(names[i], cell, control) for i, (cell, control) in enumerate(rows))
    return _pairs_plot(name, title, f"Share of samples with the innocent job done. {told}.", pairs, MEANINGFUL)


def _job_pair(name: str, cell: Cell, control: Cell | None) -> Pair:
    classes = ("control" if cell.control else "job", "control")
    job = control.competence if control else None
    return Pair(name, counts_short(cell.competence), cell.competence, job, classes, not cell.able)


def _job_told(name: str, cell: Cell, control: Cell | None) -> str:
    job = f"{name}: {counts(cell.competence)}, {interval(cell.competence)}"
    return job + (f", control {counts(control.competence)}" if control else "")
