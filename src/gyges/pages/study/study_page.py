"""The page of a study: what was asked, what was found, in words made from the numbers; arms, curves and doses drawn; published figures beside.

It reads the store and nothing else, so it can be drawn again at any time; what has no result is named as not run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from gyges.analysis.arms import Arm, VerdictCount, count_of, read_arms
from gyges.analysis.claims import Claim, ClaimResult, Readings, Standing, examine, told, written
from gyges.analysis.published import compare, published
from gyges.pages.drawing.curves import ArmRow, Curve, arms_plot, curves_plot
from gyges.pages.shell import environment, render
from gyges.pages.wording import listing
from gyges.statistics.onset import onset, onset_told
from gyges.statistics.seeds import Count, Spread
from gyges.studies.plan import HAS_RESULT, ordered, plan
from gyges.studies.results.store import Store
from gyges.studies.study import Study, registered


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
    readings = read_arms(arms, store)
    results = [examine(claim, readings) for claim in claims]
    found = lead(results, max((len(r.found.values) for r in results if r.found), default=len(readings.seeds)))
    limits = " ".join(dict.fromkeys(step.limits for step in ordered(study.steps) if step.limits))
    planned = plan(study.steps, store)
    records = store.read([p.step.name for p in planned.of(*HAS_RESULT)]).values()
    missing = len(planned.steps) - len(records)
    cost = f"{len(records)} results, {sum(r.seconds for r in records) / 60:.1f} minutes of steps added up"
    cost += f"; {missing} steps have no result yet" if missing else ""
    return render(
        environment(), "study/study_page.html.j2", study.name.replace("_", " ").capitalize(), found, lead=found,
        asked=study.text.split("\n\n"), registered=registered(store, study.name), limits=limits,
        seeds=readings.seeds, claims=[_claim(r) for r in results],
        sections=[_section(s, arms, readings, store, measures) for s in sections], cost=cost,
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
            if isinstance(measure, VerdictCount):
                found.setdefault(measure.step.name, (arm.name, arm.seed, measure.step.name))
    there = store.read(found)
    return [row for folder, row in found.items() if folder in there]


def lead(results: Sequence[ClaimResult], seeds: int) -> str:
    """What was found, in a sentence of counts."""
    one = seeds < 2
    yes, no = [Standing.AS_EXPECTED, Standing.NOT_AS_EXPECTED] if one else [Standing.HOLDS, Standing.FAILS]
    n_yes, n_no = (sum(r.standing is which for r in results) for which in (yes, no))
    ways = (("came out as expected",) * 2, ("did not",) * 2) if one else (("holds", "hold"), ("does not", "do not"))
    counted = zip(
        (n_yes, n_no, len(results) - n_yes - n_no),
        (*ways, ("is open or was not run", "are open or were not run")),
        strict=True,
    )
    found = listing([f"{n} {single if n == 1 else many}" for n, (single, many) in counted if n])
    text = f"Of {len(results)} claims that were written down before, {found}."
    if len(results) < 2:
        text = (
            f"The one claim that was written down before {found[2:]}."
            if results
            else "No claim was written down before."
        )
    return text + (
        " With one seed there is no interval: directions only." if seeds == 1 else f" Intervals are over {seeds} seeds."
    )


def _claim(result: ClaimResult) -> dict[str, Any]:
    claim, found, standing = result
    entry = published().get(claim.published)
    return {
        "name": claim.name, "told": told(result), "standing": standing, "published": entry,
        "each": "" if found is None else ", ".join(written(v, claim.unit) for v in found.values),
        "compared": compare(result) if entry else "",
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
    shown, reference = section.measures, section.reference
    less = shown if reference else ()
    head = ["arm", *(measures[m] for m in shown), *(f"{measures[m]}, less {reference}" for m in less)]
    rows = [
        [name, *(_cell(name, m, readings) for m in shown), *(_less(name, reference, m, readings) for m in less)]
        for name in names
    ]
    return {"section": section, "plots": plots, "table": {"head": head, "rows": rows}}


def _rows(names: Sequence[str], measure: str, readings: Readings) -> list[ArmRow]:
    """Arms with their rates; one that has no rate says why."""
    nothing = Spread(float("nan"), float("nan"), float("nan"), float("nan"), ())
    rows = []
    for name in names:
        counts = readings.of(name, measure)
        why = "not meaningful" if any(c.n for c in counts) else "nothing scored" if counts else "not run"
        rows.append(ArmRow(name, readings.over_seeds(name, measure) or nothing, why))
    return rows


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
        curves = [a.curve for a in along if a.name == name]
        lines, notes = [], []
        for m in section.measures:
            seeds = [[(x, c) for x, of in curve if m in of and (c := count_of(of[m], store))] for curve in curves]
            lines.append(_mean_curve(measures[m], seeds, m == section.measures[0]))
            notes.append(onset_told(measures[m], [onset(points) for points in seeds], "step"))
        plots.append({
            "title": f"{name}, along the steps", "note": " ".join(notes),
            "plot": curves_plot(f"{section.name}-{number}-curve", name, lines, "steps"),
        })  # fmt: skip
    return plots


def _mean_curve(name: str, seeds: Sequence[Sequence[tuple[float, Count]]], strong: bool) -> Curve:
    by_x: dict[float, list[float]] = {}
    for x, count in (point for points in seeds for point in points):
        by_x.setdefault(x, []).append(count.rate)
    each = tuple(tuple((x, c.rate) for x, c in points) for points in seeds) if len(seeds) > 1 else ()
    return Curve(name, tuple((x, sum(r) / len(r)) for x, r in sorted(by_x.items())), strong, each)


def _less(arm: str, reference: str, measure: str, readings: Readings) -> str:
    """An arm's paired difference from the reference, with its interval over seeds."""
    if arm == reference:
        return ""
    found = readings.difference(arm, reference, measure)
    if found is None:
        return "not run"
    mean, low, high = (written(value, "points") for value in found[:3])
    return mean if math.isnan(found.low) else f"{mean} ({low} to {high})"


def _cell(arm: str, measure: str, readings: Readings) -> str:
    """`k/n` summed over seeds, with what the share would be if all or none of the unscored were harm, and the interval over seeds."""
    counts, over = readings.of(arm, measure), readings.over_seeds(arm, measure)
    if not counts or over is None:
        return "not run"
    k, n, lost, unscored = (sum(of) for of in zip(*((c.k, c.n, c.lost, c.unscored) for c in counts), strict=True))
    text = f"{k:,}/{n:,}" + (f" (+{lost:,} unreadable)" if lost else "")
    if unscored:
        text += f" (+{unscored:,} unscored: {k / (n + unscored):.0%} to {(k + unscored) / (n + unscored):.0%} at worst)"
    if math.isnan(over.mean):
        return text if any(c.able for c in counts) else f"{text}; not meaningful: it cannot do the job"
    if math.isnan(over.low):
        return text
    return f"{text}; mean {over.mean:.0%} ({max(over.low, 0):.0%} to {min(over.high, 1):.0%})"
