"""`gyges test`: a study of evaluation steps, one for each model, whose store is the folder that the user named."""

from pathlib import Path

from gyges.errors import UserError
from gyges.evaluation.folder import claim_folder, locked
from gyges.evaluation.models import FREE, check_models
from gyges.evaluation.progress import Progress
from gyges.evaluation.spec import LOGS, How, ModelSpec, Spec, check_how
from gyges.evaluation.step import Evaluate
from gyges.studies.run_study import How as Where
from gyges.studies.run_study import Outcome, run
from gyges.studies.store import Store
from gyges.studies.study import Study
from gyges.transcripts.inspect_logs import read_table, write_table
from gyges.transcripts.rows import Row


def run_test(spec: Spec, how: How, out: Path, progress: Progress) -> tuple[list[Row], list[str]]:
    """Run what a spec owes into a folder and write its `verdicts.parquet`.

    Args:
        spec: what is tested.
        how: budget, prices, connections.
        out: the folder.
        progress: told of every sample that ends.

    Returns:
        One row for every sample that has ended, those of earlier calls included, and what is not finished, in words.

    Raises:
        UserError: a model cannot be used, the folder is another study's or in use, a log is damaged.
    """
    check_models(spec, check_how(how))
    with locked(out):
        sequential = claim_folder(spec, out)
        study, store = study_of(spec, how), Store(out.resolve())
        _reopen_outdated(study, store)
        try:
            outcome = run(study, store, _where(spec, how), progress.tell)
        finally:
            rows = _rows(study, store)
            write_table(rows, out, sequential)
    return rows, _unfinished(outcome)


def study_of(spec: Spec, how: How) -> Study:
    """The study of a spec: an evaluation of each model."""
    text = f"What do {', '.join(model.name for model in spec.models)} do in {', '.join(spec.scenarios)}?"
    return Study("test", text, tuple(_evaluation(spec, model, how) for model in spec.models))


def _evaluation(spec: Spec, model: ModelSpec, how: How) -> Evaluate:
    return Evaluate(
        model=model.name, model_args=model.args, scenarios=spec.scenarios,
        factors=tuple(f"{name}={','.join(levels)}" for name, levels in spec.factors.items()), samples=spec.samples,
        skins=spec.skins, skin=spec.skin, precision=spec.precision, grader=spec.grader, max_tokens=spec.max_tokens,
        temperature=spec.temperature, how=how,
    )  # fmt: skip


def _where(spec: Spec, how: How) -> Where:
    """Models behind servers side by side; those on this machine, and all that share a budget, one after another."""
    here = how.budget_usd is not None or any(model.name.split("/")[0] in FREE for model in spec.models)
    return Where("here") if here or len(spec.models) == 1 else Where("local", workers=len(spec.models))


def _reopen_outdated(study: Study, store: Store) -> None:
    """Reopen results of which a log was moved away or judged anew (by `inspect score`, say): they are made again from what is there."""
    for step in study.steps:
        record, pool = store.record(step), store.root / step.shared()[0]
        if record and not _stands(store.path(step) / "verdicts.parquet", pool):
            store.reopen(record)


def _stands(table: Path, pool: Path) -> bool:
    """Whether a table is there, and all logs that it is from, none younger than it."""
    if not table.exists():
        return False
    logs = {pool / row.log for row in read_table(table)}
    return all(log.exists() and log.stat().st_mtime <= table.stat().st_mtime for log in logs)


def _rows(study: Study, store: Store) -> list[Row]:
    """The rows of all evaluations, whole or not, with their logs as the folder has them."""
    rows = []
    for step in study.steps:
        if (table := store.path(step) / "verdicts.parquet").exists():
            pool = step.shared()[0].removeprefix(f"{LOGS}/")
            rows += [row.model_copy(update={"log": f"{pool}/{row.log}"}) for row in read_table(table)]
    return rows


def _unfinished(outcome: Outcome) -> list[str]:
    """What is left to do, in words.

    Raises:
        UserError: an evaluation could not be done at all.
    """
    for key, problem in outcome.failed.items():
        if key not in outcome.unfinished:
            raise UserError(problem)
    return list(outcome.failed.values())
