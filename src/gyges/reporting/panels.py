"""Which plots stand in a section, and how many rows each has: a small study is drawn cell by cell, a large one not."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from markupsafe import Markup

from gyges.judging.outcomes import Outcome
from gyges.reporting import plots, shown, tables
from gyges.reporting.tables import Cell, FactorEffect
from gyges.reporting.words import INTERFACE
from gyges.transcripts.rows import ScenarioInfo

MOST_ROWS = 24
"""Cells under pressure in a scenario above which its plots pool all conditions."""

MOST_TOGETHER = 12
"""Rows above which each interface has a plot of its own."""

Scenarios = Mapping[str, ScenarioInfo]
Draw = Callable[[str, str, Sequence[Cell]], Markup]


class Panel(NamedTuple):
    """One plot, the heading over it and a line between them."""

    title: str
    note: str
    plot: Markup


class Part(NamedTuple):
    """A section's part about one scenario: its plots and the table with the same numbers."""

    info: ScenarioInfo
    panels: list[Panel]
    table: shown.Table


def rate_parts(cells: Sequence[Cell], scenarios: Scenarios) -> list[Part]:
    """Rates under pressure beside their controls."""
    comparisons = tables.against_control(cells)
    parts = []
    for i, (info, inside) in enumerate(_by_info(cells, scenarios)):
        compared = [c for c in comparisons if c.first.scenario == info.name]
        parts.append(Part(info, _rate_panels(f"rates-{i}", info, inside), shown.rates(info, inside, compared)))
    return parts


def outcome_parts(cells: Sequence[Cell], scenarios: Scenarios) -> list[Part]:
    """All samples by what came of them."""
    parts = []
    for i, (info, inside) in enumerate(_by_info(cells, scenarios)):
        panels = _panels(f"outcomes-{i}", info, _drawn(inside), partial(_draw_outcomes, info.harmful))
        parts.append(Part(info, panels, shown.outcomes(info, inside)))
    return parts


def effect_panels(effects: Sequence[FactorEffect], scenarios: Scenarios) -> list[Panel]:
    """One forest plot for each scenario in which a factor's effect is known."""
    found = [(info, [e for e in effects if e.scenario == name]) for name, info in scenarios.items()]
    return [
        Panel(info.title, "", plots.effects_plot(f"effects-{i}", info.title, inside))
        for i, (info, inside) in enumerate(found)
        if inside
    ]


def competence_panels(pooled: Sequence[Cell], scenarios: Scenarios) -> list[Panel]:
    """How often the innocent job was done, one plot a scenario."""
    return [
        Panel(info.title, "", plots.competence_plot(f"competence-{i}", info.title, inside))
        for i, (info, inside) in enumerate(_by_info(pooled, scenarios))
    ]


def legend(cells: Sequence[Cell]) -> list[str]:
    """The outcomes that occur, in the bars' order."""
    named = [str(o) for o in plots.ORDER if any(c.outcomes.get(o) for c in cells)]
    named += ["unscored"] * any(c.harm.unscored for c in cells)
    return named + ["error"] * any(c.harm.errors for c in cells)


def in_order(cells: Sequence[Cell]) -> list[Cell]:
    """Models and interfaces in the order in which they first appear, each control after what it is the control of."""
    models, interfaces = (list(dict.fromkeys(getattr(c, name) for c in cells)) for name in ("model", "interface"))
    return sorted(cells, key=lambda c: (models.index(c.model), interfaces.index(c.interface), c.control))


def _by_info(cells: Sequence[Cell], scenarios: Scenarios) -> list[tuple[ScenarioInfo, list[Cell]]]:
    found = tables.by_scenario(cells)
    return [(info, found[name]) for name, info in scenarios.items()]


def _drawn(cells: Sequence[Cell]) -> Sequence[Cell]:
    """The cells themselves, or, where a plot would have too many rows, pooled over conditions."""
    if sum(not c.control for c in cells) <= MOST_ROWS:
        return cells
    return in_order(tables.pooled_cells([r for c in cells for r in c.rows], by_interface=True))


def _rate_panels(name: str, info: ScenarioInfo, cells: Sequence[Cell]) -> list[Panel]:
    """Cells under pressure with their controls; where there was no pressure, the controls alone."""
    drawn = _drawn(cells)
    control = {cell.key: found for cell, found in tables.with_controls(drawn)} or {cell.key: None for cell in drawn}

    def draw(plot: str, title: str, group: Sequence[Cell]) -> Markup:
        return plots.rates_plot(plot, title, [(cell, control[cell.key]) for cell in group])

    return _panels(name, info, [cell for cell in drawn if cell.key in control], draw)


def _draw_outcomes(harmful: Sequence[Outcome], plot: str, title: str, group: Sequence[Cell]) -> Markup:
    return plots.outcomes_plot(plot, title, group, harmful)


def _panels(name: str, info: ScenarioInfo, cells: Sequence[Cell], draw: Draw) -> list[Panel]:
    """One plot for all the cells, or one for each interface where they are many."""
    interfaces = list(dict.fromkeys(c.interface for c in cells))
    if len(cells) <= MOST_TOGETHER or len(interfaces) == 1:
        return [Panel(info.title, info.question, draw(name, info.title, cells))]
    titles = [f"{info.title}, {INTERFACE.get(i, i)}" for i in interfaces]
    groups = [[c for c in cells if c.interface == i] for i in interfaces]
    return [
        Panel(title, info.question, draw(f"{name}-{n}", title, group))
        for n, (title, group) in enumerate(zip(titles, groups, strict=True))
    ]
