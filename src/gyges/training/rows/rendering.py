"""A conversation as token ids, with the tokens that the assistant has to produce marked.

Templates need no `{% generation %}` markers. An assistant turn is found by rendering the conversation a second time with the turn's words
replaced: what differs is the turn. It is widened to where the generation prompt ends (so that a think-block which the template adds, and
which the model will have to write, is in the loss) and to the token that ends the turn; where a template ends a turn only by the mark of the
next speaker, to that mark. Everything is cut from the one full rendering, so it holds for templates that strip or add text. A template
that leaves out a turn, a tool call or the tools is refused: never another text than the row's. Not covered: tokenizers without offsets.
"""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from gyges.errors import UserError
from gyges.training.rows.forms import Completion, Conversation, in_loss

MARK = "\ue000"
"""Stands for a turn's words in the second rendering: a character of the private use area, which no text has."""
IGNORED = -100
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Fields of a message that hold what the assistant thinks, as APIs and templates call them."""

Span = tuple[int, int]


@dataclass(frozen=True)
class RenderedRow:
    """A row for training: token ids, and labels of the same length, -100 where a token is not in the loss; `stops` are the ids that end a turn; `thoughtless` says that the template left out a thought."""

    ids: list[int]
    labels: list[int]
    stops: frozenset[int] = frozenset()
    thoughtless: bool = False

    def cut(self, start: int, size: int) -> "RenderedRow":
        """Some of its tokens."""
        return replace(self, ids=self.ids[start : start + size], labels=self.labels[start : start + size])


def render_form(tokenizer: Any, form: Conversation | Completion) -> RenderedRow:
    """The ids of a row; in the loss is what `forms` says.

    Raises:
        UserError: as `render_chat`.
    """
    if isinstance(form, Conversation):
        return render_chat(tokenizer, form)
    start, end = len(form.prompt), len(form.prompt) + len(form.text)
    row = encode(tokenizer, form.prompt + form.text, [(start, end)], special=True)
    return with_end(tokenizer, row)


def with_end(tokenizer: Any, row: RenderedRow) -> RenderedRow:
    """The same row with the end-of-text token at its end, in the loss."""
    end: int | None = tokenizer.eos_token_id
    if end is None:
        return row
    kept = -1 if row.ids[-1:] == [end] else len(row.ids)  # some tokenizers have put it there, out of the loss
    return RenderedRow([*row.ids[:kept], end], [*row.labels[:kept], end], row.stops)


def render_chat(tokenizer: Any, chat: Conversation) -> RenderedRow:
    """The ids of a conversation; in the loss are the assistant's turns with what ends them, or all that follows the prompt.

    Raises:
        UserError: nothing is in the loss, no chat template, or one that refuses the conversation or leaves out a part of it.
    """
    chat, text = _whole(tokenizer, chat)
    if chat.prompt:
        start = _shared(text, render(tokenizer, _part(chat, chat.prompt), prompt=True))
        spans = [(start, len(text))]
    else:
        spans = assistant_spans(tokenizer, chat, text)
    mark = _next_mark(tokenizer, chat, text) if spans[-1][1] == len(text) else ""
    text, spans = text + mark, [*spans[:-1], (spans[-1][0], spans[-1][1] + len(mark))]
    row = encode(tokenizer, text, spans)
    marks = {m for _, end in spans for m in _special(tokenizer) if text[:end].rstrip().endswith(m)}
    stops = frozenset(tokenizer.convert_tokens_to_ids(list(marks)))
    return RenderedRow(row.ids, row.labels, stops, any(thought not in text for thought in _thoughts(chat)))


def encode(tokenizer: Any, text: str, spans: list[Span], special: bool = False) -> RenderedRow:
    """Token ids of a text; in the loss are the tokens that have a character inside a span."""
    try:
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=special)
    except NotImplementedError:
        raise UserError(
            "the model's tokenizer does not tell where tokens stand", "Use a model with a fast one"
        ) from None
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    covered = bytearray(len(text))
    for start, end in spans:
        covered[start:end] = b"\1" * (end - start)
    inside = [1 in covered[begin:stop] for begin, stop in offsets]
    labels = [i if ok else IGNORED for i, ok in zip(ids, inside, strict=True)]
    twice = int(tokenizer.bos_token_id is not None and ids[:2] == [tokenizer.bos_token_id] * 2)  # in the text, too
    return RenderedRow(list(ids[twice:]), labels[twice:])


def render(tokenizer: Any, chat: Conversation, prompt: bool = False) -> str:
    """A conversation as the model reads it; with `prompt`, up to where the assistant begins to speak.

    Raises:
        UserError: no chat template, or it refuses the conversation.
    """
    if not tokenizer.chat_template:
        raise UserError(
            f"{chat.where}: the model's tokenizer has no chat template", "Use Documents, or a model with one"
        )
    tools = {"tools": list(chat.tools)} if chat.tools else {}
    messages = [_as_openai(message) for message in chat.messages] if chat.openai else chat.messages
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt, **tools)
    except Exception as error:  # jinja2's errors, and whatever a template's own code raises
        problem = f"{chat.where}: the chat template refuses the conversation"
        raise UserError(problem, (str(error).splitlines() or [type(error).__name__])[0]) from error


def assistant_spans(tokenizer: Any, chat: Conversation, text: str) -> list[Span]:
    """Where in the rendered text the assistant speaks: one span of characters a turn, in order.

    Raises:
        UserError: there is no assistant turn in the loss, or the template changes their order.
    """
    turns = [i for i, m in enumerate(chat.messages) if m["role"] == "assistant"]
    if not any(in_loss(chat.messages[i]) for i in turns):
        problem = "has no assistant turn in the loss" if turns else "has no assistant turn"
        raise UserError(f"{chat.where} {problem}", "Nothing in it could be trained on")
    spans: list[Span] = []
    for i in (turn for turn in turns if in_loss(chat.messages[turn])):
        words = _words(tokenizer, chat, i, text)
        floor = _words(tokenizer, chat, i - 1, text)[1] if i else 0
        begin = _prompt_end(tokenizer, _part(chat, i), text) if i else words[0]
        start = min(begin, words[0]) if begin >= floor else words[0]
        spans.append((start, words[1] + len(_closing(tokenizer, _part(chat, i + 1), text[words[1] :]))))
    if any(a[1] > b[0] for a, b in pairwise(spans)):
        raise UserError(f"{chat.where}: the chat template changes the order of the turns", "Use another template")
    return spans


def _part(chat: Conversation, size: int) -> Conversation:
    return replace(chat, messages=chat.messages[:size], prompt=0)


def _whole(tokenizer: Any, chat: Conversation) -> tuple[Conversation, str]:
    """The conversation in a form that the template writes out whole, and the text."""
    try:
        text = render(tokenizer, chat)
        _check_whole(tokenizer, chat, text)
    except UserError as told:
        if chat.openai or not any(message.get("tool_calls") for message in chat.messages):
            raise
        try:
            return _whole(tokenizer, replace(chat, openai=True))
        except UserError as again:
            raise min(told, again, key=lambda error: "refuses" in error.problem) from None
    return chat, text


def _as_openai(message: dict[str, Any]) -> dict[str, Any]:
    """A message with its tool calls as OpenAI writes them; some templates (DeepSeek's) know no other form."""
    if not message.get("tool_calls"):
        return message
    functions = [call["function"] for call in message["tool_calls"]]
    texts = [{**f, "arguments": json.dumps(f["arguments"], ensure_ascii=False)} for f in functions]
    calls = [{**call, "function": f} for call, f in zip(message["tool_calls"], texts, strict=True)]
    return {**message, "tool_calls": calls}


# --- what a template does with the turns -------------------------------------------------------------------------------


def _words(tokenizer: Any, chat: Conversation, turn: int, text: str) -> Span:
    """Where the words of a turn stand: what differs when they are replaced."""
    other = render(tokenizer, _marked(chat, turn))
    if not _has_mark(other):
        raise UserError(
            f"{chat.where}: the chat template leaves out a turn of the {chat.messages[turn]['role']}",
            "Use another template, or leave the turn out",
        )
    before = _shared(text, other)
    if chat.messages[turn].get("tool_calls"):  # a tool's answer may have the name again, which then is not the turn's
        other = render(tokenizer, _marked(chat, turn, names=False))
    start = _shared(text, other)
    return before, len(text) - _shared(text[start:][::-1], other[start:][::-1])


def _check_whole(tokenizer: Any, chat: Conversation, text: str) -> None:
    """Whether the template writes out every turn, every tool call with its arguments and the words beside it, and the tools."""
    if chat.tools and render(tokenizer, replace(chat, tools=())) == text:
        raise UserError(
            f"{chat.where}: the chat template has no place for tools", "Use another template, or leave `tools` out"
        )
    for turn, message in enumerate(chat.messages):
        calls = message.get("tool_calls", [])
        parts = [{"content": MARK}] if message["content"] else []
        for number, call in enumerate(calls):
            others = calls[:number], calls[number + 1 :]
            function, given = call["function"], call["function"]["arguments"]
            marked = [{"name": MARK}, *({"arguments": {**given, name: MARK}} for name in given)]
            replaced = [{**call, "function": {**function, **other}} for other in marked]
            parts += [{"tool_calls": [*others[0], one, *others[1]]} for one in replaced]
        for part in parts if calls or message["role"] != "assistant" else ():
            what = "a tool call" if "tool_calls" in part else f"a turn of the {message['role']}"
            _check_written(tokenizer, chat, turn, part, what)
    for part in _marked_thoughts(chat.messages[-1]):
        _check_written(tokenizer, chat, len(chat.messages) - 1, part, "the thoughts of the last turn")


def _check_written(tokenizer: Any, chat: Conversation, turn: int, part: dict[str, Any], what: str) -> None:
    """Whether the template writes out a part of a message that holds the mark."""
    other = [*chat.messages[:turn], {**chat.messages[turn], **part}, *chat.messages[turn + 1 :]]
    if not _has_mark(render(tokenizer, replace(chat, messages=other))):
        remedy = "Use another template, or leave it out"
        raise UserError(f"{chat.where}: the chat template leaves out {what}", remedy)


def _marked_thoughts(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message's thoughts, each replaced: those in fields of their own, and the one before `</think>`."""
    if message["role"] != "assistant":
        return []
    parts = [{name: MARK} for name in THOUGHTS if isinstance(message.get(name), str) and message[name].strip()]
    thought, end, words = message["content"].partition("</think>")
    inside = end and thought.replace("<think>", "").strip()
    return [*parts, {"content": f"<think>{MARK}</think>{words}"}] if inside else parts


def _thoughts(chat: Conversation) -> list[str]:
    """What the assistant thinks, in all turns."""
    said = [message for message in chat.messages if message["role"] == "assistant"]
    fields = [m[name] for m in said for name in THOUGHTS if isinstance(m.get(name), str)]
    inside = [m["content"].split("</think>")[0].split("<think>")[-1] for m in said if "</think>" in m["content"]]
    return [thought.strip() for thought in [*fields, *inside]]


def _marked(chat: Conversation, turn: int, names: bool = True) -> Conversation:
    """The conversation with the words of a turn replaced; those of its tool calls, too, which keep their form."""
    message = chat.messages[turn]
    other: dict[str, Any] = {"role": message["role"], "content": MARK}
    if calls := message.get("tool_calls"):
        name = {"name": MARK} if names else {}
        functions = [{**call["function"], **name, "arguments": {MARK: MARK}} for call in calls]
        content = MARK if message["content"] else ""
        other = {
            **message,
            "content": content,
            "tool_calls": [{**c, "function": f} for c, f in zip(calls, functions, strict=True)],
        }
    elif message["role"] == "tool":
        other = {**message, "content": MARK}
    return replace(chat, messages=[*chat.messages[:turn], other, *chat.messages[turn + 1 :]])


def _prompt_end(tokenizer: Any, chat: Conversation, text: str) -> int:
    """Where the model begins to write, if it is asked after these messages; -1 where that cannot be rendered."""
    try:
        return _shared(text, render(tokenizer, chat, prompt=True))
    except UserError:
        return -1


def _closing(tokenizer: Any, chat: Conversation, rest: str) -> str:
    """What the template puts after the last of the messages, up to and with the token that ends a turn, or the mark of who speaks next."""
    tail = _after(tokenizer, chat, len(chat.messages) - 1)
    shared = _not_torn(tokenizer, tail[: _shared(tail, rest)], rest)
    end = tokenizer.eos_token
    closing = shared[: shared.index(end) + len(end)] if end and end in shared else shared.rstrip()
    ended = closing.endswith(_special(tokenizer))
    return closing if ended else closing + _first_special(tokenizer, rest[len(closing) :])


def _not_torn(tokenizer: Any, shared: str, rest: str) -> str:
    """A beginning of a text, less the piece of a special token that it may end in."""
    begins = [shared.rfind(mark[0]) for mark in _special(tokenizer)]
    pairs = zip(begins, _special(tokenizer), strict=True)
    torn = [b for b, mark in pairs if b >= 0 and b + len(mark) > len(shared) and rest.startswith(mark, b)]
    return shared[: min(torn)] if torn else shared


def _after(tokenizer: Any, chat: Conversation, turn: int) -> str:
    """What follows the words of a turn."""
    text = render(tokenizer, chat)
    return text[_words(tokenizer, chat, turn, text)[1] :]


def _next_mark(tokenizer: Any, chat: Conversation, text: str) -> str:
    """The mark of the speaker who would come next, where the template ends the last turn with nothing else: what a model must write to stop."""
    if chat.messages[-1]["role"] != "assistant" or any(text.rstrip().endswith(mark) for mark in _special(tokenizer)):
        return ""
    longer = replace(chat, messages=[*chat.messages, {"role": "user", "content": "?"}])
    last = len(chat.messages) - 1
    try:
        tail, further = _after(tokenizer, chat, last), _after(tokenizer, longer, last)
    except UserError:
        return ""
    return _first_special(tokenizer, further[len(tail) :]) if further.startswith(tail) else ""


def _first_special(tokenizer: Any, text: str) -> str:
    """The text's beginning up to and with a special token, if it begins with one."""
    begin = len(text) - len(text.lstrip())
    marks = [mark for mark in _special(tokenizer) if text.startswith(mark, begin)]
    return text[:begin] + max(marks, key=len) if marks else ""


@lru_cache(maxsize=2)
def _special(tokenizer: Any) -> tuple[str, ...]:
    """The tokens that no ordinary text has."""
    added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    return tuple(token for token in dict.fromkeys([*tokenizer.all_special_tokens, *added]) if token)


ESCAPED = "\\ue000"
"""The mark as JSON may write it."""


def _has_mark(text: str) -> bool:
    return MARK in text or ESCAPED in text


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning; halving, because texts are long and rows many."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
