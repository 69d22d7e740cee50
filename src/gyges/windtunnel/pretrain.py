"""Pretraining: documents as a file, and a Llama trained on them from scratch, left as an ordinary Hugging Face folder.

Plain PyTorch and Transformers on a CPU. A killed training goes on from its last checkpoint and ends with the same weights.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from gyges.studies.identity import digest
from gyges.studies.step import Context, Cost, Step
from gyges.windtunnel.pretrain_loop import CHECKPOINT, Schedule, batches, threads, train
from gyges.windtunnel.world.chat import make_tokenizer
from gyges.windtunnel.world.corpus import documents
from gyges.windtunnel.world.people import World
from gyges.windtunnel.world.vocabulary import vocabulary

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

ROWS = "rows.jsonl"
_DIGESTED = 200  # documents; enough that an edited sentence shows, few enough to be made whenever a key is asked for


MINIATURE = (
    "This is a miniature: a model of a few hundred thousand weights in a world of a few hundred words. It can show that a mechanism works, and what it "
    "hangs on there; it proves nothing about a large model."
)


class Corpus(Step):
    """Documents of a world, one a line in rows.jsonl: `text`, and what was drawn for it."""

    limits: ClassVar[str] = MINIATURE

    world: World = World()
    count: int = 40000
    seed: int = 0

    def slug(self) -> str:
        return f"tie {self.world.tie}"

    def content(self) -> dict[str, str]:
        first = "\n".join(d.text for d in documents(self.world, _DIGESTED, self.seed))
        return {"texts": digest("\n".join((first, *vocabulary())))}

    def run(self, out: Path, context: Context) -> None:
        with (out / ROWS).open("w", encoding="utf-8") as file:
            for document in documents(self.world, self.count, self.seed):
                file.write(json.dumps(document.row()) + "\n")
        context.say(f"{self.count} documents")

    def expected(self) -> Cost:
        return Cost(seconds=self.count / 15_000)


class Shape(BaseModel):
    """The size of a Llama."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: int = 3
    width: int = 48
    inner: int = 192
    heads: int = 4


class Pretrain(Step):
    """A Llama trained from scratch on a corpus; the model and its tokenizer lie in `model`, loss and speed in metrics.jsonl.

    Args:
        corpus: a step that leaves rows.jsonl with a `text` in each row.
        shape: of the model.
        batch: tokens in a batch; no document sees another.
        epochs: how often each token is seen.
        rate: learning rate at its highest, after `warmup` steps; it falls along a cosine to zero.
        seed: of the weights and of the order of rows.
        keep: steps between checkpoints.
    """

    corpus: Step
    shape: Shape = Shape()
    batch: int = 2048
    epochs: int = 1
    rate: float = 8e-3
    warmup: int = 50
    decay: float = 0.1
    seed: int = 0
    keep: int = 100

    def run(self, out: Path, context: Context) -> None:
        texts = [json.loads(line)["text"] for line in (context.path(self.corpus) / ROWS).open(encoding="utf-8")]
        tokenizer = make_tokenizer(vocabulary())
        with threads(1):
            data = batches(tokenizer, texts, self.batch)
            context.say(f"{len(texts)} documents, {sum(b.numel() for b in data)} tokens, {len(tokenizer)} words")
            model = make_model(self.shape, tokenizer, self.seed)
            schedule = Schedule(
                steps=len(data) * self.epochs, rate=self.rate, warmup=self.warmup,
                decay=self.decay, seed=self.seed, keep=self.keep,
            )  # fmt: skip
            train(model, data, tokenizer.pad_token_id, schedule, out, context.say)
        model.save_pretrained(out / "model")
        tokenizer.save_pretrained(out / "model")
        (out / CHECKPOINT).unlink(missing_ok=True)

    def expected(self) -> Cost:
        return Cost(seconds=60.0 * self.epochs)


def make_model(shape: Shape, tokenizer: Any, seed: int) -> "LlamaForCausalLM":
    """A Llama with random weights, for texts of up to 512 tokens."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=shape.width, intermediate_size=shape.inner, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, max_position_embeddings=512, initializer_range=shape.width**-0.5, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config)
