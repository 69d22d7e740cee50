"""What makes two results the same: the fields of a step that differ from their defaults, the texts it uses, the keys of what it depends on.

Not in it: code (recorded beside the result, compared and warned about), places, resources. A value without one stable form is an error.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gyges.errors import UserError

IDENTITY_VERSION = 1


def identity_of(step: Any) -> dict[str, Any]:
    """A step's identity as plain data: kind, versions, fields that are not at their default, digests of its content.

    Raises:
        UserError: a field's value has no stable form, or steps depend on each other in a circle.
    """
    return {
        "identity_version": IDENTITY_VERSION,
        "kind": step.kind(),
        "version": step.version,
        "fields": _fields(step, leave_out=step.places, defaults=False),
        "content": dict(sorted(step.content().items())),
    }


def values_of(step: Any) -> dict[str, Any]:
    """All fields of a step, those at their defaults included, as plain data."""
    return _fields(step, leave_out=step.places, defaults=True)


def key_of(identity: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of an identity."""
    return digest(canonical(identity))[:12]


def canonical(data: Any) -> str:
    """The one JSON text of plain data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(data: str | bytes) -> str:
    """SHA-256 of a text or of bytes, hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def _fields(model: BaseModel, leave_out: frozenset[str], defaults: bool) -> dict[str, Any]:
    found = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        default = field.get_default(call_default_factory=True)
        same = default is not PydanticUndefined and type(default) is type(value) and default == value
        if (name in leave_out and not is_step(value)) or (same and not defaults):
            continue
        found[name] = stable(value, f"{type(model).__name__}.{name}", defaults)
    return found


def stable(value: Any, where: str, defaults: bool = False) -> Any:
    """A value as plain data that is the same in every process and on every machine.

    Raises:
        UserError: it has no such form; names the field.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UserError(f"{where} is {value}", "Give a finite number")
        return value
    if isinstance(value, Enum):
        return stable(value.value, where, defaults)
    if isinstance(value, list | tuple):
        return [stable(v, where, defaults) for v in value]
    if isinstance(value, frozenset | set):
        return sorted((stable(v, where, defaults) for v in value), key=canonical)
    if isinstance(value, Mapping):
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            raise UserError(f"{where} has the key {odd[0]!r}, which is not a text", "Use texts as keys")
        return {k: stable(v, where, defaults) for k, v in value.items()}
    if is_step(value):
        return {"step": value.key}
    if isinstance(value, BaseModel):
        places = getattr(type(value), "places", frozenset())
        return {"type": type(value).__name__, **_fields(value, places, defaults)}
    raise UserError(f"{where} holds a {type(value).__name__}, which has no stable form", _remedy(value))


def held_by(step: Any) -> list[Any]:
    """The steps in the fields of a step, in their order; one may come more than once."""
    return [s for name in type(step).model_fields for s in steps_in(getattr(step, name))]


def steps_in(value: Any) -> Iterator[Any]:
    """All steps inside a field's value, however deep in lists, mappings and records."""
    if is_step(value):
        yield value
    elif isinstance(value, BaseModel):
        yield from (step for name in type(value).model_fields for step in steps_in(getattr(value, name)))
    elif isinstance(value, Mapping):
        yield from (step for v in value.values() for step in steps_in(v))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (step for v in value for step in steps_in(v))


def unkeyed(step: Any) -> Iterator[Any]:
    """The steps below a step whose keys are not known yet, deepest first: so that no key is found by recursion, however long a chain is.

    Raises:
        UserError: steps lead back to themselves.
    """
    path = {id(step): (step, iter(held_by(step)))}
    while path:
        top, below = next(reversed(path.values()))
        wanted = next((s for s in below if "key" not in vars(s)), None)
        if wanted is None:
            del path[id(top)]
            if path:
                yield top
        elif id(wanted) in path:
            raise UserError(f"{type(wanted).__name__} leads back to itself", "A step may not depend on its own result")
        else:
            path[id(wanted)] = (wanted, iter(held_by(wanted)))


def is_step(value: Any) -> bool:
    """Whether a value is a step (a class, which describes its steps, is not one)."""
    return isinstance(value, BaseModel) and hasattr(type(value), "inputs")


def _remedy(value: Any) -> str:
    if isinstance(value, PurePath):
        return "Name the field in `places` and give a digest of what lies there in `content`"
    if callable(value):
        return "Name a function by its place, as in 'package.module:function'"
    return "Use numbers, texts, lists, mappings, pydantic models or steps"
