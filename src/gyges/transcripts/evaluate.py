"""The evaluation step: run what a spec owes into a folder, and return its rows.

`evaluate(spec, out)` may be called again on a half-filled folder at any time: samples that are there are not run again, whatever killed
the run before. What is run next depends on the results alone, so an interrupted run ends with the same samples as an undisturbed one.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from inspect_ai import Task, eval, task_with
from inspect_ai.log import EvalLog, RecoveryNotAvailable, recover_eval_log
from inspect_ai.model import Model

from gyges.errors import UserError
from gyges.judging.outcomes import Status
from gyges.reporting.sequential import CellState, allocate, bounds
from gyges.scenarios.factors import label
from gyges.scenarios.insider.tasks import scenario_task
from gyges.scenarios.pack import load_pack
from gyges.scenarios.samples import Draw, sample_id
from gyges.transcripts.forecast import MOST_TOKENS, Purse
from gyges.transcripts.models import open_grader, open_model
from gyges.transcripts.progress import Progress, listening
from gyges.transcripts.read import latest, list_started, log_paths, read_rows, rows_of, settled, write_table
from gyges.transcripts.rows import Row
from gyges.transcripts.shards import processes_for, share, split, workers
from gyges.transcripts.spec import CellKey, How, Spec, cells_of, check_how, claim_folder, draw_of

BATCH = 100
"""Samples of one round with a precision, over all cells."""

Done = dict[tuple[str, str], Row]
Owed = list[tuple[CellKey, Draw]]


def evaluate(spec: Spec, out: Path, how: How = How(), progress: Progress | None = None) -> list[Row]:
    """Run all samples that a spec owes and write `verdicts.parquet`.

    Args:
        spec: what is evaluated.
        out: the folder; logs go to `out/logs`.
        how: budget, prices, connections.
        progress: told of every sample that ends.

    Returns:
        One row for every sample of the spec, those of earlier calls included.

    Raises:
        UserError: a model cannot be used, the folder is another study's or in use, a log is damaged.
    """
    models = _open(spec, check_how(how))
    open_grader(spec.grader)
    with locked(out):
        claim_folder(spec, out)
        recover(out)
        done = {key_of(row): row for row in latest(read_rows(log_paths(out)))}
        purse = Purse(spec, how)
        purse.spend(list(done.values()))
        if progress:
            progress.begin([row for row in _of_spec(spec, done) if settled(row)])
        try:
            for owed in rounds(spec, done):
                _run(spec, out, owed, models, how, done, purse, progress)
        finally:
            rows = _of_spec(spec, done)
            write_table(rows, out)
    return rows


def rounds(spec: Spec, done: Done) -> Iterator[Owed]:
    """What to run, round by round; `done` is expected to grow between two rounds.

    Without a precision there is one round. With one, each round is a function of the results of the samples of all rounds before it, in
    the order in which they were planned: a killed run plans the same rounds again and finds their samples done.
    """
    keys = {_name(key): key for key in cells_of(spec)}
    if spec.precision is None:
        yield _owed(spec, keys, dict.fromkeys(keys, 0), dict.fromkeys(keys, spec.samples), done)
        return
    planned = dict.fromkeys(keys, 0)
    while more := allocate(_states(spec, keys, planned, done), spec.precision, BATCH, spec.samples):
        yield _owed(spec, keys, planned, more, done)
        planned = {name: planned[name] + more.get(name, 0) for name in keys}


def _owed(
    spec: Spec, keys: Mapping[str, CellKey], start: Mapping[str, int], more: Mapping[str, int], done: Done
) -> Owed:
    """The samples `start` to `start + more` of each cell that are not done."""
    numbers = ((keys[name], i) for name, count in more.items() for i in range(start[name], start[name] + count))
    draws = ((key, draw_of(spec, key, i)) for key, i in numbers)
    return [(key, draw) for key, draw in draws if not is_done(key, draw, done)]


def is_done(key: CellKey, draw: Draw, done: Done) -> bool:
    """Whether a sample has been run."""
    row = done.get((key.model, sample_id(load_pack(key.scenario).name, draw)))
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
    spec: Spec, out: Path, owed: Owed, models: Mapping[str, Model], how: How, done: Done, purse: Purse,
    progress: Progress | None,
) -> None:  # fmt: skip
    """Run samples, in as many portions as the budget allows at a time; stop when it is spent."""
    while owed:
        portion = owed[: purse.affordable(owed)]
        if not portion:
            return purse.note_spent(len(owed))
        rows = _rows(spec, out, portion, models, how, progress)
        for row in latest([*done.values(), *rows]):
            done[key_of(row)] = row
        purse.spend(rows)
        owed = owed[len(portion) :]


def _rows(
    spec: Spec, out: Path, owed: Owed, models: Mapping[str, Model], how: How, progress: Progress | None
) -> list[Row]:
    """Run samples, in several processes where one could not keep the server busy, and return their rows."""
    tell = progress.add if progress else _nobody
    processes = processes_for(spec, how, len(owed))
    if processes == 1:
        return _run_here(spec, out, owed, models, tell)
    mine, *parts = split(owed, processes)
    part_of = share(how, processes)
    with workers(_run_in_worker, [(spec, out, part, part_of) for part in parts], tell) as theirs:
        rows = _run_here(spec, out, mine, _open(spec, part_of), tell)
        return rows + theirs.result()


def _open(spec: Spec, how: How) -> dict[str, Model]:
    """The models; with a budget an answer may have no more tokens than the budget reckons with."""
    capped = (
        spec.model_copy(update={"max_tokens": spec.max_tokens or MOST_TOKENS}) if how.budget_usd is not None else spec
    )
    return {m.name: open_model(m, capped, how) for m in spec.models}


def _nobody(row: Row) -> None:
    """Nobody wants to know."""


def _run_in_worker(spec: Spec, out: Path, owed: Owed, how: How, tell: Callable[[Row], None]) -> list[Row]:
    return _run_here(spec, out, owed, _open(spec, how), tell)


def _run_here(spec: Spec, out: Path, owed: Owed, models: Mapping[str, Model], tell: Callable[[Row], None]) -> list[Row]:
    """Run samples and return their rows, as heard while they ended; a log of which any is missing is read."""
    with listening(tell) as heard, rare_collections():
        logs = _eval(spec, out, owed, models)
    rows = []
    for log in logs:
        name, mine = Path(log.location).name, heard.get(log.eval.eval_id, [])
        whole = log.results is not None and len(mine) == log.results.total_samples
        rows += [row.model_copy(update={"log": name}) for row in mine] if whole else rows_of(log, name)
    return rows


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


def _eval(spec: Spec, out: Path, owed: Owed, models: Mapping[str, Model]) -> list[EvalLog]:
    tasks = [_task(spec, models[model], pack, draws) for (model, pack), draws in _by_task(owed).items()]
    grader = open_grader(spec.grader)
    # A model on this machine takes one task after another, so that its prompt cache serves the samples of a cell.
    at_once = 1 if all(model.name.startswith("embedded/") for model in spec.models) else len(tasks)
    # Twice as many samples as requests at once: those that are being prepared and judged leave their connections to others.
    connections = next(iter(models.values())).config.max_connections
    logging.getLogger("inspect_ai").setLevel(logging.ERROR)
    return eval(
        tasks, log_dir=str(out / "logs"), display="none", fail_on_error=False, max_tasks=at_once, score_display=False,
        model_roles={"grader": grader} if grader else None, log_level="error", log_buffer=25,
        max_samples=connections and 2 * connections,
    )  # fmt: skip


def _task(spec: Spec, model: Model, pack: str, draws: list[Draw]) -> Task:
    task = scenario_task(pack, draws, "auto" if open_grader(spec.grader) else spec.grader, spec.max_turns)
    return task_with(task, model=model)


def _by_task(owed: Owed) -> dict[tuple[str, str], list[Draw]]:
    tasks: dict[tuple[str, str], list[Draw]] = {}
    for key, draw in owed:
        tasks.setdefault((key.model, key.scenario), []).append(draw)
    return tasks


def recover(out: Path) -> None:
    """Bring the samples of killed runs that had ended, but not reached their log, back from Inspect's buffer."""
    if not (out / "logs").is_dir():
        return
    for path in list_started(out):
        try:
            recover_eval_log(str(path), overwrite=True)
        except RecoveryNotAvailable:
            continue


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the folder for this process alone.

    Raises:
        UserError: another process works in it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".lock").touch()
    except OSError as error:
        raise UserError(f"'{out}' cannot be written: {error.strerror}", "Choose another --out") from None
    lock = FileLock(str(out / ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"another process is working in '{out}'", "Wait for it, or choose another --out") from None
    try:
        yield
    finally:
        lock.release()


def key_of(row: Row) -> tuple[str, str]:
    """What identifies a sample in a folder."""
    return row.model, row.sample_id


def _of_spec(spec: Spec, done: Done) -> list[Row]:
    """The rows in the order of the cells and of the samples in them, so that equal results make equal files."""
    order = {(k.model, load_pack(k.scenario).name, label(k.levels)): i for i, k in enumerate(cells_of(spec))}
    mine = [r for r in done.values() if (r.model, r.scenario, label(r.factors)) in order]
    return sorted(mine, key=lambda r: (order[(r.model, r.scenario, label(r.factors))], r.repeat, _skin_order(r.skin)))


def _skin_order(skin: str) -> tuple[int, str]:
    return (int(skin), "") if skin.isdigit() else (10**9, skin)


def _name(key: CellKey) -> str:
    return f"{key.model}|{key.scenario}|{label(key.levels)}"
