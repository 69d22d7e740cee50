"""Rates by what was noted beside the verdicts: by what a model said it believes about its situation, say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gyges.analysis.cells import Scenarios, competence_estimate, grouped, harm_estimate, info_of, is_meaningful
from gyges.analysis.comparisons import adjusted, compared
from gyges.scenarios.family import Remark
from gyges.statistics.differences import Difference
from gyges.statistics.rates import Estimate
from gyges.transcripts.rows import Row


@dataclass(frozen=True)
class RemarkRates:
    """Rates under pressure by the levels of a remark; `difference` is between the two that are compared, the first less the second."""

    remark: Remark
    model: str
    scenario: str
    rates: Mapping[str, Estimate]
    meaningful: bool
    difference: Difference
    p_adjusted: float | None = None


def remark_rates(rows: Iterable[Row], scenarios: Scenarios) -> dict[str, list[RemarkRates]]:
    """For each remark that was made at all, by its name: the rates of every model and scenario in which it was."""
    found: dict[str, list[RemarkRates]] = {}
    for group in grouped((r for r in rows if not r.control), lambda r: (r.model, r.scenario)).values():
        for remark in info_of(group[0].scenario, scenarios).words.remarks:
            if any(_level(row, remark) != remark.silent for row in group):
                found.setdefault(remark.name, []).append(_rates(group, remark))
    return {name: adjusted(table, lambda rates: rates.meaningful) for name, table in found.items()}


def _rates(rows: Sequence[Row], remark: Remark) -> RemarkRates:
    by_level = grouped(rows, lambda row: _level(row, remark))
    rates = {level: harm_estimate(by_level.get(level, [])) for level in remark.levels}
    first, second = (by_level.get(level, []) for level in remark.compared)
    able = is_meaningful(competence_estimate(rows))
    return RemarkRates(remark, rows[0].model, rows[0].scenario, rates, able, compared(first, second))


def _level(row: Row, remark: Remark) -> str:
    return str(row.remarks.get(remark.name) or remark.silent)
