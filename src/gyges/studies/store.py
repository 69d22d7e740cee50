"""Results on disk: a folder for each step, and `record.json` in it, written last. Where the record is, the result is whole.

{store}/{kind}/{slug}-{key}/   the step's own files, log.txt, and record.json (or error.json, after a failure)
{store}/studies/{name}.jsonl   what was asked, before it was run
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from gyges.errors import UserError
from gyges.files import write_whole
from gyges.studies.identity import values_of
from gyges.studies.step import Step

RECORD, ERROR, LOG = "record.json", "error.json", "log.txt"


@dataclass(frozen=True)
class Record:
    """What is known of a result: `values` are all fields at the time it was made, `provenance` code, packages and machine."""

    name: str
    identity: dict[str, Any]
    values: dict[str, Any]
    upstream: dict[str, str]
    provenance: dict[str, Any]
    seconds: float
    finished: str

    @property
    def key(self) -> str:
        """The key of the step that made it."""
        return self.name.rsplit("/", 1)[-1].rsplit("-", 1)[-1]


class Store:
    """The results under one folder.

    Args:
        root: the folder; made when something is stored.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, step: Step) -> Path:
        """The folder of a step's result, whether it is there or not."""
        return self.root / step.name

    def record(self, step: Step) -> Record | None:
        """The record of a step's result, or None where there is none that can be read.

        Raises:
            UserError: the result was made with other values: a default has changed since.
        """
        record = read_record(self.path(step))
        if record is not None:
            self._check_values(step, record)
        return record

    def result(self, step: Step) -> Path:
        """The folder of a result that is there.

        Raises:
            UserError: it is not.
        """
        if self.record(step) is None:
            raise UserError(f"{step.name} has no result", "Run the study first")
        return self.path(step)

    @contextmanager
    def lock(self, step: Step) -> Iterator[None]:
        """Hold a step's folder; another process waits here, and it is let go when this one dies."""
        (self.root / ".locks").mkdir(parents=True, exist_ok=True)
        with FileLock(str(self.root / ".locks" / f"{step.key}.lock")):
            yield

    def finish(self, step: Step, provenance: dict[str, Any], seconds: float) -> None:
        """Write the record, whole or not at all."""
        data = {
            "name": step.name, "identity": step.identity, "values": values_of(step),
            "upstream": {s.name: s.key for s in step.inputs}, "provenance": provenance, "seconds": round(seconds, 3),
            "finished": now(),
        }  # fmt: skip
        write_json(self.path(step) / RECORD, data)
        (self.path(step) / ERROR).unlink(missing_ok=True)

    def fail(self, step: Step, problem: str, trace: str) -> None:
        """Note why a step failed; it is tried again by the next run."""
        write_json(self.path(step) / ERROR, {"problem": problem, "trace": trace, "when": now()})

    def failure(self, step: Step) -> str | None:
        """Why a step failed the last time, if it did and has no result since."""
        try:
            return json.loads((self.path(step) / ERROR).read_text(encoding="utf-8"))["problem"]
        except (OSError, ValueError, KeyError):
            return None

    def records(self) -> Iterator[Record]:
        """All records of the store."""
        for path in sorted(self.root.glob(f"*/*/{RECORD}")):
            record = read_record(path.parent)
            if record is not None:
                yield record

    def find(self, key: str) -> Record:
        """The record whose key or name begins or ends with a text.

        Raises:
            UserError: there is none, or more than one.
        """
        found = [r for r in self.records() if r.key.startswith(key) or r.name == key]
        if len(found) != 1:
            raise UserError(f"{len(found)} results are called '{key}'", "`gyges status STUDY.py` lists names and keys")
        return found[0]

    def log(self, key: str) -> str:
        """The log of the step with a key, result or not.

        Raises:
            UserError: there is none.
        """
        found = sorted(self.root.glob(f"*/*{key}*/{LOG}"))
        if len(found) != 1:
            raise UserError(f"{len(found)} steps with the key '{key}' have a log", "Give the whole key")
        return found[0].read_text(encoding="utf-8", errors="replace")

    def remove(self, record: Record) -> None:
        """Delete a result; its record goes first, so that no half of it can be taken for whole."""
        folder = self.root / record.name
        (folder / RECORD).unlink(missing_ok=True)
        shutil.rmtree(folder)

    @staticmethod
    def _check_values(step: Step, record: Record) -> None:
        """A value that was stored and is another now; a field that the record does not know is younger than it and was at its default."""
        today = values_of(step)
        differs = [n for n, v in record.values.items() if n in today and today[n] != v]
        if differs:
            name = differs[0]
            raise UserError(
                f"{record.name} was made with {name}={record.values[name]}, which is now {today[name]}",
                f"A default has changed: write {name}=... in the study, or raise the version of {type(step).__name__}",
            )


def read_record(folder: Path) -> Record | None:
    """The record in a folder; None where there is none or where it is damaged, so that the step is run again."""
    try:
        data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Record(**data)
    except (OSError, ValueError, TypeError):
        return None


def write_json(path: Path, data: Any) -> None:
    """JSON, written whole or not at all."""
    write_whole(path, json.dumps(data, indent=1, ensure_ascii=False))


def now() -> str:
    """The time in UTC, as text."""
    return datetime.now(UTC).isoformat(timespec="seconds")
