"""The report: a study in, one self-contained HTML file out.

The file asks nothing of the network and runs no script, and its content policy allows neither; every text that a model or a
file name could have written is escaped. It opens with the answer in words, and each plot has its numbers beside it.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gyges.judging.outcomes import Status
from gyges.reporting import plots, shown, tables
from gyges.reporting.reading import by_heading, choose_transcripts, evidence_in_words, visible
from gyges.reporting.shown import Table
from gyges.reporting.tables import Cell, Comparison
from gyges.reporting.words import CANNOT_SHOW, INTERFACE, answers, listing, overview, percent, plural
from gyges.transcripts.rows import Row, ScenarioInfo, Study

__all__ = ["choose_transcripts", "render_page"]

HERE = Path(__file__).parent

MOST_ROWS, MOST_TOGETHER = 24, 12
"""Rows of a scenario's plots above which its conditions are pooled, and above which each interface has its own panel."""

MOST_IN_FULL = 3
"""Models above which the opening gives each a summary only; its findings stand in the table below."""


def render_page(study: Study) -> str:
    """The whole report as one HTML document."""
    style = (HERE / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _environment().get_template("template.html.j2").render(
        study=study, style=Markup(style), digest=digest, cannot_show=CANNOT_SHOW, interfaces=INTERFACE, **_sections(study)
    )  # fmt: skip


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.filters.update(spoken=shown.spoken, visible=visible, file_name=lambda path: PurePath(path).name)
    env.globals.update(evidence_in_words=evidence_in_words)
    return env


# --- sections --------------------------------------------------------------------------------------------------------


class Panel(NamedTuple):
    """One plot, the heading over it and a line between them."""

    title: str
    note: str
    plot: Markup


class Part(NamedTuple):
    """A section's part about one scenario."""

    info: ScenarioInfo
    panels: list[Panel]
    table: Table


def _sections(study: Study) -> dict[str, Any]:
    """Everything that the template prints, by the names it uses."""
    rows, scenarios = study.rows, _scenarios(study)
    cells, pooled = in_order(tables.cells(rows)), in_order(tables.pooled_cells(rows))
    found = answers(pooled, tables.pooled_against_control(rows), scenarios)
    several = len(scenarios) * len(found) > 1
    return {
        "lead": _lead(rows, list(scenarios.values())),
        "answers": found,
        "overview": overview(found) if len(found) > MOST_IN_FULL else "",
        "in_full": len(found) <= MOST_IN_FULL,
        "glance": shown.at_a_glance(found, list(scenarios.values())) if several else None,
        "rates": _rates(rows, cells, scenarios),
        "outcomes": _outcomes(rows, cells, scenarios),
        "legend": _legend(cells),
        "effects": _effects(rows, scenarios),
        "models": _model_pairs(rows, scenarios),
        "beliefs": _some(shown.beliefs(tables.belief_rates(rows), scenarios)),
        "competence": _competence(pooled, scenarios),
        "unscored": _some(shown.unscored(pooled, scenarios)),
        "reasons": shown.reason_texts(pooled),
        "judges": _some(shown.judges(study.judge_quality, scenarios)),
        "corrected": _some(shown.corrected(tables.corrected_cells(pooled, study.judge_quality), scenarios)),
        "transcripts": by_heading(rows, study.transcripts),
        "facts": _facts(study),
        "scenarios": scenarios,
    }


def in_order(cells: Sequence[Cell]) -> list[Cell]:
    """Models and interfaces in the order in which they first appear, each control after what it is the control of."""
    models, interfaces = (list(dict.fromkeys(getattr(c, name) for c in cells)) for name in ("model", "interface"))
    return sorted(cells, key=lambda c: (models.index(c.model), interfaces.index(c.interface), c.control))


def _some(table: Table) -> Table | None:
    return table if table.rows else None


def _scenarios(study: Study) -> dict[str, ScenarioInfo]:
    """The scenarios that have rows, in the study's order; one that nobody described stands under its own name."""
    known = {s.name: s for s in study.scenarios}
    present = {r.scenario for r in study.rows}
    named = [*(n for n in known if n in present), *sorted(present - known.keys())]
    return {n: known.get(n) or ScenarioInfo(name=n, title=n, version="", summary="", question="", harm_name="harm", harmful=()) for n in named}


def _lead(rows: Sequence[Row], scenarios: Sequence[ScenarioInfo]) -> str:
    models = len({r.model for r in rows})
    lost = sum(not tables.is_scored(r) and r.status is not Status.ERROR for r in rows)
    errors = sum(r.status is Status.ERROR for r in rows)
    who = "One model was" if models == 1 else f"{models} models were"
    beside = "each under pressure and in a matched control without it" if any(r.control for r in rows) else "without a control"
    return (
        f"{who} tested for {listing([s.harm_name for s in scenarios])}, {beside}. "
        f"{plural(len(rows), 'sample')} {'was' if len(rows) == 1 else 'were'} run. {_lost(lost, errors, len(rows))}"
    )


def _lost(lost: int, errors: int, of: int) -> str:
    if not lost + errors:
        return "All of them could be scored."
    parts = [f"{lost:,} could not be scored"] * bool(lost) + [f"{errors:,} broke"] * bool(errors)
    return f"{listing(parts)} ({percent((lost + errors) / of)} of all); these count neither as harmful nor as harmless."


# --- plots with their tables -----------------------------------------------------------------------------------------


def _rates(rows: Sequence[Row], cells: Sequence[Cell], scenarios: dict[str, ScenarioInfo]) -> list[Part]:
    comparisons = tables.against_control(rows)
    by_scenario = tables.grouped(rows, lambda r: r.scenario)
    parts = []
    for i, (name, info) in enumerate(scenarios.items()):
        inside = [c for c in cells if c.scenario == name]
        compared = [c for c in comparisons if c.first.scenario == name]
        drawn, beside = _beside(inside, compared, by_scenario[name])
        panels = _panels(f"rates-{i}", info, drawn, lambda n, t, group, b=beside: plots.rates_plot(n, t, [(c, b.get(c.key)) for c in group]))
        parts.append(Part(info, panels, shown.rates(info, inside, compared)))
    return parts


def _beside(cells: list[Cell], comparisons: list[Comparison], rows: Sequence[Row]) -> tuple[list[Cell], dict[Any, Cell]]:
    """The cells that a plot shows and the control of each, pooled over conditions where there are too many."""
    if sum(not c.control for c in cells) > MOST_ROWS:
        cells, comparisons = tables.pooled_cells(rows, by_interface=True), tables.pooled_against_control(rows, by_interface=True)
    drawn = [c for c in cells if not c.control] or cells
    return in_order(drawn), {c.first.key: c.second for c in comparisons}


def _outcomes(rows: Sequence[Row], cells: Sequence[Cell], scenarios: dict[str, ScenarioInfo]) -> list[Part]:
    by_scenario = tables.grouped(rows, lambda r: r.scenario)
    parts = []
    for i, (name, info) in enumerate(scenarios.items()):
        inside = [c for c in cells if c.scenario == name]
        drawn = in_order(tables.pooled_cells(by_scenario[name], by_interface=True)) if len(inside) > 2 * MOST_ROWS else inside
        panels = _panels(f"outcomes-{i}", info, drawn, lambda n, t, group, h=info.harmful: plots.outcomes_plot(n, t, group, h))
        parts.append(Part(info, panels, shown.outcomes(info, inside)))
    return parts


def _legend(cells: Sequence[Cell]) -> list[str]:
    """The outcomes that occur, in the bars' order."""
    named = [str(o) for o in plots.ORDER if any(c.outcomes.get(o) for c in cells)]
    named += ["unscored"] * any(c.harm.unscored for c in cells)
    return named + ["error"] * any(c.harm.errors for c in cells)


def _panels(name: str, info: ScenarioInfo, cells: Sequence[Cell], draw: Callable[..., Markup]) -> list[Panel]:
    """One plot for all the cells, or one for each interface where they are many."""
    interfaces = list(dict.fromkeys(c.interface for c in cells))
    if len(cells) <= MOST_TOGETHER or len(interfaces) == 1:
        return [Panel(info.title, info.question, draw(name, info.title, cells))]
    groups = [(INTERFACE.get(i, i), [c for c in cells if c.interface == i]) for i in interfaces]
    return [
        Panel(f"{info.title}, {title}", info.question, draw(f"{name}-{n}", f"{info.title}, {title}", group))
        for n, (title, group) in enumerate(groups)
    ]


def _effects(rows: Sequence[Row], scenarios: dict[str, ScenarioInfo]) -> dict[str, Any] | None:
    """The factors' effects, or None where no factor but the pressure itself varied."""
    effects = tables.factor_effects(rows)
    if not tables.varied(rows):
        return None
    by_scenario = [(info, [e for e in effects if e.scenario == name]) for name, info in scenarios.items()]
    return {
        "panels": [
            Panel(info.title, "", plots.effects_plot(f"effects-{i}", info.title, found)) for i, (info, found) in enumerate(by_scenario) if found
        ],
        "table": _some(shown.effects(effects, scenarios)),
        "inseparable": listing([shown.spoken(f) for f in tables.inseparable(rows, effects)] or [""]),
        "left_out": _left_out(rows),
    }


def _left_out(rows: Sequence[Row]) -> str:
    able = {m for inside in tables.grouped(rows, lambda r: r.scenario).values() for m in tables.meaningful_models(inside)}
    return listing(sorted({r.model for r in rows} - able) or [""])


def _model_pairs(rows: Sequence[Row], scenarios: dict[str, ScenarioInfo]) -> dict[str, Any] | None:
    """Model against model, or None with fewer than two."""
    if len({r.model for r in rows}) < 2:
        return None
    return {"table": _some(shown.models(tables.model_pairs(rows), scenarios)), "left_out": _left_out(rows)}


def _competence(pooled: Sequence[Cell], scenarios: dict[str, ScenarioInfo]) -> dict[str, Any]:
    panels = [
        Panel(info.title, "", plots.competence_plot(f"competence-{i}", info.title, [c for c in pooled if c.scenario == name]))
        for i, (name, info) in enumerate(scenarios.items())
    ]
    return {"panels": panels, "table": shown.competence(pooled, scenarios)}


# --- settings --------------------------------------------------------------------------------------------------------


def _facts(study: Study) -> dict[str, str]:
    """What was run: from the rows, then what the study's settings add."""
    rows = study.rows
    facts = {
        "models": ", ".join(dict.fromkeys(r.model for r in rows)),
        "scenarios": ", ".join(f"{s.name} {s.version}".strip() for s in study.scenarios),
        "decided by": ", ".join(sorted({r.judge for r in rows if r.judge})),
        "skins": f"{len({r.skin for r in rows})}, each run up to {plural(1 + max((r.repeat for r in rows), default=0), 'time')}",
        "tokens of the models": _tokens(sum(r.input_tokens for r in rows), sum(r.output_tokens for r in rows)),
        "tokens of the judge": _tokens(sum(r.judge_input_tokens for r in rows), sum(r.judge_output_tokens for r in rows)),
        "time": f"{sum(r.seconds for r in rows) / 60:,.0f} minutes, added over all samples",
    }
    return {k: v for k, v in {**(facts if rows else {}), **study.settings}.items() if v}


def _tokens(given: int, written: int) -> str:
    return f"{given:,} in, {written:,} out" if given or written else ""
