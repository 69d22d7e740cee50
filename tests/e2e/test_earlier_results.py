"""What an earlier version left stays of use: `tests/earlier` was written by the version before fields and folders moved.

It holds a store (a model trained on two rows of `rows.jsonl`, and an evaluation whose step had other fields then), and a folder of `gyges test`.
"""

import json
import shutil
from pathlib import Path

import pytest

from command import gyges
from gyges.evaluation.evaluate_step import Evaluate
from gyges.evaluation.folder import stopping_of
from gyges.transcripts.rows import Stopping
from gyges.transcripts.table import read_table

EARLIER = Path(__file__).parents[1] / "earlier"
TRAINED, EVALUATED = "50ec215f6b9c", "69b0afb7eae2"
CELLS = [(False, 1, 2), (True, 0, 2)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, as the folder in which commands are run."""
    folder = shutil.copytree(EARLIER, tmp_path / "earlier")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios and rubric as they were then: these may change, and an evaluation's key with them."""
    record = json.loads((EARLIER / "store/evaluate" / f"scripted-mixture-{EVALUATED}" / "record.json").read_text())
    monkeypatch.setattr(Evaluate, "content", lambda self: record["identity"]["content"])


def cells(page_of: Path) -> list[tuple[bool, int, int]]:
    return sorted((e["control"], e["k"], e["n"]) for e in json.loads((page_of / "estimates.json").read_text()))


def logs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.eval")}


@pytest.mark.usefixtures("unchanged")
def test_a_plan_keeps_training_results_and_says_which_evaluation_is_taken_over(here: Path) -> None:
    done = gyges("plan", "study.py", "--store", "store", "--json")
    assert done.returncode == 0, done.stderr
    trained, evaluated = json.loads(done.stdout)["steps"]
    assert trained["key"] == TRAINED and trained["state"] in ("cached", "drifted")
    assert (
        evaluated["state"] == "drifted"
        and "earlier version of Evaluate under the key " + EVALUATED in evaluated["note"]
    )


@pytest.mark.usefixtures("unchanged")
def test_a_run_takes_the_evaluation_over_and_runs_nothing_again(here: Path) -> None:
    before = logs(here / "store")
    done = gyges("run", "study.py", "--store", "store")
    assert done.returncode == 0, done.stderr
    assert "0 steps run, 2 were there" in done.stdout + done.stderr
    assert logs(here / "store") == before
    (table,) = (here / "store").glob("evaluate/*/verdicts.parquet")
    assert len(read_table(table)) == 6
    again = gyges("plan", "study.py", "--store", "store")
    assert "0 of 2 steps are to be run" in again.stdout and "earlier version" not in again.stdout


@pytest.mark.parametrize("from_logs", [False, True], ids=["from the table", "from the logs"])
def test_a_folder_is_reported(here: Path, from_logs: bool) -> None:
    if from_logs:
        (here / "results" / "verdicts.parquet").unlink()
    done = gyges("report", "results")
    assert done.returncode == 0, done.stderr
    assert cells(here / "results") == CELLS and (here / "results" / "report.html").exists()


def test_a_folder_is_scored_and_indexed(here: Path) -> None:
    done = gyges("score", "results")
    assert done.returncode == 0, done.stderr
    assert cells(here / "results") == CELLS
    listed = gyges("index", "results")
    assert listed.returncode == 0 and "scripted/mixture" in (here / "results" / "index.html").read_text()


def test_the_evaluations_of_a_store_are_reported(here: Path) -> None:
    (evaluation,) = (here / "store" / "evaluate").iterdir()
    done = gyges("report", evaluation, "--out", "page")
    assert done.returncode == 0, done.stderr
    assert [n for _, _, n in cells(here / "page")] == [3, 3]


@pytest.mark.parametrize("stored", [{"precision": 0.1, "samples": 2000}, {"precision": None, "sequential": True}])
def test_a_folder_that_stopped_early_without_looks_keeps_its_kind_of_interval(stored: dict) -> None:
    assert stopping_of(stored) == Stopping(True)
    assert stopping_of({"precision": None, "samples": 20, "sequential": False}) == Stopping(False)
