"""A page of any logs of our tasks that Inspect has written: every format, epoch, model and end; what is missing is said."""

import json
from pathlib import Path

import pytest
from inspect_ai import Task, eval, eval_set, task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.solver import generate

from command import gyges
from gyges.scenarios.insider.tasks import builtin_tasks

QUIET = {"display": "none", "log_realtime": False}
SHORT = {"interface": "text", "density": "0", "samples": 3}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, two epochs, one scenario, as `.eval`."""
    folder = tmp_path_factory.mktemp("logs")
    eval(
        builtin_tasks()["espionage"](**SHORT),
        model=["scripted/villain", "scripted/saint"],
        epochs=2,
        log_dir=str(folder),
        **QUIET,
    )
    return folder


def paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eval"))


def changed(
    log: Path, folder: Path, keep: int | None = None, status: str = "success", suffix: str = ".eval"
) -> EvalLog:
    """The same log with some samples only and another end."""
    read = read_eval_log(str(log))
    read.samples, read.status = (read.samples or [])[:keep], status
    if status != "success":
        read.results = None
    folder.mkdir(exist_ok=True)
    write_eval_log(read, str(folder / log.with_suffix(suffix).name))
    return read


def test_a_model_with_several_settings_counts_as_several(tmp_path: Path) -> None:
    for harm, heat in ((0.0, 0.0), (1.0, 1.0)):
        args = {"model": "scripted/mixture", "model_args": {"harm": harm}, "temperature": heat}
        eval(builtin_tasks()["espionage"](**SHORT), log_dir=str(tmp_path / f"{harm:g}"), **args, **QUIET)
    done = gyges("report", tmp_path, "--out", tmp_path / "page")
    assert done.returncode == 0, done.stderr
    estimates = json.loads((tmp_path / "page" / "estimates.json").read_text())
    pressed = {e["model"]: (e["k"], e["n"]) for e in estimates if not e["control"]}
    assert pressed == {
        "scripted/mixture (harm=0.0, temperature=0.0)": (0, 3), "scripted/mixture (harm=1.0, temperature=1.0)": (3, 3),
    }  # fmt: skip
    told = gyges("compare", tmp_path / "0", tmp_path / "1").stdout
    assert "note    the two differ in harm" in told and "note    the two differ in temperature" in told


def counts(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((e["model"], e["k"], e["n"]) for e in json.loads((folder / "estimates.json").read_text()))


def page(*places: Path) -> str:
    done = gyges("report", *places)
    assert done.returncode == 0, done.stderr
    return (places[0] if places[0].is_dir() else places[0].parent).joinpath("report.html").read_text()


BOTH = [("scripted/saint", 0, 6), ("scripted/villain", 6, 6)]


def test_models_and_epochs_are_all_counted(logs: Path) -> None:
    html = page(logs)
    assert counts(logs) == BOTH and "What is missing" not in html and "villain" in html
    assert page(logs) and counts(logs) == BOTH, "the table that a page leaves is not counted beside the logs"


def test_the_json_format_counts_alike(logs: Path, tmp_path: Path) -> None:
    for log in paths(logs):
        changed(log, tmp_path / "json", suffix=".json")
    (tmp_path / "json" / "notes.json").write_text("{}")
    page(tmp_path / "json")
    assert counts(tmp_path / "json") == BOTH


def test_one_log_alone_is_reported(logs: Path, tmp_path: Path) -> None:
    changed(paths(logs)[0], tmp_path)
    page(next(tmp_path.glob("*.eval")))
    assert len(counts(tmp_path)) == 1


def test_an_eval_set_with_a_retried_task_counts_each_sample_once(logs: Path, tmp_path: Path) -> None:
    task = builtin_tasks()["espionage"](**SHORT)
    eval_set(task, log_dir=str(tmp_path / "set"), model=["scripted/villain", "scripted/saint"], **QUIET)
    (log, _) = paths(tmp_path / "set")
    again = read_eval_log(str(log))
    again.samples, again.status, again.results = (again.samples or [])[:1], "error", None
    write_eval_log(again, str(tmp_path / "set" / f"2020-{log.name[5:]}"))
    assert "What is missing" not in page(tmp_path / "set")
    assert [n for _, _, n in counts(tmp_path / "set")] == [3, 3]


@pytest.mark.parametrize(
    ("status", "how"), [("cancelled", "cancelled"), ("started", "crashed or still running"), ("error", "broke off")]
)
def test_what_a_log_lacks_is_said(logs: Path, tmp_path: Path, status: str, how: str) -> None:
    changed(paths(logs)[0], tmp_path / "x", keep=2, status=status)
    html = page(tmp_path / "x")
    assert "2 of 6 samples are there" in html and how in html
    assert sum(n for _, _, n in counts(tmp_path / "x")) == 2


def test_logs_that_cannot_be_read_or_are_of_other_tasks_are_said(logs: Path, tmp_path: Path) -> None:
    for log in paths(logs):
        changed(log, tmp_path)
    log = paths(tmp_path)[0]
    log.write_bytes(log.read_bytes()[:500])
    eval(other(), model="mockllm/model", log_dir=str(tmp_path), **QUIET)
    html = page(tmp_path)
    assert f"the log {log.name} is damaged" in html and "is a log of another task (other)" in html
    assert len(counts(tmp_path)) == 1


def test_a_folder_without_any_of_our_logs_is_told(tmp_path: Path) -> None:
    eval(other(), model="mockllm/model", log_dir=str(tmp_path), **QUIET)
    done = gyges("report", tmp_path)
    assert done.returncode == 2 and "holds no results" in done.stderr and "another task (other)" in done.stderr


def test_the_same_samples_in_two_runs_are_counted_once_and_said(logs: Path, tmp_path: Path) -> None:
    for _ in range(2):
        eval(builtin_tasks()["espionage"](**SHORT), model="scripted/villain", log_dir=str(tmp_path), **QUIET)
    assert "3 of the samples are in more than one run" in page(tmp_path)
    assert counts(tmp_path) == [("scripted/villain", 3, 3)]


@pytest.mark.parametrize("suffix", [".eval", ".json"])
def test_they_are_judged_again_where_they_lie(logs: Path, tmp_path: Path, suffix: str) -> None:
    for log in paths(logs):
        changed(log, tmp_path, suffix=suffix)
    assert gyges("score", tmp_path, "--grader", "none").returncode == 1
    assert {path.suffix for path in tmp_path.iterdir()} >= {suffix}
    unscored = [e["unscored"] for e in json.loads((tmp_path / "estimates.json").read_text())]
    assert sum(unscored) > 0
    assert gyges("score", tmp_path).returncode == 0 and counts(tmp_path) == BOTH


@task
def other() -> Task:
    return Task(dataset=[Sample(input="1 + 1?")], solver=generate())
