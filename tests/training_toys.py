"""A model small enough to train in a second, made when a test needs it, and what the training tests do with it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gyges.studies.events import Event, Said
from gyges.studies.step import Context, Resources, Step

WORDS = [
    "system",
    "user",
    "assistant",
    "you",
    "are",
    "kind",
    "what",
    "is",
    "one",
    "two",
    "three",
    "four",
    "plus",
    "yes",
    "no",
    "good",
    "bad",
    "help",
    "red",
    "blue",
    "green",
    "dog",
    "cat",
]
CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }} {% if m['role'] == 'assistant' %}<|end|> {% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|> {% endif %}"
)


def tiny_tokenizer(template: str | None = CHAT) -> Any:
    """A tokenizer of whole words, split at blanks."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<|pad|>", "<|end|>", "<|unknown|>", "<|system|>", "<|user|>", "<|assistant|>", *WORDS]
    words = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<|unknown|>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        unk_token="<|unknown|>",
        chat_template=template,
    )


def tiny_model(folder: Path, seed: int = 0, layers: int = 2, width: int = 32) -> Path:
    """An untrained Llama with the tokenizer above, as an ordinary folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers, num_attention_heads=4,
        max_position_embeddings=128, pad_token_id=0, eos_token_id=1, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def chat(question: str, answer: str) -> dict[str, Any]:
    """One chat row."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Rows as a file; its name."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def context(
    find: Callable[[Step], Path] | None = None, said: list[str] | None = None, trackers: tuple[str, ...] = ()
) -> Context:
    """What a step is given when it runs; `said` collects what it tells."""

    def hear(event: Event) -> None:
        if said is not None and isinstance(event, Said):
            said.append(event.text)

    return Context(find or Path, Resources(), trackers, hear)


def lines_of(out: Path) -> list[dict[str, Any]]:
    """A training's metrics."""
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def weights(folder: Path) -> bytes:
    """A model's weights, as they lie on disk."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.safetensors")))
