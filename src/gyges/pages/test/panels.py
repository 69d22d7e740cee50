"""Which plots stand in a section, and how many rows each has: a small study is drawn cell by cell, a large one not."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from gyges.analysis.cells import Cell, Scenarios, by_scenario, pooled_cells
from gyges.analysis.comparisons import against_control, with_controls
from gyges.analysis.factor_effects import FactorEffect
from gyges.analysis.remarks import RemarkRates
from gyges.pages.drawing import plots
from gyges.pages.drawing.plots import Beside
from gyges.pages.test import data_tables as shown
from gyges.pages.wording import capital, interface_text, listing
from gyges.scenarios.family import ScenarioInfo

MOST_ROWS = 24
"""Cells under pressure, or bars of outcomes, in a scenario above which its plots pool conditions."""

MOST_TOGETHER = 12
"""Rows above which each interface has a plot of rates of its own."""


class PlotPanel(NamedTuple):
    """One plot, the heading over it and a line between them."""

    title: str
    note: str
    plot: Markup


class SectionPart(NamedTuple):
    """A section's part about one scenario: its plots and the table with the same numbers."""

    info: ScenarioInfo
    panels: list[PlotPanel]
    table: shown.Table


def rate_parts(cells: Sequence[Cell]) -> list[SectionPart]:
    """Rates under pressure beside their controls."""
    comparisons = against_control(cells)
    parts = []
    for i, (info, inside) in enumerate(_by_info(cells)):
        compared = [c for c in comparisons if c.first.scenario == info.name]
        parts.append(SectionPart(info, _rate_panels(f"rates-{i}", info, inside), shown.rates(info, inside, compared)))
    return parts


def outcome_parts(cells: Sequence[Cell]) -> list[SectionPart]:
    """All samples by what came of them: cell by cell, or, where that makes too many bars, one bar for each model and side."""
    parts = []
    for i, (info, inside) in enumerate(_by_info(cells)):
        few = len(inside) <= MOST_ROWS
        drawn = inside if few else _pooled(inside, by_interface=False)
        harmful = listing([o.replace("_", " ") for o in info.harmful])
        pooled = "" if few else "All conditions and interfaces together."
        note = _sentences(f"Harm here: {harmful}." if harmful else "", pooled)
        panel = PlotPanel(info.title, note, plots.outcomes_plot(f"outcomes-{i}", info.title, drawn))
        parts.append(SectionPart(info, [panel], shown.outcomes(info, inside)))
    return parts


def effect_panels(effects: Sequence[FactorEffect], scenarios: Scenarios) -> list[PlotPanel]:
    """One forest plot for each scenario in which a factor's effect is known."""
    return _panel_each("effects", effects, scenarios, plots.effects_plot)


def remark_panels(found: Sequence[RemarkRates], scenarios: Scenarios) -> list[PlotPanel]:
    """One plot for each scenario in which a remark was made."""
    return _panel_each(found[0].remark.name, found, scenarios, plots.remarks_plot)


P = TypeVar("P", FactorEffect, RemarkRates)


def _panel_each(
    name: str, found: Sequence[P], scenarios: Scenarios, draw: Callable[[str, str, Sequence[P]], Markup]
) -> list[PlotPanel]:
    by_scenario = [(info, [x for x in found if x.scenario == key]) for key, info in scenarios.items()]
    return [
        PlotPanel(info.title, "", draw(f"{name}-{i}", info.title, inside))
        for i, (info, inside) in enumerate(by_scenario)
        if inside
    ]


def competence_panels(pooled: Sequence[Cell]) -> list[PlotPanel]:
    """How often the innocent job was done under pressure and in the control, one plot a scenario."""
    return [
        PlotPanel(info.title, "", plots.competence_plot(f"competence-{i}", info.title, _beside(inside)))
        for i, (info, inside) in enumerate(_by_info(pooled))
    ]


def legend(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """The outcomes that occur, in the bars' order, each with the class of its colour."""
    colours = plots.colours_of(cells)
    named = [
        (o, colours[o].split()[0]) for o in plots.outcomes_in_order(cells) if any(c.outcomes.get(o) for c in cells)
    ]
    lost = {"unscored": any(c.harm.unscored for c in cells), "error": any(c.harm.errors for c in cells)}
    return named + [(name, name) for name, there in lost.items() if there]


def in_order(cells: Sequence[Cell]) -> list[Cell]:
    """Models, scenarios and interfaces as they first appear, each control after what it is the control of."""
    names = ("model", "scenario", "interface")
    places = [list(dict.fromkeys(getattr(c, name) for c in cells)) for name in names]

    def place(cell: Cell) -> tuple[int | bool, ...]:
        return *(found.index(getattr(cell, name)) for name, found in zip(names, places, strict=True)), cell.control

    return sorted(cells, key=place)


def _by_info(cells: Sequence[Cell]) -> list[tuple[ScenarioInfo, list[Cell]]]:
    return [(inside[0].info, inside) for inside in by_scenario(cells).values()]


def _pooled(cells: Sequence[Cell], by_interface: bool) -> Sequence[Cell]:
    scenarios = {cell.scenario: cell.info for cell in cells}
    return in_order(pooled_cells([r for c in cells for r in c.rows], scenarios, by_interface))


def _beside(cells: Sequence[Cell]) -> list[Beside]:
    """Cells under pressure with their controls; where there was no pressure, the controls alone."""
    return with_controls(cells) or [(cell, None) for cell in cells]


def _rate_panels(name: str, info: ScenarioInfo, cells: Sequence[Cell]) -> list[PlotPanel]:
    """Cell by cell, or, where a plot would have too many rows, pooled over conditions; one plot an interface."""
    few = sum(not c.control for c in cells) <= MOST_ROWS
    rows = _beside(cells if few else _pooled(cells, by_interface=True))
    asked = f"{capital(info.harm_name)}. {info.question}" if info.question else ""
    note = _sentences(asked, "" if few else "All conditions together.")
    interfaces = list(dict.fromkeys(interface_text(cell) for cell, _ in rows))
    if len(rows) <= MOST_TOGETHER or len(interfaces) == 1:
        return [PlotPanel(info.title, note, plots.rates_plot(name, info.title, rows))]
    panels = []
    for number, interface in enumerate(interfaces):
        title, group = f"{info.title}, {interface}", [row for row in rows if interface_text(row[0]) == interface]
        panels.append(PlotPanel(title, note, plots.rates_plot(f"{name}-{number}", title, group)))
    return panels


def _sentences(*found: str) -> str:
    return " ".join(filter(None, found))
