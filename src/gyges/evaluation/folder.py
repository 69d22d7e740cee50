"""The folder of `gyges test`: a store of results that says in `spec.json` which study it holds, for one process at a time.

{folder}/spec.json            what is tested
{folder}/logs/{model}-{key}/  Inspect's logs, shared by all evaluations that differ in nothing but the number of samples
{folder}/evaluate/...         the results of the evaluations, as in every store
{folder}/verdicts.parquet, estimates.json, report.html   of the last command
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gyges.errors import UserError
from gyges.evaluation.pools import LOGS, identity, pools_of
from gyges.evaluation.spec import ModelSpec, Spec
from gyges.files import write_whole
from gyges.transcripts.inspect_logs import latest, log_paths, read_rows
from gyges.transcripts.log_folder import LogRows, all_logs, rows_of_logs
from gyges.transcripts.rows import Stopping
from gyges.transcripts.table import TABLE, read_table, write_table


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


def claim_folder(models: Sequence[ModelSpec], spec: Spec, out: Path) -> Stopping:
    """Make the folder this spec's, or check that it is. A store of studies may become one too.

    Returns:
        When its cells stopped. Once one did with a precision, which samples a cell has hangs on their results for good; with two
        designs one after the other, the intervals of neither hold.

    Raises:
        UserError: it holds another study, or files that are none.
    """
    stored = stored_spec(out)
    if not stored and any(p.name != ".lock" for p in out.iterdir()) and not (out / "studies").is_dir():
        raise UserError(f"'{out}' is not empty and holds no study", "Choose another --out")
    asked = identity(models, spec)
    differs = [k for k in asked if stored and stored["identity"].get(k) != asked[k]]
    if differs:
        raise UserError(
            f"'{out}' holds another study (differs in: {', '.join(differs)})",
            "Choose another --out, or repeat the command that made it",
        )
    before = stopping_of(stored)
    stopping = Stopping(True) if before.sequential and before != spec.stopping else spec.stopping
    data = {"identity": asked, "samples": spec.samples, "precision": spec.precision, "stopping": stopping._asdict()}
    note_spec(data, out)
    return stopping


def note_spec(data: dict[str, Any], out: Path) -> None:
    """Write down what the folder is the study of."""
    write_whole(out / "spec.json", json.dumps(data, indent=1))


def stored_spec(out: Path) -> dict[str, Any]:
    """What a folder says of the study that it holds; empty where it holds none.

    Raises:
        UserError: it cannot be read.
    """
    path = out / "spec.json"
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        problem = f"{path} is damaged ({type(error).__name__})"
        raise UserError(problem, "Put it back from a copy, or choose another --out") from None


def stopping_of(stored: dict[str, Any]) -> Stopping:
    """When the cells of a folder with this `spec.json` stopped. Those of earlier versions had no looks."""
    if "stopping" in stored:
        return Stopping(**stored["stopping"])
    return Stopping(bool(stored.get("sequential") or stored.get("precision")))


def logs_of(folder: Path) -> list[Path]:
    """The logs of the study that a folder holds, or all logs where it is one of Inspect's."""
    stored = stored_spec(folder)
    return (
        [path for pool in pools_of(stored["identity"]) for path in log_paths(folder / pool)]
        if stored
        else all_logs(folder)
    )


def results_of(place: Path) -> LogRows:
    """The rows of a folder of `gyges test`, or of Inspect's logs, with what is missing.

    A folder's table counts, or its logs where those are newer (written by `inspect score`, say).

    Raises:
        UserError: there are no results, or they are damaged, or it is a store of studies, whose evaluations are not one study.
    """
    stored, table = (stored_spec(place), place / TABLE) if place.is_dir() else ({}, place / TABLE)
    if not stored and (place / "evaluate").is_dir():
        raise UserError(f"'{place}' is a store of studies", f"Name evaluations in it: gyges report {place}/evaluate/*")
    logs = logs_of(place)
    if table.exists() and (stored or not logs) and all(log.stat().st_mtime <= table.stat().st_mtime for log in logs):
        return LogRows(tuple(read_table(table)), ())
    if not stored:
        return rows_of_logs(place)
    rows = latest(read_rows(logs, place / LOGS, stopping_of(stored)))
    write_table(rows, place)
    return LogRows(tuple(rows), ())
