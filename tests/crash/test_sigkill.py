"""A run that is killed at any moment is finished by the same command: nothing lost, nothing run twice, the same estimates.

Slow: ten kills of each design, each of a process of its own (forked from one that has imported Inspect), as only a real SIGKILL shows what is on disk at that moment.
"""

import json
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import warm
from inspect_ai.log import read_eval_log

pytestmark = pytest.mark.slow

KILLS = 10


def start(out: Path, *more: str) -> Any:
    scenarios = ["-s", "espionage", "-s", "lethal_alert"]
    return warm.command(
        ["test", "scripted/mixture", "-M", "harm=0.3", *scenarios, "--out", str(out), *more], said_of(out)
    )


def said_of(out: Path) -> Path:
    return out.with_suffix(".txt")


def finish(out: Path, *more: str) -> float:
    begun = time.monotonic()
    process = start(out, *more)
    process.join()
    assert process.exitcode == 0, said_of(out).read_text()
    return time.monotonic() - begun


def kill_once(out: Path, after: float, *more: str) -> bool:
    """Kill a run after so many seconds; whether it was still running."""
    process = start(out, *more)
    process.join(after)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def times_run(out: Path) -> Counter[str]:
    """How often each sample ended without an error, over all logs."""
    logs = [read_eval_log(str(path)) for path in (out / "logs").rglob("*.eval")]
    return Counter(str(s.id) for log in logs for s in log.samples or [] if s.error is None)


def same(killed: Path, undisturbed: Path) -> None:
    """Each sample ran once, and the estimates are those of the run that nobody killed."""
    runs = times_run(killed)
    assert set(runs.values()) == {1}
    assert set(runs) == set(times_run(undisturbed))
    one, other = (json.loads((folder / "estimates.json").read_text()) for folder in (killed, undisturbed))
    assert one == other


@pytest.mark.parametrize(
    "more", [("--samples", "6", "--interface", "text,tools"), ("--precision", "0.4", "--interface", "text")]
)
def test_killed_ten_times_and_finished(tmp_path: Path, more: tuple[str, ...]) -> None:
    finish(tmp_path / "first", *more)  # starts the parent of all others
    window, moments, kills = finish(tmp_path / "undisturbed", *more), random.Random(1), 0
    while kills < KILLS:
        if kill_once(tmp_path / "killed", moments.uniform(0, window), *more):
            kills += 1
            continue
        same(tmp_path / "killed", tmp_path / "undisturbed")  # it came to its end before: once more from the beginning
        shutil.rmtree(tmp_path / "killed")
        window *= 0.8
    finish(tmp_path / "killed", *more)
    same(tmp_path / "killed", tmp_path / "undisturbed")
