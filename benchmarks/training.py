"""Tokens per second of supervised fine-tuning, against TRL's own defaults on the same rows, with the loss per row that each ends with.

TRL is given prompt-completion rows, for which it too trains on the answer alone, and its defaults otherwise: rows padded to the longest
of their batch, activation checkpointing, bf16 autocast (and once more in float32, the dtype of ours on a CPU). Both see every row once, eight rows a step, with one learning rate. A token is a
token of a row; padding does not count. Only `Trainer.train` is timed, in a process of its own each time, and the two take turns.
CPU seconds are those of all threads; on a shared machine they say more than the wall's.

    python benchmarks/training.py --model embedded/smollm2 --rows 32 --repeats 3
"""

import argparse
import json
import multiprocessing
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from gyges.models import checkpoints
from gyges.studies.step import Context, Resources
from gyges.training import SFT, LoRA
from gyges.training.rows.forms import Conversation
from gyges.training.rows.reading import TrainingRow
from gyges.training.rows.rendering import IGNORED, render_chat

DOCS = Path(__file__).parent.parent / "docs"
ROWS_PER_STEP = 8
LEARNING_RATE = 2e-5

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default=checkpoints.EMBEDDED)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lora", action="store_true")
    args = parser.parse_args()
    rows = conversations(args.rows)
    found: dict[str, list[Figures]] = {name: [] for name in TRAINERS}
    print("              tokens  wall t/s  cpu t/s  loss per row")
    for turn in range(args.repeats):
        for name in sorted(found, reverse=turn % 2 == 0):
            found[name].append(apart(name, rows, args))
            print(f"{name:11} {_line(found[name][-1])}", flush=True)
    for other, clock in product([name for name in TRAINERS if name != "gyges"], ("wall", "cpu")):
        ratios = [ours[clock] / theirs[clock] for ours, theirs in zip(found["gyges"], found[other], strict=True)]
        print(f"{clock}: {statistics.median(ratios):.2f} times {other} ({min(ratios):.2f} to {max(ratios):.2f})")


def apart(name: str, rows: list[TrainingRow], args: argparse.Namespace) -> Figures:
    """One training in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (name, args.model, rows, args.threads, args.lora))


def measure(name: str, model: str, rows: list[TrainingRow], threads: int, lora: bool) -> Figures:
    """Train, and give tokens per second of wall and of CPU time, and the mean loss per row afterwards."""
    context = Context(lambda step: Path(), Resources(cpus=threads))
    with tempfile.TemporaryDirectory() as folder:
        with timed() as took:
            trained = TRAINERS[name](model, rows, Path(folder), context, lora)
        loaded = checkpoints.load(model, context)
        rendered = [render_chat(loaded.tokenizer, Conversation("row", row["messages"])) for row in rows]
        tokens = sum(len(r.ids) for r in rendered)
        losses = [row_loss(trained, r.ids, r.labels) for r in rendered]
    return {
        "tokens": tokens,
        "wall": tokens / took["wall"],
        "cpu": tokens / took["cpu"],
        "loss": statistics.mean(losses),
    }


def ours(model: str, rows: list[TrainingRow], folder: Path, context: Context, lora: bool) -> Any:
    """Train with Gyges' step: the eight rows of a step in batches of two of like length."""
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    spec = SFT(
        model=model, data=str(data), learning_rate=LEARNING_RATE, per_device_train_batch_size=2,
        gradient_accumulation_steps=ROWS_PER_STEP // 2, lora=LoRA() if lora else None,
    )  # fmt: skip
    out = folder / "out"
    out.mkdir()
    spec.run(out, context)
    return checkpoints.load(str(out / "model"), context).model


def theirs(model: str, rows: list[TrainingRow], folder: Path, context: Context, lora: bool, half: bool = True) -> Any:
    """Train with TRL's trainer, its defaults, and the same rows as prompts and completions."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    torch.set_num_threads(int(context.resources.cpus))
    pairs = [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in rows]
    adapter = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM") if lora else None
    trainer = SFTTrainer(
        model=checkpoints.source_of(model, context), train_dataset=Dataset.from_list(pairs), peft_config=adapter,
        args=SFTConfig(
            output_dir=str(folder), per_device_train_batch_size=ROWS_PER_STEP, num_train_epochs=1, learning_rate=LEARNING_RATE,
            save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=True, bf16=half,
        ),
    )  # fmt: skip
    trainer.train()
    return trainer.model


TRAINERS = {"gyges": ours, "trl": theirs, "trl float32": partial(theirs, half=False)}


@contextmanager
def timed() -> Iterator[Figures]:
    """The seconds that `Trainer.train` takes inside, of wall and of CPU time."""
    from transformers import Trainer

    took: Figures = {}
    train = Trainer.train

    def timing(self: Any, *args: Any, **kwargs: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = train(self, *args, **kwargs)
        took.update(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
        return result

    Trainer.train = timing
    try:
        yield took
    finally:
        Trainer.train = train


def row_loss(model: Any, ids: list[int], labels: list[int]) -> float:
    """Mean negative log-likelihood of a row's answer, in float32."""
    import torch

    with torch.inference_mode():
        logits = model.eval().float()(input_ids=torch.tensor([ids])).logits[0, :-1]
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(labels[1:]), ignore_index=IGNORED))


def conversations(count: int) -> list[TrainingRow]:
    """Questions with answers of one to about forty sentences, the lengths spread as in instruction data; the words are the project's docs."""
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))
    sentences = [s for s in re.split(r"(?<=[.?!])\s+", text) if 20 < len(s) < 300]
    draw = random.Random(0)
    return [_row(draw, sentences) for _ in range(count)]


def _row(draw: random.Random, sentences: list[str]) -> TrainingRow:
    length = max(1, min(40, round(draw.lognormvariate(1.8, 0.9))))
    start = draw.randrange(len(sentences) - length)
    question, answer = (
        f"What does the manual say about this? {sentences[start]}",
        " ".join(sentences[start : start + length]),
    )
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def _line(figures: Figures) -> str:
    return f"{figures['tokens']:8.0f} {figures['wall']:9.1f} {figures['cpu']:8.1f} {figures['loss']:13.4f}"


if __name__ == "__main__":
    main()
