"""Prompts to sample completions for: rendered once, with the prompt that is sampled under where a row has one of its own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gyges.errors import UserError
from gyges.models.checkpoints import Loaded
from gyges.studies.step import Context
from gyges.training.loop.census import FILE
from gyges.training.rows.forms import Conversation, messages_of
from gyges.training.rows.reading import SourcedRow
from gyges.training.rows.rendering import render

OWN = ("prompt", "sampling_prompt")
RESERVED = frozenset({"prompts", "completions", "completion_ids"})


class Prompts:
    """Rows with their prompts as token ids: `trained` is what completions are answers to, `sampled` what they are sampled under.

    Raises:
        UserError: a prompt is neither a text nor a conversation, does not fit into the model, or a field has a reserved name.
    """

    def __init__(self, rows: Sequence[SourcedRow], loaded: Loaded, room: int) -> None:
        self.rows, self.tokenizer = [row.fields for row in rows], loaded.tokenizer

        def text(prompt: Any, where: str) -> str:
            if isinstance(prompt, str):
                return prompt
            return render(self.tokenizer, Conversation(where, messages_of(prompt, where)), prompt=True)

        texts = [[text(row.get(name, row["prompt"]), where) for name in OWN] for where, row in rows]
        self.trained, self.sampled = [], []
        for pair, row in zip(texts, self.rows, strict=True):
            plain = isinstance(row["prompt"], str)  # a chat template has written the special tokens itself
            ids = [loaded.tokenizer(text, add_special_tokens=plain)["input_ids"] for text in pair]
            self.trained.append(ids[0])
            self.sampled.append(ids[1])
        self.example = next((pair for pair in texts if pair[0] != pair[1]), texts[0])
        self.apart = sum(one != other for one, other in texts)
        self._check(room, getattr(loaded.model.config, "max_position_embeddings", None))

    def columns(self, numbers: Sequence[int]) -> dict[str, list[Any]]:
        """The rows' further fields, as reward functions get them; a field that a row lacks is None."""
        names = dict.fromkeys(name for row in self.rows for name in row if name not in OWN)
        return {name: [self.rows[i].get(name) for i in numbers] for name in names}

    def answers(self, numbers: Sequence[int], texts: Sequence[str]) -> list[Any]:
        """Completions in the form of their prompts: a list of one message, or a text."""
        pairs = zip(numbers, texts, strict=True)
        return [
            t if isinstance(self.rows[i]["prompt"], str) else [{"role": "assistant", "content": t}] for i, t in pairs
        ]

    def _check(self, room: int, context: int | None) -> None:
        taken = RESERVED & {name for row in self.rows for name in row}
        if taken:
            raise UserError(
                f"the rows have a field '{min(taken)}'",
                "Reward functions get something else under that name: rename it",
            )
        longest = max(map(len, [*self.trained, *self.sampled]))
        if min(map(len, [*self.trained, *self.sampled])) == 0:
            raise UserError("a prompt is empty", "A completion needs something to follow")
        if context is not None and longest + room > context:
            raise UserError(
                f"a prompt of {longest} tokens leaves no room for {room} in the model's {context}",
                "Shorten it, or max_completion_length",
            )


def tell(prompts: Prompts, chunks: Sequence[Sequence[int]], out: Path, context: Context) -> None:
    """Say what is trained on, and store it."""
    if context.rank:
        return
    lengths = [len(ids) for ids in prompts.trained]
    facts = {
        "rows": len(lengths), "tokens": sum(lengths), "longest": max(lengths), "sampled_under_another_prompt": prompts.apart,
        "samplings": len(chunks), "seen_rows": sum(map(len, chunks)), "example": prompts.example[0], "sampling_example": prompts.example[1],
    }  # fmt: skip
    (out / FILE).write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    context.say(
        f"{len(lengths)} prompts, {sum(lengths)} tokens, none truncated; {facts['seen_rows']} groups in {len(chunks)} samplings"
    )
    context.say(f"completions follow: {prompts.example[0]}")
    if prompts.apart:
        context.say(f"note: {prompts.apart} prompts are sampled under another one, as: {prompts.example[1]}")
