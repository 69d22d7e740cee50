"""The forms of a row for SFT, and what each says: a conversation, or a text with its prompt.

Taken are TRL's forms (`messages`; `prompt` with `completion`, as texts or as conversations; `tools` beside either) and ShareGPT's
(`conversations` of `from` and `value`). What cannot be trained as it stands is refused with its place: never another text than the row's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gyges.errors import UserError
from gyges.training.rows.reading import SourcedRow, TrainingRow

Messages = list[dict[str, Any]]

FORMS = 'Write {"messages": [...]} or {"prompt": ..., "completion": ...}'
SHAREGPT = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}
"""Who speaks, as ShareGPT calls it."""


@dataclass(frozen=True)
class Conversation:
    """A conversation to train on.

    Args:
        where: the row's place.
        messages: checked; every content is a text.
        prompt: how many of them are the prompt; then all that follows is in the loss, as in TRL. Zero: the assistant's turns are.
        tools: JSON schemas of tools, for the chat template.
    """

    where: str
    messages: Messages
    prompt: int = 0
    tools: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Completion:
    """A text that follows a prompt; only the text is in the loss."""

    where: str
    prompt: str
    text: str


def read_form(row: SourcedRow) -> Conversation | Completion:
    """What a row says: its `messages`, else its `conversations`, else its `prompt` and `completion`; other fields are left alone.

    Raises:
        UserError: it is of none of the forms, or something in it cannot be trained.
    """
    where, fields = row
    if "messages" in fields:
        return Conversation(where, messages_of(fields["messages"], where), tools=_tools(fields, where))
    if "conversations" in fields:
        messages = messages_of(_from_sharegpt(fields["conversations"], where), where)
        return Conversation(where, messages, tools=_tools(fields, where))
    if not {"prompt", "completion"} <= fields.keys():
        raise UserError(f"{where} has only {', '.join(sorted(fields)[:5]) or 'nothing'}", FORMS)
    prompt, completion = fields["prompt"], fields["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        if not completion:
            raise UserError(f"{where} has an empty completion", "Nothing in it could be trained on")
        return Completion(where, prompt, completion)
    if isinstance(prompt, str) or isinstance(completion, str):
        raise UserError(
            f"{where} has a text and a conversation as prompt and completion",
            "Write both as texts, or both as messages",
        )
    before, after = messages_of(prompt, where), messages_of(completion, where)
    return Conversation(where, [*before, *after], prompt=len(before), tools=_tools(fields, where))


def messages_of(value: Any, where: str) -> Messages:
    """A conversation, checked, every content as one text.

    Raises:
        UserError: it is not one, or holds an image, a sound, or a message without words and without a tool call.
    """
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise UserError(f"{where} is not a conversation", 'Write a list of {"role": ..., "content": ...}')
    return [_message(message, where) for message in value]


def in_loss(message: Mapping[str, Any]) -> bool:
    """Whether an assistant's turn is to be learnt: `weight` (OpenAI's 0 or 1) and `train` may say that it is not."""
    return bool(message.get("weight", 1)) and bool(message.get("train", True))


def _message(message: Any, where: str) -> dict[str, Any]:
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise UserError(f"{where} is not a conversation", 'Write a list of {"role": ..., "content": ...}')
    if message.get("weight", 1) not in (0, 1):
        raise UserError(f"{where} has the weight {message['weight']}", "A message is in the loss (1) or not (0)")
    calls = message.get("tool_calls")
    if message.get("content") is None and not calls:
        raise UserError(f"{where} has a message of the {message['role']} without content", "Write what it says")
    found = {**message, "content": _text_of(message.get("content") or "", where)}
    if calls:
        return {**found, "tool_calls": [_call(call, where) for call in calls]}
    return {name: value for name, value in found.items() if name != "tool_calls"}


def _text_of(content: Any, where: str) -> str:
    """A content as one text; a list of parts is joined, as chat templates join them."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise UserError(f"{where} has a content that is not a text but {type(content).__name__}", "Write it as a text")
    texts = []
    for part in content:
        if not isinstance(part, Mapping) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = part.get("type", "nothing") if isinstance(part, Mapping) else type(part).__name__
            raise UserError(f"{where} has a part of the type '{kind}'", "Only texts are trained: leave the row out")
        texts.append(part["text"])
    return "".join(texts)


def _call(call: Any, where: str) -> dict[str, Any]:
    """A tool call with its arguments as an object, which is what chat templates write out; OpenAI's are JSON in a text."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UserError(
            f"{where} has a tool call without a function", 'Write {"function": {"name": ..., "arguments": {...}}}'
        )
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            raise UserError(
                f"{where} has a tool call whose arguments are not JSON", "Write them as an object"
            ) from None
    if not isinstance(arguments, Mapping):
        raise UserError(f"{where} has a tool call whose arguments are not an object", "Write them as an object")
    return {"type": "function", **call, "function": {**function, "arguments": dict(arguments)}}


def _tools(fields: TrainingRow, where: str) -> tuple[dict[str, Any], ...]:
    """The schemas of the tools: a list, or JSON in a text, as TRL takes them."""
    tools = fields.get("tools") or ()
    if isinstance(tools, str):
        try:
            tools = json.loads(tools)
        except ValueError:
            raise UserError(f"{where} has tools that are not JSON", "Write a list of JSON schemas") from None
    if not isinstance(tools, Sequence) or not all(isinstance(tool, Mapping) for tool in tools):
        raise UserError(f"{where} has tools that are not a list of JSON schemas", "Write a list of JSON schemas")
    return tuple(dict(tool) for tool in tools)


def _from_sharegpt(turns: Any, where: str) -> Messages:
    told = UserError(f"{where} is not a conversation", 'Write a list of {"from": ..., "value": ...}')
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise told
    messages = []
    for turn in turns:
        if not isinstance(turn, Mapping) or "value" not in turn:
            raise told
        if turn.get("from") not in SHAREGPT:
            raise UserError(f"{where} has a turn of '{turn.get('from')}'", f"Known: {', '.join(SHAREGPT)}")
        messages.append({"role": SHAREGPT[turn["from"]], "content": turn["value"]})
    return messages
