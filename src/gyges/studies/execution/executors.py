"""Where steps run: in processes of this machine (`local`), on a Ray cluster (`ray`), or in this process (`here`).

All call `run_one` with a step and a store. A local process takes one step after another, since importing torch costs seconds; a step that asks
for a GPU has a process to itself, so that its memory is given back. A process that dies fails only its step.
"""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from gyges.errors import UserError
from gyges.studies.events import Ended, Event, Said, Tell
from gyges.studies.execution.one_step import INTERRUPTED, Work, run_capturing_output, run_capturing_prints, run_one
from gyges.studies.execution.packing import pack, unpack
from gyges.studies.execution.processes import cores, start_worker
from gyges.studies.execution.ray_train import over_workers
from gyges.studies.results.store import Store
from gyges.studies.step import Step


@dataclass(frozen=True)
class Job:
    """A step to run into a store."""

    step: Step
    store: Store
    trackers: tuple[str, ...] = ()


class Executor(Protocol):
    """Runs jobs somewhere."""

    def free(self, step: Step) -> bool:
        """Whether this step could start now."""
        ...

    def submit(self, job: Job) -> None:
        """Start a job."""
        ...

    def wait(self) -> list[Ended]:
        """The jobs that have ended since; waits for at least one."""
        ...

    def close(self) -> None:
        """Stop whatever still runs and let go of everything."""
        ...


class HereExecutor:
    """Runs steps in this process, one after another: for a few that ask servers or say much, where a process of their own would only cost its start.

    Args:
        tell: called with what running steps say.
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.ended: list[Ended] = []

    def free(self, step: Step) -> bool:
        """Whether the end of the last step has been taken."""
        return not self.ended

    def submit(self, job: Job) -> None:
        """Run the job.

        Raises:
            KeyboardInterrupt: it was interrupted.
        """
        tell = partial(self.tell, job.step.name)
        ended = run_one(job.step, job.store, job.trackers, tell, run_capturing_prints)
        if ended.problem == INTERRUPTED:
            raise KeyboardInterrupt
        self.ended.append(ended)

    def wait(self) -> list[Ended]:
        """The jobs that have ended since."""
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        """There is nothing to let go of."""


@dataclass
class Worker:
    """A process, what it is doing, and the keys of the steps that it has been sent."""

    process: BaseProcess
    connection: Connection
    job: Job | None = None
    known: set[str] = field(default_factory=set)


class LocalExecutor:
    """Runs steps in processes of this machine.

    Args:
        workers: how many steps side by side.
        tell: called with what running steps say.
    """

    def __init__(self, workers: int, tell: Tell) -> None:
        self.limit, self.tell = workers, tell
        self.threads = max(1, cores() // workers)
        self.workers: list[Worker] = []

    def free(self, step: Step) -> bool:
        """Whether fewer steps run than may."""
        return sum(w.job is not None for w in self.workers) < self.limit

    def submit(self, job: Job) -> None:
        """Hand the job to a process that is idle, or to a new one."""
        worker = next((w for w in self.workers if w.job is None), None)
        if worker is None:
            worker = Worker(*start_worker(_serve, self.threads))
            self.workers.append(worker)
        worker.job = job
        worker.connection.send((pack(job.step, worker.known), job.store, job.trackers))

    def wait(self) -> list[Ended]:
        """The jobs that have ended since; waits for at least one."""
        ended: list[Ended] = []
        while not ended:
            busy = {w.connection: w for w in self.workers if w.job is not None}
            ended = [e for c in wait(list(busy)) if (e := self._hear(busy[c])) is not None]  # type: ignore[index]
        return ended

    def close(self) -> None:
        """End all processes: those that are idle leave by themselves, a step that still runs is broken off."""
        for worker in self.workers:
            worker.connection.close()
            if worker.job is not None:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join()

    def _hear(self, worker: Worker) -> Ended | None:
        """What a worker tells: something its step says (nothing has ended), or the end of its job."""
        job = worker.job
        assert job is not None
        try:
            event: Event = worker.connection.recv()
        except (EOFError, ConnectionError):
            self._drop(worker)
            code = worker.process.exitcode or 0
            why = (
                "out of memory, or killed from outside"
                if code < 0
                else "it ended by itself: see the error above, or the step's log"
            )
            return Ended(job.step.key, f"its process died (exit code {code}); {why}", 0.0)
        if not isinstance(event, Ended):
            self.tell(job.step.name, event)
            return None
        worker.job = None
        if job.step.resources.gpus:
            self._drop(worker)
        return event

    def _drop(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.process.terminate()
        worker.process.join()


def _serve(connection: Connection, threads: int) -> None:
    """A worker's life: one job after another, until the connection ends."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # before torch is imported: workers must not fight for cores
    known: dict[str, Step] = {}
    while True:
        try:
            parts, store, trackers = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        connection.send(run_one(unpack(parts, known), store, trackers, connection.send))


class RayExecutor:
    """Runs steps on a Ray cluster, each with the resources that it asks for.

    Args:
        address: of the cluster, e.g. `ray://host:10001`, `auto`; empty starts one on this machine.
        folder: of the study's file; the Python files and packages in it are sent along, so that steps which the study defines can be imported on every node.
        tell: called with what running steps say (on Ray: only that they have begun).

    Raises:
        UserError: Ray is not installed, or nobody answers at the address.
    """

    def __init__(self, address: str, folder: Path | None, tell: Tell) -> None:
        self.ray = _ray(address, folder)
        self.tell = tell
        self.running: dict[Any, Job] = {}

    def free(self, step: Step) -> bool:
        """Ray keeps its own queue; only so many are handed to it that the driver stays small."""
        return len(self.running) < 1000

    def submit(self, job: Job) -> None:
        """Hand the job to the cluster."""
        wants, several = job.step.resources, job.step.resources.workers > 1
        remote = self.ray.remote(_on_node).options(
            num_cpus=0 if several else wants.cpus, num_gpus=0 if several else wants.gpus, max_retries=0,
            memory=None if several else int(wants.memory_gb * 2**30) or None, name=job.step.name,
        )  # fmt: skip
        work = over_workers if several else run_capturing_output  # with several, their resources are taken by Ray Train
        self.running[remote.remote(job, Path.cwd(), work)] = job
        self.tell(job.step.name, Said("handed to Ray"))

    def wait(self) -> list[Ended]:
        """The jobs that have ended since; waits for at least one."""
        ready, _ = self.ray.wait(list(self.running), num_returns=1)
        more, _ = self.ray.wait(list(self.running), num_returns=len(self.running), timeout=0)
        return [self._ended(reference, self.running.pop(reference)) for reference in {*ready, *more}]

    def close(self) -> None:
        """Cancel what still runs and leave the cluster."""
        for reference in self.running:
            self.ray.cancel(reference, force=True)
        self.ray.shutdown()

    def _ended(self, reference: Any, job: Job) -> Ended:
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            lines = re.sub(r"\x1b\[\d+m", "", str(error)).strip().splitlines() or [""]  # the last one says most
            return Ended(job.step.key, f"Ray lost it: {type(error).__name__}: {lines[-1].strip()}", 0.0)


def _on_node(job: Job, folder: Path, work: Work) -> Ended:
    """Run a job on a node of the cluster, where it can be in the folder that the study was started from: paths may be relative to it."""
    if folder.is_dir():
        os.chdir(folder)
    return run_one(job.step, job.store, job.trackers, None, work)


@contextmanager
def _sources(folder: Path | None) -> Iterator[str | None]:
    """A folder with the Python files and packages beside a study, and nothing of what else lies there: results may, and a whole home."""
    if folder is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as copy:
        for path in folder.iterdir():
            if path.suffix == ".py":
                shutil.copy(path, copy)
            elif (path / "__init__.py").is_file():
                shutil.copytree(path, Path(copy) / path.name)
        yield copy


def _ray(address: str, folder: Path | None) -> Any:
    try:
        import ray
    except ImportError:
        raise UserError("-x ray needs an extra", "Install it: pip install 'gyges[ray]'") from None
    try:
        with _sources(folder) as sources:
            ray.init(
                address=address or None, ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR,
                runtime_env={"working_dir": sources} if sources else None,
            )  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        told = str(error).splitlines()[0]
        raise UserError(f"no Ray cluster answers at '{address}': {told}", "Start one with `ray start --head`") from None
    return ray
