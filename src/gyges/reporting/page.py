"""The report: a study in, one self-contained HTML file out.

The file asks nothing of the network and runs no script, and its content policy allows neither; every text that a model
or a file name could have written is escaped. It opens with the answer in words; each plot has its numbers beside it.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gyges.reporting import panels, shown, tables
from gyges.reporting.answer import CANNOT_SHOW, answers, lead, overview
from gyges.reporting.reading import by_heading, choose_transcripts, evidence_in_words, visible
from gyges.reporting.shown import Scenarios, Table
from gyges.reporting.tables import Cell
from gyges.reporting.words import INTERFACE, listing, plural
from gyges.transcripts.rows import Row, ScenarioInfo, Study

__all__ = ["choose_transcripts", "render_page"]

HERE = Path(__file__).parent

MOST_IN_FULL = 3
"""Models above which the opening gives each a summary only; its findings stand in the table above."""


def render_page(study: Study) -> str:
    """The whole report as one HTML document."""
    style = (HERE / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template("template.html.j2")
    return template.render(study=study, style=Markup(style), digest=digest, **_sections(study))


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.filters.update(spoken=shown.spoken, visible=visible, file_name=lambda path: PurePath(path).name)
    env.globals.update(evidence_in_words=evidence_in_words, cannot_show=CANNOT_SHOW, interfaces=INTERFACE)
    return env


# --- sections --------------------------------------------------------------------------------------------------------


def _sections(study: Study) -> dict[str, Any]:
    """Everything that the template prints, by the names it uses."""
    scenarios = _scenarios(study)
    cells = panels.in_order(tables.cells(study.rows))
    pooled = panels.in_order(tables.pooled_cells(study.rows))
    return {
        "scenarios": scenarios,
        **_answer(study.rows, pooled, scenarios),
        "rates": panels.rate_parts(cells, scenarios),
        "outcomes": panels.outcome_parts(cells, scenarios),
        "legend": panels.legend(cells),
        "effects": _effects(cells, scenarios),
        "models": _model_pairs(cells, scenarios),
        "beliefs": _some(shown.beliefs(tables.belief_rates(study.rows), scenarios)),
        **_foundations(study, pooled, scenarios),
        "transcripts": by_heading(study.rows, study.transcripts),
        "facts": _facts(study),
    }


def _scenarios(study: Study) -> dict[str, ScenarioInfo]:
    """The scenarios that have rows, in the study's order; one that nobody described stands under its own name."""
    known = {s.name: s for s in study.scenarios}
    present = {r.scenario for r in study.rows}
    unknown = {"version": "", "summary": "", "question": "", "harm_name": "harm", "harmful": ()}
    others = {name: ScenarioInfo(name=name, title=name, **unknown) for name in sorted(present - known.keys())}
    return {**{name: info for name, info in known.items() if name in present}, **others}


def _answer(rows: Sequence[Row], pooled: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any]:
    found = answers(pooled, tables.against_control(pooled), scenarios)
    glance = shown.at_a_glance(found, list(scenarios.values()))
    return {
        "lead": lead(rows, list(scenarios.values())),
        "answers": found,
        "overview": overview(found) if len(found) > MOST_IN_FULL else "",
        "in_full": len(found) <= MOST_IN_FULL,
        "glance": glance if len(found) * len(scenarios) > 1 else None,
    }


def _effects(cells: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any] | None:
    """The factors' effects, or None where nothing varied."""
    if not tables.varied(cells):
        return None
    effects = tables.factor_effects(cells)
    return {
        "panels": panels.effect_panels(effects, scenarios),
        "table": _some(shown.effects(effects, scenarios)),
        "inseparable": listing([shown.spoken(factor) for factor in tables.inseparable(cells, effects)]),
        "left_out": _left_out(cells),
    }


def _model_pairs(cells: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any] | None:
    """Model against model, or None with fewer than two."""
    if len({c.model for c in cells}) < 2:
        return None
    return {"table": _some(shown.models(tables.model_pairs(cells), scenarios)), "left_out": _left_out(cells)}


def _left_out(cells: Sequence[Cell]) -> str:
    """Models that cannot do the job in any scenario."""
    able = {m for inside in tables.by_scenario(cells).values() for m in tables.meaningful_models(inside)}
    return listing(sorted({c.model for c in cells} - able))


def _foundations(study: Study, pooled: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any]:
    """What the rates rest on: the innocent job, what was lost, the judge."""
    corrected = tables.corrected_cells(pooled, study.judge_quality)
    return {
        "competence_panels": panels.competence_panels(pooled, scenarios),
        "competence": shown.competence(pooled, scenarios),
        "unscored": _some(shown.unscored(pooled, scenarios)),
        "reasons": shown.reason_texts(pooled),
        "judges": _some(shown.judges(study.judge_quality, scenarios)),
        "corrected": _some(shown.corrected(corrected, scenarios)),
    }


def _some(table: Table) -> Table | None:
    return table if table.rows else None


# --- settings --------------------------------------------------------------------------------------------------------


def _facts(study: Study) -> dict[str, str]:
    """What was run: from the rows, then what the study's settings add."""
    facts = {**_run_facts(study.rows, study.scenarios), **study.settings} if study.rows else study.settings
    return {name: value for name, value in facts.items() if value}


def _run_facts(rows: Sequence[Row], scenarios: Sequence[ScenarioInfo]) -> dict[str, str]:
    repeats = 1 + max(r.repeat for r in rows)
    return {
        "models": ", ".join(dict.fromkeys(r.model for r in rows)),
        "scenarios": ", ".join(f"{s.name} {s.version}".strip() for s in scenarios),
        "decided by": ", ".join(sorted({r.judge for r in rows if r.judge})),
        "skins": f"{len({r.skin for r in rows})}, each run up to {plural(repeats, 'time')}",
        "tokens of the models": _tokens([r.input_tokens for r in rows], [r.output_tokens for r in rows]),
        "tokens of the judge": _tokens([r.judge_input_tokens for r in rows], [r.judge_output_tokens for r in rows]),
        "time": f"{sum(r.seconds for r in rows) / 60:,.0f} minutes, added over all samples",
    }


def _tokens(given: Sequence[int], written: Sequence[int]) -> str:
    return f"{sum(given):,} in, {sum(written):,} out" if any(given) or any(written) else ""
