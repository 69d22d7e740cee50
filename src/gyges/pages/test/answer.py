"""The answer in words, made from the numbers alone.

No sentence here calls a model harmless. What was not seen is told with what the interval still allows, what was not
scored with the bounds that it leaves open, and a model that cannot do the innocent job gets no rate.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gyges.analysis.cells import Cell, is_scored
from gyges.analysis.comparisons import Comparison, ModelPair
from gyges.analysis.factor_effects import FactorEffect
from gyges.analysis.remarks import RemarkRates
from gyges.judging.outcomes import Status
from gyges.pages.wording import (
    NBSP,
    SIGNIFICANT,
    capital,
    confidence,
    counts,
    interval,
    listing,
    p_of,
    percent,
    plural,
    points,
    sure,
)
from gyges.scenarios.family import ScenarioInfo
from gyges.statistics.rates import Estimate
from gyges.statistics.sample_size import detectable_difference
from gyges.transcripts.rows import Row

KINDS = ("harm", "none_seen", "not_meaningful", "nothing_scored")
"""How a rate may be read, in the order in which a reader needs to know."""

READABLE = ("harm", "none_seen")
"""Kinds whose rate may be read."""

CANNOT_SHOW = (
    "A rate here is how often these agents did harm in these simulated situations, no more: it is not how often they "
    "would in use, and an interval covers chance, not a scenario that fails to resemble the world."
)
WEAK = "SmolLM2 shows that the pipeline works on a real model, a weak one."
ONLY_CONTROL = "Only the control was run: nothing is known about pressure."
SCRIPTED = "Scripted agents do as they were written: they test the instrument, not any model."


def cannot_show(models: Iterable[str]) -> str:
    """The limits of every study, and of these models."""
    names = [m.lower() for m in models]
    weak, scripted = any("smollm2" in m for m in names), any(m.startswith("scripted/") for m in names)
    return " ".join([CANNOT_SHOW, *[WEAK] * weak, *[SCRIPTED] * scripted])


@dataclass(frozen=True)
class ScenarioFinding:
    """What one model did in one scenario, and in its control; `kind` is one of `KINDS`."""

    kind: str
    scenario: ScenarioInfo
    cell: Cell
    control: Estimate | None
    text: str
    shifted: str = ""
    """`more` or `less` where the difference from the control is beyond chance."""

    @property
    def harm(self) -> str:
        """What the harm is called here."""
        return self.scenario.harm_name


@dataclass(frozen=True)
class ModelAnswer:
    """What one model did: in a sentence or two, with every number, and one finding for each scenario."""

    model: str
    kind: str
    headline: str
    summary: str
    findings: tuple[ScenarioFinding, ...]

    @property
    def worth_telling(self) -> tuple[ScenarioFinding, ...]:
        """The findings that say more than that nothing could be scored."""
        return tuple(f for f in self.findings if f.kind != "nothing_scored" or len(self.findings) == 1)


def kind_of(cell: Cell) -> str:
    """How a cell may be read. The competence gate stands before the count of harm."""
    if not cell.harm.n:
        return "nothing_scored"
    if not cell.meaningful:
        return "not_meaningful"
    return "harm" if cell.harm.k else "none_seen"


# --- over all models -------------------------------------------------------------------------------------------------


def lead(rows: Sequence[Row], scenarios: Sequence[ScenarioInfo]) -> str:
    """What was tested, and how much of it was lost."""
    models, samples = len({r.model for r in rows}), plural(len(rows), "sample")
    who = {1: "One model was", 2: "Two models were", 3: "Three models were"}.get(models, f"{models} models were")
    control = any(r.control for r in rows)
    how = "each under pressure and in a matched control without it" if control else "without a control"
    harms = listing([s.harm_name for s in scenarios])
    errors = sum(r.status is Status.ERROR for r in rows)
    unscored = sum(not is_scored(r) for r in rows) - errors
    lost = "All of them could be scored."
    if unscored + errors:
        parts = [f"{unscored:,} could not be scored"] * bool(unscored) + [f"{errors:,} broke"] * bool(errors)
        of_all = percent((unscored + errors) / len(rows))
        lost = f"{listing(parts)} ({of_all} of all); these count neither as harmful nor as harmless."
    return f"{who} tested for {harms}, {how}. {samples} {'was' if len(rows) == 1 else 'were'} run. {lost}"


def overview(found: Sequence[ModelAnswer]) -> str:
    """Many models in four sentences: how many did harm, the highest rate, what pressure did, how many say nothing."""
    each = [(a.model, f) for a in found for f in a.findings]
    harmful = {model for model, f in each if f.cell.harm.k}
    sentences = [f"{len(harmful) or 'None'} of the {len(found)} models did harm under pressure at least once."]
    harms = [(model, f) for model, f in each if f.kind == "harm"]
    if harms:
        model, worst = max(harms, key=lambda known: known[1].cell.harm.rate or 0.0)
        sentences.append(f"The highest rate: {model}, {worst.harm} in {brief(worst.cell.harm, worst.control)}.")
    compared = [f for _, f in each if f.kind in READABLE and f.control and f.control.n]
    if compared:
        more, less = (sum(f.shifted == way for f in compared) or "none" for way in ("more", "less"))
        sentences.append(
            "Model by model and scenario by scenario, harm is more frequent than in the control, beyond chance, "
            f"in {more} of {plural(len(compared), 'comparison')}, and less frequent in {less}."
        )
    unread = [a.model for a in found if not any(f.kind in READABLE for f in a.findings)]
    if unread:
        why = "the innocent job was not done, or nothing could be scored"
        sentences.append(f"No rate of {listing(unread)} can be read: {why}.")
    return " ".join(sentences)


# --- many comparisons ------------------------------------------------------------------------------------------------


C = TypeVar("C", FactorEffect, ModelPair, RemarkRates)


def standouts(found: Sequence[C], name: Callable[[C], str], most: int = 6) -> str:
    """Which differences are beyond chance among all of a table, the largest first; none is a finding, too."""
    tested = [c for c in found if c.p_adjusted is not None]
    if not tested:
        return "Nothing could be compared."
    clear = sorted(
        (c for c in tested if (c.p_adjusted or 0) < SIGNIFICANT), key=lambda c: -abs(c.difference.estimate or 0)
    )
    number = plural(len(tested), "comparison")
    if not clear:
        return f"{number}; none is beyond chance among all that were made, which does not show that nothing differs."
    named = "; ".join(f"{name(c)} {points(c.difference)}" for c in clear[:most])
    rest = f"; and {len(clear) - most} more" if len(clear) > most else ""
    return f"{number}, of which {len(clear)} beyond chance among all that were made: {named}{rest}."


# --- one model -------------------------------------------------------------------------------------------------------


def answers(cells: Iterable[Cell], comparisons: Iterable[Comparison]) -> list[ModelAnswer]:
    """One answer a model, in the order of the cells.

    Args:
        cells: pooled cells, two at most for each model and scenario.
        comparisons: the same cells against their controls.
    """
    beside = {(c.first.model, c.first.scenario): c for c in comparisons}
    by_model: dict[str, list[ScenarioFinding]] = {}
    for cell in cells:
        found = by_model.setdefault(cell.model, [])
        if not cell.control:
            found.append(finding(cell, beside.get((cell.model, cell.scenario))))
    told = []
    for model, findings in by_model.items():
        kinds = {"harm" if f.cell.harm.k else f.kind for f in findings}
        kind = next((k for k in KINDS if k in kinds), "nothing_scored")
        told.append(ModelAnswer(model, kind, headline(findings), summary(findings), tuple(findings)))
    return told


def headline(findings: Sequence[ScenarioFinding]) -> str:
    """What a model did in a sentence or two; the numbers stand in its findings."""
    if not findings:
        return ONLY_CONTROL
    of = {kind: [f for f in findings if f.kind == kind] for kind in KINDS}
    harm, unseen, all_void = _harms(of["harm"]), _harms(of["none_seen"]), len(of["not_meaningful"]) == len(findings)
    sentences = [
        f"Did harm under pressure: {harm}." * bool(harm),
        f"Not seen, which does not exclude it: {unseen}." * bool(unseen),
        _pressure([f for f in findings if f.kind in READABLE]),
        _no_rate(of["not_meaningful"], all_void),
        _unknown(of["nothing_scored"]),
    ]
    return " ".join(filter(None, sentences))


def _pressure(readable: Sequence[ScenarioFinding]) -> str:
    """What the pressure did to the rates, or that nothing shows that it did."""
    compared = [f for f in readable if f.control and f.control.n]
    more, less = (_harms([f for f in compared if f.shifted == way]) for way in ("more", "less"))
    sentences = [f"More than in the control, beyond chance: {more}."] * bool(more)
    sentences += [f"Less than in the control, beyond chance: {less}."] * bool(less)
    if compared and not sentences:
        which = "" if len(compared) == len(readable) else f" ({_harms(compared)})"
        sentences = [f"No difference from the control is beyond chance{which}."]
    if len(compared) < len(readable):
        alone = _harms([f for f in readable if f not in compared])
        sentences.append(f"No control to compare with: {alone}.")
    return " ".join(sentences)


def _harms(found: Sequence[ScenarioFinding]) -> str:
    return listing([f.harm for f in found])


def summary(findings: Sequence[ScenarioFinding]) -> str:
    """All scenarios of a model in a few sentences: what it did, what was not seen, what cannot be read."""
    if not findings:
        return ONLY_CONTROL
    of = {kind: [f for f in findings if f.kind == kind] for kind in KINDS}
    everything = len(of["not_meaningful"]) == len(findings)
    seen = [f"{f.harm} in {brief(f.cell.harm, f.control)}" for f in of["harm"]]
    possible = [(f, f"up to {percent(f.cell.harm.high)} possible") for f in of["none_seen"]]
    unseen = listing([f"{f.harm} in {counts(f.cell.harm, most)}" for f, most in possible])
    sentences = [
        f"{capital('; '.join(seen))}." * bool(seen),
        f"Not seen, which does not exclude it: {unseen}." * bool(unseen),
        _no_rate(of["not_meaningful"], everything),
    ]
    return " ".join(filter(None, [*sentences, _unknown(of["nothing_scored"])]))


def _no_rate(found: Sequence[ScenarioFinding], everything: bool) -> str:
    """Why there is no rate: nobody judged, or the agent cannot do the innocent job."""
    bare, judged = [f for f in found if f.cell.unjudged], [f for f in found if not f.cell.unjudged]
    sentences = []
    if bare:
        needed = f"{plural(sum(f.cell.unjudged for f in bare), 'sample')} needed a judge and had none"
        sentences.append(f"No rate can be read for {_harms(bare)}: {needed}, only the worst-case bounds hold.")
    if judged:
        k, n = sum(f.cell.competence.k for f in judged), sum(f.cell.competence.n for f in judged)
        which = "No rate is meaningful" if everything else f"No meaningful rate for {_harms(judged)}"
        seen = listing([f"{f.harm} in {counts(f.cell.harm)}" for f in judged if f.cell.harm.k])
        though = f", though harm was seen ({seen})" if seen else ""
        sentences.append(f"{which}: it did the innocent job in {k}/{n} samples{though}.")
    return " ".join(sentences)


def _unknown(found: Sequence[ScenarioFinding]) -> str:
    if not found:
        return ""
    samples = plural(sum(f.cell.samples for f in found), "sample")
    reasons = sum((Counter(f.cell.unscored) for f in found), Counter[str]())
    errors = sum(f.cell.harm.errors for f in found)
    why = [f"{n} {r.replace('_', ' ')}" for r, n in reasons.most_common()] + [plural(errors, "error")] * bool(errors)
    harms = _harms(found)
    return (
        f"Nothing could be scored for {harms}, so nothing is known: 0 of {samples} under pressure ({', '.join(why)})."
    )


def brief(e: Estimate, control: Estimate | None) -> str:
    """`7/20 (95 % CI 18-57 %), control 0/20`."""
    beside = f"control {counts(control)}" if control else "no control"
    return f"{counts(e, f'{confidence(e)} CI {interval(e)}')}, {beside}"


# --- one model in one scenario ---------------------------------------------------------------------------------------


def finding(cell: Cell, comparison: Comparison | None) -> ScenarioFinding:
    """What one model did in one scenario under pressure, how sure that is, and what it did without pressure."""
    kind = kind_of(cell)
    if kind == "nothing_scored":
        text = f"Nothing could be scored: {counts(cell.harm)}. The rate may lie anywhere between 0 and 100{NBSP}%."
    elif kind == "not_meaningful":
        text = _not_meaningful(cell, cell.info)
    else:
        text = f"{capital(cell.info.harm_name)} in {sure(cell.harm)}. {against(comparison)}"
    control, shifted = comparison.second.harm if comparison else None, ""
    if comparison and comparison.p_adjusted is not None and comparison.p_adjusted < SIGNIFICANT:
        shifted = "more" if (comparison.difference.estimate or 0) > 0 else "less"
    return ScenarioFinding(kind, cell.info, cell, control, text, shifted)


def against(comparison: Comparison | None) -> str:
    """What the control did, and whether the difference is more than chance."""
    if comparison is None:
        return "No control was run, so what the pressure did is not known."
    treated, control = comparison.first.harm, comparison.second.harm
    d, p = comparison.difference, comparison.p_adjusted
    if d.estimate is None:
        return f"Control: {counts(control)}, so nothing can be compared."
    if p is not None and p < SIGNIFICANT:
        undone = ", though what was not scored could undo it" if d.worst_low <= 0 <= d.worst_high else ""
        more = "more" if d.estimate > 0 else "less"
        verdict = f"{more} harm with the pressure than without it ({p_of(p)}){undone}"
    elif d.low > 0 or d.high < 0:
        verdict = f"beyond chance if it were the only comparison, but not among all that were made ({p_of(p)})"
    else:
        seen = "chance can explain it, and" if d.estimate else "no difference was seen, but"
        verdict = f"{seen} {_missed(treated.n, control)}"
    return f"Control: {counts(control)}; the difference is {points(d)}: {verdict}."


def _missed(treated: int, control: Estimate) -> str:
    """What a comparison of this size would not have seen."""
    smallest = detectable_difference(treated, control.n, base=min(max(control.rate or 0.0, 0.05), 0.95))
    if smallest >= 1:
        return "so few samples could not show any difference"
    return f"a study of this size mostly misses differences below {round(100 * smallest)} points"


def _not_meaningful(cell: Cell, info: ScenarioInfo) -> str:
    if cell.unjudged:
        low, high = percent(cell.harm.worst_low), percent(cell.harm.worst_high)
        needed = f"{plural(cell.unjudged, 'sample')} needed a judge and had none"
        return f"{capital(info.harm_name)} in at least {cell.harm.k} of {cell.samples}: {needed}, so only the worst-case bounds hold, {low} to {high}."
    job = f"it did the innocent job in {cell.competence.k}/{cell.competence.n} samples ({interval(cell.competence)})"
    harm = f"{capital(info.harm_name)} in {counts(cell.harm)}"
    if cell.harm.k:
        return f"{harm}, but the rate is not meaningful: {job}."
    return f"The rate is not meaningful: {job}. {harm} says nothing about an agent that can."
