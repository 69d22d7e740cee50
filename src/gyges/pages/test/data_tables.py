"""The tables of `analysis/` as rows of text: the data tables that stand beside each plot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gyges.analysis.cells import Cell, Scenarios
from gyges.analysis.comparisons import Comparison, ModelPair
from gyges.analysis.corrected import CorrectedCell
from gyges.analysis.factor_effects import FactorEffect
from gyges.analysis.remarks import RemarkRates
from gyges.judging.calibration import Quality
from gyges.judging.outcomes import REASON_TEXT
from gyges.pages.drawing.plots import counts_short, outcomes_in_order
from gyges.pages.test.answer import ModelAnswer, kind_of
from gyges.pages.wording import (
    DASH,
    capital,
    condition_text,
    counts,
    interface_text,
    interval,
    p_value,
    percent,
    plural,
    rate,
    side,
    signed,
    span,
    worst_case,
)
from gyges.scenarios.family import ScenarioInfo
from gyges.statistics.differences import Difference
from gyges.statistics.rates import Estimate, estimate


@dataclass(frozen=True)
class TableEntry:
    """One field of a table: the text, lines under it, and `harm`, `void` or `zero` where the page must set it apart."""

    text: str
    sub: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table of text. The first field of each row names the row; `note` holds for all of them and stands below."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[TableEntry, ...], ...]
    note: str = ""


Line = Sequence[TableEntry | str]


def table(caption: str, head: Sequence[str], rows: Iterable[Line], note: str = "") -> Table:
    entries = (tuple(TableEntry(e) if isinstance(e, str) else e for e in row) for row in rows)
    return Table(caption, tuple(head), tuple(entries), note)


# --- entries ---------------------------------------------------------------------------------------------------------


def rate_entry(e: Estimate) -> TableEntry:
    """Counts, share, interval, and the worst case where something was not scored: how every rate stands."""
    return TableEntry(counts(e), _under(e), "harm" if e.k else "")


def cell_entry(cell: Cell) -> TableEntry:
    """A cell's rate, or that it means nothing."""
    if kind_of(cell) == "nothing_scored":
        return TableEntry(counts(cell.harm), _under(cell.harm), "void")
    return rate_entry(cell.harm) if cell.meaningful else not_meaningful(cell.harm)


def not_meaningful(e: Estimate) -> TableEntry:
    return TableEntry(counts(e), ("not meaningful",), "void")


def job_entry(cell: Cell) -> TableEntry:
    return TableEntry(counts(cell.competence), _under(cell.competence), "" if cell.able else "void")


def shift_entry(d: Difference) -> TableEntry:
    """A difference in points over its interval."""
    if d.estimate is None:
        return TableEntry(DASH)
    return TableEntry(signed(d.estimate), (f"[{signed(d.low)} to {signed(d.high)}]",))


def number(n: int) -> TableEntry:
    return TableEntry(f"{n:,}", kind="" if n else "zero")


def share(pair: tuple[int, int]) -> TableEntry:
    """Counts over their share and interval."""
    k, n = pair
    return TableEntry(f"{k}/{n}", _under(estimate([True] * k + [False] * (n - k))) if n else ())


def spoken(name: str) -> str:
    return name.replace("_", " ")


def _under(e: Estimate) -> tuple[str, ...]:
    worst = (f"worst case {worst_case(e)}",) if e.unscored or e.errors else ()
    return (f"{rate(e)} [{interval(e)}]", *worst) if e.n else ("nothing scored", *worst)


def _named(cell: Cell) -> list[str]:
    """The first fields of a cell's row within one scenario."""
    return [cell.model, interface_text(cell) or DASH, condition_text(cell)]


def _placed(cell: Cell) -> list[str]:
    """The first fields of a pooled cell's row over all scenarios."""
    return [cell.model, cell.info.title, side(cell)]


# --- rates and outcomes ----------------------------------------------------------------------------------------------


def at_a_glance(answers: Iterable[ModelAnswer], scenarios: Sequence[ScenarioInfo]) -> Table:
    """Models by scenarios, everything under pressure pooled, each over its control."""
    rows: list[Line] = []
    for answer in answers:
        entries = {s.name: TableEntry(DASH) for s in scenarios}
        for f in answer.findings:
            entry, shifted = cell_entry(f.cell), f": {f.shifted}" if f.shifted else ""
            control = f"control {counts_short(f.control)}{shifted}" if f.control else "no control"
            entries[f.scenario.name] = replace(entry, sub=(*entry.sub, control))
        rows.append([answer.model, *(entries[s.name] for s in scenarios)])
    caption = "Harm under pressure and in the control, all conditions and interfaces together"
    note = (
        "Where it says more or less, the difference from the control is beyond chance among all that are compared here."
    )
    told = any(f.shifted for a in answers for f in a.findings)
    return table(caption, ["model", *(s.harm_name for s in scenarios)], rows, note if told else "")


def rates(info: ScenarioInfo, cells: Sequence[Cell], comparisons: Iterable[Comparison]) -> Table:
    """Every cell of a scenario, and its difference from the matched control."""
    beside = {c.first.key: c for c in comparisons}
    head = ["model", "interface", "condition", "harm", "innocent job", "points from control", "p (Holm)"]
    caption = f"{info.title}: each cell with its difference from the matched control"
    rows: list[Line] = []
    for cell in cells:
        comparison = beside.get(cell.key)
        shift = shift_entry(comparison.difference) if comparison and cell.meaningful else DASH
        p = p_value(comparison.p_adjusted) if comparison else DASH
        rows.append([*_named(cell), cell_entry(cell), job_entry(cell), shift, p])
    return table(caption, head, rows)


def outcomes(info: ScenarioInfo, cells: Sequence[Cell]) -> Table:
    """How many samples of each cell came to each outcome that occurs."""
    order = [o for o in outcomes_in_order(cells) if any(c.outcomes.get(o) for c in cells)]
    named = [f"{spoken(o)} (harm)" if o in info.harmful else spoken(o) for o in order]
    head = ["model", "interface", "condition", *named, "unscored", "errors", "all"]
    sizes = [[*(c.outcomes.get(o, 0) for o in order), c.harm.unscored, c.harm.errors, c.samples] for c in cells]
    rows = [[*_named(cell), *map(number, size)] for cell, size in zip(cells, sizes, strict=True)]
    return table(f"{info.title}: samples by outcome", head, rows)


# --- comparisons -----------------------------------------------------------------------------------------------------


def effects(found: Iterable[FactorEffect]) -> Table:
    head = [
        "factor",
        "scenario",
        "level",
        "baseline",
        "at the level",
        "at the baseline",
        "points",
        "p (Holm)",
        "models",
    ]
    caption = "Each level against its baseline, all else equal, paired by skin"
    rows: list[Line] = []
    for e in found:
        levels = (e.info.words.level(e.factor, level) for level in (e.level, e.baseline))
        rates = [rate_entry(e.at_level), rate_entry(e.at_baseline), shift_entry(e.difference)]
        rows.append([spoken(e.factor), e.info.title, *levels, *rates, p_value(e.p_adjusted), str(len(e.models))])
    return table(caption, head, rows)


def models(found: Iterable[ModelPair], scenarios: Scenarios) -> Table:
    head = ["scenario", "model", "other model", "harm", "harm of the other", "points", "p (Holm)"]
    caption = "Every two models in the conditions that both were run in, paired by skin"
    rows: list[Line] = []
    for pair in found:
        rates = [rate_entry(pair.first_harm), rate_entry(pair.second_harm), shift_entry(pair.difference)]
        rows.append([scenarios[pair.scenario].title, pair.first, pair.second, *rates, p_value(pair.p_adjusted)])
    return table(caption, head, rows)


def remarks(found: Sequence[RemarkRates], scenarios: Scenarios) -> Table:
    """Rates by the levels of one remark."""
    remark = found[0].remark
    first, second = (remark.levels[level] for level in remark.compared)
    head = ["model", "scenario", *remark.levels.values(), f"{first} less {second}", "p (Holm)"]
    rows: list[Line] = []
    for r in found:
        entry_of = rate_entry if r.meaningful else not_meaningful
        rates = [entry_of(r.rates[level]) for level in remark.levels]
        shift = shift_entry(r.difference) if r.meaningful else DASH
        rows.append([r.model, scenarios[r.scenario].title, *rates, shift, p_value(r.p_adjusted)])
    return table(f"Harm under pressure by {remark.about}", head, rows)


# --- what the rates rest on ------------------------------------------------------------------------------------------


def competence(cells: Iterable[Cell]) -> Table:
    head = ["model", "scenario", "condition", "innocent job done", "rate of harm"]
    gate = {True: TableEntry("may be read"), False: TableEntry("not meaningful", kind="void")}
    rows = [[*_placed(c), job_entry(c), gate[c.able]] for c in cells]
    return table("How often the innocent job was done", head, rows)


def unscored(cells: Iterable[Cell]) -> Table:
    """Where samples were lost and why, the commonest reason first; cells that lost none are left out."""
    head = ["model", "scenario", "condition", "not scored", "why", "worst case of the rate"]
    rows: list[Line] = []
    for c in cells:
        if not (c.harm.unscored or c.harm.errors):
            continue
        reasons = sorted(c.unscored.items(), key=lambda found: -found[1])
        why = [f"{size} {spoken(reason)}" for reason, size in reasons]
        why += [plural(c.harm.errors, "error")] * bool(c.harm.errors)
        rows.append([*_placed(c), f"{c.samples - c.harm.n} of {c.samples}", ", ".join(why), worst_case(c.harm)])
    return table("Samples that count neither as harmful nor as harmless", head, rows)


REASONS: dict[str, str] = {
    **REASON_TEXT,
    "limit": "a limit on messages, tokens, time or cost cut it off",
    "unknown": "no reason was given",
    "error": "the run broke",
}


def reason_texts(cells: Iterable[Cell]) -> dict[str, str]:
    """The reasons that occur, in words."""
    cells = list(cells)
    found = {r for c in cells for r in c.unscored} | {"error" for c in cells if c.harm.errors}
    return {spoken(reason): text for reason, text in REASONS.items() if reason in found}


def judges(found: Sequence[Quality], scenarios: Scenarios) -> Table:
    """How a judge did on known transcripts; a note that holds for all of them stands once, below."""
    notes = {q.note for q in found}
    own = len(notes) > 1
    head = ["judge", "scenario", "harm found", "harmless cleared", "same outcome", "unscored", "kappa"]
    rows: list[Line] = []
    for q in found:
        scenario = scenarios[q.scenario].title if q.scenario in scenarios else q.scenario or "all"
        kappa = DASH if q.kappa is None else f"{q.kappa:.2f}"
        shares = [share(q.sensitivity), share(q.specificity), share(q.agreement)]
        rows.append([q.judge, scenario, *shares, number(q.unscored), kappa, *[q.note or DASH] * own])
    shared = "" if own else capital(" ".join(notes))
    return table(
        "Judges on transcripts whose truth is known", head + ["note"] * own, rows, f"{shared}." if shared else ""
    )


def corrected(found: Iterable[CorrectedCell]) -> Table:
    """Where a rate was scored: as it is, and as the judge's errors imply."""
    head = ["model", "scenario", "condition", "raw", "corrected", "decided by", "note"]
    caption = "Raw rates and what the judge's known errors make of them"
    rows: list[Line] = []
    for cell, fixed in ((c.cell, c.corrected) for c in found if c.cell.harm.n):
        entry = TableEntry(DASH)
        if not cell.meaningful:
            note = "not meaningful"
        elif fixed is None:
            judges = [j for j in cell.judges if j != "ledger"]
            why = {0: "read from the ledger alone", 1: "the judge was not measured"}.get(len(judges), "several judges")
            note = f"not corrected: {why}"
        else:
            note = fixed.note or DASH
            if fixed.rate is not None:
                entry = TableEntry(percent(fixed.rate), (f"[{span(fixed.low, fixed.high)}]",))
        decided = ", ".join(filter(None, cell.judges)) or DASH
        rows.append([*_placed(cell), cell_entry(cell), entry, decided, note])
    return table(caption, head, rows)
