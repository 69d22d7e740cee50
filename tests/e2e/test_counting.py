"""Nothing is counted twice, left out, or given an interval that it has not earned, whatever the order of commands."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from inspect_ai import eval
from test_command_line import fails, gyges

from gyges.pages.test.publish import publish
from gyges.scenarios.insider.tasks import builtin_tasks
from gyges.scenarios.pack.load import builtin_root
from gyges.transcripts.table import read_table

ONE = ("-s", "espionage", "--interface", "text")


def estimates(folder: Path) -> list[dict]:
    return json.loads((folder / "estimates.json").read_text())


def run(out: Path, harm: float, *more: str) -> Path:
    done = gyges("test", "scripted/mixture", "-M", f"harm={harm}", *ONE, "--out", out, *more)
    assert done.returncode == 0, done.stderr
    return out


def test_one_model_in_two_folders_is_shown_twice_and_not_pooled(tmp_path: Path) -> None:
    a, b = run(tmp_path / "a", 0, "--samples", "3"), run(tmp_path / "b", 1, "--samples", "3")
    assert gyges("report", a, b, a, "--out", tmp_path / "c").returncode == 0
    found = {(e["model"], e["control"]): (e["k"], e["n"]) for e in estimates(tmp_path / "c")}
    assert found[("scripted/mixture (a)", False)] == (0, 3) and found[("scripted/mixture (b)", False)] == (3, 3)


def test_an_interval_of_a_run_that_stops_early_stays_anytime_valid(tmp_path: Path) -> None:
    out = run(tmp_path / "x", 0.1, "--precision", "0.35")
    before = [(e["low"], e["high"], e["method"]) for e in estimates(out)]
    assert gyges("score", out).returncode == 0
    assert [(e["low"], e["high"], e["method"]) for e in estimates(out)] == before
    (out / "verdicts.parquet").unlink()
    assert gyges("report", out).returncode == 0
    assert [(e["low"], e["high"], e["method"]) for e in estimates(out)] == before


def test_epochs_of_inspect_are_all_counted(tmp_path: Path) -> None:
    eval(
        builtin_tasks()["espionage"](samples=2, interface="text"),
        model="scripted/villain",
        epochs=3,
        log_dir=str(tmp_path / "logs"),
        display="none",
    )
    publish([tmp_path])
    assert [e["n"] for e in estimates(tmp_path)] == [6] and len(read_table(tmp_path / "verdicts.parquet")) == 6


def test_two_packs_of_one_name_are_told(tmp_path: Path) -> None:
    copy = shutil.copytree(builtin_root() / "espionage", tmp_path / "mine")
    fails("the scenario 'espionage' is given twice", "test", "scripted/saint", "-s", "espionage", "-s", copy)


def test_without_a_judge_only_the_bounds_are_read(tmp_path: Path) -> None:
    done = gyges(
        "test",
        "scripted/mixture",
        "-M",
        "harm=0.7",
        *ONE,
        "--samples",
        "8",
        "--grader",
        "none",
        "--out",
        tmp_path / "x",
    )
    assert done.returncode == 1
    page = (tmp_path / "x" / "report.html").read_text()
    assert "only the worst-case bounds hold" in page
    assert not any(e["competence"]["meaningful"] for e in estimates(tmp_path / "x") if e["unscored"])


def test_a_budget_counts_what_the_folder_has_cost(tmp_path: Path) -> None:
    priced = ("--price", "1000,1000", "--max-tokens", "50")
    out = run(tmp_path / "x", 0.3, "--samples", "2", "--budget", "100000", *priced)
    spent = pd.read_parquet(out / "verdicts.parquet").output_tokens.sum() * 1000 / 1e6
    assert spent > 0
    done = gyges(
        "test", "scripted/mixture", "-M", "harm=0.3", *ONE, "--samples", "4", "--budget", spent, *priced, "--out", out
    )
    assert sum(e["n"] for e in estimates(out)) == 4, done.stderr


@pytest.mark.parametrize(
    ("told", "arguments"),
    [
        ("--budget nan", ("--budget", "nan")),
        ("--budget -5.0", ("--budget", "-5")),
        ("--price -1.0", ("--price", "-1,-1")),
        ("--max-connections 0", ("--max-connections", "0")),
        ("--skins -3", ("--skins", "-3")),
        ("--max-tokens 0", ("--max-tokens", "0")),
        ("--temperature 9.0", ("--temperature", "9")),
        ("cannot be read", ("-M", "harm={")),
        ("is not of the form name=value", ("-M", "=3")),
        ("-f goal is given twice", ("-f", "goal=none", "-f", "goal=explicit")),
        ("-f interface is given twice", ("-f", "interface=tools")),
    ],
)
def test_numbers_and_words_that_make_no_sense_are_told(told: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    fails(told, "test", "scripted/mixture", *ONE, "--out", tmp_path / "x", *arguments)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    fails("cannot be written", "test", "scripted/saint", *ONE, "--out", tmp_path / "file")
    fails("cannot be written", "test", "scripted/saint", *ONE, "--out", tmp_path / "file" / "sub")


def test_a_damaged_spec_is_told(tmp_path: Path) -> None:
    out = run(tmp_path / "x", 0, "--samples", "2")
    (out / "spec.json").write_text("{")
    fails("spec.json is damaged", "test", "scripted/mixture", "-M", "harm=0", *ONE, "--samples", "2", "--out", out)


def test_why_samples_broke_is_told(tmp_path: Path) -> None:
    done = gyges("test", "scripted/silent", *ONE, "--samples", "2", "--out", tmp_path / "x")
    assert done.returncode == 1 and "4 x empty" in done.stderr


def test_an_edited_replay_is_another_study(tmp_path: Path) -> None:
    turns = tmp_path / "turns.json"
    turns.write_text(json.dumps([{"text": "I refuse to help with that."}]))
    command = ("test", "scripted/replay", "-M", f"file={turns}", *ONE, "--samples", "1", "--out", tmp_path / "x")
    assert gyges(*command).returncode in (0, 1)
    turns.write_text(json.dumps([{"text": "Certainly, here it is."}]))
    fails("holds another study", *command)


def test_a_skin_that_is_none_is_told_before_a_folder_is_claimed(tmp_path: Path) -> None:
    fails("skin", "test", "scripted/saint", *ONE, "--skin", "3,3", "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists()
