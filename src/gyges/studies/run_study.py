"""Running a study: what is ready is run, what fails takes only its dependants with it, and running again is resuming."""

from dataclasses import dataclass
from pathlib import Path

from gyges.errors import UserError
from gyges.studies.events import Begun, Tell
from gyges.studies.execution.executors import Executor, HereExecutor, Job, LocalExecutor, RayExecutor
from gyges.studies.execution.processes import cores
from gyges.studies.plan import HAS_RESULT, Plan, StepState, plan
from gyges.studies.results.store import Store
from gyges.studies.study import Study


@dataclass(frozen=True)
class RunSettings:
    """Where and how a study runs; nothing here changes a result.

    `executor` is local, ray or here (in this process, one step after another), `workers` how many steps run side by side (0: as many as there are cores), `strict` refuses results that
    were made by other code, `trackers` mirror metrics (trackio, wandb).
    """

    executor: str = "local"
    workers: int = 0
    address: str = ""
    strict: bool = False
    trackers: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyRun:
    """How a run of a study ended: keys of the steps that are done, what failed and why, what could not be tried, and which of the failed came part of the way."""

    done: tuple[str, ...]
    failed: dict[str, str]
    blocked: tuple[str, ...]
    unfinished: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every result is there."""
        return not self.failed and not self.blocked


def run(
    study: Study, store: Store, how: RunSettings = RunSettings(), tell: Tell = lambda name, event: None
) -> StudyRun:
    """Run what a study owes into a store.

    Args:
        study: what is asked.
        store: where results are kept.
        how: executor, workers.
        tell: told of every step that begins or ends, and of what it says in between.

    Raises:
        UserError: a result was made with other values or, if strict, by other code.
    """
    planned = plan(study.steps, store)
    refuse(planned, how.strict)
    for step, former in ((p.step, p.former) for p in planned.steps):
        if former:
            store.take_over(former, step)
    if not planned.owed:
        study.register(store)
        return StudyRun(tuple(p.step.key for p in planned.steps), {}, ())
    executor = open_executor(how, study.folder, tell)
    try:
        study.register(store)
        return _execute(planned, store, how, executor, tell)
    finally:
        executor.close()


def refuse(planned: Plan, strict: bool) -> None:
    """Stop before anything is spent where a result may not be used.

    Raises:
        UserError: names the first one.
    """
    for changed in planned.of(StepState.CHANGED):
        raise UserError(changed.note.rstrip("."))
    for drifted in planned.of(StepState.DRIFTED) if strict else ():
        raise UserError(
            f"{drifted.step.name} was made by other code: {drifted.note}",
            "Leave out --strict, or delete it with `gyges gc --key KEY` and run again",
        )


def open_executor(how: RunSettings, folder: Path | None, tell: Tell) -> Executor:
    """The executor by name.

    Raises:
        UserError: there is none of this name.
    """
    if how.executor == "here":
        return HereExecutor(tell)
    if how.executor == "local":
        return LocalExecutor(how.workers or cores(), tell)
    if how.executor == "ray":
        return RayExecutor(how.address, folder, tell)
    raise UserError(f"there is no executor '{how.executor}'", "Write -x local or -x ray")


def _execute(planned: Plan, store: Store, how: RunSettings, executor: Executor, tell: Tell) -> StudyRun:
    """The loop: hand out what is ready, take what has ended."""
    done = {p.step.key for p in planned.steps if p.state in HAS_RESULT}
    waiting = {step.key: step for step in planned.owed}
    names = {key: step.name for key, step in waiting.items()}
    needs = {key: {s.key for s in step.inputs} - done for key, step in waiting.items()}
    needed_by: dict[str, list[str]] = {}
    for key, wanted in needs.items():
        for other in wanted:
            needed_by.setdefault(other, []).append(key)
    ready = [key for key in waiting if not needs[key]]
    failed: dict[str, str] = {}
    unfinished: list[str] = []
    running = 0
    while ready or running:
        while ready and executor.free(waiting[ready[0]]):
            step = waiting.pop(ready.pop(0))
            tell(step.name, Begun())
            executor.submit(Job(step, store, how.trackers))
            running += 1
        for ended in executor.wait():
            running -= 1
            tell(names[ended.key], ended)
            if ended.problem:
                failed[ended.key] = ended.problem
                unfinished += [ended.key] if ended.unfinished else []
                continue
            done.add(ended.key)
            for key in needed_by.get(ended.key, ()):
                needs[key].discard(ended.key)
                if not needs[key]:
                    ready.append(key)
    return StudyRun(tuple(done), failed, tuple(waiting), tuple(unfinished))
