"""The forms of a row for SFT, and what each says: a conversation, or a text with its prompt.

Taken are TRL's forms (`messages`; `prompt` with `completion`, as texts or as conversations; `tools` beside either) and ShareGPT's
(`conversations` of `from` and `value`). What cannot be trained as it stands is refused with its place: never another text than the row's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gyges.errors import UserError
from gyges.training.rows.reading import SourcedRow, TrainingRow, whole_json

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
        openai: the template is given tool calls as OpenAI writes them: arguments as JSON in a text.
    """

    where: str
    messages: Messages
    prompt: int = 0
    tools: tuple[dict[str, Any], ...] = ()
    openai: bool = False

    @property
    def silent(self) -> bool:
        """Whether the assistant says nothing in one of its turns that are to be learnt, and calls no tool."""
        turns = [m for m in self.messages[self.prompt :] if m["role"] == "assistant" and in_loss(m)]
        return any(not m["content"].strip() and not m.get("tool_calls") for m in turns)


@dataclass(frozen=True)
class Completion:
    """A text that follows a prompt; only the text is in the loss."""

    where: str
    prompt: str
    text: str
    silent: bool = False


def read_form(row: SourcedRow) -> Conversation | Completion:
    """What a row says: its `messages`, else its `conversations`, else its `prompt` and `completion`; other fields are left alone.

    Raises:
        UserError: it is of none of the forms, or something in it cannot be trained.
    """
    where, fields = row
    _check_beside(fields, where)
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


def _check_beside(fields: TrainingRow, where: str) -> None:
    """Whether a field beside the conversation says something that would not be trained."""
    system = fields.get("system")
    said = [fields.get(name) for name in ("messages", "conversations", "prompt")]
    if isinstance(system, str) and _quoted(system)[1:-1] not in _quoted(said):
        raise UserError(f"{where} has a system prompt in a field of its own", "Write it as the first message")
    if fields.get("chat_template_kwargs"):
        raise UserError(f"{where} has chat_template_kwargs, which are not taken", "Leave them out")


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


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
    return all(message.get(name) in (None, 1) for name in ("weight", "train"))


def _message(message: Any, where: str) -> dict[str, Any]:
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise UserError(f"{where} is not a conversation", 'Write a list of {"role": ..., "content": ...}')
    for name in ("weight", "train"):
        if message.get(name) not in (None, 0, 1):
            raise UserError(f"{where} has the {name} {message[name]!r}", "A message is in the loss (1) or not (0)")
    if message.get("function_call"):
        raise UserError(f"{where} has a function_call", "Write it into tool_calls, which chat templates know")
    calls = message.get("tool_calls")
    if message.get("content") is None and not calls:
        raise UserError(f"{where} has a message of the {message['role']} without content", "Write what it says")
    found = {**message, "content": _text_of("" if message.get("content") is None else message["content"], where)}
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
        told = UserError(f"{where} has a tool call whose arguments are not JSON", "Write them as an object")
        arguments = _from_json(arguments, told)
    if not isinstance(arguments, Mapping):
        raise UserError(f"{where} has a tool call whose arguments are not an object", "Write them as an object")
    return {"type": "function", **call, "function": {**function, "arguments": dict(arguments)}}


def _tools(fields: TrainingRow, where: str) -> tuple[dict[str, Any], ...]:
    """The schemas of the tools: a list, or JSON in a text, as TRL takes them."""
    tools = fields.get("tools") or ()
    if isinstance(tools, str):
        tools = _from_json(tools, UserError(f"{where} has tools that are not JSON", "Write a list of JSON schemas"))
    if not isinstance(tools, Sequence) or not all(isinstance(tool, Mapping) for tool in tools):
        raise UserError(f"{where} has tools that are not a list of JSON schemas", "Write a list of JSON schemas")
    return tuple(dict(tool) for tool in tools)


def _from_json(text: str, told: UserError) -> Any:
    """JSON inside a text, as strict as that of the rows themselves."""
    try:
        return whole_json(text)
    except (ValueError, KeyError):
        raise told from None


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
        kept = {name: turn[name] for name in ("weight", "train") if name in turn}
        messages.append({"role": SHAREGPT[turn["from"]], "content": turn["value"], **kept})
    return messages
