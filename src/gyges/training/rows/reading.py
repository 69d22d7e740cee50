"""Rows to train on: read from a step's `rows.jsonl` or from a JSONL file, and checked. Not covered: what a model makes of them."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from gyges.errors import UserError
from gyges.studies.step import Context, Step

ROWS = "rows.jsonl"

Data = Step | str
Row = dict[str, Any]
Messages = list[dict[str, Any]]


def data_content(data: Data) -> str:
    """What rows depend on: the step's key, or the file's digest.

    Raises:
        UserError: there is no such file.
    """
    if isinstance(data, Step):
        return f"step:{data.key}"
    path = Path(data).expanduser()
    if not path.is_file():
        raise UserError(f"there is no file {data}", "Name a JSONL file, or a step that writes rows.jsonl")
    return f"file:{_digest(path, path.stat().st_mtime_ns)}"


def read_rows(data: Data, context: Context, needs: str) -> list[Row]:
    """All rows, each an object with the field `needs`.

    Raises:
        UserError: there are none, or a line is no such row.
    """
    path = context.path(data) / ROWS if isinstance(data, Step) else Path(data).expanduser()
    if not path.is_file():
        raise UserError(f"there is no {ROWS} in {path.parent}", "Name a step that writes rows, or a JSONL file")
    with path.open(encoding="utf-8") as file:
        rows = [_row(line, f"{path}:{number}", needs) for number, line in enumerate(file, 1) if line.strip()]
    if not rows:
        raise UserError(f"{path} is empty", "There is nothing to train on")
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


def messages_of(value: Any, where: str) -> Messages:
    """A conversation, checked.

    Raises:
        UserError: it is none.
    """
    if (
        isinstance(value, Sequence)
        and value
        and all(isinstance(m, Mapping) and "role" in m and "content" in m for m in value)
    ):
        return [dict(m) for m in value]
    raise UserError(f"{where} is no conversation", 'Write a list of {"role": ..., "content": ...}')


def _row(line: str, where: str, needs: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        raise UserError(f"{where} is no JSON", "Write one object a line") from None
    if not isinstance(row, dict) or needs not in row:
        raise UserError(f"{where} has no field '{needs}'", f'Each row needs "{needs}"')
    return row


@lru_cache
def _digest(path: Path, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
