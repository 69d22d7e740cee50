"""The report: a study in, one self-contained HTML file out.

Every text that a model or a file name could have written is escaped. It opens with the answer in words; each plot has its numbers beside it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from markupsafe import Markup, escape

from gyges.analysis.cells import (
    Cell,
    Scenarios,
    by_scenario,
    cells,
    info_of,
    is_scored,
    meaningful_models,
    pooled_cells,
)
from gyges.analysis.comparisons import against_control, model_pairs
from gyges.analysis.corrected import corrected_cells
from gyges.analysis.factor_effects import factor_effects, inseparable, varied
from gyges.analysis.remarks import RemarkRates, remark_rates
from gyges.pages.drawing import plots
from gyges.pages.shell import environment, render
from gyges.pages.test import data_tables as shown
from gyges.pages.test import panels
from gyges.pages.test.answer import answers, cannot_show, lead, overview, standouts
from gyges.pages.test.data_tables import Table
from gyges.pages.test.excerpts import by_heading, choose_transcripts, evidence_in_words, visible
from gyges.pages.test.results import Results
from gyges.pages.wording import capital, listing, plural
from gyges.scenarios.family import ScenarioInfo
from gyges.transcripts.rows import Row

__all__ = ["choose_transcripts", "render_page"]

MOST_IN_FULL = 3
"""Models above which the opening is a table, with the words for each model folded below it."""

MOST_PRINTED = 36
"""Rows above which a folded table is left out on paper."""


def render_page(study: Results) -> str:
    """The whole report as one HTML document; where nobody gave it a title, it is called after what was tested."""
    parts = _sections(study)
    each = [f"{a.model}: {a.headline}" for a in parts["answers"]]
    told = " ".join([parts["lead"], *([parts["overview"]] if parts["overview"] else each)])
    models, title = list(dict.fromkeys(r.model for r in study.rows)), study.title
    if models and title == Results.model_fields["title"].default:
        title = f"Under pressure: {listing(models) if len(models) <= MOST_IN_FULL else plural(len(models), 'model')}"
    env = environment()
    env.filters.update(spoken=shown.spoken, capital=capital, visible=visible, breakable=breakable, path=PurePath)
    env.globals.update(evidence_in_words=evidence_in_words, most_printed=MOST_PRINTED)
    return render(env, "test/test_page.html.j2", title, told, study=study, **parts)


def breakable(name: str) -> Markup:
    """A name that may be broken into lines after each of its parts rather than within one."""
    return Markup(re.sub("([/+])", r"\1<wbr>", str(escape(name))))


# --- sections --------------------------------------------------------------------------------------------------------


def _sections(study: Results) -> dict[str, Any]:
    """Everything that the template prints, by the names it uses."""
    known = {s.name: s for s in study.scenarios}
    present = {r.scenario for r in study.rows}
    scenarios = {
        name: info_of(name, known) for name in [*(n for n in known if n in present), *sorted(present - known.keys())]
    }
    every = panels.in_order(cells(study.rows, scenarios))
    pooled = panels.in_order(pooled_cells(study.rows, scenarios))
    facts = {**_run_facts(study.rows, study.scenarios), **study.settings} if study.rows else study.settings
    return {
        "scenarios": scenarios,
        **_answer(study.rows, pooled, scenarios),
        "rates": panels.rate_parts(every),
        "outcomes": panels.outcome_parts(every),
        "legend": panels.legend(every),
        "meanings": {o: text for info in scenarios.values() for o, text in info.words.outcomes.items()},
        "effects": _effects(every, scenarios),
        "models": _model_pairs(every, scenarios),
        "remarks": [_remark(found, scenarios) for found in remark_rates(study.rows, scenarios).values()],
        **_foundations(study, pooled, scenarios),
        "transcripts": by_heading(study.rows, study.transcripts, study.scenarios),
        "facts": {name: value for name, value in facts.items() if value},
    }


def _answer(rows: Sequence[Row], pooled: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any]:
    found = answers(pooled, against_control(pooled))
    glance = shown.at_a_glance(found, list(scenarios.values()))
    models = dict.fromkeys(r.model for r in rows)
    return {
        "lead": lead(rows, list(scenarios.values())),
        "answers": found,
        "overview": overview(found) if len(found) > MOST_IN_FULL else "",
        "in_full": len(found) <= MOST_IN_FULL,
        "glance": glance if len(found) > 1 else None,
        "cannot_show": cannot_show(models),
    }


def _effects(cells: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any] | None:
    """The factors' effects, or None where nothing varied."""
    if not varied(cells):
        return None
    effects = factor_effects(cells)
    meanings = {e.factor: e.info.words.factors.get(e.factor, "") for e in effects}
    return {
        "panels": panels.effect_panels(effects, scenarios),
        "table": _some(shown.effects(effects)),
        "told": standouts(effects, lambda e: f"{scenarios[e.scenario].title}, {plots.effect_name(e)},"),
        "meanings": {shown.spoken(f): meanings[f] for f in varied(cells) if f in meanings},
        "inseparable": listing([shown.spoken(factor) for factor in inseparable(cells, effects)]),
        "left_out": _left_out(cells),
    }


def _model_pairs(cells: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any] | None:
    """Model against model, or None with fewer than two."""
    if len({c.model for c in cells}) < 2:
        return None
    pairs = model_pairs(cells)
    return {
        "table": _some(shown.models(pairs, scenarios)),
        "told": standouts(pairs, lambda p: f"{scenarios[p.scenario].harm_name}, {p.first} less {p.second},"),
        "left_out": _left_out(cells),
    }


def _remark(found: Sequence[RemarkRates], scenarios: Scenarios) -> dict[str, Any]:
    """Rates by the levels of one remark."""
    return {
        "remark": found[0].remark,
        "panels": panels.remark_panels(found, scenarios),
        "table": shown.remarks(found, scenarios),
        "told": standouts(found, lambda b: f"{b.model}, {scenarios[b.scenario].harm_name},"),
    }


def _left_out(cells: Sequence[Cell]) -> str:
    """Models that cannot do the job in any scenario."""
    able = {m for inside in by_scenario(cells).values() for m in meaningful_models(inside)}
    return listing(sorted({c.model for c in cells} - able))


def _foundations(study: Results, pooled: Sequence[Cell], scenarios: Scenarios) -> dict[str, Any]:
    """What the rates rest on: the innocent job, what was lost, the judge."""
    counted = Counter(r.judge or "nobody" for r in study.rows if is_scored(r))
    names = {"ledger": "the ledger alone"}
    return {
        "competence_panels": panels.competence_panels(pooled),
        "competence": shown.competence(pooled),
        "unscored": _some(shown.unscored(pooled)),
        "reasons": shown.reason_texts(pooled),
        "deciders": listing([f"{n:,} by {names.get(judge, judge)}" for judge, n in counted.most_common()]),
        "judges": _some(shown.judges(study.judge_quality, scenarios)),
        "corrected": _some(shown.corrected(corrected_cells(pooled, study.judge_quality))),
    }


def _some(table: Table) -> Table | None:
    return table if table.rows else None


# --- settings --------------------------------------------------------------------------------------------------------


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
