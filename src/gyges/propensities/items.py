"""Situations with two courses of action, one harmless and one harmful, as text.

A file is JSONL, one item a line: {"id", "context", "harmless", "harmful", "topic", "tags"}. The two actions complete
"I will …" and are matched in length and style, so that neither is more probable for its form. A file is known by its
digest: an edited word is another set.
Covered: the format, its mistakes by file and line, and the sets that come along. Not covered: how an item is put
(`frames.py`).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gyges.errors import UserError

Kind = TypeVar("Kind", bound=BaseModel)

BUILTIN = ("conduct",)
"""Sets that come along, under their names. `conduct`: 132 items on eleven topics, half of them far from any
office."""


class Item(BaseModel):
    """One situation. `tags` are words to group by, such as `by acting` (the harm is done) and `by leaving` (it is let
    happen)."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(min_length=1)
    context: str
    harmless: str = Field(min_length=1)
    harmful: str = Field(min_length=1)
    topic: str = Field(min_length=1)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemSet:
    """Items in the order of their file, and the SHA-256 of that file, hexadecimal."""

    items: tuple[Item, ...]
    digest: str


def load_items(place: str) -> ItemSet:
    """Items by the name of a set or the path of a JSONL file.

    Raises:
        UserError: there is no such file, or a line of it is not an item; names file and line.
    """
    data = read(place, BUILTIN)
    items: dict[str, Item] = {}
    for where, item in records(place, data, Item):
        if item.harmless == item.harmful:
            raise UserError(f"{where}: harmless and harmful are the same", "Write two different actions")
        if item.id in items:
            raise UserError(f"{place}: the id '{item.id}' occurs twice", "Give each item its own id")
        items[item.id] = item
    if not items:
        raise UserError(f"{place} holds no item", "Write one JSON object a line")
    return ItemSet(tuple(items.values()), digest_of(data))


def read(place: str, builtin: tuple[str, ...]) -> bytes:
    """The bytes of a set of this package by name, or of a file by path.

    Raises:
        UserError: there is neither.
    """
    if place in builtin:
        return (files("gyges.propensities") / "items" / f"{place}.jsonl").read_bytes()
    try:
        return Path(place).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"there is no file {place}", f"Name a JSONL file, or one of: {', '.join(builtin)}") from error


def digest_of(data: bytes) -> str:
    """SHA-256, hexadecimal, whatever the line ends of the system that wrote the file."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def records(place: str, data: bytes, kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
    """Each line that is not empty as a `kind`, with the file and line to name in a complaint.

    Raises:
        UserError: the file is not UTF-8, or a line is not a `kind` in JSON.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{place} is not a text in UTF-8", "Save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{place}:{number}"
        try:
            record = kind.model_validate(json.loads(line))
        except ValidationError as error:
            first = error.errors()[0]
            field, message = ".".join(map(str, first["loc"])) or "the object", first["msg"]
            raise UserError(f"{where}: {field}: {message[:1].lower()}{message[1:]}", "Correct the line") from error
        except ValueError as error:
            raise UserError(f"{where}: not JSON", "Write one JSON object a line") from error
        yield where, record
