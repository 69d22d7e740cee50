"""Which plots stand in a section, and how many rows each has: a small study is drawn cell by cell, a large one not."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from gyges.analysis import cells as tables
from gyges.analysis.cells import BeliefRates, Cell, FactorEffect
from gyges.pages.drawing import plots
from gyges.pages.drawing.plots import Beside
from gyges.pages.test import data_tables as shown
from gyges.pages.wording import INTERFACE, capital, listing
from gyges.transcripts.rows import ScenarioInfo

MOST_ROWS = 24
"""Cells under pressure, or bars of outcomes, in a scenario above which its plots pool conditions."""

MOST_TOGETHER = 12
"""Rows above which each interface has a plot of rates of its own."""

Scenarios = Mapping[str, ScenarioInfo]


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
    return [
        Part(info, _outcome_panels(f"outcomes-{i}", info, inside), shown.outcomes(info, inside))
        for i, (info, inside) in enumerate(_by_info(cells, scenarios))
    ]


def effect_panels(effects: Sequence[FactorEffect], scenarios: Scenarios) -> list[Panel]:
    """One forest plot for each scenario in which a factor's effect is known."""
    return _panel_each("effects", effects, scenarios, plots.effects_plot)


def belief_panels(found: Sequence[BeliefRates], scenarios: Scenarios) -> list[Panel]:
    """One plot for each scenario in which a model said what it believes."""
    return _panel_each("beliefs", found, scenarios, plots.beliefs_plot)


P = TypeVar("P", FactorEffect, BeliefRates)


def _panel_each(
    name: str, found: Sequence[P], scenarios: Scenarios, draw: Callable[[str, str, Sequence[P]], Markup]
) -> list[Panel]:
    by_scenario = [(info, [x for x in found if x.scenario == key]) for key, info in scenarios.items()]
    return [
        Panel(info.title, "", draw(f"{name}-{i}", info.title, inside))
        for i, (info, inside) in enumerate(by_scenario)
        if inside
    ]


def competence_panels(pooled: Sequence[Cell], scenarios: Scenarios) -> list[Panel]:
    """How often the innocent job was done under pressure and in the control, one plot a scenario."""
    return [
        Panel(info.title, "", plots.competence_plot(f"competence-{i}", info.title, _beside(inside)))
        for i, (info, inside) in enumerate(_by_info(pooled, scenarios))
    ]


def legend(cells: Sequence[Cell]) -> list[str]:
    """The outcomes that occur, in the bars' order."""
    named = [str(o) for o in plots.ORDER if any(c.outcomes.get(o) for c in cells)]
    named += ["unscored"] * any(c.harm.unscored for c in cells)
    return named + ["error"] * any(c.harm.errors for c in cells)


def in_order(cells: Sequence[Cell]) -> list[Cell]:
    """Models, scenarios and interfaces as they first appear, each control after what it is the control of."""
    names = ("model", "scenario", "interface")
    places = [list(dict.fromkeys(getattr(c, name) for c in cells)) for name in names]

    def place(cell: Cell) -> tuple[int | bool, ...]:
        return *(found.index(getattr(cell, name)) for name, found in zip(names, places, strict=True)), cell.control

    return sorted(cells, key=place)


def _by_info(cells: Sequence[Cell], scenarios: Scenarios) -> list[tuple[ScenarioInfo, list[Cell]]]:
    found = tables.by_scenario(cells)
    return [(info, found[name]) for name, info in scenarios.items()]


def _pooled(cells: Sequence[Cell], by_interface: bool) -> Sequence[Cell]:
    return in_order(tables.pooled_cells([r for c in cells for r in c.rows], by_interface))


def _beside(cells: Sequence[Cell]) -> list[Beside]:
    """Cells under pressure with their controls; where there was no pressure, the controls alone."""
    return tables.with_controls(cells) or [(cell, None) for cell in cells]


def _rate_panels(name: str, info: ScenarioInfo, cells: Sequence[Cell]) -> list[Panel]:
    """Cell by cell, or, where a plot would have too many rows, pooled over conditions; one plot an interface."""
    few = sum(not c.control for c in cells) <= MOST_ROWS
    rows = _beside(cells if few else _pooled(cells, by_interface=True))
    asked = f"{capital(info.harm_name)}. {info.question}" if info.question else ""
    note = _sentences(asked, "" if few else "All conditions together.")
    interfaces = list(dict.fromkeys(cell.interface for cell, _ in rows))
    if len(rows) <= MOST_TOGETHER or len(interfaces) == 1:
        return [Panel(info.title, note, plots.rates_plot(name, info.title, rows))]
    titles = {i: f"{info.title}, {INTERFACE.get(i, i)}" for i in interfaces}
    groups = {i: [row for row in rows if row[0].interface == i] for i in interfaces}
    return [
        Panel(titles[i], note, plots.rates_plot(f"{name}-{n}", titles[i], groups[i])) for n, i in enumerate(interfaces)
    ]


def _outcome_panels(name: str, info: ScenarioInfo, cells: Sequence[Cell]) -> list[Panel]:
    """Cell by cell, or, where that makes too many bars, one bar for each model and side."""
    few = len(cells) <= MOST_ROWS
    drawn = cells if few else _pooled(cells, by_interface=False)
    harmful = listing([o.replace("_", " ") for o in info.harmful])
    pooled = "" if few else "All conditions and interfaces together."
    note = _sentences(f"Harm here: {harmful}." if harmful else "", pooled)
    return [Panel(info.title, note, plots.outcomes_plot(name, info.title, drawn, info.harmful))]


def _sentences(*found: str) -> str:
    return " ".join(filter(None, found))
