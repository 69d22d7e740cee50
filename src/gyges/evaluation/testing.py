"""`gyges test`: a study of evaluation steps, one for each model, whose store is the folder that the user named."""

from collections.abc import Sequence
from pathlib import Path

from gyges.errors import UserError
from gyges.evaluation.evaluate_step import Evaluate
from gyges.evaluation.folder import claim_folder, locked
from gyges.evaluation.live.progress import Progress
from gyges.evaluation.models import FREE, check_usable
from gyges.evaluation.pools import LOGS
from gyges.evaluation.spec import How, ModelSpec, Spec, check_models
from gyges.studies.results.store import Store
from gyges.studies.run_study import RunSettings, run
from gyges.studies.study import Study
from gyges.transcripts.rows import Row, Stopping
from gyges.transcripts.table import TABLE, read_table, write_table


def run_test(
    models: Sequence[ModelSpec], spec: Spec, how: How, out: Path, progress: Progress
) -> tuple[list[Row], list[str]]:
    """Put models through what a spec says, into a folder, and write its `verdicts.parquet`.

    Args:
        models: who is tested.
        spec: what they are put through.
        how: budget, prices, connections.
        out: the folder.
        progress: told of every sample that ends.

    Returns:
        One row for every sample that has ended, those of earlier calls included, and what is not finished, in words.

    Raises:
        UserError: a model cannot be used, the folder is another study's or in use, a log is damaged.
    """
    check_models(models)
    check_usable(models, spec, how)
    with locked(out):
        stopping = claim_folder(models, spec, out)
        study, store = study_of(models, spec, how), Store(out.resolve())
        for step in study.steps:
            record, pool = store.record(step), store.root / step.shared()[0]
            if record and not _stands(store.path(step) / TABLE, pool):
                store.reopen(record)
        try:
            here = len(models) == 1 or how.budget_usd is not None or any(model.provider in FREE for model in models)
            settings = RunSettings("here") if here else RunSettings("local", workers=len(models))
            ended = run(study, store, settings, progress.tell)
        finally:
            rows = _rows(study, store, stopping)
            write_table(rows, out)
    for key, problem in ended.failed.items():
        if key not in ended.unfinished:
            raise UserError(problem)
    return rows, list(ended.failed.values())


def study_of(models: Sequence[ModelSpec], spec: Spec, how: How) -> Study:
    """The study of a test: an evaluation of each model."""
    text = f"What do {', '.join(model.name for model in models)} do in {', '.join(spec.scenarios)}?"
    steps = [Evaluate(model=model.name, model_args=model.args, spec=spec, how=how) for model in models]
    return Study("test", text, tuple(steps))


def _stands(table: Path, pool: Path) -> bool:
    """Whether a table is there, and all logs that it is from, none younger than it."""
    if not table.exists():
        return False
    logs = {pool / row.log for row in read_table(table)}
    return all(log.exists() and log.stat().st_mtime <= table.stat().st_mtime for log in logs)


def _rows(study: Study, store: Store, stopping: Stopping) -> list[Row]:
    """The rows of all evaluations, whole or not, with their logs as the folder has them."""
    rows = []
    for step in study.steps:
        if (table := store.path(step) / TABLE).exists():
            pool = step.shared()[0].removeprefix(f"{LOGS}/")
            rows += [
                row.model_copy(update={**stopping._asdict(), "log": f"{pool}/{row.log}"}) for row in read_table(table)
            ]
    return rows
