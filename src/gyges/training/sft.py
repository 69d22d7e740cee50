"""Supervised fine-tuning on chat rows, and continued pretraining on documents, with TRL's SFTTrainer.

Rows are rendered and masked here (see `rendering`) and handed to TRL as token ids and labels, with the order of the rows fixed beforehand.
Not covered: packing several rows into one sequence, which needs FlashAttention to keep them apart; instead the rows of a step are sorted
by length before they are cut into batches, which saves the padding and leaves each step's gradient what it was.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gyges.models.checkpoints import Loaded
from gyges.studies.step import Context
from gyges.training.loop import census
from gyges.training.rows.forms import read_form
from gyges.training.rows.reading import order, read_rows, with_field
from gyges.training.rows.rendering import IGNORED, RenderedRow, encode, render_form, with_end
from gyges.training.settings import Training, arguments, in_bfloat16, peft_config, prepare, saver


class SFT(Training):
    """Train on conversations, or on completions of prompts.

    Rows are `{"messages": [{"role": ..., "content": ...}, ...]}`, with the assistant's turns in the loss, or TRL's `prompt` and `completion`, with the
    completion in the loss; see `rows.forms`. Longer rows than `max_length` tokens lose their end, and are counted.
    """

    max_length: int = 1024

    def run(self, out: Path, context: Context) -> None:
        """Train, and leave `model`, `metrics.jsonl` and `trained_on.json` in `out`."""
        loaded = prepare(self, out, context)
        forms = [read_form(row) for row in read_rows(self.data, context)]
        rows = [render_form(loaded.tokenizer, form) for form in forms]
        cut = [row.cut(0, self.max_length) for row in rows]
        truncated, silent = sum(len(r.ids) > self.max_length for r in rows), sum(form.silent for form in forms)
        _train(self, cut, loaded, out, context, truncated=truncated, silent=silent)


class Documents(Training):
    """Train on plain text, all of it in the loss: continued pretraining.

    Rows are `{"text": ...}`; each ends with the end-of-text token. A document longer than `max_length` tokens goes on in a row of its own.
    `document_tag` is put before every text and kept out of the loss, so that what is learnt hangs less on a chat's form (Wang et al. 2025,
    synthetic document fine-tuning, where it is called a doctag).
    """

    max_length: int = 1024
    document_tag: str = ""

    def run(self, out: Path, context: Context) -> None:
        """Train, and leave `model`, `metrics.jsonl` and `trained_on.json` in `out`."""
        loaded = prepare(self, out, context)
        texts = [str(row.fields["text"]) for row in with_field(read_rows(self.data, context), "text")]
        tag, tokenizer = self.document_tag, loaded.tokenizer
        rows = [encode(tokenizer, tag + text, [(len(tag), len(tag + text))], special=True) for text in texts]
        whole = [with_end(tokenizer, row) for row in rows]
        pieces = [row.cut(i, self.max_length) for row in whole for i in range(0, len(row.ids), self.max_length)]
        _train(self, pieces, loaded, out, context, pieces=len(pieces) - len(whole), chat=False)


def _train(
    spec: Training, rows: list[RenderedRow], loaded: Loaded, out: Path, context: Context,
    truncated: int = 0, pieces: int = 0, silent: int = 0, chat: bool = True,
) -> None:  # fmt: skip
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from gyges.training.loop.training_loop import train

    steps = order(len(rows), spec.rows_per_step, spec.max_steps, spec.num_train_epochs, spec.seed)
    account = census.count_rows(rows, steps, loaded.tokenizer, truncated, pieces, silent, chat)
    census.say_and_store(account, out, context)
    census.check_loss(rows, steps)
    config = SFTConfig(
        **{**arguments(spec, out, steps, context), "bf16": in_bfloat16(loaded.model)}, train_sampling_strategy="sequential", max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip
    trainer = SFTTrainer(
        model=loaded.model, args=config, processing_class=loaded.tokenizer, peft_config=peft_config(spec),
        train_dataset=Dataset.from_dict({"row": [i for step in steps for i in by_length(step, rows)]}),
        data_collator=Collator(rows, loaded.tokenizer.pad_token_id),
    )  # fmt: skip
    train(trainer, out, context, saver(spec, loaded, out), spec.keep_checkpoints)


def by_length(step: Sequence[int], rows: Sequence[RenderedRow]) -> list[int]:
    """A step's rows, longest first, so that the batches which it is cut into hold rows of like length."""
    return sorted(step, key=lambda i: -len(rows[i].ids))


class Collator:
    """Batches from row numbers: the data set that TRL shuffles about holds nothing else.

    Args:
        rows: all rows.
        pad: the padding token's id.
    """

    def __init__(self, rows: Sequence[RenderedRow], pad: int) -> None:
        import torch

        self.ids = [torch.tensor(row.ids) for row in rows]
        self.labels = [torch.tensor(row.labels) for row in rows]
        self.pad = pad

    def __call__(self, examples: Sequence[dict[str, int]]) -> dict[str, Any]:
        """`input_ids`, `attention_mask` and `labels`, each (rows, longest row), padded on the right."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        numbers = [example["row"] for example in examples]
        ids = [self.ids[i] for i in numbers]
        return {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self.pad),
            "attention_mask": pad_sequence([torch.ones_like(i) for i in ids], batch_first=True),
            "labels": pad_sequence([self.labels[i] for i in numbers], batch_first=True, padding_value=IGNORED),
        }
