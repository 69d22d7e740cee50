"""Counts of an evaluation's verdicts, for the page of a study."""

from functools import lru_cache
from pathlib import Path

from gyges.analysis.cells import competence_estimate, harm_estimate, is_meaningful
from gyges.statistics.seeds import Count
from gyges.transcripts.inspect_logs import read_table
from gyges.transcripts.rows import Row


def count_in(folder: Path, part: str) -> Count:
    """Counts in `folder/verdicts.parquet`.

    Args:
        folder: an evaluation's result.
        part: `pressure` and `control` count harm there, `job` the innocent job under pressure; the name of a scenario may follow.

    Returns:
        What was scored, with the unscored and the errors beside it; `able` is false where the job was never or hardly ever done.
    """
    what, _, scenario = part.partition(" ")
    rows = [row for row in _table(folder) if row.control == (what == "control") and scenario in ("", row.scenario)]
    job = competence_estimate(rows)
    if what == "job":
        return Count(job.k, job.n, 0, job.unscored + job.errors)
    harm = harm_estimate(rows)
    return Count(harm.k, harm.n, 0, harm.unscored + harm.errors, is_meaningful(job))


@lru_cache(maxsize=64)
def _table(folder: Path) -> tuple[Row, ...]:
    return tuple(read_table(folder / "verdicts.parquet"))
