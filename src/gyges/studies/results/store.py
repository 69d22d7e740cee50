"""Results on disk: a folder for each step, and `record.json` in it, written last. Where the record is, the result is whole.

{store}/{kind}/{slug}-{key}/   the step's own files, log.txt, and record.json (or error.json, after a failure)
{store}/studies/{name}.jsonl   what was asked, before it was run
{store}/...                    folders that several results share, by the names that their steps give

A store may have a bucket: then a result is there when it is in the bucket, and the folder on this machine is where it is made and read.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from gyges.errors import UserError
from gyges.files import write_whole
from gyges.studies.identity import digest, values_of
from gyges.studies.results.bucket import Bucket
from gyges.studies.step import Step

RECORD, ERROR, LOG = "record.json", "error.json", "log.txt"


@dataclass(frozen=True)
class ResultRecord:
    """What is known of a result: `values` are all fields at the time it was made, `provenance` code, packages and machine."""

    name: str
    identity: dict[str, Any]
    values: dict[str, Any]
    upstream: dict[str, str]
    provenance: dict[str, Any]
    seconds: float
    finished: str
    shared: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key of the step that made it."""
        return self.name.rsplit("/", 1)[-1].rsplit("-", 1)[-1]


@dataclass(frozen=True)
class Store:
    """The results under one folder, or in a bucket of which the folder holds what this machine uses.

    Args:
        root: the folder; made when something is stored.
        bucket: where results are kept, if it is not the folder.
    """

    root: Path
    bucket: Bucket | None = None

    def path(self, step: Step) -> Path:
        """The folder of a step's result on this machine, whether it is there or not."""
        return self.root / step.name

    def read(self, names: Iterable[str]) -> dict[str, ResultRecord]:
        """The records that there are of these results and that can be read."""
        if self.bucket is None:
            found = {name: read_record(self.root / name) for name in names}
        else:
            texts = self.bucket.read(f"{name}/{RECORD}" for name in names)
            found = {path.rpartition("/")[0]: parse_record(text) for path, text in texts.items()}
        return {name: record for name, record in found.items() if record is not None}

    def record(self, step: Step) -> ResultRecord | None:
        """The record of a step's result, or None where there is none that can be read.

        Raises:
            UserError: the result was made with other values: a default has changed since.
        """
        record = self.read([step.name]).get(step.name)
        if record is not None:
            check_values(step, record)
        return record

    def is_whole(self, step: Step) -> bool:
        """Whether the result is whole on this machine, sent to the bucket or not."""
        return read_record(self.path(step)) is not None

    def result(self, step: Step) -> Path:
        """The folder of a result that is there; it is brought to this machine if need be.

        Raises:
            UserError: it is not.
        """
        if self.record(step) is None:
            raise UserError(f"{step.name} has no result", "Run the study first")
        if self.bucket is not None and not self.is_whole(step):
            self.bucket.pull(step.name, self.path(step))
        return self.path(step)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a step by its key, or a study by its name; another process waits here, and it is let go when this one dies."""
        (self.root / ".locks").mkdir(parents=True, exist_ok=True)
        with FileLock(str(self.root / ".locks" / f"{name}.lock")):
            yield

    @contextmanager
    def hold(self, name: str) -> Iterator[Path]:
        """A folder that several results share, for this process alone; on this machine only, also where there is a bucket."""
        with self.lock(name.replace("/", "-")):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            yield self.root / name

    def finish(self, step: Step, provenance: dict[str, Any], seconds: float) -> None:
        """Write the record, whole or not at all."""
        self._record(step, provenance, seconds, now())
        (self.path(step) / ERROR).unlink(missing_ok=True)

    def take_over(self, former: ResultRecord, step: Step) -> None:
        """Make a result of an earlier version of a step's kind this step's: its files move to the new name, its provenance stays."""
        old, new = self.root / former.name, self.path(step)
        if self.bucket is not None and read_record(old) is None:
            self.bucket.pull(former.name, old)
        with self.lock(step.key):
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(new, ignore_errors=True)
            old.replace(new)
            self._record(step, former.provenance | {"former_key": former.key}, former.seconds, former.finished)
            self.send(step)
        self.remove(former)

    def send(self, step: Step) -> None:
        """Put a result that is whole here where others find it."""
        if self.bucket is not None:
            self.bucket.push(self.path(step), step.name, last=RECORD)

    def fail(self, step: Step, problem: str, trace: str) -> None:
        """Note why a step failed; it is tried again by the next run."""
        write_json(self.path(step) / ERROR, {"problem": problem, "trace": trace, "when": now()})
        if self.bucket is not None and (self.path(step) / LOG).is_file():
            self.bucket.put(self.path(step) / LOG, f"{step.name}/{LOG}")

    def failure(self, step: Step) -> str | None:
        """Why a step failed the last time, if it did and has no result since."""
        try:
            return json.loads((self.path(step) / ERROR).read_text(encoding="utf-8"))["problem"]
        except (OSError, ValueError, KeyError):
            return None

    def records(self) -> Iterator[ResultRecord]:
        """All records of the store."""
        yield from self.read(path.rpartition("/")[0] for path in self._list(f"*/*/{RECORD}")).values()

    def find(self, key: str) -> ResultRecord:
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
        found = self._list(f"*/*{key}*/{LOG}")
        if len(found) != 1:
            raise UserError(f"{len(found)} steps with the key '{key}' have a log", "Give the whole key")
        text = self.bucket.read(found)[found[0]] if self.bucket else (self.root / found[0]).read_bytes()
        return text.decode(errors="replace")

    def reopen(self, record: ResultRecord) -> None:
        """Take a result for unfinished: its files stay on this machine, and its step goes on from them when it is run again."""
        if self.bucket is not None:
            self.bucket.remove(record.name, first=RECORD)
        (self.root / record.name / RECORD).unlink(missing_ok=True)

    def remove(self, record: ResultRecord) -> None:
        """Delete a result; its record goes first, so that no half of it can be taken for whole."""
        self.reopen(record)
        shutil.rmtree(self.root / record.name, ignore_errors=True)

    def text(self, path: str) -> str:
        """A text of the store that is not a result; empty where there is none."""
        try:
            text = self.bucket.read([path]).get(path, b"") if self.bucket else (self.root / path).read_bytes()
        except OSError:
            return ""
        return text.decode(errors="replace")

    def keep(self, path: str, text: str) -> Path:
        """Keep such a text; where it lies on this machine."""
        kept = write_whole(self.root / path, text)
        if self.bucket is not None:
            self.bucket.put(kept, path)
        return kept

    def _record(self, step: Step, provenance: dict[str, Any], seconds: float, finished: str) -> None:
        data = {
            "name": step.name, "identity": step.identity, "values": values_of(step),
            "upstream": {s.name: s.key for s in step.inputs}, "provenance": provenance, "seconds": round(seconds, 3),
            "finished": finished, "shared": step.shared(),
        }  # fmt: skip
        write_json(self.path(step) / RECORD, data)

    def _list(self, pattern: str) -> list[str]:
        """Files of the store, relative to it."""
        if self.bucket is not None:
            return sorted(self.bucket.list(pattern))
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob(pattern))


def open_store(place: str, make: bool = False) -> Store:
    """The store at a path or, with a protocol, at an address; what this machine uses of the latter lies under `GYGES_CACHE` (~/.cache/gyges).

    Raises:
        UserError: the address cannot be opened, or the folder that is to be made cannot be.
    """
    if "://" not in place:
        path = Path(place).resolve()
        try:
            _ = path.mkdir(parents=True, exist_ok=True) if make else None
        except OSError as error:
            raise UserError(f"there can be no store '{place}': {error.strerror}", "Choose another --store") from None
        return Store(path)
    cache = Path(os.environ.get("GYGES_CACHE") or Path.home() / ".cache" / "gyges")
    return Store(cache.resolve() / digest(place)[:12], Bucket(place.rstrip("/")))


def check_values(step: Step, record: ResultRecord) -> None:
    """Look for a value that was stored and is another now; a field that the record does not know is younger than it and was at its default.

    Raises:
        UserError: there is one.
    """
    today = values_of(step)
    differs = [n for n, v in record.values.items() if n in today and today[n] != v]
    if differs:
        name = differs[0]
        raise UserError(
            f"{record.name} was made with {name}={record.values[name]}, which is now {today[name]}",
            f"A default has changed: write {name}=... in the study, or raise the version of {type(step).__name__}",
        )


def read_record(folder: Path) -> ResultRecord | None:
    """The record in a folder; None where there is none or where it is damaged, so that the step is run again."""
    try:
        return parse_record((folder / RECORD).read_bytes())
    except OSError:
        return None


def parse_record(text: bytes) -> ResultRecord | None:
    """A record; None where it is damaged."""
    try:
        return ResultRecord(**json.loads(text))
    except (ValueError, TypeError):
        return None


def write_json(path: Path, data: Any) -> None:
    """JSON, written whole or not at all."""
    write_whole(path, json.dumps(data, indent=1, ensure_ascii=False))


def now() -> str:
    """The time in UTC, as text."""
    return datetime.now(UTC).isoformat(timespec="seconds")
