"""Steps as bytes, for other processes: each step by itself, naming by key those that it holds.

Pickle follows what an object holds by recursion, and a step holds its whole history: some hundred steps deep that overflows the stack, and it is sent anew with every
step. So steps are packed one by one, inputs first, and what the other side has already got is left out.
"""

import io
import pickle
from typing import Any

from gyges.studies.identity import is_step

Parts = list[tuple[str, bytes]]
"""Steps by key, each after those that it holds; the last is the one that was asked for."""


def pack(step: Any, known: set[str]) -> Parts:
    """A step and all that it stands on, less what is `known`; those that are packed are added to it."""
    parts: Parts = []
    stack = [step]
    while stack:
        top = stack[-1]
        missing = [held for held in top.inputs if held.key not in known]
        if missing:
            stack += missing
            continue
        stack.pop()
        if top.key not in known or top is step:
            buffer = io.BytesIO()
            _Writer(buffer, top).dump(top)
            parts.append((top.key, buffer.getvalue()))
            known.add(top.key)
    return parts


def unpack(parts: Parts, known: dict[str, Any] | None = None) -> Any:
    """The step that was packed last; `known` holds what came before, and gets what is new."""
    known = {} if known is None else known
    for key, data in parts:
        known[key] = _Reader(io.BytesIO(data), known).load()
    return known[parts[-1][0]]


class _Writer(pickle.Pickler):
    """Writes one step; of the steps in it only the keys."""

    def __init__(self, buffer: io.BytesIO, step: Any) -> None:
        super().__init__(buffer, pickle.HIGHEST_PROTOCOL)
        self.step = step

    def persistent_id(self, obj: Any) -> str | None:
        return obj.key if obj is not self.step and is_step(obj) else None

    def reducer_override(self, obj: Any) -> Any:
        return object.__reduce_ex__(obj, pickle.HIGHEST_PROTOCOL) if obj is self.step else NotImplemented


class _Reader(pickle.Unpickler):
    """Reads one step and puts the steps into it that it names."""

    def __init__(self, buffer: io.BytesIO, known: dict[str, Any]) -> None:
        super().__init__(buffer)
        self.known = known

    def persistent_load(self, pid: str) -> Any:
        return self.known[pid]
