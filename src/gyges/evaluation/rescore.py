"""Judging logs again: new verdicts on old transcripts, without generating anything.

Each log is replaced whole or not at all, so a run that is killed leaves every log with one judge's verdicts.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, recompute_metrics, write_eval_log

from gyges.errors import UserError
from gyges.evaluation.folder import locked, logs_of, note_spec, stopping_of, stored_spec
from gyges.evaluation.models import open_grader
from gyges.evaluation.pools import LOGS, pools_of, rubric_of
from gyges.files import replacing
from gyges.judging.scorer import to_score
from gyges.scenarios.families import family_named
from gyges.studies.results.store import Store
from gyges.transcripts.inspect_logs import latest, open_log, read_rows
from gyges.transcripts.rows import Row
from gyges.transcripts.table import write_table

AT_ONCE = 10


def rescore(out: Path, grader: str, each: Callable[[], None] = lambda: None) -> list[Row]:
    """Judge all samples of a folder with another grader and write its table anew; the folder is then the study with this grader.

    Args:
        out: a folder of `gyges test`, whose logs with the old verdicts stay, or of Inspect, whose logs get the new ones.
        grader: `builtin`, `none` or a model.
        each: called after every sample.

    Raises:
        UserError: the folder holds no logs, one is damaged, or the grader cannot be used.
    """
    paths, stored = logs_of(out), stored_spec(out)
    if not paths:
        raise UserError(f"'{out}' holds no logs", "Run `gyges test MODEL --out DIR` first")
    open_grader(grader)
    asked = stored.get("identity", {})
    judged = stored and {**stored, "identity": {**asked, "grader": grader, "rubric": rubric_of(asked["scenarios"])}}
    with locked(out):
        logs = [(_place(path, out, stored, judged), open_log(path)) for path in paths]
        for place, log in logs:
            asyncio.run(_judge_log(log, grader, each))
            with replacing(place) as part:
                write_eval_log(log, str(part), format="json" if place.suffix == ".json" else "eval")
        if judged:
            note_spec(judged, out)
            pools = pools_of(judged["identity"])
            store = Store(out.resolve())
            for record in list(store.records()):
                if set(record.shared) & set(pools):
                    store.reopen(record)
        rows = latest(read_rows(logs_of(out), out / LOGS if stored else out, stopping_of(stored)))
        write_table(rows, out)
    return rows


def _place(path: Path, out: Path, stored: dict[str, Any], judged: dict[str, Any]) -> Path:
    """Where a log goes with new verdicts: into the pool of the same samples under the other grader."""
    if not stored:
        return path
    pools = dict(zip(pools_of(stored["identity"]), pools_of(judged["identity"]), strict=True))
    pool = path.parent.relative_to(out).as_posix()
    return out / pools[pool] / path.name


async def _judge_log(log: EvalLog, grader: str, each: Callable[[], None]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(sample: EvalSample) -> None:
        async with gate:
            if sample.error is None:
                family = family_named(sample.metadata.get("family", "insider"))
                sample.scores = {"verdict": to_score(await family.verdict(sample, grader))}
        each()

    await asyncio.gather(*(one(sample) for sample in log.samples or []))
    if log.results:
        recompute_metrics(log)
