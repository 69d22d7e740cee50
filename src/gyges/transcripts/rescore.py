"""Judging logs again: new verdicts on old transcripts, without generating anything.

Each log is replaced whole or not at all, so a run that is killed leaves every log with one judge's verdicts.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from inspect_ai.log import EvalLog, EvalSample, recompute_metrics, write_eval_log

from gyges.errors import UserError
from gyges.judging.decide import Judge, verdict_of
from gyges.judging.record import STORE_KEY, Record, record_of
from gyges.judging.scorer import make_judge, to_score
from gyges.transcripts.evaluate import locked
from gyges.transcripts.models import open_grader
from gyges.transcripts.read import latest, log_paths, open_log, read_rows, write_table
from gyges.transcripts.rows import Row
from gyges.transcripts.spec import stored_spec

AT_ONCE = 10


def rescore(out: Path, grader: str, each: Callable[[], None] = lambda: None) -> list[Row]:
    """Judge all samples of a folder with another grader and write its table anew.

    Args:
        out: a folder of `gyges test`.
        grader: `builtin`, `none` or a model.
        each: called after every sample.

    Raises:
        UserError: the folder holds no logs, one is damaged, or the grader cannot be used.
    """
    paths = log_paths(out)
    if not paths:
        raise UserError(f"'{out}' holds no logs", "Run `gyges test MODEL --out DIR` first")
    open_grader(grader)
    judge = make_judge(grader)
    with locked(out):
        logs = [(path, open_log(path)) for path in paths]
        for path, log in logs:
            asyncio.run(_judge_log(log, judge, each))
            _replace(log, path)
        rows = latest(read_rows(paths))
        write_table(rows, out)
        _note_grader(out, grader)
    return rows


async def _judge_log(log: EvalLog, judge: Judge | None, each: Callable[[], None]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(sample: EvalSample) -> None:
        async with gate:
            if sample.error is None:
                sample.scores = {"verdict": to_score(await verdict_of(record_of_sample(sample), judge))}
        each()

    await asyncio.gather(*(one(sample) for sample in log.samples or []))
    if log.results:
        recompute_metrics(log)


def record_of_sample(sample: EvalSample) -> Record:
    """The record of a sample read from a log."""
    return record_of(sample.messages, sample.store[STORE_KEY], sample.output, limited=sample.limit is not None)


def _replace(log: EvalLog, path: Path) -> None:
    part = path.with_name(path.stem + "-part.eval")
    write_eval_log(log, str(part))
    part.replace(path)


def _note_grader(out: Path, grader: str) -> None:
    """From now on the folder is the study with this grader."""
    spec = stored_spec(out)
    if spec:
        spec["identity"]["grader"] = grader
        (out / "spec.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
