"""A context and its continuation as one sequence of tokens, split where the continuation begins.

Covered: the boundary as lm-eval draws it. White space at the end of the context goes to the continuation; both are
encoded together; the context's own encoding says where to split. Where the two merge into one token across the
boundary, the context keeps its own tokens and the continuation what is left of the whole (`merged`, so that it can be
counted): a context should end with a whole word. The token that begins a text is put in front where the tokenizer
does so by itself, and no token that ends one. An empty context is that token, or the one that ends a text where the
model has none.
Not covered: servers, which tokenise for themselves (see `served.py`), and cutting what is too long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gyges.errors import UserError


@dataclass(frozen=True)
class Request:
    """How probable is `continuation` after `context`? The continuation carries its leading space."""

    context: str
    continuation: str


@dataclass(frozen=True)
class Encoded:
    """Tokens of a context and its continuation, which begins at `start`."""

    ids: tuple[int, ...]
    start: int
    merged: bool
    """A token reached across the boundary, and the split is lm-eval's."""

    @property
    def read(self) -> tuple[int, ...]:
        """The tokens that the model must read: all but the last."""
        return self.ids[:-1]


def at_word(request: Request) -> Request:
    """The same text with the white space before the boundary moved behind it."""
    context = request.context.rstrip()
    return Request(context, request.context[len(context) :] + request.continuation)


def encode(tokenizer: Any, requests: Sequence[Request]) -> list[Encoded]:
    """Encode each request, in order.

    Raises:
        UserError: a continuation is empty or has no token of its own, or the tokenizer has no token to begin an empty
            context with.
    """
    moved = [at_word(request) for request in requests]
    texts = [text for request in moved for text in (request.context, request.context + request.continuation)]
    known = list(dict.fromkeys(text for text in texts if text))
    ids = dict(zip(known, tokenizer(known, add_special_tokens=False)["input_ids"], strict=True)) if known else {}
    bos = tokenizer.bos_token_id
    begins = bos is not None and tokenizer("a")["input_ids"][:1] == [bos]  # it puts that token in front by itself
    return [_split(tokenizer, request, ids, begins) for request in moved]


def _split(tokenizer: Any, request: Request, ids: dict[str, list[int]], begins: bool) -> Encoded:
    whole = ids.get(request.context + request.continuation, [])
    context = ids[request.context] if request.context else []
    continuation = whole[len(context) :]
    if not continuation:
        raise UserError(f"'{request.continuation}' adds no token to its context", "End the context with a whole word")
    first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    head = [first] if not context or (begins and context[0] != first) else []
    if head == [None]:
        raise UserError("the tokenizer has no token that begins or ends a text", "Give every continuation a context")
    full = (*head, *context, *continuation)
    return Encoded(full, len(head) + len(context), merged=whole[: len(context)] != context)
