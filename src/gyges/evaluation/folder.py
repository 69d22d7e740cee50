"""The folder of `gyges test`: a store of results that says in `spec.json` which study it holds, for one process at a time.

{folder}/spec.json            what is tested
{folder}/logs/{model}-{key}/  Inspect's logs, shared by all evaluations that differ in nothing but the number of samples
{folder}/evaluate/...         the results of the evaluations, as in every store
{folder}/verdicts.parquet, estimates.json, report.html   of the last command
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gyges.errors import UserError
from gyges.evaluation.spec import LOGS, Spec, pools_of
from gyges.files import write_whole
from gyges.transcripts.inspect_logs import log_paths


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


def claim_folder(spec: Spec, out: Path) -> bool:
    """Make the folder this spec's, or check that it is. A store of studies may become one too.

    Returns:
        Whether it was ever filled with a precision: which samples a cell has then hangs on their results, for good.

    Raises:
        UserError: it holds another study, or files that are none.
    """
    stored = stored_spec(out)
    if not stored and any(p.name != ".lock" for p in out.iterdir()) and not (out / "studies").is_dir():
        raise UserError(f"'{out}' is not empty and holds no study", "Choose another --out")
    if stored:
        _check_same(spec, stored, out)
    sequential = spec.precision is not None or stops_early(stored)
    data = {"identity": spec.identity(), "samples": spec.samples, "precision": spec.precision, "sequential": sequential}
    note_spec(data, out)
    return sequential


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


def stops_early(stored: dict[str, Any]) -> bool:
    """Whether a folder with this `spec.json` was ever filled with a precision."""
    return bool(stored.get("sequential") or stored.get("precision"))


def logs_of(folder: Path) -> list[Path]:
    """The logs of the study that a folder holds, or all logs where it is one of Inspect's."""
    stored = stored_spec(folder)
    places = [folder / pool for pool in pools_of(stored["identity"])] if stored else [folder / LOGS]
    return [path for place in places for path in log_paths(place)]


def _check_same(spec: Spec, stored: dict[str, Any], out: Path) -> None:
    old, new = stored["identity"], spec.identity()
    differs = [k for k in new if old.get(k) != new[k]]
    if differs:
        raise UserError(
            f"'{out}' holds another study (differs in: {', '.join(differs)})",
            "Choose another --out, or repeat the command that made it",
        )
