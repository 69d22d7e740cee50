"""One training with a Hugging Face Trainer: checkpoints that a killed run goes on from, a line of metrics for each step, the model at the end.

A checkpoint counts when it is whole: a mark is written into it last, and older ones go only then. It holds weights, optimizer, schedule and
random state; the place in the data is the number of the step, because the order is fixed beforehand. So a resumed run repeats the steps
after its checkpoint exactly, and their lines are cut and written again. Not covered: several machines whose clocks decide differently
(rank 0 decides).
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from gyges.models import checkpoints
from gyges.studies.step import Context
from gyges.training.loop import metrics
from gyges.training.loop.mirrors import mirrored

RESUME, KEPT, WHOLE = "resume", "checkpoints", "whole"
CHECKPOINT_SECONDS = 60.0
"""Between two checkpoints for resuming; shorter runs are begun again."""
CHECKPOINT_SHARE = 20
"""A checkpoint may take one part in so many of the time."""
SAY_SECONDS = 15.0

Save = Callable[[Any, Path], None]


class Extra(Protocol):
    """What a kind of training adds to each step's line."""

    def resumed(self, lines: list[dict[str, Any]]) -> None:
        """The lines of the steps that are done."""
        ...

    def take(self) -> dict[str, Any]:
        """The last step's values."""
        ...

    def check(self, line: dict[str, Any]) -> None:
        """Called when a step's line is written. May raise UserError to end the run."""
        ...


class Nothing:
    """No values of its own."""

    def resumed(self, lines: list[dict[str, Any]]) -> None:
        """Nothing to remember."""

    def take(self) -> dict[str, Any]:
        """Nothing to add."""
        return {}

    def check(self, line: dict[str, Any]) -> None:
        """Nothing to stop for."""


def train(
    trainer: Any,
    out: Path,
    context: Context,
    save: Save,
    keep: tuple[int, ...] = (),
    every: int = 1,
    extra: Extra | None = None,
) -> None:
    """Train to the end and keep the model in `out/model`; go on where a killed run left off.

    Args:
        trainer: a TRL trainer whose `output_dir` is `out/resume`.
        out: the step's folder.
        context: says how it goes.
        save: keeps a model in a folder.
        keep: steps after which the model is kept in `out/checkpoints/STEP`.
        every: checkpoints for resuming only at multiples of this many steps, where resuming is exact.
        extra: more values for each step's line.
    """
    if (out / checkpoints.MODEL).is_dir():  # written last: only what comes after the training is left to do
        shutil.rmtree(out / RESUME, ignore_errors=True)
        return
    extra = extra or Nothing()
    with trainer.accelerator.main_process_first():  # rank 0 tidies up before the others look
        folder = last_whole(out / RESUME)
        done = _step_of(folder) if folder else 0
        cut = metrics.cut if trainer.is_world_process_zero() else metrics.up_to
        extra.resumed(cut(out / metrics.FILE, done))
    _watch(trainer, Watch(trainer, out, context, save, frozenset(keep), every, extra))
    if folder:
        context.say(f"going on after step {_step_of(folder)}")
    with mirrored(trainer.args.report_to):
        trainer.train(resume_from_checkpoint=str(folder) if folder else None)
    if trainer.is_world_process_zero():
        save(trainer.accelerator.unwrap_model(trainer.model), out / checkpoints.MODEL)
        shutil.rmtree(out / RESUME, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()


def last_whole(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; what else lies there is removed, so that nothing is mixed with it."""
    found = sorted(folder.glob("checkpoint-*"), key=_step_of)
    whole = [path for path in found if (path / WHOLE).is_file()]
    for path in found:
        if not whole or path != whole[-1]:
            shutil.rmtree(path)
    return whole[-1] if whole else None


class Watch:
    """Writes the lines, decides when to checkpoint, keeps models along the way, and says how it goes."""

    def __init__(
        self, trainer: Any, out: Path, context: Context, save: Save, keep: frozenset[int], every: int, extra: Extra
    ) -> None:
        self.trainer, self.out, self.context, self.save = trainer, out, context, save
        self.keep, self.every, self.extra = keep, every, extra
        self.saved = self.said = time.monotonic()
        self.pause = CHECKPOINT_SECONDS

    def step_end(self, state: Any, control: Any) -> None:
        """Keep the model if asked to; ask for a checkpoint if it is time."""
        kept = self.out / KEPT / str(state.global_step)
        # A resumed run comes by again, with the same weights.
        if state.global_step in self.keep and state.is_world_process_zero and not kept.is_dir():
            kept.parent.mkdir(exist_ok=True)
            self.save(self.trainer.accelerator.unwrap_model(self.trainer.model), kept)
        exact = state.global_step % self.every == 0 and state.global_step < state.max_steps
        if exact and self._agreed(time.monotonic() - self.saved >= self.pause):
            self.saved = time.monotonic()
            control.should_save = True

    def log(self, state: Any, logs: dict[str, Any]) -> None:
        """Write the step's line. The summary at the end of a training has no loss of a step and is left out."""
        if "loss" not in logs or not state.is_world_process_zero:
            return
        values = {**logs, **self.extra.take()}
        metrics.append(self.out / metrics.FILE, state.global_step, values)
        self.extra.check(values)
        if time.monotonic() - self.said >= SAY_SECONDS:
            self.said = time.monotonic()
            shown = {name: values[name] for name in ("loss", "reward", "kl") if isinstance(values.get(name), float)}
            told = " ".join(f"{name} {value:.3g}" for name, value in shown.items())
            self.context.say(f"step {state.global_step}/{state.max_steps} {told}")

    def saved_now(self, state: Any) -> None:
        """Mark the checkpoint as whole, when every worker has written its part; then the older ones may go."""
        self.trainer.accelerator.wait_for_everyone()
        if not state.is_world_process_zero:
            return
        (self.out / RESUME / f"checkpoint-{state.global_step}" / WHOLE).touch()
        last_whole(self.out / RESUME)
        took, self.saved = time.monotonic() - self.saved, time.monotonic()
        self.pause = max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * took)

    def _agreed(self, wish: bool) -> bool:
        """Rank 0's wish, everywhere: a checkpoint is written together."""
        if self.trainer.accelerator.num_processes == 1:
            return wish
        from accelerate.utils import broadcast_object_list

        wishes = [wish]
        broadcast_object_list(wishes)
        return wishes[0]


def _watch(trainer: Any, watch: Watch) -> None:
    """Put the watch into the trainer, in the place of those that print. The class is made here because its base brings torch."""
    from transformers import PrinterCallback, ProgressCallback, TrainerCallback

    class Watching(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            watch.step_end(state, control)

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            watch.log(state, kwargs["logs"])

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            watch.saved_now(state)

    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(Watching())


def _step_of(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
