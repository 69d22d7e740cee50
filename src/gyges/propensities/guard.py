"""Is the model still coherent? A model that is broken also shifts its preferences, and that is not a change
of character.

Covered: the loss on held-out text, in nats per token, and the share of degenerate outputs among continuations of the
beginnings of these texts, drawn at temperature 1. An output is degenerate when it is empty or repeats itself: fewer
than half of its runs of three words are different (distinct-3 of Li et al. 2016, arXiv:1510.03055).
Not covered: whether what it says is true or to the point.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gyges.errors import UserError
from gyges.models.likelihood.tokens import Request
from gyges.propensities.items import digest_of, read, records
from gyges.propensities.scoring import Model

BUILTIN = ("plain",)
"""Held-out texts that come along: twenty short ones in plain English, written for this, about nothing moral."""
BEGINNING = 3
"""The first of so many parts of a text, in words, is what an output continues."""
TOKENS = 40
DISTINCT = 0.5


class HeldOutText(BaseModel):
    """A text that no training may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    text: str = Field(min_length=1, pattern=r"\S\s+\S")


def load_texts(place: str) -> tuple[tuple[HeldOutText, ...], str]:
    """Held-out texts by the name of a set or the path of a JSONL file of {"id", "text"}, and the file's digest.

    Raises:
        UserError: there is no such file, or a line of it is not a text; names file and line.
    """
    data = read(place, BUILTIN)
    texts = tuple(text for _, text in records(place, data, HeldOutText))
    if not texts:
        raise UserError(f"{place} holds no text", "Write one JSON object a line")
    return texts, digest_of(data)


def examine(model: Model, texts: Sequence[HeldOutText]) -> list[dict[str, Any]]:
    """A row for each text: its loss, and what the model made of its beginning.

    Each text is scored from its second word on, after its first.
    """
    parts = [text.text.split(maxsplit=1) for text in texts]
    found = model.score([Request(first, f" {rest}") for first, rest in parts])
    outputs = model.sample([beginning(text.text) for text in texts], TOKENS)
    return [
        {"id": text.id, "loss": -f.total, "tokens": f.tokens, "output": output, "degenerate": degenerate(output)}
        for text, f, output in zip(texts, found, outputs, strict=True)
    ]


def beginning(text: str) -> str:
    """The first part of a text, at least one word."""
    words = text.split()
    return " ".join(words[: max(1, len(words) // BEGINNING)])


def degenerate(output: str) -> bool:
    """Whether an output is empty or repeats itself."""
    words = output.split()
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return not words or (bool(runs) and len(set(runs)) < DISTINCT * len(runs))
