"""A training that is killed at any moment ends, when the same step is run again, with the weights and the metrics of an undisturbed one.

Slow: several real SIGKILLs for each kind of training, each of a process of its own. The processes are forked from one that has
imported TRL, so that the time goes into training.
"""

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import warm

import training_toys as toys
from gyges.training import RL, SFT, Documents, LoRA, Training
from gyges.training.loop import metrics, training_loop

pytestmark = pytest.mark.slow

KILLS = 4
KINDS = ("sft", "lora", "documents", "rl", "rl_iterations", "rl_lora")


def says_yes(completions: list[Any], **_: Any) -> list[float | None]:
    """A reward that cannot judge some completions."""
    words = [c[0]["content"].split() for c in completions]
    return [None if "cat" in w else float("yes" in w) for w in words]


def make(folder: Path) -> None:
    """What all trainings start from."""
    toys.tiny_model(folder / "start")
    toys.jsonl(
        folder / "chat.jsonl", [toys.chat("what is one " + "plus two " * i, "three " * (1 + i % 3)) for i in range(13)]
    )
    toys.jsonl(folder / "text.jsonl", [{"text": "one two three four " * (1 + i % 4)} for i in range(13)])
    prompts = [{"prompt": toys.chat(f"what is {n}", "")["messages"][:1]} for n in ("one", "two", "three")]
    toys.jsonl(folder / "prompts.jsonl", prompts)


def spec(kind: str, folder: Path) -> Training:
    """A training of each kind, of a dozen steps."""
    start, common = str(folder / "start"), {"max_steps": 12, "learning_rate": 5e-3, "keep_checkpoints": (4, 9)}
    adapter = LoRA(r=2, lora_dropout=0.1)
    if kind.startswith("rl"):
        return RL(
            model=start, data=str(folder / "prompts.jsonl"), reward_funcs=("test_training_kills:says_yes",), num_generations=4,
            max_completion_length=5, beta=0.05, lora=adapter if kind == "rl_lora" else None,
            gradient_accumulation_steps=2, num_iterations=3 if kind == "rl_iterations" else 1, **common,
        )  # fmt: skip
    if kind == "documents":
        return Documents(model=start, data=str(folder / "text.jsonl"), document_tag="help ", **common)
    lora = adapter if kind == "lora" else None
    return SFT(
        model=start,
        data=str(folder / "chat.jsonl"),
        per_device_train_batch_size=2,
        gradient_accumulation_steps=2,
        lora=lora,
        **common,
    )


def work(kind: str, folder: Path, out: Path, checkpoint_always: bool, die_in_checkpoint: int) -> None:
    """Run a training in this process; it may kill itself while it writes its n-th checkpoint."""
    if checkpoint_always:
        training_loop.CHECKPOINT_SECONDS, training_loop.CHECKPOINT_SHARE = 0.0, 0
    if die_in_checkpoint:
        _die_in_checkpoint(die_in_checkpoint)
    out.mkdir(exist_ok=True)
    spec(kind, folder).run(out, toys.context())


def _die_in_checkpoint(number: int) -> None:
    from transformers import Trainer

    save, left = Trainer._save_rng_state, [number]

    def dying(self: Trainer, folder: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)  # weights and optimizer are written, the random state is not
        save(self, folder)

    Trainer._save_rng_state = dying


def start(kind: str, folder: Path, out: Path, always: bool = True, die: int = 0) -> Any:
    return warm.start(work, kind, folder, out, always, die)


def same(one: Path, other: Path) -> None:
    assert toys.lines_of(one) == toys.lines_of(other)
    for model in ("model", "checkpoints/4", "checkpoints/9"):
        assert toys.weights(one / model) == toys.weights(other / model), model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kills")
    make(path)
    return path


@pytest.fixture(scope="module", params=KINDS)
def undisturbed(request: pytest.FixtureRequest, folder: Path) -> tuple[str, Path]:
    """A kind, and the result of a run that wrote no checkpoint for resuming."""
    kind, out = request.param, folder / f"{request.param}-whole"
    process = start(kind, folder, out, always=False)
    process.join()
    assert process.exitcode == 0
    return kind, out


def test_killed_at_any_moment(undisturbed: tuple[str, Path], folder: Path) -> None:
    kind, whole = undisturbed
    out, moments, killed = folder / f"{kind}-killed", random.Random(kind), 0
    for _ in range(KILLS):
        process = start(kind, folder, out)
        wait_for_lines(process, out, moments.randint(1, 3))
        time.sleep(moments.uniform(0, 0.1))  # somewhere in a step, in a checkpoint, between the two
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    process = start(kind, folder, out)
    process.join()
    assert process.exitcode == 0 and killed >= KILLS - 1
    same(whole, out)
    assert not (out / training_loop.RESUME).exists()


def wait_for_lines(process: Any, out: Path, more: int) -> None:
    """Until a training has written so many more lines than its last checkpoint had, or has ended."""
    begun = max((int(p.name.rpartition("-")[2]) for p in (out / training_loop.RESUME).glob("checkpoint-*")), default=0)
    path, deadline = out / metrics.FILE, time.monotonic() + 60
    while process.is_alive() and time.monotonic() < deadline:
        if path.is_file() and path.read_text().count("\n") >= begun + more:
            return
        time.sleep(0.002)


@pytest.mark.parametrize("number", [1, 3])
def test_killed_while_a_checkpoint_is_written(undisturbed: tuple[str, Path], folder: Path, number: int) -> None:
    kind, whole = undisturbed
    out = folder / f"{kind}-half-{number}"
    process = start(kind, folder, out, die=number)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    half = [p for p in (out / training_loop.RESUME).glob("checkpoint-*") if not (p / training_loop.WHOLE).exists()]
    assert len(half) == 1
    process = start(kind, folder, out)
    process.join()
    assert process.exitcode == 0
    same(whole, out)


def test_run_again_after_its_end(undisturbed: tuple[str, Path], folder: Path) -> None:
    kind, whole = undisturbed
    out = folder / f"{kind}-again"
    shutil.copytree(whole, out)
    process = start(kind, folder, out)
    process.join()
    same(whole, out)
