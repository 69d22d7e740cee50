"""The page of a study: what was asked, what was found, in words made from the numbers; arms, curves and doses drawn; published figures beside.

It reads the store and nothing else, so it can be drawn again at any time; what has no result is named as not run.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from gyges.analysis.claims import Claim, Readings, Verdict, judge, told, written
from gyges.analysis.published import compare, published
from gyges.pages.drawing.curves import Arm as ArmRow
from gyges.pages.drawing.curves import Curve, arms_plot, curves_plot
from gyges.pages.shell import environment, render
from gyges.pages.wording import listing
from gyges.statistics.onset import onset, onset_told
from gyges.statistics.seeds import Count, Spread
from gyges.studies.plan import HAS_RESULT, ordered, plan
from gyges.studies.step import Step
from gyges.studies.store import Store
from gyges.studies.study import Study, registered

TABLE = "verdicts.parquet"


class Measure(NamedTuple):
    """A measurement of an arm: the step that makes it, the file of its result, and the place in it of the counts (`bad`, `neither`, `n`; or k of n).

    Of a table of verdicts the place is `pressure`, `control` or `job`, and the name of a scenario behind it where only that one is meant: see `acts`.
    """

    step: Step
    file: str
    part: str


@dataclass(frozen=True)
class Arm:
    """One arm with one seed: its section and name, and its measurements by name; `curve` holds measurements along the way by x."""

    section: str
    name: str
    seed: int
    measures: dict[str, Measure]
    curve: tuple[tuple[float, dict[str, Measure]], ...] = ()


class Dose(NamedTuple):
    """Arms that differ in how much they got of something: what is drawn, the arms with their x, and what x is."""

    title: str
    arms: dict[str, float]
    label: str


@dataclass(frozen=True)
class Section:
    """A part of the study: what it asks, which measures its arms are shown with, and which of them are doses of something.

    In the numbers each arm is also shown less the `reference`, an arm of any section, seed by seed.
    """

    name: str
    title: str
    question: str
    measures: tuple[str, ...]
    reference: str = ""
    doses: tuple[Dose, ...] = ()


def read(arms: Sequence[Arm], store: Store) -> Readings:
    """Everything that has been measured so far."""
    counts = {}
    for arm in arms:
        for name, measure in arm.measures.items():
            found = count_of(measure, store)
            if found is not None:
                counts[(arm.name, name, arm.seed)] = found
    return Readings(counts)


def acts(evaluation: Step, scenario: str = "") -> dict[str, Measure]:
    """What an evaluation in the simulated company measures: harm under `pressure` and in the `control`, and how often the `job` was done.

    Args:
        evaluation: an `Evaluate`.
        scenario: of this one alone.
    """
    return {part: Measure(evaluation, TABLE, f"{part} {scenario}".strip()) for part in ("pressure", "control", "job")}


def count_of(measure: Measure, store: Store) -> Count | None:
    """The counts of one measurement, or None where it has no result."""
    if store.record(measure.step) is None:
        return None
    return _counts(measure, store.result(measure.step))._replace(source=measure.step.key)


def _counts(measure: Measure, folder: Path) -> Count:
    if measure.file == TABLE:
        from gyges.analysis.verdict_counts import count_in

        return count_in(folder, measure.part)
    data = json.loads((folder / measure.file).read_text(encoding="utf-8"))
    if isinstance(data.get(measure.part), dict):
        part = data[measure.part]
        return Count(part["bad"], part["n"], part["neither"])
    return Count(data[measure.part], data["n"])


def render_study(
    study: Study,
    store: Store,
    sections: Sequence[Section],
    arms: Sequence[Arm],
    claims: Sequence[Claim],
    measures: dict[str, str],
) -> str:
    """The page.

    Args:
        study: name and text.
        store: its results.
        sections: in the order of the page.
        arms: every arm with every seed.
        claims: what was expected.
        measures: what each measure is called on the page.
    """
    readings = read(arms, store)
    verdicts = [judge(claim, readings) for claim in claims]
    told = lead(verdicts, max((len(v.found.values) for v in verdicts if v.found), default=len(readings.seeds)))
    return render(
        environment(), "study/study_page.html.j2", study.name.replace("_", " ").capitalize(), told, lead=told,
        asked=study.text.split("\n\n"), registered=registered(store, study.name), limits=_limits(study),
        seeds=readings.seeds, verdicts=[_verdict(v) for v in verdicts],
        sections=[_section(s, arms, readings, store, measures) for s in sections], cost=_cost(study, store),
        evaluations=_evaluations(arms, store),
    )  # fmt: skip


def study_of(
    name: str,
    text: str,
    sections: Sequence[Section],
    arms: Sequence[Arm],
    claims: Sequence[Claim],
    measures: dict[str, str],
) -> Study:
    """A study of arms: its steps are their measurements and what those need, and its page shows them. Arguments as for `render_study`."""
    found = [m for arm in arms for of in (arm.measures, *(at for _, at in arm.curve)) for m in of.values()]
    shown = [section for section in sections if section.name in {arm.section for arm in arms}]
    page = partial(render_study, sections=shown, arms=arms, claims=claims, measures=measures)
    return Study(name, text, tuple({m.step.key: m.step for m in found}.values()), page)


def _evaluations(arms: Sequence[Arm], store: Store) -> list[tuple[str, int, str]]:
    """Arm, seed and folder of every evaluation that has a result, each once."""
    found: dict[str, tuple[str, int, str]] = {}
    for arm in arms:
        for measure in arm.measures.values():
            if measure.file == TABLE:
                found.setdefault(measure.step.name, (arm.name, arm.seed, measure.step.name))
    there = store.read(found)
    return [row for folder, row in found.items() if folder in there]


def _limits(study: Study) -> str:
    """What must not be concluded, as the steps that the study stands on say it."""
    return " ".join(dict.fromkeys(step.limits for step in ordered(study.steps) if step.limits))


def lead(verdicts: Sequence[Verdict], seeds: int) -> str:
    """What was found, in a sentence of counts."""
    words = [v.word for v in verdicts]
    one = seeds < 2
    yes = words.count("as expected (one seed)" if one else "holds")
    no = words.count("not as expected (one seed)" if one else "does not hold")
    ways = (("came out as expected",) * 2, ("did not",) * 2) if one else (("holds", "hold"), ("does not", "do not"))
    counted = zip(
        (yes, no, len(words) - yes - no), (*ways, ("is open or was not run", "are open or were not run")), strict=True
    )
    found = listing([f"{n} {single if n == 1 else many}" for n, (single, many) in counted if n])
    claims = "the one claim that was" if len(words) == 1 else f"{len(words)} claims that were"
    text = f"Of {claims} written down before, {found}." if words else "No claim was written down before."
    return text + (
        " With one seed there is no interval: directions only." if seeds == 1 else f" Intervals are over {seeds} seeds."
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    entry = published().get(verdict.claim.published)
    values = "" if verdict.found is None else ", ".join(written(v, verdict.claim.unit) for v in verdict.found.values)
    return {
        "name": verdict.claim.name, "told": told(verdict), "word": verdict.word, "published": entry, "each": values,
        "compared": compare(verdict) if entry else "",
    }  # fmt: skip


def _section(
    section: Section, arms: Sequence[Arm], readings: Readings, store: Store, measures: dict[str, str]
) -> dict[str, Any]:
    names = list(dict.fromkeys(a.name for a in arms if a.section == section.name))
    plots = [
        {
            "title": measures[m],
            "note": "",
            "plot": arms_plot(f"{section.name}-{m}", measures[m], _rows(names, m, readings)),
        }
        for m in section.measures
    ]
    plots += [_dose(dose, number, section, readings, measures) for number, dose in enumerate(section.doses)]
    plots += _curves(section, arms, store, measures)
    return {"section": section, "plots": plots, "table": _table(names, section, readings, measures)}


def _rows(names: Sequence[str], measure: str, readings: Readings) -> list[ArmRow]:
    nothing = Spread(float("nan"), float("nan"), float("nan"), float("nan"), ())
    return [
        ArmRow(name, readings.over_seeds(name, measure) or nothing, _without(readings.of(name, measure)))
        for name in names
    ]


def _without(counts: Sequence[Count]) -> str:
    """Why an arm has no rate, if it has none."""
    if not counts:
        return "not run"
    return "nothing scored" if not any(c.n for c in counts) else "not meaningful"


def _dose(dose: Dose, number: int, section: Section, readings: Readings, measures: dict[str, str]) -> dict[str, Any]:
    """The mean over seeds against the dose, two measures at most."""
    curves = []
    for measure in section.measures[:2]:
        found = [(x, s) for arm, x in dose.arms.items() if (s := readings.over_seeds(arm, measure))]
        points = tuple((x, s.mean) for x, s in sorted(found))
        curves.append(Curve(measures[measure], points, strong=measure == section.measures[0]))
    name = f"{section.name}-{number}-dose"
    return {"title": dose.title, "note": "", "plot": curves_plot(name, dose.title, curves, dose.label)}


def _curves(section: Section, arms: Sequence[Arm], store: Store, measures: dict[str, str]) -> list[dict[str, Any]]:
    """A plot for each arm that was measured along the way: the mean over seeds, each seed behind it, and where it left its start."""
    along = [a for a in arms if a.section == section.name and a.curve]
    plots = []
    for number, name in enumerate(dict.fromkeys(a.name for a in along)):
        found = {m: _along([a for a in along if a.name == name], m, store) for m in section.measures}
        lines = [_mean_curve(measures[m], found[m], m == section.measures[0]) for m in section.measures]
        notes = [onset_told(measures[m], [onset(points) for points in found[m]], "step") for m in section.measures]
        plots.append({
            "title": f"{name}, along the steps", "note": " ".join(notes),
            "plot": curves_plot(f"{section.name}-{number}-curve", name, lines, "steps"),
        })  # fmt: skip
    return plots


def _along(arms: Sequence[Arm], measure: str, store: Store) -> list[list[tuple[float, Count]]]:
    """For each seed of an arm the counts along its steps, as far as they are there."""
    return [[(x, c) for x, of in arm.curve if measure in of and (c := count_of(of[measure], store))] for arm in arms]


def _mean_curve(name: str, seeds: Sequence[Sequence[tuple[float, Count]]], strong: bool) -> Curve:
    by_x: dict[float, list[float]] = {}
    for x, count in (point for points in seeds for point in points):
        by_x.setdefault(x, []).append(count.rate)
    each = tuple(tuple((x, c.rate) for x, c in points) for points in seeds) if len(seeds) > 1 else ()
    return Curve(name, tuple((x, sum(r) / len(r)) for x, r in sorted(by_x.items())), strong, each)


def _table(names: Sequence[str], section: Section, readings: Readings, measures: dict[str, str]) -> dict[str, Any]:
    shown, reference = section.measures, section.reference
    less = shown if reference else ()
    head = ["arm", *(measures[m] for m in shown), *(f"{measures[m]}, less {reference}" for m in less)]
    rows = [
        [name, *(_cell(name, m, readings) for m in shown), *(_less(name, reference, m, readings) for m in less)]
        for name in names
    ]
    return {"head": head, "rows": rows}


def _less(arm: str, reference: str, measure: str, readings: Readings) -> str:
    """An arm's paired difference from the reference, with its interval over seeds."""
    found = None if arm == reference else readings.difference(arm, reference, measure)
    if found is None:
        return "" if arm == reference else "not run"
    mean = f"{written(found.mean, 'points')}"
    return (
        mean
        if found.low != found.low
        else f"{mean} ({written(found.low, 'points')} to {written(found.high, 'points')})"
    )


def _cell(arm: str, measure: str, readings: Readings) -> str:
    """`k/n` summed over seeds, with what is not known, and the interval over seeds."""
    counts = readings.of(arm, measure)
    over = readings.over_seeds(arm, measure)
    if not counts or over is None:
        return "not run"
    text = _counted(counts)
    if over.mean != over.mean:
        return text if any(c.able for c in counts) else f"{text}; not meaningful: it cannot do the job"
    return (
        text
        if over.low != over.low
        else f"{text}; mean {over.mean:.0%} ({max(over.low, 0):.0%} to {min(over.high, 1):.0%})"
    )


def _counted(counts: Sequence[Count]) -> str:
    """Sums of counts; where samples are unscored, what the share would be if all or none of them were harm."""
    k, n, lost, unscored = (sum(of) for of in zip(*((c.k, c.n, c.lost, c.unscored) for c in counts), strict=True))
    text = f"{k:,}/{n:,}" + (f" (+{lost:,} unreadable)" if lost else "")
    if unscored:
        text += f" (+{unscored:,} unscored: {k / (n + unscored):.0%} to {(k + unscored) / (n + unscored):.0%} at worst)"
    return text


def _cost(study: Study, store: Store) -> str:
    planned = plan(study.steps, store)
    records = store.read([p.step.name for p in planned.of(*HAS_RESULT)]).values()
    missing = len(planned.steps) - len(records)
    text = f"{len(records)} results, {sum(r.seconds for r in records) / 60:.1f} minutes of steps added up"
    return text + (f"; {missing} steps have no result yet" if missing else "")
