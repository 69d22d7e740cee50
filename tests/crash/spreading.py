"""A study of one training that may have several workers, for the tests on a cluster.

Hypotheses: none. Primary outcome: none.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from gyges.studies.step import Context
from gyges.studies.study import Study
from gyges.training import SFT
from gyges.training.loop import training_loop


class Watched(SFT):
    """An SFT that checkpoints after every step, and takes its time so that it can be killed."""

    def run(self, out: Path, context: Context) -> None:
        training_loop.CHECKPOINT_SECONDS, training_loop.CHECKPOINT_SHARE = 0.0, 0
        step_end = training_loop.Watch.step_end

        def slowly(watch: training_loop.Watch, state: object, control: object) -> None:
            step_end(watch, state, control)
            time.sleep(0.3)

        training_loop.Watch.step_end = slowly  # type: ignore[method-assign]
        try:
            super().run(out, context)
        finally:
            training_loop.Watch.step_end = step_end  # type: ignore[method-assign]


def study(seeds: Sequence[int], folder: str, workers: str = "2") -> Study:
    """A dozen steps on the rows and the model in a folder."""
    step = Watched(
        model=f"{folder}/start", data=f"{folder}/chat.jsonl", max_steps=12, learning_rate=5e-3,
        per_device_train_batch_size=2, gradient_accumulation_steps=2, seed=seeds[0],
    )  # fmt: skip
    return Study("spreading", __doc__ or "", (step.on(workers=int(workers), cpus=0.5),))
