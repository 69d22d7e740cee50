"""Rows to train on, read from a step's `rows.jsonl`, a JSONL or JSON file, a parquet file, or a folder of Hugging Face `datasets`.

Covered: a byte-order mark, either way to end a line, fields that Arrow fills with nulls. A file that says something twice, or in another
encoding, is told with its line. Not covered: what the rows say (`forms`), and what a model makes of them.
"""

import codecs
import hashlib
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from gyges.errors import UserError
from gyges.studies.step import Context, Step

ROWS = "rows.jsonl"
SAVED = ("dataset_dict.json", "state.json")
"""What `save_to_disk` leaves in a folder: of a data set with splits, and of one without."""
TAKEN = "Name a JSONL or parquet file, a folder of Hugging Face datasets, or a step that writes rows.jsonl"

Data = Step | str
TrainingRow = dict[str, Any]


class SourcedRow(NamedTuple):
    """A row, and where it stands: `file:line`, or `file, row number`."""

    where: str
    fields: TrainingRow


def data_content(data: Data) -> str:
    """What rows depend on: the step's key, or the digest of the file or folder.

    Raises:
        UserError: there is no such file or folder.
    """
    if isinstance(data, Step):
        return f"step:{data.key}"
    path = Path(data).expanduser()
    if path.is_file():
        return f"file:{_digest(path, path.stat().st_mtime_ns)}"
    if not path.is_dir():
        raise UserError(f"there is no file {data}", TAKEN)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    digests = "".join(f"{p.relative_to(path).as_posix()} {_digest(p, p.stat().st_mtime_ns)}\n" for p in files)
    return f"folder:{hashlib.sha256(digests.encode()).hexdigest()[:16]}"


def read_rows(data: Data, context: Context) -> list[SourcedRow]:
    """All rows.

    Raises:
        UserError: there are none, or a line is not a row.
    """
    path = context.path(data) / ROWS if isinstance(data, Step) else Path(data).expanduser()
    if not path.exists():
        raise UserError(f"there is no {ROWS} in {path.parent}", TAKEN)
    arrow = path.is_dir() or path.suffix == ".parquet"
    if arrow:
        rows = [SourcedRow(f"{path}, row {i}", _without_nulls(row)) for i, row in enumerate(_dataset(path), 1)]
    else:
        rows = list(_text_rows(path))
    if not rows:
        raise UserError(f"{path} is empty", "There is nothing to train on")
    return rows


def with_field(rows: list[SourcedRow], needs: str) -> list[SourcedRow]:
    """The same rows, each of which has a field.

    Raises:
        UserError: one has not.
    """
    for where, fields in rows:
        if needs not in fields:
            raise UserError(f"{where} has no field '{needs}'", f'Each row needs "{needs}"')
    return rows


def order(rows: int, size: int, steps: int | None, epochs: float, seed: int) -> list[list[int]]:
    """Which rows each optimizer step sees: one shuffle after the other, cut into steps of `size`.

    The order is data, made before training, so that a resumed run knows its place without a sampler's state. With `steps`, all steps
    are full; otherwise the last one holds what the epochs leave.
    """
    wanted = steps * size if steps is not None else max(1, round(rows * epochs))
    shuffles = random.Random(seed)
    stream: list[int] = []
    while len(stream) < wanted:
        stream += shuffles.sample(range(rows), rows)
    return [stream[start : min(start + size, wanted)] for start in range(0, wanted, size)]


# --- text ------------------------------------------------------------------------------------------------------------


def _text_rows(path: Path) -> Iterator[SourcedRow]:
    """The lines of a JSONL file, or the entries of a JSON file that holds one list."""
    text = _decoded(path)
    if text.lstrip()[:1] == "[":
        for number, entry in enumerate(_parsed(text, str(path)), 1):
            yield SourcedRow(f"{path}, row {number}", _object(entry, f"{path}, row {number}"))
        return
    for number, line in enumerate(text.split("\n"), 1):  # nothing else ends a line: a text may hold U+2028
        if line.strip():
            yield SourcedRow(f"{path}:{number}", _object(_parsed(line, f"{path}:{number}"), f"{path}:{number}"))


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        raise UserError(f"{path} is compressed", "Unpack it")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
        raise UserError(f"{path} is in UTF-16", "Save it in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line} is not UTF-8 (byte {data[error.start]:#04x})", "Save it in UTF-8") from None


def _parsed(text: str, where: str) -> Any:
    try:
        return whole_json(text)
    except UnicodeEncodeError:
        raise UserError(f"{where} holds half of a surrogate pair", "Write the whole character") from None
    except KeyError as error:
        raise UserError(f"{where} has the field {error} twice", "Write it once") from None
    except RecursionError:
        raise UserError(f"{where} is nested too deeply", "Write the inner part as a text") from None
    except ValueError:
        raise UserError(f"{where} is not JSON", "Write one object a line") from None


def whole_json(text: str) -> Any:
    """A text's JSON.

    Raises:
        ValueError: it is none, or holds half of a surrogate pair, which is JSON and which no tokenizer takes.
        KeyError: an object has a name twice.
    """
    value = json.loads(text, object_pairs_hook=_named_once)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return found


def _object(value: Any, where: str) -> TrainingRow:
    if not isinstance(value, dict):
        raise UserError(f"{where} is not an object", "Write one object a line")
    return value


# --- arrow -----------------------------------------------------------------------------------------------------------


def _dataset(path: Path) -> Any:
    """A parquet file, a folder of them, or what `save_to_disk` has left."""
    from datasets import DatasetDict, load_dataset, load_from_disk
    from pyarrow.parquet import read_metadata

    try:
        if any((path / name).is_file() for name in SAVED):
            found: Any = load_from_disk(str(path))
        elif path.is_file() and not read_metadata(path).num_rows:
            return []
        else:
            files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
            files = [p for p in files if p.name.startswith("train")] or files
            found = load_dataset("parquet", data_files=[str(p) for p in files], split="train") if files else None
    except Exception as error:  # arrow, fsspec and datasets all mean the same to a user
        raise UserError(f"{path} cannot be read ({type(error).__name__})", TAKEN) from None
    if found is None:
        raise UserError(f"{path} is not a folder of Hugging Face datasets", TAKEN)
    splits = [str(name) for name in found] if isinstance(found, DatasetDict) else []
    if len(splits) > 1 and "train" not in splits:
        problem = f"{path} has the splits {', '.join(splits)} and no split 'train'"
        raise UserError(problem, f"Name one: {path}/{splits[0]}")
    return found["train" if "train" in splits else splits[0]] if splits else found


def _without_nulls(value: Any) -> Any:
    """Arrow gives every record all fields of its column: a null there says that the field was not written."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


@lru_cache
def _digest(path: Path, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
