"""Every kind of step, killed or interrupted ten times at any moment, ends when it is run again with the files of an undisturbed run, and leaves alone what it stands on.

Slow: hundreds of real kills of real processes. These are forked from one that has imported torch and TRL, so that the time goes into steps.
"""

import importlib
import os
import pkgutil
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import warm

import gyges
from gyges.evaluation.evaluate_step import Evaluate
from gyges.evaluation.spec import Spec
from gyges.propensities.preferences import Propensity
from gyges.studies.execution.one_step import run_one
from gyges.studies.plan import ordered
from gyges.studies.results.store import ERROR, LOG, RECORD, Store
from gyges.studies.step import Step
from gyges.training import RL, SFT, Documents, Rollouts, trajectory
from gyges.windtunnel.datasets import Lessons, SafetyPrompts, TaskPrompts
from gyges.windtunnel.measure import ProbeRates, TaskRates
from gyges.windtunnel.pretrain import Corpus, Pretrain, Shape

pytestmark = pytest.mark.slow
KILLS, INTERRUPTED = 10, 130
UNEQUAL = {LOG, RECORD, ERROR, "metrics.jsonl"}
"""Files that hold times or are the account of attempts; a training's metrics hold none and are compared."""


def passes(completions: list[Any], **_: Any) -> list[float]:
    """A filter that lets everything through: the model is hardly trained."""
    return [1.0] * len(completions)


SPEC = Spec(scenarios=("espionage",), factors={"interface": "text"}, samples=4)


def everything() -> tuple[Step, ...]:
    """Small steps of every kind, each after what it needs."""
    base = Pretrain(corpus=Corpus(count=400), shape=Shape(layers=1, width=16, inner=32, heads=2), keep=3)
    small = {"max_steps": 3, "learning_rate": 1e-3}
    tasks, lessons = TaskPrompts(count=8), Lessons(name_of_set="advice", tokens=100)
    learnt = RL(
        model=base, data=tasks, reward_funcs=("gyges.windtunnel.rewards:hackable",), num_generations=4,
        max_completion_length=6, keep_checkpoints=(2,), **small,
    )  # fmt: skip
    found = [
        base, tasks, lessons, learnt, SafetyPrompts(count=8), SFT(model=base, data=lessons, **small),
        Documents(model=base, data=Lessons(name_of_set="constitution", tokens=100), **small), *trajectory(learnt),
        Rollouts(model=base, data=tasks, num_generations=2, max_completion_length=6, filters=("test_every_kind:passes",)),
        ProbeRates(model=base, samples=2), TaskRates(model=base, count=20), Propensity(model=base, frames=("plan",)),
        Evaluate(model="scripted/mixture", model_args={"harm": 0.3}, spec=SPEC),
    ]  # fmt: skip
    return ordered(found)


def steps() -> dict[str, Step]:
    """One step of every kind."""
    return {step.kind(): step for step in everything()}


KINDS = sorted(steps())


def work(key: str, root: Path, begins: Any) -> None:
    """Run a step in this process and say when it begins; what it says of a failure goes up."""
    (step,) = (s for s in everything() if s.key == key)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begins.set()
        ended = run_one(step, Store(root))
    except KeyboardInterrupt:  # before the step's first line or after its last
        sys.exit(INTERRUPTED)
    sys.exit({"": 0, "interrupted": INTERRUPTED}.get(ended.problem, ended.problem))


def start(step: Step, root: Path) -> Any:
    """A process that has begun with a step."""
    begins = warm.PROCESSES.Event()
    process = warm.start(work, step.key, root, begins)
    assert begins.wait(60)
    return process


def contents(folder: Path, kind: str) -> dict[str, Any]:
    """What must be equal: all files as bytes, and of an evaluation the verdicts, since logs hold times."""
    if kind == "evaluate":
        return {"rows": pd.read_parquet(folder / "verdicts.parquet").drop(columns=["seconds", "log"]).to_dict()}
    unequal = UNEQUAL - ({"metrics.jsonl"} if kind in ("rl", "sft", "documents") else set())
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in unequal)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which every step ran undisturbed."""
    root = tmp_path_factory.mktemp("kinds")
    for step in everything():
        process = start(step, root)
        process.join()
        assert process.exitcode == 0, Store(root).failure(step)
    return root


def test_no_kind_is_left_out() -> None:
    for module in pkgutil.walk_packages(gyges.__path__, "gyges."):
        if not module.name.startswith(("gyges.__main__", "gyges._registry", "gyges.cli.main")):
            importlib.import_module(module.name)
    assert {c.kind() for c in _concrete(Step) if c.__module__.startswith("gyges.")} == set(KINDS)


def _concrete(kind: type[Step]) -> Iterator[type[Step]]:
    for below in kind.__subclasses__():
        if not getattr(below, "__abstractmethods__", None):
            yield below
        yield from _concrete(below)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_ten_times_and_run_again(kind: str, number: signal.Signals, whole: Path, tmp_path: Path) -> None:
    step, store = steps()[kind], Store(tmp_path)
    upstream = [s for s in ordered([step]) if s is not step]
    for other in upstream:
        shutil.copytree(whole / other.name, store.path(other))
    before = [contents(store.path(s), "") for s in upstream]
    took, moments, killed = Store(whole).record(step).seconds, random.Random(f"{kind}{number}"), 0  # type: ignore[union-attr]
    for _ in range(8 * KILLS):
        process = start(step, tmp_path)
        process.join(moments.uniform(0, 0.05 + took))
        if process.is_alive():
            os.kill(process.pid, number)
            process.join()
        killed += process.exitcode in (-number, INTERRUPTED)
        if process.exitcode == 0:  # it came to its end before: once more from the beginning
            for made in (step.name, *step.shared()):
                shutil.rmtree(tmp_path / made)
        if killed == KILLS:
            break
    process = start(step, tmp_path)
    process.join()
    assert process.exitcode == 0, store.failure(step)
    assert killed == KILLS
    assert contents(store.path(step), kind) == contents(whole / step.name, kind)
    assert before == [contents(store.path(s), "") for s in upstream]
