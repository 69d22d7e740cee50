"""A study that is killed at any moment is finished by the same command, with the results of an undisturbed run.

Slow: real processes are killed for real, ten times by SIGKILL and ten by SIGINT, race each other, and fill a disk.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm

from gyges.studies.results.store import read_record

pytestmark = pytest.mark.slow

STUDY = str(Path(__file__).parents[1] / "graph" / "counting.py")
KILLS = 10


def arguments(store: Path, *more: str) -> list[str]:
    return ["run", STUDY, "--store", str(store), "--workers", "2", "-S", "until=40", *more]


def command(store: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "gyges", *arguments(store, *more)]


def finish(store: Path, *more: str) -> float:
    begun = time.monotonic()
    done = subprocess.run(command(store, *more), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - begun


def contents(store: Path) -> dict[str, bytes]:
    """Every file of every result, without records and logs, which tell when and how."""
    files = [p for p in store.glob("*/*/*") if p.is_file() and p.name not in ("record.json", "log.txt")]
    return {str(p.relative_to(store)): p.read_bytes() for p in files}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_ten_times_and_finished(tmp_path: Path, number: signal.Signals) -> None:
    window, moments = finish(tmp_path / "whole"), random.Random(number)
    early, ends = {}, []
    while len(ends) < KILLS:
        process = warm.command(arguments(tmp_path / "killed"), tmp_path / "said.txt")
        process.join(moments.uniform(0, window))
        if process.is_alive():
            os.killpg(process.pid, number) if number == signal.SIGINT else process.kill()
        process.join(20)
        records = {str(p): p.stat().st_mtime_ns for p in (tmp_path / "killed").glob("*/*/record.json")}
        assert early.items() <= records.items(), "a result that was there was made again"
        early = records
        if process.exitcode == 0:  # it came to its end before: once more from the beginning
            shutil.rmtree(tmp_path / "killed")
            early, window = {}, 0.8 * window
            continue
        ends.append(process.exitcode)
    assert set(ends) <= {-number, 128 + number}, (tmp_path / "said.txt").read_text()
    finish(tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_two_processes_share_one_store(tmp_path: Path) -> None:
    both = [subprocess.Popen(command(tmp_path / "s"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in "ab"]
    assert [p.wait(timeout=120) for p in both] == [0, 0]
    finish(tmp_path / "alone")
    assert contents(tmp_path / "s") == contents(tmp_path / "alone")
    for log in (tmp_path / "s").glob("count/*/log.txt"):
        assert log.read_text().count("---\n") == 1, "a step was run by both"


def test_a_step_that_fails_tells_where_its_log_is(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path, "-S", "fail=yes"), capture_output=True, text=True)
    assert done.returncode == 1 and "RuntimeError: it broke" in done.stdout
    key = done.stdout.partition("gyges status --log ")[2].split()[0]
    shown = [sys.executable, "-m", "gyges", "status", "--log", key, "--store", str(tmp_path)]
    assert "about to fail" in subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    assert len(list(tmp_path.glob("*/*/record.json"))) == 4


def test_a_full_disk_fails_the_step_and_loses_nothing(tmp_path: Path) -> None:
    """In a user namespace with a tmpfs of 8 MiB; where those are not allowed, there is no small disk to fill."""
    script = Path(STUDY).with_name("fill_disk.py")
    inside = f"mkdir disk && mount -t tmpfs -o size=8m none disk && {sys.executable} {script}"
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside]
    if subprocess.run([*unshare[:4], "true"], capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here, so there is no small disk")
    done = subprocess.run(unshare, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True ") and "No space left" in done.stdout and done.stdout.strip().endswith("True")


def test_a_record_holds_what_made_it(tmp_path: Path) -> None:
    finish(tmp_path)
    record = read_record(next((tmp_path / "count").iterdir()))
    assert record is not None and {"source", "packages", "python", "machine"} <= set(record.provenance)
    assert json.loads(json.dumps(record.values))["until"] in (40, 41)
