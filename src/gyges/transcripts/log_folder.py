"""A folder of Inspect's logs as rows: those of `inspect eval` and `inspect eval-set`, whole, cancelled and crashed, `.eval` and `.json`.

What is missing is said and never left out in silence: logs that broke off, that cannot be read, or that are of other tasks.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from inspect_ai.log import EvalLog, list_eval_logs

from gyges.errors import UserError
from gyges.transcripts.inspect_logs import latest, open_log, row_of
from gyges.transcripts.log_settings import settings_of, told_apart
from gyges.transcripts.rows import Row

REQUIRED = {"scenario", "factors", "control", "skin", "repeat"}
"""What the metadata of a sample says if it is of a task of ours."""


class LogRows(NamedTuple):
    """The rows of a folder of logs, and in words what is missing."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def all_logs(place: Path) -> list[Path]:
    """The logs in a folder and below it, oldest first; or the one log that the place is."""
    if place.is_file():
        return [place]
    below = str(place.resolve())
    found = [path for path in place.rglob("*") if path.suffix in (".eval", ".json") and path.is_file()]
    named = {Path(info.name.removeprefix("file://")) for info in list_eval_logs(below, recursive=True)}
    return sorted((path for path in found if path.resolve() in named), key=lambda path: path.name)


def rows_of_logs(place: Path) -> LogRows:
    """One row for every sample and epoch of each model; where several logs have the same one, the first that ended counts.

    A model that was run with other settings is another one: see `told_apart`.

    Raises:
        UserError: there is no log of our tasks.
    """
    home = place.parent if place.is_file() else place
    logs, notes = _opened(all_logs(place))
    ours = {
        path: log
        for path, log in logs.items()
        if all(set(sample.metadata) >= REQUIRED for sample in log.samples or [])
        and (log.samples or (log.eval.task_registry_name or log.eval.task).startswith("gyges/"))
    }
    notes += [
        f"{path.name} is a log of another task ({log.eval.task})" for path, log in logs.items() if path not in ours
    ]
    if not ours:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise UserError(
            f"'{place}' holds no results{why}", "Run `gyges test MODEL --out DIR`, or `inspect eval gyges/TASK`"
        )
    names = told_apart(ours.values())
    rows = [
        row_of(sample, log.eval.model, path.relative_to(home).as_posix()).model_copy(
            update={"model": names[log.location]}
        )
        for path, log in ours.items()
        for sample in log.samples or []
    ]
    return LogRows(tuple(latest(rows)), (*notes, *_notes(list(ours.values()))))


def settings_of_logs(place: Path) -> dict[str, tuple[str, ...]]:
    """All values of the settings that the logs of a folder have, by name. Logs that cannot be read are left out."""
    found: dict[str, set[str]] = {}
    for log in _opened(all_logs(place))[0].values():
        for name, value in settings_of(log).items():
            found.setdefault(name, set()).add(value)
    return {name: tuple(sorted(values)) for name, values in found.items()}


def _notes(logs: Sequence[EvalLog]) -> Iterator[str]:
    """Of each task of which samples are missing, how many are there; and how many samples different runs have made.

    What `eval-set` and `eval-retry` repeat is one task in several logs, and takes what is done into its next log.
    """
    by_task: dict[str, list[EvalLog]] = {}
    for log in logs:
        by_task.setdefault(log.eval.task_id, []).append(log)
    yield from filter(None, map(_missing, by_task.values()))
    names = told_apart(logs)
    runs = {
        (names[log.location], sample.id, sample.epoch, log.eval.task_id) for log in logs for sample in log.samples or []
    }
    if more := len(runs) - len({run[:3] for run in runs}):
        yield f"{more} of the samples are in more than one run; of each the first that ended counts"


def _opened(paths: Iterable[Path]) -> tuple[dict[Path, EvalLog], list[str]]:
    logs, notes = {}, []
    for path in paths:
        try:
            logs[path] = open_log(path)
        except UserError as error:
            notes.append(error.problem)
    return logs, notes


def _missing(tries: list[EvalLog]) -> str:
    last = tries[-1]
    there = len({(sample.id, sample.epoch) for log in tries for sample in log.samples or []})
    asked = max(_asked(log) for log in tries)
    if there >= asked:
        return ""
    how = {
        "started": "crashed or still running; `inspect log recover` may bring more back",
        "error": "broke off with an error",
    }.get(last.status, last.status)
    return f"{last.eval.task} with {last.eval.model}: {there} of {asked} samples are there ({how})"


def _asked(log: EvalLog) -> int:
    """How many samples a log was to have."""
    if log.results and log.results.total_samples:
        return log.results.total_samples
    ids = log.eval.dataset.sample_ids
    return (len(ids) if ids else log.eval.dataset.samples or 0) * (log.eval.config.epochs or 1)
