"""One step over several workers: Ray Train starts the processes and joins them, the step's own library divides the work.

Every worker calls the step's `run` on the same folder, with its rank, so the store must be a folder that all nodes see. Not covered: a
number of workers that changes while it runs.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gyges.studies.execution.one_step import logged
from gyges.studies.results.store import LOG
from gyges.studies.step import Context, Step

if TYPE_CHECKING:
    from ray.train.torch import TorchTrainer

OWN = "ray_train"
"""Ray Train's own files, in the step's folder while it runs."""


def over_workers(step: Step, out: Path, context: Context) -> None:
    """Run a step in as many processes as it asks for.

    Raises:
        Exception: what the first worker that failed has raised.
    """
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    wants, quiet = step.resources, replace(context, tell=None)
    each = {"CPU": wants.cpus, "GPU": wants.gpus, "memory": wants.memory_gb * 2**30}
    scaling = ScalingConfig(
        num_workers=wants.workers, use_gpu=wants.gpus > 0, resources_per_worker={k: v for k, v in each.items() if v}
    )
    trainer = TorchTrainer(
        lambda: _work(step, out, quiet), scaling_config=scaling, run_config=RunConfig(name=OWN, storage_path=str(out))
    )  # fmt: skip
    try:
        with logged(out / LOG):
            _fit(trainer)
    finally:
        shutil.rmtree(out / OWN, ignore_errors=True)


def _fit(trainer: "TorchTrainer") -> None:
    """Train; a failure is the worker's own and not Ray's report of it."""
    from ray.train.v2.api.exceptions import WorkerGroupError

    try:
        trainer.fit()
    except WorkerGroupError as error:
        raise next(iter(error.worker_failures.values())) from None


def _work(step: Step, out: Path, context: Context) -> None:
    """What one worker does; rank 0 writes the step's log, the others a log of their own."""
    from ray.train import get_context

    rank = get_context().get_world_rank()
    with logged(out / (f"log-{rank}.txt" if rank else LOG)):
        step.run(out, replace(context, rank=rank))
