"""A run that is killed at any moment is finished by the same command: nothing lost, nothing run twice, the same estimates.

Slow: ten kills of each design, each of a process of its own, as only a real SIGKILL shows what is on disk at that moment.
"""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

pytestmark = pytest.mark.slow

KILLS = 10


def command(out: Path, *more: str) -> list[str]:
    arguments = [
        "test",
        "scripted/mixture",
        "-M",
        "harm=0.3",
        "-s",
        "espionage",
        "-s",
        "lethal_alert",
        "--out",
        str(out),
    ]
    return [sys.executable, "-m", "gyges", *arguments, *more]


def finish(out: Path, *more: str) -> float:
    begun = time.monotonic()
    done = subprocess.run(command(out, *more), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - begun


def kill_once(out: Path, after: float, *more: str) -> bool:
    """Kill a run after so many seconds; whether it was still running."""
    process = subprocess.Popen(command(out, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def times_run(out: Path) -> Counter[str]:
    """How often each sample ended without an error, over all logs."""
    logs = [read_eval_log(str(path)) for path in (out / "logs").rglob("*.eval")]
    return Counter(str(s.id) for log in logs for s in log.samples or [] if s.error is None)


@pytest.mark.parametrize(
    "more", [("--samples", "20", "--interface", "text,tools"), ("--precision", "0.4", "--interface", "text")]
)
def test_killed_ten_times_and_finished(tmp_path: Path, more: tuple[str, ...]) -> None:
    whole = finish(tmp_path / "undisturbed", *more)
    moments = random.Random(1)
    kills = [kill_once(tmp_path / "killed", moments.uniform(0.2 * whole, whole), *more) for _ in range(KILLS)]
    assert any(kills), "every run had ended before it was killed"
    finish(tmp_path / "killed", *more)
    runs = times_run(tmp_path / "killed")
    assert set(runs.values()) == {1}
    assert set(runs) == set(times_run(tmp_path / "undisturbed"))
    estimates = [json.loads((tmp_path / name / "estimates.json").read_text()) for name in ("undisturbed", "killed")]
    assert estimates[0] == estimates[1]
