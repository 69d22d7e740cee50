"""A conversation as token ids, with the tokens that the assistant has to produce marked.

Templates need no `{% generation %}` markers. An assistant turn is found by rendering the conversation a second time with the turn's words
replaced: what differs is the turn. It is widened to where the generation prompt ends (so that a think-block which the template adds, and
which the model will have to write, is in the loss) and to the token that ends the turn. Everything is cut from the one full rendering,
so it holds for templates that strip or add text. Not covered: images, tokenizers without offsets.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gyges.errors import UserError
from gyges.training.rows.reading import Messages

MARK = "\ue000"
"""Stands for a turn's words in the second rendering: a character of the private use area, which no text has."""
IGNORED = -100

Span = tuple[int, int]


@dataclass(frozen=True)
class Rendered:
    """A row for training: token ids, and labels of the same length, -100 where a token is not in the loss."""

    ids: list[int]
    labels: list[int]


def render_chat(tokenizer: Any, messages: Messages, where: str) -> Rendered:
    """The ids of a conversation; in the loss are the assistant's turns with what ends them.

    Raises:
        UserError: no assistant turn, no chat template, or a template that refuses the conversation.
    """
    text = render(tokenizer, messages, where)
    return encode(tokenizer, text, assistant_spans(tokenizer, messages, text, where))


def encode(tokenizer: Any, text: str, spans: list[Span], special: bool = False) -> Rendered:
    """Token ids of a text; in the loss are the tokens that have a character inside a span."""
    encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=special)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    inside = [any(max(begin, start) < min(stop, end) for start, end in spans) for begin, stop in map(tuple, offsets)]
    return Rendered(list(ids), [i if ok else IGNORED for i, ok in zip(ids, inside, strict=True)])


def render(tokenizer: Any, messages: Messages, where: str, prompt: bool = False) -> str:
    """A conversation as the model reads it; with `prompt`, up to where the assistant begins to speak.

    Raises:
        UserError: no chat template, or it refuses the conversation.
    """
    if not tokenizer.chat_template:
        raise UserError(f"{where}: the model's tokenizer has no chat template", "Use Documents, or a model with one")
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
    except Exception as error:  # jinja2's errors, and whatever a template's own code raises
        raise UserError(f"{where}: the chat template refuses the conversation", str(error).splitlines()[0]) from error


def assistant_spans(tokenizer: Any, messages: Messages, text: str, where: str) -> list[Span]:
    """Where in the rendered text the assistant speaks: one span of characters a turn, in order.

    Raises:
        UserError: there is no assistant turn, or one leaves no trace in the text.
    """
    turns = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
    if not turns:
        raise UserError(f"{where} has no assistant turn", "Nothing in it could be trained on")
    spans: list[Span] = []
    for i in turns:
        words = _words(tokenizer, messages, i, text, where)
        floor = _words(tokenizer, messages, i - 1, text, where)[1] if i else 0
        begin = _prompt_end(tokenizer, messages[:i], text) if i else words[0]
        start = min(begin, words[0]) if begin >= floor else words[0]
        spans.append((start, words[1] + len(_closing(tokenizer, messages[: i + 1], text[words[1] :], where))))
    if any(a[1] > b[0] for a, b in pairwise(spans)):
        raise UserError(f"{where}: the chat template changes the order of the turns", "Use another template")
    return spans


def _words(tokenizer: Any, messages: Messages, turn: int, text: str, where: str) -> Span:
    """Where the words of a turn stand: what differs when they are replaced."""
    other = render(tokenizer, _marked(messages, turn), where)
    if MARK not in other:
        raise UserError(
            f"{where}: the chat template leaves out a turn of the {messages[turn]['role']}",
            "Use another template, or leave the turn out",
        )
    before = _shared(text, other)
    after = _shared(text[before:][::-1], other[before:][::-1])
    return before, len(text) - after


def _prompt_end(tokenizer: Any, messages: Messages, text: str) -> int:
    """Where the model begins to write, if it is asked after these messages; -1 where that cannot be rendered."""
    try:
        return _shared(text, render(tokenizer, messages, "", prompt=True))
    except UserError:
        return -1


def _closing(tokenizer: Any, messages: Messages, rest: str, where: str) -> str:
    """What the template puts after the last of the messages, up to and with the token that ends a turn."""
    tail = render(tokenizer, _marked(messages, len(messages) - 1), where).rpartition(MARK)[2]
    shared = tail[: _shared(tail, rest)]
    end = tokenizer.eos_token
    return shared[: shared.index(end) + len(end)] if end and end in shared else shared.rstrip()


def _marked(messages: Messages, turn: int) -> Messages:
    return [*messages[:turn], {"role": messages[turn]["role"], "content": MARK}, *messages[turn + 1 :]]


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning; halving, because texts are long and rows many."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
