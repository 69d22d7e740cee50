"""The typed tables of `tables.py` as rows of text: the data tables that stand beside each plot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gyges.judging.outcomes import REASON_TEXT, Belief, Outcome
from gyges.reporting.estimates import Difference, Estimate
from gyges.reporting.plots import in_order
from gyges.reporting.tables import BeliefRates, Cell, Comparison, CorrectedCell, FactorEffect, ModelPair
from gyges.reporting.words import (
    DASH, INTERFACE, Answer, condition_text, counts, interval, kind_of, p_value, percent, rate, signed, span, worst_case,
)  # fmt: skip
from gyges.transcripts.rows import JudgeQuality, ScenarioInfo


Scenarios = Mapping[str, ScenarioInfo]
"""Scenarios by name."""


@dataclass(frozen=True)
class Entry:
    """One field of a table: the text, lines under it, and `harm`, `void` or `zero` where the page must set it apart."""

    text: str
    sub: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table of text. The first field of each row names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Entry | str]]) -> Table:
    return Table(caption, tuple(head), tuple(tuple(Entry(e) if isinstance(e, str) else e for e in row) for row in rows))


def rate_entry(e: Estimate) -> Entry:
    """Counts, share, interval and, where something was not scored, the worst case: the form in which every rate is printed."""
    return Entry(counts(e), _under(e), "harm" if e.k else "")


def _under(e: Estimate) -> tuple[str, ...]:
    worst = (f"worst case {worst_case(e)}",) if e.unscored or e.errors else ()
    return (f"{rate(e)} [{interval(e)}]", *worst) if e.n else ("nothing scored", *worst)


def number(n: int) -> Entry:
    return Entry(f"{n:,}", kind="" if n else "zero")


def cell_entry(cell: Cell) -> Entry:
    """A cell's rate, or that it means nothing."""
    if kind_of(cell) == "nothing_scored":
        return Entry(counts(cell.harm), _under(cell.harm), "void")
    return rate_entry(cell.harm) if cell.meaningful else not_meaningful(cell.harm)


def not_meaningful(e: Estimate) -> Entry:
    return Entry(counts(e), ("not meaningful",), "void")


def names(cell: Cell) -> tuple[str, str, str]:
    return cell.model, INTERFACE.get(cell.interface, cell.interface), condition_text(cell)


# --- one function a section ------------------------------------------------------------------------------------------


def at_a_glance(answers: Iterable[Answer], scenarios: Sequence[ScenarioInfo]) -> Table:
    """Models by scenarios, everything under pressure pooled."""
    rows = []
    for answer in answers:
        by_name = {f.scenario.name: f.cell for f in answer.findings}
        rows.append([answer.model, *(cell_entry(by_name[s.name]) if s.name in by_name else DASH for s in scenarios)])
    return table("Harm under pressure, all conditions and interfaces together", ["model", *(s.harm_name for s in scenarios)], rows)


def rates(info: ScenarioInfo, cells: Sequence[Cell], comparisons: Iterable[Comparison]) -> Table:
    """Every cell of a scenario, and its difference to the matched control."""
    beside = {c.first.key: c for c in comparisons}
    head = ["model", "interface", "condition", "harm", "innocent job", "points from control", "p (Holm)"]
    return table(f"{info.title}: each cell with its difference from the matched control", head, [_rate_row(cell, beside.get(cell.key)) for cell in cells])


def _rate_row(cell: Cell, comparison: Comparison | None) -> list[Entry | str]:
    shift = shift_entry(comparison.difference) if comparison and cell.meaningful else DASH
    p = p_value(comparison.p_adjusted) if comparison else DASH
    return [*names(cell), cell_entry(cell), job_entry(cell), shift, p]


def job_entry(cell: Cell) -> Entry:
    return Entry(counts(cell.competence), _under(cell.competence), "" if cell.meaningful else "void")


def shift_entry(d: Difference) -> Entry:
    """A difference in points over its interval."""
    if d.estimate is None:
        return Entry(DASH)
    return Entry(signed(d.estimate), (f"[{signed(d.low)} to {signed(d.high)}]",))


def outcomes(info: ScenarioInfo, cells: Sequence[Cell]) -> Table:
    """How many samples of each cell came to each outcome that occurs."""
    graver = set(info.harmful)
    order = [o for o in in_order(graver) if any(c.outcomes.get(o) for c in cells)]
    head = ["model", "interface", "condition", *(f"{spoken(o)}{' (harm)' * (o in graver)}" for o in order), "unscored", "errors", "all"]
    rows = [
        [*names(c), *(number(c.outcomes.get(o, 0)) for o in order), number(c.harm.unscored), number(c.harm.errors), number(c.samples)]
        for c in cells
    ]
    return table(f"{info.title}: samples by outcome", head, rows)


def spoken(name: str) -> str:
    return name.replace("_", " ")


def effects(found: Iterable[FactorEffect], scenarios: Scenarios) -> Table:
    head = ["factor", "scenario", "level", "baseline", "at the level", "at the baseline", "points", "p (Holm)", "models"]
    rows = [
        [spoken(e.factor), scenarios[e.scenario].title, spoken(e.level), spoken(e.baseline), rate_entry(e.at_level), rate_entry(e.at_baseline),
         shift_entry(e.difference), p_value(e.p_adjusted), str(len(e.models))]
        for e in found
    ]  # fmt: skip
    return table("Each level against its baseline, all else equal, paired by skin", head, rows)


def beliefs(found: Iterable[BeliefRates], scenarios: Scenarios) -> Table:
    order = (Belief.REAL, Belief.EVALUATION, Belief.UNDECIDED, Belief.NOT_STATED)
    head = ["model", "scenario", "said: real", "said: evaluation", "undecided", "said nothing", "real less evaluation", "p (Holm)"]
    rows = [
        [b.model, scenarios[b.scenario].title, *((rate_entry if b.meaningful else not_meaningful)(b.rates[o]) for o in order),
         shift_entry(b.difference) if b.meaningful else DASH, p_value(b.p_adjusted)]
        for b in found
    ]  # fmt: skip
    return table("Harm under pressure by what the model said it believes", head, rows)


def models(found: Iterable[ModelPair], scenarios: Scenarios) -> Table:
    head = ["scenario", "model", "other model", "harm", "harm of the other", "points", "p (Holm)"]
    rows = [
        [scenarios[m.scenario].title, m.first, m.second, rate_entry(m.first_harm), rate_entry(m.second_harm), shift_entry(m.difference), p_value(m.p_adjusted)]
        for m in found
    ]
    return table("Every two models in the conditions that both were run in, paired by skin", head, rows)


def competence(cells: Iterable[Cell], scenarios: Scenarios) -> Table:
    head = ["model", "scenario", "under", "innocent job done", "rate of harm"]
    meaning = {True: "may be read", False: "not meaningful"}
    rows = [
        [c.model, scenarios[c.scenario].title, "control" if c.control else "pressure", job_entry(c),
         Entry(meaning[c.meaningful], kind="" if c.meaningful else "void")]
        for c in cells
    ]  # fmt: skip
    return table("How often the innocent job was done", head, rows)


def unscored(cells: Sequence[Cell], scenarios: Scenarios) -> Table:
    """Where samples were lost, by reason; cells that lost none are left out."""
    losing = [c for c in cells if c.harm.unscored or c.harm.errors]
    reasons = [r for r in (*REASON_TEXT, "limit", "unknown") if any(c.unscored.get(r) for c in losing)]
    head = ["model", "scenario", "under", *(spoken(r) for r in reasons), "errors", "scored", "worst case"]
    rows = [
        [c.model, scenarios[c.scenario].title, "control" if c.control else "pressure", *(number(c.unscored.get(r, 0)) for r in reasons),
         number(c.harm.errors), f"{c.harm.n} of {c.samples}", worst_case(c.harm)]
        for c in losing
    ]  # fmt: skip
    return table("Samples that count neither as harmful nor as harmless", head, rows)


def reason_texts(cells: Iterable[Cell]) -> dict[str, str]:
    """The reasons that occur, in words."""
    texts = {**REASON_TEXT, "limit": "a limit on messages, tokens, time or cost cut it off", "unknown": "no reason was given"}
    found = {r for c in cells for r in c.unscored}
    return {spoken(reason): text for reason, text in texts.items() if reason in found}


def judges(found: Iterable[JudgeQuality], scenarios: Scenarios) -> Table:
    head = ["judge", "scenario", "harm found", "harmless cleared", "same outcome", "unscored", "kappa", "note"]
    rows = [
        [q.judge, scenarios[q.scenario].title if q.scenario in scenarios else q.scenario or "all", share(q.sensitivity), share(q.specificity), share(q.agreement), str(q.unscored),
         DASH if q.kappa is None else f"{q.kappa:.2f}", q.note or DASH]
        for q in found
    ]  # fmt: skip
    return table("Judges on transcripts whose truth is known", head, rows)


def share(pair: tuple[int, int]) -> Entry:
    k, n = pair
    return Entry(f"{k}/{n}", (percent(k / n),) if n else ())


def corrected(found: Iterable[CorrectedCell], scenarios: Scenarios) -> Table:
    head = ["model", "scenario", "under", "raw", "corrected", "judge", "note"]
    return table("Raw rates and what the judge's known errors make of them", head, [_corrected_row(c, scenarios[c.cell.scenario].title) for c in found])


def _corrected_row(found: CorrectedCell, scenario: str) -> list[Entry | str]:
    cell, fixed = found.cell, found.corrected
    judge = ", ".join(j for j in cell.judges if j) or DASH
    under = "control" if cell.control else "pressure"
    if fixed is None or fixed.rate is None:
        note = fixed.note if fixed else "several judges" if len(cell.judges) > 2 else "judge not measured"
        return [cell.model, scenario, under, cell_entry(cell), DASH, judge, note if cell.harm.n else "nothing scored"]
    value = Entry(percent(fixed.rate), (f"[{span(fixed.low, fixed.high)}]",))
    if not cell.meaningful:
        value = Entry(DASH, ("not meaningful",), "void")
    return [cell.model, scenario, under, cell_entry(cell), value, judge, fixed.note or DASH]
