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
from test_training_kills import make

import training_toys as toys

pytest.importorskip("ray", reason="Ray has no wheel for this machine")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


SPREADING = str(Path(__file__).with_name("spreading.py"))


def start(store: Path, address: str, study: str = STUDY, option: str = "until=40") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "gyges", "run", study, "--store", str(store), "-S", option, "-x", "ray"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, "--address", address], stdout=pipe, stderr=pipe, text=True)


def trained(store: Path) -> Path:
    (folder,) = store.glob("watched/*")
    return folder


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


def test_one_training_over_two_workers_killed_and_run_again(tmp_path: Path, address: str) -> None:
    """Ray Train joins two processes over gloo; they take the steps that one process takes, and go on exactly where they were killed."""
    make(tmp_path)
    here = [
        sys.executable,
        "-m",
        "gyges",
        "run",
        SPREADING,
        "--store",
        str(tmp_path / "alone"),
        "-S",
        f"folder={tmp_path}",
    ]
    subprocess.run(here, check=True, capture_output=True)
    whole = start(tmp_path / "whole", address, SPREADING, f"folder={tmp_path}")
    out, problem = whole.communicate(timeout=400)
    assert whole.returncode == 0, out + problem
    one, two = toys.lines_of(trained(tmp_path / "alone")), toys.lines_of(trained(tmp_path / "whole"))
    assert trained(tmp_path / "alone").name == trained(tmp_path / "whole").name
    assert [line["loss"] for line in two] == pytest.approx([line["loss"] for line in one], rel=1e-5)

    process = start(tmp_path / "killed", address, SPREADING, f"folder={tmp_path}")
    while not list((tmp_path / "killed").glob("watched/*/resume/checkpoint-*/whole")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    victims = [p for p in psutil.process_iter(["cmdline"]) if "RayTrainWorker" in " ".join(p.info["cmdline"] or [])]
    victims[-1].kill()
    out, problem = process.communicate(timeout=400)
    assert process.returncode == 1, out + problem
    again = start(tmp_path / "killed", address, SPREADING, f"folder={tmp_path}")
    assert again.wait(timeout=400) == 0
    assert "going on after step" in (trained(tmp_path / "killed") / "log.txt").read_text()
    assert toys.lines_of(trained(tmp_path / "killed")) == two
    weights = [toys.weights(trained(tmp_path / name) / "model") for name in ("killed", "whole")]
    assert weights[0] == weights[1]
