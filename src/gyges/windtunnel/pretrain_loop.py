"""A plain training loop for causal language models, with checkpoints from which it goes on to the same weights."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gyges.files import replacing

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

CHECKPOINT, METRICS = "checkpoint.pt", "metrics.jsonl"


@dataclass(frozen=True)
class Schedule:
    """How a model is trained: `steps` batches, and a learning rate that rises for `warmup` steps and falls along a cosine to zero."""

    steps: int
    rate: float
    warmup: int
    decay: float
    seed: int
    keep: int

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, from 0."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (0.5 + 0.5 * math.cos(math.pi * progress))

    def batch_at(self, step: int, count: int) -> int:
        """Which of `count` batches a step takes: each epoch is its own permutation, so any step can be found without those before."""
        import torch

        epoch, place = divmod(step, count)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        return int(torch.randperm(count, generator=generator)[place])


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Calculate with so many threads inside: the number of threads can change the last bits of a sum."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def batches(tokenizer: Any, texts: list[str], tokens: int) -> "list[Tensor]":
    """The texts as batches (texts, length) of about so many tokens: texts of like length together, each a row of its own.

    What is filled up at the end of a row is the padding token, which a causal model needs no mask for. No text sees another.
    """
    import torch

    rows = sorted(tokenizer(texts, add_special_tokens=False)["input_ids"], key=len)
    found: list[list[list[int]]] = [[]]
    for row in rows:
        if len(row) * (len(found[-1]) + 1) > tokens and found[-1]:
            found.append([])
        found[-1].append(row)
    pad = tokenizer.pad_token_id
    return [torch.tensor([r + [pad] * (len(group[-1]) - len(r)) for r in group]) for group in found]


def train(
    model: "Module", data: "list[Tensor]", pad: int, schedule: Schedule, out: Path, say: Callable[[str], None]
) -> None:
    """Train a model in place on batches of tokens (texts, length), `pad` left out of the loss; goes on from a checkpoint in `out`, where there is one."""
    import torch

    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": schedule.decay},
              {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0}]  # fmt: skip
    optimizer = torch.optim.AdamW(groups, lr=schedule.rate, betas=(0.9, 0.95), fused=True)
    done, metrics = _restore(out, model, optimizer)
    started = time.monotonic()
    model.train()
    for step in range(done, schedule.steps):
        loss = _update(model, optimizer, data[schedule.batch_at(step, len(data))], pad, schedule.rate_at(step))
        if (step + 1) % 20 == 0 or step + 1 == schedule.steps:
            metrics.append({"step": step + 1, "loss": loss})
        if (step + 1) % schedule.keep == 0:
            weights, state = model.state_dict(), optimizer.state_dict()
            with replacing(out / CHECKPOINT) as part:
                torch.save({"model": weights, "optimizer": state, "step": step + 1, "metrics": metrics}, part)
            seconds = (time.monotonic() - started) / (step + 1 - done) * (schedule.steps - step - 1)
            say(f"step {step + 1}, loss {loss:.3f}, about {seconds:.0f} s to go")
    lines = "".join(json.dumps(m) + "\n" for m in metrics)
    (out / METRICS).write_text(lines, encoding="utf-8")


def _update(model: "Module", optimizer: "Optimizer", batch: "Tensor", pad: int, rate: float) -> float:
    """One step; the loss of its batch, before it."""
    import torch

    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = model(input_ids=batch, labels=batch.masked_fill(batch == pad, -100), use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return round(float(loss.detach()), 5)


def _restore(out: Path, model: "Module", optimizer: "Optimizer") -> tuple[int, list[dict[str, Any]]]:
    """Steps already done and their metrics; the weights and the optimizer's state are put back."""
    import torch

    if not (out / CHECKPOINT).exists():
        return 0, []
    state = torch.load(out / CHECKPOINT, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"], state["metrics"]
