"""The evaluation step: run what a spec owes into a folder, and return its rows.

`evaluate(spec, out)` may be called again on a half-filled folder at any time: samples that are there are not run again, whatever killed
the run before. What is run next depends on the results alone, so an interrupted run ends with the same samples as an undisturbed one.
"""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeGuard

from inspect_ai import Task, eval, task_with
from inspect_ai.log import EvalLog, RecoveryNotAvailable, recover_eval_log
from inspect_ai.model import Model

from gyges.errors import Unfinished, UserError
from gyges.evaluation.budget import MOST_TOKENS, Purse
from gyges.evaluation.models import open_grader, open_model
from gyges.evaluation.parallel import processes_for, share, split, workers
from gyges.evaluation.progress import listening
from gyges.evaluation.spec import CellKey, How, Spec, cells_of, check_how, draw_of
from gyges.judging.outcomes import Status
from gyges.scenarios.factors import label
from gyges.scenarios.insider.tasks import scenario_task
from gyges.scenarios.pack.load import load_pack
from gyges.scenarios.samples import Draw, sample_id
from gyges.statistics.sequential import CellState, allocate, bounds
from gyges.transcripts.inspect_logs import latest, list_started, log_paths, read_rows, rows_of, settled, write_table
from gyges.transcripts.rows import Row

BATCH = 100
"""Samples of one round with a precision, over all cells."""

Done = dict[tuple[str, str], Row]
Samples = list[tuple[CellKey, Draw]]
Tell = Callable[[list[Row]], None]


def evaluate(
    spec: Spec, out: Path, how: How = How(), tell: Tell = lambda rows: None, pool: Path | None = None
) -> list[Row]:
    """Run all samples that a spec owes and write `verdicts.parquet`.

    Args:
        spec: what is evaluated.
        out: the folder of the table, and of the logs with its samples: `out/logs`.
        how: budget, prices, connections.
        tell: called with the rows of samples that have ended, those of earlier calls included.
        pool: where logs are written and samples looked for first, if others share them; `out/logs` then has links to those that were needed.

    Returns:
        One row for every sample of the spec, those of earlier calls included.

    Raises:
        UserError: a model cannot be used, a log is damaged, or Inspect could not run a task to its end.
        Unfinished: the budget is spent.
        KeyboardInterrupt: it was interrupted; what had ended is kept.
    """
    logs = pool or out / "logs"
    models = _open(spec, check_how(how))
    open_grader(spec.grader)
    recover(logs)
    done = _done(logs)
    purse, asked = _purse(spec, how, logs), []
    try:
        for planned in rounds(spec, done):
            asked += planned
            tell([row for sample in planned if is_done(row := found(sample, done))])
            owed = [sample for sample in planned if not is_done(found(sample, done))]
            _run(spec, logs, owed, models, how, done, purse, tell)
    except BaseException:
        with suppress(UserError):  # what has ended is in the logs; a log that is damaged is told by the next run
            done |= _done(logs)
        raise
    finally:
        rows = in_order(spec, [row for sample in asked if (row := found(sample, done))])
        out.mkdir(parents=True, exist_ok=True)
        write_table(rows, out, spec.precision is not None)
    if pool:
        link_logs(rows, pool, out / "logs")
    return rows


def _done(logs: Path) -> Done:
    return {key_of(row): row for row in latest(read_rows(log_paths(logs), logs))}


def _purse(spec: Spec, how: How, logs: Path) -> Purse:
    """The purse, less what all samples beside these have cost."""
    purse = Purse(spec, how)
    if how.budget_usd is not None:
        rows = read_rows(log_paths(logs.parent), logs.parent)
        purse.spend(list({(Path(row.log).name, row.sample_id, row.epoch): row for row in rows}.values()))
    return purse


def link_logs(rows: Sequence[Row], pool: Path, logs: Path) -> None:
    """Put the logs that rows are from into a folder: as links, or as copies where the disk has none."""
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    for name in dict.fromkeys(row.log for row in rows):
        try:
            os.link(pool / name, logs / name)
        except OSError:
            shutil.copy2(pool / name, logs / name)


def rounds(spec: Spec, done: Done) -> Iterator[Samples]:
    """The samples of a spec, round by round; `done` is expected to hold those of a round before the next is asked for.

    Without a precision there is one round. With one, each round is a function of the results of the samples of all rounds before it, in
    the order in which they were planned: a killed run plans the same rounds again and finds their samples done.
    """
    keys = {_name(key): key for key in cells_of(spec)}
    if spec.precision is None:
        yield _planned(spec, keys, dict.fromkeys(keys, 0), dict.fromkeys(keys, spec.samples))
        return
    planned = dict.fromkeys(keys, 0)
    while more := allocate(_states(spec, keys, planned, done), spec.precision, BATCH, spec.samples):
        yield _planned(spec, keys, planned, more)
        planned = {name: planned[name] + more.get(name, 0) for name in keys}


def _planned(spec: Spec, keys: Mapping[str, CellKey], start: Mapping[str, int], more: Mapping[str, int]) -> Samples:
    """The samples `start` to `start + more` of each cell."""
    numbers = ((keys[name], i) for name, count in more.items() for i in range(start[name], start[name] + count))
    return [(key, draw_of(spec, key, i)) for key, i in numbers]


def found(sample: tuple[CellKey, Draw], done: Done) -> Row | None:
    """The row of a sample, if it was ever run."""
    key, draw = sample
    return done.get((key.model, sample_id(load_pack(key.scenario).name, draw)))


def is_done(row: Row | None) -> TypeGuard[Row]:
    """Whether a sample has been run and need not be run again."""
    return row is not None and settled(row)


def _states(spec: Spec, keys: Mapping[str, CellKey], planned: Mapping[str, int], done: Done) -> dict[str, CellState]:
    states = {}
    for name, key in keys.items():
        name_of = load_pack(key.scenario).name
        ids = (sample_id(name_of, draw_of(spec, key, i)) for i in range(planned[name]))
        rows = [row for i in ids if (row := done.get((key.model, i)))]
        scored = [float(bool(row.harmful)) for row in rows if row.status is Status.SCORED]
        low, high = bounds(sum(scored), len(scored))
        states[name] = CellState(planned[name], float(low), float(high))
    return states


def _run(
    spec: Spec, logs: Path, owed: Samples, models: Mapping[str, Model], how: How, done: Done, purse: Purse, tell: Tell
) -> None:
    """Run samples, in as many portions as the budget allows at a time.

    Raises:
        Unfinished: it is spent.
    """
    while owed:
        portion = owed[: purse.affordable(owed)]
        if not portion:
            raise Unfinished(
                f"the budget is spent: {len(owed)} samples were not run",
                "With a larger --budget the same command runs them",
            )
        rows = _rows(spec, logs, portion, models, how, tell)
        for row in latest([*done.values(), *rows]):
            done[key_of(row)] = row
        purse.spend(rows)
        owed = owed[len(portion) :]


def _rows(spec: Spec, logs: Path, owed: Samples, models: Mapping[str, Model], how: How, tell: Tell) -> list[Row]:
    """Run samples, in several processes where one could not keep the server busy, and return their rows."""
    processes = processes_for(spec, how, len(owed))
    if processes == 1:
        return _run_here(spec, logs, owed, models, tell)
    mine, *parts = split(owed, processes)
    part_of = share(how, processes)
    with workers(_run_in_worker, [(spec, logs, part, part_of) for part in parts], tell) as theirs:
        rows = _run_here(spec, logs, mine, _open(spec, part_of), tell)
        return rows + theirs.result()


def _open(spec: Spec, how: How) -> dict[str, Model]:
    """The models; with a budget an answer may have no more tokens than the budget reckons with."""
    capped = (
        spec.model_copy(update={"max_tokens": spec.max_tokens or MOST_TOKENS}) if how.budget_usd is not None else spec
    )
    return {m.name: open_model(m, capped, how) for m in spec.models}


def _run_in_worker(spec: Spec, logs: Path, owed: Samples, how: How, tell: Tell) -> list[Row]:
    return _run_here(spec, logs, owed, _open(spec, how), tell)


def _run_here(spec: Spec, logs: Path, owed: Samples, models: Mapping[str, Model], tell: Tell) -> list[Row]:
    """Run samples and return their rows, as heard while they ended; a log of which any is missing is read."""
    with listening(tell) as heard, rare_collections():
        ended = _eval(spec, logs, owed, models)
    _check_ends(ended, len(_by_task(owed)))
    rows = []
    for log in ended:
        name, mine = Path(log.location).name, heard.get(log.eval.eval_id, [])
        whole = log.results is not None and len(mine) == log.results.total_samples
        rows += [row.model_copy(update={"log": name}) for row in mine] if whole else rows_of(log, name)
    return rows


def _check_ends(logs: Sequence[EvalLog], tasks: int) -> None:
    """Inspect returns also where it was interrupted or a task broke: with logs in which samples are missing, or without them; neither may pass for an end."""
    for log in logs:
        if log.status == "error":
            told = " ".join((log.error.message if log.error else "").split())[:300]
            raise UserError(f"{log.eval.model} in {log.eval.task} broke off: {told}", "The same command continues")
    if len(logs) < tasks or any(log.status != "success" for log in logs):
        raise KeyboardInterrupt


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage a hundred times less often: among the events of a thousand samples that takes a sixth of the time."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _eval(spec: Spec, logs: Path, owed: Samples, models: Mapping[str, Model]) -> list[EvalLog]:
    tasks = [_task(spec, models[model], pack, draws) for (model, pack), draws in _by_task(owed).items()]
    grader = open_grader(spec.grader)
    # A model on this machine takes one task after another, so that its prompt cache serves the samples of a cell.
    at_once = 1 if all(model.name.startswith("embedded/") for model in spec.models) else len(tasks)
    # Twice as many samples as requests at once: those that are being prepared and judged leave their connections to others.
    connections = next(iter(models.values())).config.max_connections
    logging.getLogger("inspect_ai").setLevel(logging.ERROR)
    return eval(
        tasks, log_dir=str(logs), display="none", fail_on_error=False, max_tasks=at_once, score_display=False,
        model_roles={"grader": grader} if grader else None, log_level="error", log_buffer=25,
        max_samples=connections and 2 * connections,
    )  # fmt: skip


def _task(spec: Spec, model: Model, pack: str, draws: list[Draw]) -> Task:
    task = scenario_task(pack, draws, "auto" if open_grader(spec.grader) else spec.grader, spec.max_turns)
    return task_with(task, model=model)


def _by_task(owed: Samples) -> dict[tuple[str, str], list[Draw]]:
    tasks: dict[tuple[str, str], list[Draw]] = {}
    for key, draw in owed:
        tasks.setdefault((key.model, key.scenario), []).append(draw)
    return tasks


def recover(logs: Path) -> None:
    """Bring the samples of killed runs that had ended, but not reached their log, back from Inspect's buffer."""
    for path in list_started(logs):
        try:
            recover_eval_log(str(path), overwrite=True)
        except RecoveryNotAvailable:
            continue


def key_of(row: Row) -> tuple[str, str]:
    """What identifies a sample in a folder."""
    return row.model, row.sample_id


def in_order(spec: Spec, rows: Sequence[Row]) -> list[Row]:
    """Rows in the order of the cells and of the samples in them, so that equal results make equal files."""
    order = {(k.model, load_pack(k.scenario).name, label(k.levels)): i for i, k in enumerate(cells_of(spec))}
    return sorted(rows, key=lambda r: (order[(r.model, r.scenario, label(r.factors))], r.repeat, _skin_order(r.skin)))


def _skin_order(skin: str) -> tuple[int, str]:
    return (int(skin), "") if skin.isdigit() else (10**9, skin)


def _name(key: CellKey) -> str:
    return f"{key.model}|{key.scenario}|{label(key.levels)}"
