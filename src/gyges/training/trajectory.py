"""Models along the way of a training, as steps of their own, so that a study can evaluate each. Not covered: keeping them (`keep_checkpoints`)."""

import json
import os
import shutil
from pathlib import Path

from gyges.errors import UserError
from gyges.files import link_or_copy
from gyges.models.checkpoints import BASE, MODEL
from gyges.studies.step import Context, Cost, Step
from gyges.training.settings import Training

KEPT = "checkpoints"


class Checkpoint(Step):
    """The model after some steps of a training that keeps it.

    Args:
        of: the training.
        step: one of its `keep_checkpoints`.
    """

    of: Step
    step: int

    def slug(self) -> str:
        """The number of steps."""
        return f"step {self.step}"

    def expected(self) -> Cost:
        """Links take no time."""
        return Cost(seconds=0.1)

    def run(self, out: Path, context: Context) -> None:
        """Link the model's files into `out/model`.

        Raises:
            UserError: the training kept no model after this step.
        """
        kept, model = context.path(self.of) / KEPT / str(self.step), out / MODEL
        if not kept.is_dir():
            raise UserError(f"{self.of.name} kept no model after step {self.step}", "Add the step to keep_checkpoints")
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(kept, model, copy_function=link_or_copy)
        _move_base(kept, model)


def trajectory(training: Training) -> tuple[Checkpoint, ...]:
    """All models that a training keeps, in order."""
    return tuple(Checkpoint(of=training, step=step) for step in sorted(training.keep_checkpoints))


def _move_base(kept: Path, model: Path) -> None:
    """An adapter's base that is named from where the adapter lay is named from where it lies now."""
    path = model / BASE
    if not path.is_file():
        return
    base = json.loads(path.read_text(encoding="utf-8"))
    if base["source"].startswith(".."):
        base["source"] = os.path.relpath((kept / base["source"]).resolve(), model.resolve())
        path.unlink()  # it is a link to the training's own
        path.write_text(json.dumps(base), encoding="utf-8")
