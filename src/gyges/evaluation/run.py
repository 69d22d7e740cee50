"""Running it: what a spec owes of one model, into a folder of logs, and the rows of all its samples back.

`evaluate(model, spec, out)` may be called again on a half-filled folder at any time: samples that are there are not run again, whatever killed
the run before. What is run next depends on the results alone (`schedule.py`), so an interrupted run ends with the same samples as an undisturbed one.
"""

import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inspect_ai import eval, task_with
from inspect_ai.log import EvalLog, RecoveryNotAvailable, recover_eval_log
from inspect_ai.model import Model

from gyges.errors import Unfinished, UserError
from gyges.evaluation.budget import MOST_TOKENS, Purse
from gyges.evaluation.live.listening import Tell, listening, one_at_a_time
from gyges.evaluation.models import open_grader, open_model
from gyges.evaluation.parallel import processes_for, rare_collections, share, split, workers
from gyges.evaluation.schedule import Done, in_order, owed, rounds
from gyges.evaluation.spec import How, ModelSpec, PlannedSample, Spec
from gyges.files import link_or_copy
from gyges.scenarios.families import place_of
from gyges.transcripts.inspect_logs import latest, list_started, log_paths, read_rows, rows_of
from gyges.transcripts.rows import Row
from gyges.transcripts.table import write_table


def evaluate(
    model: ModelSpec, spec: Spec, out: Path, how: How = How(), tell: Tell = lambda told: None, pool: Path | None = None
) -> list[Row]:
    """Run all samples that a spec owes of a model and write `verdicts.parquet`.

    Args:
        model: who is put through it.
        spec: what is evaluated.
        out: the folder of the table, and of the logs with its samples: `out/logs`.
        how: budget, prices, connections, patience with servers.
        tell: called with the rows of samples that have ended, those of earlier calls included, and with what servers do instead of answering.
        pool: where logs are written and samples looked for first, if others share them; `out/logs` then has links to those that were needed.

    Returns:
        One row for every sample of the spec, those of earlier calls included.

    Raises:
        UserError: the model cannot be used, a log is damaged, or Inspect could not run a task to its end.
        Unfinished: the budget is spent.
        KeyboardInterrupt: it was interrupted; what had ended is kept.
    """
    logs = pool or out / "logs"
    opened = _open(model, spec, how)
    open_grader(spec.grader, how.timeout, how.max_retries)
    recover(logs)
    tell = one_at_a_time(tell)
    done, asked = _done(logs, spec), []
    purse = _purse(model, spec, how, logs)
    try:
        for samples in rounds(spec, done):
            asked += samples
            left = owed(samples, done)
            missing = {sample.id for sample in left}
            tell([done[s.id] for s in samples if s.id not in missing])
            _run(model, spec, logs, left, opened, how, done, purse, tell)
    except BaseException:
        with suppress(UserError):  # what has ended is in the logs; a log that is damaged is told by the next run
            done |= _done(logs, spec)
        raise
    finally:
        rows = in_order(spec, [row for sample in asked if (row := done.get(sample.id))])
        write_table(rows, out)
    if pool:
        _link_logs(rows, pool, out / "logs")
    return rows


def _done(logs: Path, spec: Spec) -> Done:
    return {row.sample_id: row for row in latest(read_rows(log_paths(logs), logs, spec.stopping))}


def _purse(model: ModelSpec, spec: Spec, how: How, logs: Path) -> Purse:
    """The purse, less what all samples beside these have cost."""
    purse = Purse(model, spec, how)
    if how.budget_usd is not None:
        rows = read_rows(log_paths(logs.parent), logs.parent)
        purse.spend(list({(Path(row.log).name, row.sample_id, row.epoch): row for row in rows}.values()))
    return purse


def _link_logs(rows: Sequence[Row], pool: Path, logs: Path) -> None:
    """Put the logs that rows are from into a folder."""
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    for name in dict.fromkeys(row.log for row in rows):
        link_or_copy(pool / name, logs / name)


def _run(
    model: ModelSpec, spec: Spec, logs: Path, left: list[PlannedSample], opened: Model, how: How, done: Done, purse: Purse, tell: Tell
) -> None:  # fmt: skip
    """Run samples, in as many portions as the budget allows at a time.

    Raises:
        Unfinished: it is spent.
    """
    while left:
        portion = left[: purse.affordable(left)]
        if not portion:
            raise Unfinished(
                f"the budget is spent: {len(left)} samples were not run",
                "With a larger --budget the same command runs them",
            )
        rows = _rows(model, spec, logs, portion, opened, how, tell)
        done |= {row.sample_id: row for row in latest([*done.values(), *rows])}
        purse.spend(rows)
        left = left[len(portion) :]


def _rows(
    model: ModelSpec, spec: Spec, logs: Path, samples: list[PlannedSample], opened: Model, how: How, tell: Tell
) -> list[Row]:
    """Run samples, in several processes where one could not keep the server busy, and return their rows."""
    processes = processes_for(model, how, len(samples))
    if processes == 1:
        return _run_here(spec, logs, samples, opened, how, tell)
    mine, *parts = split(samples, processes)
    part_of = share(how, processes)
    with workers(_run_in_worker, [(model, spec, logs, part, part_of) for part in parts], tell) as theirs:
        rows = _run_here(spec, logs, mine, _open(model, spec, part_of), how, tell)
        return rows + theirs.result()


def _run_in_worker(
    model: ModelSpec, spec: Spec, logs: Path, samples: list[PlannedSample], how: How, tell: Tell
) -> list[Row]:
    return _run_here(spec, logs, samples, _open(model, spec, how), how, one_at_a_time(tell))


def _open(model: ModelSpec, spec: Spec, how: How) -> Model:
    """The model; with a budget an answer may have no more tokens than the budget reckons with."""
    if how.budget_usd is not None and spec.max_tokens is None:
        spec = spec.model_copy(update={"max_tokens": MOST_TOKENS})
    return open_model(model, spec, how)


def _run_here(spec: Spec, logs: Path, samples: list[PlannedSample], model: Model, how: How, tell: Tell) -> list[Row]:
    """Run samples and return their rows, as heard while they ended; a log of which any is missing is read."""
    with listening(tell, spec.stopping) as heard, rare_collections():
        ended = _eval(spec, logs, samples, model, open_grader(spec.grader, how.timeout, how.max_retries))
    _check_ends(ended, len({sample.key.scenario for sample in samples}))
    rows = []
    for log in ended:
        name, mine = Path(log.location).name, heard.get(log.eval.eval_id, [])
        whole = log.results is not None and len(mine) == log.results.total_samples
        rows += [row.model_copy(update={"log": name}) for row in mine] if whole else rows_of(log, name, spec.stopping)
    return rows


def _check_ends(logs: Sequence[EvalLog], tasks: int) -> None:
    """Inspect returns also where it was interrupted or a task broke: with logs in which samples are missing, or without them; neither may pass for an end."""
    for log in logs:
        if log.status == "error":
            told = " ".join((log.error.message if log.error else "").split())[:300]
            raise UserError(f"{log.eval.model} in {log.eval.task} broke off: {told}", "The same command continues")
    if len(logs) < tasks or any(log.status != "success" for log in logs):
        raise KeyboardInterrupt


def _eval(spec: Spec, logs: Path, samples: list[PlannedSample], model: Model, grader: Model | None) -> list[EvalLog]:
    scenarios = dict.fromkeys(sample.key.scenario for sample in samples)
    tasks, grading = [], "auto" if spec.judged else spec.grader
    for scenario in scenarios:
        family, name = place_of(scenario)
        draws = [sample.draw for sample in samples if sample.key.scenario == scenario]
        tasks.append(task_with(family.task(name, draws, grading, spec.max_turns), model=model))
    # A model on this machine takes one task after another, so that its prompt cache serves the samples of a cell.
    at_once = 1 if str(model).startswith("embedded/") else len(tasks)
    # Twice as many samples as requests at once: those that are being prepared and judged leave their connections to others.
    connections = model.config.max_connections
    logging.getLogger("inspect_ai").setLevel(logging.ERROR)
    return eval(
        tasks, log_dir=str(logs), display="none", fail_on_error=False, max_tasks=at_once, score_display=False,
        model_roles={"grader": grader} if grader else None, log_level="error", log_buffer=25,
        max_samples=connections and 2 * connections,
    )  # fmt: skip


def recover(logs: Path) -> None:
    """Bring the samples of killed runs that had ended, but not reached their log, back from Inspect's buffer."""
    for path in list_started(logs):
        with suppress(RecoveryNotAvailable):
            recover_eval_log(str(path), overwrite=True)
