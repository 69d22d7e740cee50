"""On a Ray cluster of two nodes a study has the same keys and results as on this machine, and loses nothing when a worker is killed.

Slow: a cluster takes ten seconds to start, and only a real one shows what Ray does.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from test_studies import STUDY, contents, finish

pytest.importorskip("ray", reason="Ray has no wheel for this machine")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


def start(store: Path, address: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "gyges", "run", STUDY, "--store", str(store), "-S", "until=40", "-x", "ray"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, "--address", address], stdout=pipe, stderr=pipe, text=True)


def test_the_same_results_as_on_one_machine(tmp_path: Path, address: str) -> None:
    process = start(tmp_path / "ray", address)
    out, problem = process.communicate(timeout=240)
    assert process.returncode == 0, out + problem
    finish(tmp_path / "local")
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


def test_a_worker_that_is_killed_fails_its_step_and_the_same_command_goes_on(tmp_path: Path, address: str) -> None:
    process = start(tmp_path / "ray", address)
    while not list((tmp_path / "ray").glob("count/*/numbers.txt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    victims = [p for p in psutil.process_iter(["name", "cmdline"]) if "ray::count" in " ".join(p.info["cmdline"] or [])]
    victims[0].kill()
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 1 and "Ray lost it" in out
    again = start(tmp_path / "ray", address)
    assert again.wait(timeout=240) == 0
    finish(tmp_path / "local")
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
