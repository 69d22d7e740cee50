"""What is trained on, counted and shown before the first step. Not covered: what the rows say."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gyges.errors import UserError
from gyges.studies.step import Context
from gyges.training.rows.rendering import IGNORED, RenderedRow

FILE = "trained_on.json"
OPEN, CLOSE = "⟦", "⟧"
"""Around the tokens that are in the loss, in the row that is shown."""
EMPTY = re.compile(f"{OPEN}(?:[^{CLOSE}]*<think>)?</think>")
"""An empty think-block, of which the end at least is in the loss; blanks are left out."""
SHOWN = 1200
"""Characters of the row that is shown."""


class Census(BaseModel):
    """Counts over the rows as they are trained on.

    `truncated` rows were longer than `max_length` and lost their end, `pieces` are documents' continuations that became rows of their own,
    `without_loss` rows have no token in the loss, `unended` rows have none that ends a turn (the model is not taught to stop: neither the end-of-text token nor another mark),
    `silent` rows teach to say nothing in one of the turns, `empty_thoughts` teach an empty think-block, of `thoughtless` ones the chat template leaves out thoughts of earlier turns. `seen` rows and tokens are those of the whole training, epochs included.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    tokens: int
    tokens_in_loss: int
    truncated: int = 0
    pieces: int = 0
    without_loss: int = 0
    unended: int = 0
    silent: int = 0
    empty_thoughts: int = 0
    thoughtless: int = 0
    longest: int
    seen_rows: int
    seen_tokens: int
    steps: int
    example: str


def count_rows(
    rows: Sequence[RenderedRow],
    steps: Sequence[Sequence[int]],
    tokenizer: Any,
    truncated: int = 0,
    pieces: int = 0,
    silent: int = 0,
    chat: bool = True,
) -> Census:
    """Count rows, and render the first one with its mask."""
    lengths = [len(r.ids) for r in rows]
    in_loss = [[i for i in r.labels if i != IGNORED] for r in rows]
    seen = [i for step in steps for i in step]
    texts = [masked_text(row, tokenizer) for row in rows] if chat else []
    return Census(
        rows=len(rows), tokens=sum(lengths), tokens_in_loss=sum(map(len, in_loss)), truncated=truncated, pieces=pieces,
        without_loss=sum(not ids for ids in in_loss),
        unended=sum(not ({tokenizer.eos_token_id, *row.stops} & {*ids}) for row, ids in zip(rows, in_loss, strict=True)),
        silent=silent,
        empty_thoughts=sum(bool(EMPTY.search("".join(text.split()))) for text in texts),
        thoughtless=sum(row.thoughtless for row in rows),
        longest=max(lengths), seen_rows=len(seen), seen_tokens=sum(lengths[i] for i in seen), steps=len(steps),
        example=masked_text(rows[0], tokenizer),
    )  # fmt: skip


def check_loss(rows: Sequence[RenderedRow], steps: Sequence[Sequence[int]]) -> None:
    """Whether every step has something to learn.

    Raises:
        UserError: in one, no row has a token in the loss.
    """
    learnt = [any(label != IGNORED for label in row.labels) for row in rows]
    empty = [i for i, step in enumerate(steps, 1) if not any(learnt[row] for row in step)]
    if empty:
        where = "no row has" if not any(learnt) else f"no row of step {empty[0]} has"
        lacking = ", ".join(str(i) for i, ok in enumerate(learnt, 1) if not ok)
        problem = f"{where} a token in the loss (rows without one: {lacking[:80]})"
        raise UserError(problem, "Raise max_length, or leave out rows in which the assistant says nothing")


def masked_text(row: RenderedRow, tokenizer: Any) -> str:
    """A row as text, with ⟦ ⟧ around what is in the loss."""
    parts, start = [], 0
    flags = [label != IGNORED for label in row.labels]
    for i in range(1, len(flags) + 1):
        if i == len(flags) or flags[i] != flags[start]:
            text = tokenizer.decode(row.ids[start:i], skip_special_tokens=False)
            parts.append(f"{OPEN}{text}{CLOSE}" if flags[start] else text)
            start = i
    return "".join(parts)


def say_and_store(census: Census, out: Path, context: Context) -> None:
    """Say what is trained on, and store it."""
    if context.rank:
        return
    (out / FILE).write_text(json.dumps(census.model_dump(), indent=1, ensure_ascii=False), encoding="utf-8")
    context.say(
        f"{census.rows} rows, {census.tokens} tokens, {census.tokens_in_loss} of them in the loss; {census.truncated} rows truncated; "
        f"{census.steps} steps over {census.seen_rows} rows, {census.seen_tokens} tokens"
    )
    for count, what in [
        (census.truncated, "are longer than max_length and lose their end"),
        (census.pieces, "are continuations of documents longer than max_length"),
        (census.without_loss, "have no token in the loss"),
        (census.unended, "do not teach the model to stop: nothing that ends a turn is in their loss"),
        (census.silent, "teach to say nothing: a turn in the loss has no text"),
        (census.empty_thoughts, "teach an empty think-block"),
        (census.thoughtless, "lose what the assistant thinks in earlier turns: the chat template leaves it out"),
    ]:
        if count:
            context.say(f"note: {count} of {census.rows} rows {what}")
    text = census.example
    shown = text if len(text) <= SHOWN else f"{text[: SHOWN // 2]} … {text[-SHOWN // 2 :]}"
    context.say(f"in the loss is what stands in {OPEN} {CLOSE}: {shown}")
