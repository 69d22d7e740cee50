"""Replay files: turns of the user's own that a scripted agent plays. Read, checked, and digested."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gyges.errors import PackError, UserError
from gyges.scenarios.pack.load import template
from gyges.scenarios.pack.scripts import ScriptTurn
from gyges.scenarios.pack.yaml_files import problem_of

Turn = dict[str, Any]


def content_of_args(name: str, args: Mapping[str, Any]) -> str:
    """A digest of what a model's arguments point to, as the same arguments need not mean the same turns tomorrow.

    Args:
        name: the model's name, `scripted/replay`.
        args: the arguments of its provider.

    Returns:
        The digest of the replay file; empty for every other model, and where there is no such file.
    """
    path = Path(str(args.get("file") or ""))
    if name != "scripted/replay" or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def read_replay(file: str) -> list[Turn]:
    """The turns of a replay file.

    Raises:
        UserError: the file is missing, not JSON, or not a list of turns; names the turn.
    """
    if not file:
        raise UserError("scripted/replay needs a file", "Write -M file=PATH, a JSON list of turns")
    try:
        turns = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError:
        raise UserError(
            f"the replay file '{file}' cannot be read", "Write -M file=PATH of a JSON list of turns"
        ) from None
    except UnicodeDecodeError:
        raise UserError(f"{file}: the text is not UTF-8", "Save the file in that encoding") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{file}:{error.lineno}: not valid JSON ({error.msg})", "It must be a list of turns") from None
    if not isinstance(turns, list) or not turns:
        raise UserError(f"{file}: the file is not a list of turns", 'Write [{"text": "...", "calls": [...]}]')
    return [_checked(turn, file, i) for i, turn in enumerate(turns, 1)]


def _checked(turn: Any, file: str, number: int) -> Turn:
    try:
        ScriptTurn.model_validate(turn)
        for text in texts_in(turn):
            template(text, file)
    except PackError as error:
        raise UserError(f"{file}: turn {number}: {problem_of(error)}", "Its texts are Jinja templates") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"{part}: " for part in first["loc"])
        problem = f"{file}: turn {number} is not a turn ({place}{first['msg'].removeprefix('Value error, ')})"
        raise UserError(problem, "A turn has text, reasoning and calls of {function, arguments}") from None
    return turn


def texts_in(value: object) -> Iterator[str]:
    """Every text inside a turn."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)
