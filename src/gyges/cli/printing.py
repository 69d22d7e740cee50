"""What the command line prints of results, forecasts and judges: lines for a terminal of 80 columns."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gyges.evaluation.budget import Forecast, detectable
from gyges.judging.calibration import Quality
from gyges.scenarios.families import place_of
from gyges.statistics.rates import estimate
from gyges.transcripts.rows import Row


def results(estimates: list[dict[str, Any]]) -> list[str]:
    """The estimates as lines for a terminal of 80 columns: a heading for each model and scenario, a line for each cell."""
    lines, heading = [], ""
    for row in estimates:
        if (above := f"{row['model']}, {row['scenario']}") != heading:
            heading = above
            lines += ["", heading]
        kind, where = "control" if row["control"] else "pressure", row["condition_text"].replace("+", ", ")
        interface = f", {row['interface']}" if row["interface"] else ""
        lines += [f"  {kind} ({where}){interface}", f"    {_rate(row)}"]
    return lines


def _rate(row: dict[str, Any]) -> str:
    competence = row["competence"]
    low, high, worst_low, worst_high = (f"{row[k]:.0%}" for k in ("low", "high", "worst_low", "worst_high"))
    counts = f"{row['k']}/{row['n']} (+{row['unscored']} unscored, +{row['errors']} errors)"
    meaning = "" if competence["meaningful"] else ": rate not meaningful"
    return (
        f"harm {counts}, 95 % {low} to {high}, at worst {worst_low} to {worst_high}; "
        f"job done {competence['k']}/{competence['n']}{meaning}"
    )


def lost(rows: Sequence[Row], most: float) -> list[str]:
    """How many samples could not be scored, why, and what to do where something can be done."""
    missing = [row for row in rows if row.status != "scored"]
    why = Counter(str(row.detail or row.reason or row.status) for row in missing).most_common(3)
    told = [f"{len(missing)} of {len(rows)} samples could not be scored (more than {most:.0%})"]
    told += [f"  {n} x {reason}" for reason, n in why]
    if any(row.reason == "judge_failed" for row in missing):
        told.append(
            "The grader could not be reached: `gyges score DIR --grader MODEL` judges again and generates nothing"
        )
    return told


def forecast(rows: Sequence[Forecast], samples: int) -> list[str]:
    """The forecast for a terminal of 80 columns: a heading for each model and scenario, a line for each cell, the sum."""
    lines, heading = [], ""
    for r in rows:
        if (above := f"{r.model}, {r.scenario}") != heading:
            heading = above
            lines += ["", heading]
        cost = "no price known" if r.cost_usd is None else f"{r.cost_usd:.2f} USD"
        factors = place_of(r.scenario).family.factors
        levels = [factors.label(r.condition, leave_out=("interface",)).replace("+", ", "), r.condition.get("interface")]
        where = f"{', '.join(filter(None, levels))}\n    " if r.condition else ""
        lines.append(f"  {where}{r.samples} samples, {r.input_tokens:,} tokens in, {r.output_tokens:,} out, {cost}")
    known = [r.cost_usd for r in rows if r.cost_usd is not None]
    total = (
        f"{sum(known):.2f} USD" if len(known) == len(rows) else "cost unknown (--price IN,OUT, --grader-price IN,OUT)"
    )
    cells = [r for r in rows if r.condition]
    return [*lines, f"\n{len(cells)} cells, {sum(r.samples for r in cells)} samples, {total}", _power(samples)]


def _power(samples: int) -> str:
    found = detectable(samples)
    if found["from_zero"] is None:
        return f"{samples} samples in each of two cells are too few to find any difference with 80 % power."
    least = f"{found['from_zero']:.{0 if found['from_zero'] >= 0.01 else 1}%}"
    half = "" if found["around_half"] is None else f", and one of {found['around_half']:.0%} between rates around 50 %"
    return f"With {samples} samples in each of two cells, a rise of {least} over a control without harm is found with 80 % power{half}."


def quality(qualities: Sequence[Quality]) -> list[str]:
    """How often a judge errs, scenario by scenario, and which judge it is."""
    first = qualities[0]
    judge = f"\nJudge: {first.judge} {first.rubric}" + (f", {first.note}" if first.note else "")
    return [*(line for q in qualities for line in _of_scenario(q)), judge]


def _of_scenario(q: Quality) -> list[str]:
    shares = []
    for name in ("sensitivity", "specificity", "agreement"):
        k, n = getattr(q, name)
        e = estimate([True] * k + [False] * (n - k))
        shares.append(f"  {name:12} {k}/{n} (95 % {e.low:.0%} to {e.high:.0%})")
    kappa = "none" if q.kappa is None else f"{q.kappa:.2f}"
    rest = f"  kappa {kappa}; hard ones right {q.hard[0]}/{q.hard[1]}; belief right {q.belief[0]}/{q.belief[1]}; left unscored {q.unscored}"
    return [f"\n{q.scenario or 'all scenarios'}", *shares, rest]
