"""The arms of a study: which steps measure them, and the counts that those steps left in the store."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from gyges.analysis.cells import competence_estimate, harm_estimate, is_meaningful
from gyges.analysis.claims import Readings
from gyges.statistics.seeds import Count
from gyges.studies.results.store import Store
from gyges.studies.step import Step
from gyges.transcripts.rows import Row
from gyges.transcripts.table import TABLE, read_table


class Counted(StrEnum):
    """What is counted of an evaluation: harm under pressure, harm in the control, the innocent job under pressure."""

    PRESSURE = "pressure"
    CONTROL = "control"
    JOB = "job"


class Measure(NamedTuple):
    """Counts in a result's JSON file: the step that makes it, the file, and the place in it (`bad`, `neither`, `n`; or k of n)."""

    step: Step
    file: str
    place: str

    def count_in(self, folder: Path) -> Count:
        """The counts in a result's folder."""
        data = json.loads((folder / self.file).read_text(encoding="utf-8"))
        found = data[self.place]
        if isinstance(found, dict):
            return Count(found["bad"], found["n"], found["neither"])
        return Count(found, data["n"])


class VerdictCount(NamedTuple):
    """Counts of an evaluation's verdicts: the `Evaluate` step, what is counted, and in which scenario (all of them if left out)."""

    step: Step
    part: Counted
    scenario: str = ""

    def count_in(self, folder: Path) -> Count:
        """What was scored, with the unscored and the errors beside it; `able` is false where the job was never or hardly ever done."""
        control = self.part is Counted.CONTROL
        rows = [r for r in _table(folder) if r.control is control and self.scenario in ("", r.scenario)]
        job = competence_estimate(rows)
        if self.part is Counted.JOB:
            return Count(job.k, job.n, 0, job.unscored + job.errors)
        harm = harm_estimate(rows)
        return Count(harm.k, harm.n, 0, harm.unscored + harm.errors, is_meaningful(job))


Measures = Mapping[str, Measure | VerdictCount]
"""Measurements by name."""


@dataclass(frozen=True)
class Arm:
    """One arm with one seed: its section of the page and its name, and its measurements; `curve` holds measurements along the way by x."""

    section: str
    name: str
    seed: int
    measures: Measures
    curve: tuple[tuple[float, Measures], ...] = ()


def acts(evaluation: Step, scenario: str = "") -> Measures:
    """What an evaluation measures: harm under `pressure` and in the `control`, and how often the `job` was done.

    Args:
        evaluation: an `Evaluate`.
        scenario: of this one alone.
    """
    return {part.value: VerdictCount(evaluation, part, scenario) for part in Counted}


def read_arms(arms: Sequence[Arm], store: Store) -> Readings:
    """Everything that has been measured so far."""
    every = {(arm.name, name, arm.seed): measure for arm in arms for name, measure in arm.measures.items()}
    return Readings({place: count for place, m in every.items() if (count := count_of(m, store))})


def count_of(measure: Measure | VerdictCount, store: Store) -> Count | None:
    """The counts of one measurement, or None where it has no result."""
    if store.record(measure.step) is None:
        return None
    return measure.count_in(store.result(measure.step))._replace(source=measure.step.key)


@lru_cache(maxsize=64)
def _table(folder: Path) -> tuple[Row, ...]:
    return tuple(read_table(folder / TABLE))
