"""On a Ray cluster of two nodes a study has the same keys and results as on this machine, and loses nothing when a worker is killed.

Slow: a cluster takes ten seconds to start, and only a real one shows what Ray does.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import warm
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


def start(store: Path, address: str, study: str = STUDY, option: str = "until=40") -> Any:
    arguments = ["run", study, "--store", str(store), "-S", option, "-x", "ray", "--address", address]
    return warm.command(arguments, said_of(store))


def said_of(store: Path) -> Path:
    return store.with_suffix(".txt")


def end(process: Any, store: Path) -> tuple[int, str]:
    """How a run ended, and what it said."""
    process.join(400)
    return process.exitcode, said_of(store).read_text()


def trained(store: Path) -> Path:
    (folder,) = store.glob("watched/*")
    return folder


def test_the_same_results_as_on_one_machine(tmp_path: Path, address: str) -> None:
    code, said = end(start(tmp_path / "ray", address), tmp_path / "ray")
    assert code == 0, said
    finish(tmp_path / "local")
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


def test_a_worker_that_is_killed_fails_its_step_and_the_same_command_goes_on(tmp_path: Path, address: str) -> None:
    process = start(tmp_path / "ray", address)
    while not list((tmp_path / "ray").glob("count/*/numbers.txt")):
        assert process.is_alive()
        time.sleep(0.1)
    victims = [p for p in psutil.process_iter(["name", "cmdline"]) if "ray::count" in " ".join(p.info["cmdline"] or [])]
    victims[0].kill()
    code, said = end(process, tmp_path / "ray")
    assert code == 1 and "Ray lost it" in said
    code, said = end(start(tmp_path / "ray", address), tmp_path / "ray")
    assert code == 0, said
    finish(tmp_path / "local")
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


def test_one_training_over_two_workers_killed_and_run_again(tmp_path: Path, address: str) -> None:
    """Ray Train joins two processes over gloo; they take the steps that one process takes, and go on exactly where they were killed."""
    make(tmp_path)
    option = f"folder={tmp_path}"
    here = ["run", SPREADING, "--store", str(tmp_path / "alone"), "-S", option]
    assert end(warm.command(here, said_of(tmp_path / "alone")), tmp_path / "alone")[0] == 0
    code, said = end(start(tmp_path / "whole", address, SPREADING, option), tmp_path / "whole")
    assert code == 0, said
    one, two = toys.lines_of(trained(tmp_path / "alone")), toys.lines_of(trained(tmp_path / "whole"))
    assert trained(tmp_path / "alone").name == trained(tmp_path / "whole").name
    assert [line["loss"] for line in two] == pytest.approx([line["loss"] for line in one], rel=1e-5)

    process = start(tmp_path / "killed", address, SPREADING, option)
    while not list((tmp_path / "killed").glob("watched/*/resume/checkpoint-*/whole")):
        assert process.is_alive()
        time.sleep(0.1)
    victims = [p for p in psutil.process_iter(["cmdline"]) if "RayTrainWorker" in " ".join(p.info["cmdline"] or [])]
    victims[-1].kill()
    code, said = end(process, tmp_path / "killed")
    assert code == 1, said
    code, said = end(start(tmp_path / "killed", address, SPREADING, option), tmp_path / "killed")
    assert code == 0, said
    assert "going on after step" in (trained(tmp_path / "killed") / "log.txt").read_text()
    assert toys.lines_of(trained(tmp_path / "killed")) == two
    weights = [toys.weights(trained(tmp_path / name) / "model") for name in ("killed", "whole")]
    assert weights[0] == weights[1]
