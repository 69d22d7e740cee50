"""Samples that run in several processes: killed at any moment, all processes at once or a worker alone, nothing is lost and nothing run twice.

Slow: only real processes, killed for real, show that a worker ends with the run that started it and that its samples are on the disk.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import warm
from test_sigkill import said_of, times_run

from gyges.evaluation import parallel
from gyges.evaluation.folder import logs_of
from gyges.transcripts.inspect_logs import read_rows, settled

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from loopback import serving

pytestmark = pytest.mark.slow

SAMPLES, WORTH, KILLS = 110, 50, 3
"""Samples of each of two cells, and how many are worth a worker here: there are workers, and mostly also after a kill."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(0.2) as address:
        yield address


def start(out: Path, url: str) -> Any:
    options = ["-s", "espionage", "--interface", "text", "--samples", str(SAMPLES), "--max-connections", "40"]
    arguments = ["test", "openai-api/bench/fixed", "--base-url", url, "--out", str(out), *options]
    return warm.start(_command, arguments, said_of(out))


def _command(arguments: list[str], told: Path) -> None:
    parallel.LATE = WORTH
    warm.run(arguments, told, {"BENCH_API_KEY": "none"})


def ends(process: Any) -> int:
    process.join()
    return process.exitcode


def workers(process: Any) -> list[psutil.Process]:
    return [p for p in psutil.Process(process.pid).children() if "multiprocessing.spawn" in " ".join(p.cmdline())]


def begun(process: Any) -> list[psutil.Process]:
    """The workers of a run, as soon as it has any; none where it ended without, as when few samples were owed."""
    while process.is_alive():
        if found := workers(process):
            return found
        time.sleep(0.05)
    return []


def runs_on(process: psutil.Process) -> bool:
    """Whether it still runs: once its parent was killed, nobody may wait for it, so it may have ended and stay a zombie."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_end(theirs: list[psutil.Process]) -> None:
    """These processes end within seconds."""
    end = time.monotonic() + 5
    while running := [p for p in theirs if runs_on(p)]:
        assert time.monotonic() < end, f"a worker outlived its run: {running}"
        time.sleep(0.05)


def estimates(out: Path) -> list[dict]:
    return json.loads((out / "estimates.json").read_text())


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: everything runs in one process")
def test_killed_and_finished(tmp_path: Path, url: str) -> None:
    whole = start(tmp_path / "whole", url)
    assert ends(whole) == 0, said_of(tmp_path / "whole").read_text()
    moments, met = random.Random(2), 0
    for _ in range(KILLS):
        process = start(tmp_path / "killed", url)
        theirs = begun(process)
        met += len(theirs)
        time.sleep(moments.uniform(0, 4))  # a worker takes some three seconds to import, then runs samples
        process.kill()
        process.join()
        assert_end(theirs)
    assert met, "no kill met a worker"
    assert ends(start(tmp_path / "killed", url)) == 0
    runs = times_run(tmp_path / "killed")
    assert set(runs.values()) == {1} and len(runs) == 2 * SAMPLES
    assert estimates(tmp_path / "killed") == estimates(tmp_path / "whole")


@pytest.mark.parametrize("models", [("one",), ("one", "two")])
def test_interrupted_and_finished(tmp_path: Path, url: str, models: tuple[str, ...]) -> None:
    """Ctrl-C in the midst of a run, of one model in the command's own process, of two in processes of theirs."""
    keys = {f"{name.upper()}_API_KEY": "none" for name in models}
    options = ["-s", "espionage", "--interface", "text", "--samples", "40", "--max-connections", "2"]
    named = [f"openai-api/{name}/fixed" for name in models]
    arguments, said = ["test", *named, "--base-url", url, *options, "--out", str(tmp_path / "x")], tmp_path / "said"
    process = warm.command(arguments, said, **keys)
    while not said.exists() or "of at most" not in said.read_text():
        assert process.is_alive()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    code, told = ends(process), said.read_text()
    assert code == 130 and told.count("interrupted. The same command continues") == 1, told
    assert "Traceback" not in told
    assert ends(warm.command(arguments, said, **keys)) == 0
    runs = Counter(
        (row.model, row.sample_id) for row in read_rows(logs_of(tmp_path / "x"), tmp_path / "x") if settled(row)
    )
    assert set(runs.values()) == {1} and len(runs) == 80 * len(models)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: everything runs in one process")
def test_a_worker_that_is_killed_is_told_and_the_same_command_goes_on(tmp_path: Path, url: str) -> None:
    process = start(tmp_path / "x", url)
    (worker, *_) = begun(process)
    time.sleep(5)
    worker.kill()
    assert ends(process) == 2
    told = said_of(tmp_path / "x").read_text()
    assert "a worker process ended early" in told and "Traceback" not in told
    assert ends(start(tmp_path / "x", url)) == 0
    runs = times_run(tmp_path / "x")
    assert set(runs.values()) == {1} and len(runs) == 2 * SAMPLES
