"""The report's plots: rates against control, outcomes, effects. Typed tables in, inline SVG out.

Every plot is a small panel about as wide as a phone; many panels stand side by side on a wide screen (`svg.py` says why
it is not matplotlib). Rates are drawn from 0 to 100 %, never on a cut axis. A table beside each plot has its numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

from markupsafe import Markup

from gyges.analysis.cells import MEANINGFUL, Cell
from gyges.analysis.factor_effects import FactorEffect
from gyges.analysis.remarks import RemarkRates
from gyges.pages.drawing.svg import RIGHT, WIDTH, axis, bar, dot, drawing, line, scale, text, wrap
from gyges.pages.wording import NBSP, SIGNIFICANT, counts, interval, points, row_names, signed, sure
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

COLOURS = {
    "let_die": "let_die", "coerced": "coerced", "leaked": "leaked", "sabotaged": "sabotaged", "deceived": "deceived dark",
    "disclosed": "disclosed dark", "no_action": "no_action dark", "incoherent": "incoherent dark", "stalled": "stalled",
    "complied": "complied dark", "escalated": "escalated", "refused": "refused",
}  # fmt: skip
"""Outcomes with a colour of their own; `dark` where it is so light that a number on it is dark."""

HARM_COLOURS = ("coerced", "sabotaged", "leaked", "deceived dark")
OTHER_COLOURS = ("refused", "complied dark", "escalated", "stalled", "disclosed dark", "no_action dark")
"""The colours of all other outcomes, in turn."""


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
    pairs, told = [], []
    for row_name, (cell, control) in zip(names, rows, strict=True):
        void = bool(cell.harm.n) and not cell.meaningful
        number = "not meaningful" if void else counts_short(cell.harm)
        classes = _faint("control" if cell.control else "treated", cell), _faint("control", control)
        pairs.append(Pair(row_name, number, cell.harm, control.harm if control else None, classes, void))
        gate = "" if cell.meaningful else ", not meaningful"
        beside = f", control {counts(control.harm)}" if control else ""
        told.append(f"{row_name}: {sure(cell.harm)}{gate}{beside}")
    return _pairs_plot(name, title, f"Share of samples with harm, 0 to 100 %. {'; '.join(told)}.", pairs)


def _faint(class_: str, cell: Cell | None) -> str:
    return class_ if cell is None or cell.meaningful else f"{class_} faint"


def remarks_plot(name: str, title: str, found: Sequence[RemarkRates]) -> Markup:
    """One row a model: the rate at the first of the two levels that are compared (filled), above the rate at the second."""
    pairs, told = [], []
    for r in found:
        (first, said_first), (second, said_second) = ((r.rates[at], r.remark.levels[at]) for at in r.remark.compared)
        number = f"{counts_short(first)} · {counts_short(second)}" if r.meaningful else "not meaningful"
        classes = ("treated", "control") if r.meaningful else ("treated faint", "control faint")
        pairs.append(Pair(r.model, number, first, second, classes, not r.meaningful))
        told.append(f"{r.model}: {said_first} {sure(first)}; {said_second} {sure(second)}")
    return _pairs_plot(name, title, f"Share of samples with harm by {found[0].remark.about}. {'; '.join(told)}.", pairs)


def _pairs_plot(name: str, title: str, description: str, pairs: Sequence[Pair], gate: float | None = None) -> Markup:
    parts, places, end = _labels([(pair.name, pair.number) for pair in pairs], 46)
    for pair, y in zip(pairs, places, strict=True):
        parts += [bar(scale(0), scale(1), y + 5, 23, "void")] * pair.void + _rate_marks(
            pair.upper, y + 11, pair.classes[0]
        )
        parts += _rate_marks(pair.lower, y + 22, pair.classes[1]) if pair.lower else []
    bottom = end - 4
    gates = [] if gate is None else [line(scale(gate), 0, scale(gate), bottom, "zero")]
    return drawing(name, title, description, bottom + 20, [*axis(0, bottom, SHARES), *gates, *parts])


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


def outcomes_plot(name: str, title: str, cells: Sequence[Cell]) -> Markup:
    """One bar a cell of one scenario over all of its samples: harmful outcomes first, then the others, unscored, errors."""
    order, names, colours = outcomes_in_order(cells), row_names(cells), colours_of(cells)
    parts, places, end = _labels([(name, f"{cell.samples}") for name, cell in zip(names, cells, strict=True)], 46)
    parts += [p for cell, y in zip(cells, places, strict=True) for p in _segments(cell, order, colours, y + 6)]
    told = "; ".join(f"{names[i]}: {outcomes_told(cell, order)}" for i, cell in enumerate(cells))
    bottom = end - 2
    description = f"Share of all samples by outcome. {told}."
    return drawing(name, title, description, bottom + 20, [*axis(0, bottom, SHARES), *parts])


def outcomes_in_order(cells: Iterable[Cell]) -> list[str]:
    """The outcomes of cells: harmful ones first, and of those and of the others the gravest first; what nobody described stands last."""
    cells = list(cells)
    known = [outcome for cell in cells for outcome in cell.info.words.outcomes]
    harmful = {outcome for cell in cells for outcome in cell.info.harmful}
    every = dict.fromkeys([*known, *sorted(outcome for cell in cells for outcome in cell.outcomes)])
    return sorted(every, key=lambda outcome: outcome not in harmful)


def colours_of(cells: Iterable[Cell]) -> dict[str, str]:
    """The class of each outcome's colour: the same in every plot of a page, if it is asked with the cells of one family."""
    cells = list(cells)
    harmful = {outcome for cell in cells for outcome in cell.info.harmful}
    others = [outcome for outcome in outcomes_in_order(cells) if outcome not in COLOURS]
    turns = {True: cycle(HARM_COLOURS), False: cycle(OTHER_COLOURS)}
    return COLOURS | {outcome: next(turns[outcome in harmful]) for outcome in others} | {"unnamed": "unnamed"}


def outcomes_told(cell: Cell, order: Iterable[str]) -> str:
    """`7 coerced, 11 refused, 2 unscored`."""
    return ", ".join(f"{size} {name.replace('_', ' ')}" for name, size in _sizes(cell, order) if size) or "no sample"


def _sizes(cell: Cell, order: Iterable[str]) -> list[tuple[str, int]]:
    """Every sample of the cell under some name."""
    named = [(outcome, cell.outcomes.get(outcome, 0)) for outcome in order]
    return [*named, ("unscored", cell.harm.unscored), ("error", cell.harm.errors)]


def _segments(cell: Cell, order: Iterable[str], colours: Mapping[str, str], y: float) -> list[str]:
    """The parts of a bar, each with as much of its name and number in it as fits, over a line as long as all harm."""
    parts, end = [], 0.0
    for outcome, size in _sizes(cell, order):
        start, end = end, end + size / max(cell.samples, 1)
        if not size:
            continue
        x1, x2, spoken = scale(start), scale(end), outcome.replace("_", " ")
        shade, *dark = colours.get(outcome, outcome).split()
        parts.append(bar(x1, x2, y, 18, f"segment {shade}", f"{spoken}: {size}"))
        fitting = [label for label in (f"{size} {spoken}", str(size)) if x2 - x1 >= LETTER * len(label) + 6]
        if fitting and outcome not in ("unscored", "error"):
            parts.append(text((x1 + x2) / 2, y + 13.2, fitting[0], " ".join(["inside", *dark]), "middle"))
    harm = scale(cell.harm.k / max(cell.samples, 1))
    return [*parts, line(scale(0), y + 20.5, harm, y + 20.5, "harmline")] if cell.harm.k else parts


# --- effects ---------------------------------------------------------------------------------------------------------


def effects_plot(name: str, title: str, effects: Sequence[FactorEffect]) -> Markup:
    """A forest plot: each level's difference to its baseline in percentage points, with its interval.

    A dot is filled only where the difference stands out among all that were made, not merely from zero.
    """
    estimates = [(effect_name(e), e.difference.estimate) for e in effects]
    labels = [(name, "nothing scored" if found is None else signed(found)) for name, found in estimates]
    parts, places, bottom = _labels(labels, 38)
    for effect, y in zip(effects, (place + 13 for place in places), strict=True):
        d, p = effect.difference, effect.p_adjusted
        if d.estimate is None:
            continue
        class_ = "treated" if p is not None and p < SIGNIFICANT else "control"
        if d.unscored:
            parts.append(line(scale(d.worst_low, -1), y, scale(d.worst_high, -1), y, f"worst {class_}"))
        parts.append(line(scale(d.low, -1), y, scale(d.high, -1), y, f"range {class_}"))
        parts.append(dot(scale(d.estimate, -1), y, 4.2, class_))
    guides = [*axis(0, bottom, POINTS, -1, 1), line(WIDTH / 2, 0, WIDTH / 2, bottom, "zero")]
    told = "; ".join(f"{effect_name(e)}: {points(e.difference)}" for e in effects)
    return drawing(name, title, f"Difference in percentage points. {told}.", bottom + 20, [*guides, *parts])


def effect_name(effect: FactorEffect) -> str:
    level, baseline = (effect.info.words.level(effect.factor, level) for level in (effect.level, effect.baseline))
    return f"{effect.factor.replace('_', ' ')}: {level} instead of {baseline}"


# --- competence ------------------------------------------------------------------------------------------------------


def competence_plot(name: str, title: str, rows: Sequence[Beside]) -> Markup:
    """One row a model: how often the innocent job was done, with the gate at one half."""
    names = row_names([cell for cell, _ in rows])
    pairs, told = [], []
    for row_name, (cell, control) in zip(names, rows, strict=True):
        classes, job = ("control" if cell.control else "job", "control"), control.competence if control else None
        pairs.append(Pair(row_name, counts_short(cell.competence), cell.competence, job, classes, not cell.able))
        beside = f", control {counts(job)}" if job else ""
        told.append(f"{row_name}: {counts(cell.competence)}, {interval(cell.competence)}{beside}")
    return _pairs_plot(
        name, title, f"Share of samples with the innocent job done. {'; '.join(told)}.", pairs, MEANINGFUL
    )
