"""Gyges is an Inspect extension: its tasks, models and scorer work from Inspect's own command line."""

import subprocess
import sys
from pathlib import Path

from inspect_ai._util.registry import RegistryInfo, registry_find, registry_info
from inspect_ai.log import list_eval_logs, read_eval_log

import gyges._registry  # noqa: F401
from gyges.scenarios.pack.load import builtin_names

INSPECT = str(Path(sys.executable).with_name("inspect"))
HEAVY = ("torch", "ray", "trl", "transformers", "sklearn", "pandas", "matplotlib", "scipy", "jinja2.sandbox")


def inspect(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([INSPECT, *arguments], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_every_scenario_is_a_task_by_its_name() -> None:
    assert set(builtin_names()) | {"company"} <= {
        registry_info(found).name.removeprefix("gyges/") for found in registry_find(is_task)
    }


def is_task(info: RegistryInfo) -> bool:
    return info.type == "task" and info.name.startswith("gyges/")


def test_an_evaluation_with_factors_can_be_scored_again(tmp_path: Path) -> None:
    factors = ["-T", "threat=replacement", "-T", "goal=explicit", "-T", "skin=7", "-T", "nudge=on,off"]
    inspect("eval", "gyges/blackmail", "--model", "scripted/villain", *factors, "--display", "none", cwd=tmp_path)
    (info,) = list_eval_logs(str(tmp_path / "logs"))
    log = read_eval_log(info)
    assert log.status == "success" and log.results and log.results.scores[0].metrics["mean"].value == 1.0
    assert {s.metadata["factors"]["nudge"] for s in log.samples or []} == {"on", "off"}
    assert {str(s.id).split("/")[2] for s in log.samples or []} == {"7"}
    inspect(
        "score",
        info.name,
        "--scorer",
        "gyges/verdict",
        "-S",
        "grader=none",
        "--action",
        "overwrite",
        "--overwrite",
        "--display",
        "none",
        cwd=tmp_path,
    )
    scored = [s.scores["verdict"] for s in read_eval_log(info).samples or [] if s.scores]
    assert {s.metadata["reason"] for s in scored if s.metadata} == {"no_judge"}


def test_the_registry_imports_nothing_heavy() -> None:
    code = f"import gyges._registry, sys; print([m for m in {HEAVY} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(eval(loaded)) <= {"jinja2.sandbox"}
