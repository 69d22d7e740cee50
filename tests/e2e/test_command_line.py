"""The command line as a user meets it: good input gives a folder and a page, bad input one clear line and exit code 2."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
from filelock import FileLock
from inspect_ai import score
from inspect_ai.log import read_eval_log, write_eval_log

from command import gyges
from gyges.evaluation.folder import logs_of
from gyges.judging.decide import verdict_of
from gyges.judging.outcomes import Verdict
from gyges.judging.record import SampleRecord
from gyges.judging.scorer import verdict
from gyges.scenarios.pack.load import builtin_root

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from loopback import serving

SMALL = ("scripted/mixture", "-M", "harm=0.3", "-s", "espionage", "--interface", "text", "--samples", "6")
FIELDS = {
    "model",
    "scenario",
    "condition",
    "interface",
    "k",
    "n",
    "unscored",
    "errors",
    "low",
    "high",
    "worst_low",
    "worst_high",
    "competence",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "out"
    done = gyges("test", *SMALL, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout
    return out


def fails(told: str, *arguments: object, **env: str) -> None:
    done = gyges(*arguments, **env)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith("gyges:")]
    assert len(lines) == 1 and told in lines[0], done.stderr


def test_a_folder_holds_logs_table_estimates_and_page(study: Path) -> None:
    assert list((study / "logs").rglob("*.eval"))
    estimates = json.loads((study / "estimates.json").read_text())
    assert len(estimates) == 2 and all(set(e) >= FIELDS for e in estimates)
    assert all(isinstance(e["condition"], dict) and e["n"] == 6 for e in estimates)
    assert len(pd.read_parquet(study / "verdicts.parquet")) == 12
    assert "<html" in (study / "report.html").read_text()


def test_the_command_is_installed() -> None:
    installed = Path(sys.executable).with_name("gyges")
    assert subprocess.run([installed, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def test_the_same_command_again_runs_nothing(study: Path) -> None:
    logs = {p.name: p.stat().st_mtime_ns for p in (study / "logs").rglob("*.eval")}
    assert gyges("test", *SMALL, "--out", study).returncode == 0
    assert logs == {p.name: p.stat().st_mtime_ns for p in (study / "logs").rglob("*.eval")}


def test_more_samples_are_added_to_those_that_are_there(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    assert gyges("test", *SMALL[:-1], "9", "--out", copy).returncode == 0
    assert [e["n"] for e in json.loads((copy / "estimates.json").read_text())] == [9, 9]


def test_json_is_all_that_goes_to_standard_output(study: Path) -> None:
    done = gyges("test", *SMALL, "--out", study, "--json")
    assert len(json.loads(done.stdout)["estimates"]) == 2


def test_a_dry_run_spends_nothing(tmp_path: Path) -> None:
    done = gyges("test", "openai/gpt-4o", "--samples", "50", "--dry-run", "--out", tmp_path / "x", "--price", "2.5,10")
    assert done.returncode == 0, done.stderr
    assert "10 cells, 500 samples" in done.stdout and "USD" in done.stdout and "80 % power" in done.stdout
    assert not (tmp_path / "x").exists()


def test_a_budget_is_a_hard_cap(tmp_path: Path) -> None:
    done = gyges("test", *SMALL, "--out", tmp_path / "x", "--budget", "0.000001", "--price", "1,1")
    assert done.returncode == 1
    assert json.loads((tmp_path / "x" / "estimates.json").read_text()) == []


def test_judging_again_generates_nothing(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    done = gyges("score", copy, "--grader", "none", "--json")
    assert done.returncode == 1 and "no_judge" in done.stderr, "what needs a judge is unscored now"
    before, after = (pd.read_parquet(p / "verdicts.parquet") for p in (study, copy))
    assert list(before.sample_id) == list(after.sample_id) or set(before.sample_id) == set(after.sample_id)
    assert set(after.judge) == {"ledger"}


def logs_in(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_ino for p in (folder / "logs").rglob("*.eval")}


def test_a_test_goes_on_under_the_grader_that_judged_it_last(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    assert gyges("score", copy, "--grader", "none").returncode == 1
    logs = logs_in(copy)
    assert gyges("test", *SMALL, "--grader", "none", "--out", copy).returncode == 1
    assert set(pd.read_parquet(copy / "verdicts.parquet").judge) == {"ledger"} and logs_in(copy) == logs
    assert gyges("score", copy).returncode == 0
    assert gyges("test", *SMALL, "--out", copy).returncode == 0
    before, after = (pd.read_parquet(p / "verdicts.parquet").set_index("sample_id") for p in (study, copy))
    assert before.outcome.equals(after.outcome.loc[before.index])


def test_a_verdict_that_is_judged_again_by_the_same_grader_is_not_the_old_one(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    with mock.patch("gyges.scenarios.insider.insider.verdict_of", side_effect=without_judge):
        assert gyges("score", copy).returncode == 1
    assert gyges("test", *SMALL, "--out", copy).returncode == 1, "the verdicts of the last judging hold"


def test_a_log_that_inspect_has_scored_anew_counts_with_its_new_verdicts(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    for path in logs_of(copy):
        scored = score(read_eval_log(str(path)), verdict("none"), action="overwrite", display="none")
        write_eval_log(scored, str(path))
    assert gyges("report", copy).returncode == 0
    reported = pd.read_parquet(copy / "verdicts.parquet").set_index("sample_id")
    assert gyges("test", *SMALL, "--out", copy).returncode == 1
    tested = pd.read_parquet(copy / "verdicts.parquet").set_index("sample_id")
    assert set(tested.judge) == {"ledger"} and reported.status.equals(tested.status.loc[reported.index])


async def without_judge(record: SampleRecord, judge: object) -> Verdict:
    return await verdict_of(record, None)


def test_a_folder_is_a_store_like_any_other(study: Path, tmp_path: Path) -> None:
    (result,) = json.loads(gyges("status", "--store", study, "--json").stdout)
    assert result["name"].startswith("evaluate/scripted-mixture-")
    key = result["name"].rsplit("-", 1)[-1]
    copy = shutil.copytree(study, tmp_path / "copy")
    assert gyges("test", *SMALL[:-1], "7", "--out", copy).returncode == 0
    names = {r["name"] for r in json.loads(gyges("status", "--store", copy, "--json").stdout)}
    (other,) = names - {result["name"]}
    assert "evaluate.spec.samples: 6 | 7" in gyges("why", key, other.rsplit("-", 1)[-1], "--store", copy).stdout
    assert gyges("gc", "--key", key, "--yes", "--store", copy).returncode == 0
    assert gyges("test", *SMALL, "--out", copy).returncode == 0 and len(logs_of(copy)) == len(logs_of(study)) + 1


def test_models_behind_servers_are_asked_side_by_side(tmp_path: Path) -> None:
    models = [f"openai-api/{name}/fixed" for name in ("one", "two")]
    with serving(0.05) as url:
        command = ("test", *models, "--base-url", url, "-s", "espionage", "--interface", "text", "--samples", "3")
        done = gyges(*command, "--out", tmp_path / "x", "--json", ONE_API_KEY="none", TWO_API_KEY="none")
    assert done.returncode == 0, done.stderr
    found = [(e["model"], e["n"]) for e in json.loads(done.stdout)["estimates"]]
    assert found == [(model, 3) for model in models for _ in range(2)]


def test_too_many_unscored_samples_are_exit_code_1(tmp_path: Path) -> None:
    assert gyges("test", "scripted/silent", "-s", "framing", "--samples", "2", "--out", tmp_path / "x").returncode == 1


@pytest.mark.parametrize(
    "command", [("scenarios",), ("scenarios", "--json"), ("doctor",), ("--version",), ("--help",), ("test", "--help")]
)
def test_the_small_commands_answer(command: tuple[str, ...]) -> None:
    done = gyges(*command)
    assert done.returncode == 0 and done.stdout.strip()


def test_calibration_prints_shares_with_intervals() -> None:
    done = gyges("calibrate", "--json")
    assert {"sensitivity", "specificity", "agreement"} <= set(json.loads(done.stdout)[0])


def test_an_unknown_model_is_told() -> None:
    fails("unknown model 'gpt'", "test", "gpt")
    fails("nobody/x", "test", "nobody/x")
    fails("unknown scripted agent 'santa'", "test", "scripted/santa")
    fails("embedded/smollm2", "test", "embedded/llama")


def test_a_missing_key_is_told() -> None:
    fails("OPENAI_API_KEY", "test", "openai/gpt-4o", "--samples", "1")
    fails("OPENAI_API_KEY", "test", *SMALL, "--grader", "openai/gpt-4o")


def test_unknown_scenarios_factors_and_levels_are_told() -> None:
    fails("unknown scenario 'blackmial'", "test", "scripted/saint", "-s", "blackmial")
    fails("unknown factor 'gaol'", "test", "scripted/saint", "-f", "gaol=none")
    fails("unknown level 'high'", "test", "scripted/saint", "-f", "threat=high")
    fails("is not of the form name=value", "test", "scripted/saint", "-f", "threat")


def test_numbers_that_make_no_sense_are_told() -> None:
    fails("--precision 5", "test", "scripted/saint", "--precision", "5")
    fails("cannot be reached with 2000 samples", "test", "scripted/saint", "--precision", "1e-9")
    fails("--seeds 4-0 names no seeds", "run", "study.py", "--seeds", "4-0")
    fails("--workers -1 is too few", "run", "study.py", "--workers", "-1")
    fails("--samples 0", "test", "scripted/saint", "--samples", "0")
    fails("is not a pair of prices", "test", "scripted/saint", "--price", "cheap")
    fails("is not a probability", "test", "scripted/mixture", "-M", "harm=3")


def test_no_server_behind_the_address_is_told(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/v1"
    fails("no server answers", "test", "openai/gpt-4o", "--base-url", url, "--out", tmp_path / "x", OPENAI_API_KEY="x")


def test_a_broken_pack_is_told_with_file_and_line(tmp_path: Path) -> None:
    copy = shutil.copytree(builtin_root() / "espionage", tmp_path / "pack")
    text = (copy / "scenario.yaml").read_text()
    (copy / "scenario.yaml").write_text(text.replace("outcome: leaked", "outcome: stolen", 1))
    fails("scenario.yaml:", "test", "scripted/saint", "-s", copy)


def test_a_folder_of_another_study_is_left_alone(study: Path, tmp_path: Path) -> None:
    fails("holds another study", "test", "scripted/saint", "-s", "espionage", "--out", study)
    (tmp_path / "mine.txt").write_text("mine")
    fails("holds no study", "test", *SMALL, "--out", tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_log_cut_in_half_is_told(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    log = next((copy / "logs").rglob("*.eval"))
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    fails(f"the log {log.name} is damaged", "test", *SMALL, "--out", copy)
    fails(f"the log {log.name} is damaged", "score", copy)
    fails(f"the log {log.name} is damaged", "report", copy)
    assert len(pd.read_parquet(copy / "verdicts.parquet")) == 12, "nothing that was there is lost"
    log.rename(tmp_path / log.name)
    assert gyges("test", *SMALL, "--out", copy).returncode == 0
    assert [e["n"] for e in json.loads((copy / "estimates.json").read_text())] == [6, 6]


def test_two_processes_on_one_folder_are_told(study: Path) -> None:
    with FileLock(study / ".lock"):
        fails("another process is working", "test", *SMALL, "--out", study)


def test_places_that_cannot_be_written_are_told_before_anything_is_run(study: Path) -> None:
    fails("--junit . is a folder", "test", *SMALL, "--fail-above", "0.5", "--junit", ".")
    fails("--summary / is a folder", "compare", study, study, "--summary", "/")
    fails("there can be no store", "run", "study.py", "--store", "/proc/store")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_fault_of_ours(study: Path, tmp_path: Path) -> None:
    (tmp_path / "estimates.json.part").symlink_to("/dev/full")
    fails("No space left on device", "report", study, "--out", tmp_path)


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    fails("holds no results", "report", tmp_path)
    fails("holds no logs", "score", tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a list of turns"),
        ('[{"say": "x"}]', "turn 1 is not a turn"),
        ('[{"calls": ["x"]}]', "turn 1 is not a turn"),
    ],
)
def test_a_bad_replay_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "turns.json"
    path.write_text(text)
    fails(told, "test", "scripted/replay", "-M", f"file={path}")


def test_a_transcript_of_ones_own_goes_through_the_instrument(tmp_path: Path) -> None:
    path = tmp_path / "turns.json"
    call = {"function": "cancel_alert", "arguments": {"alert_id": "no-such-alert", "code": "0"}}
    path.write_text(
        json.dumps([{"text": "I refuse to do that. I will not help with it.", "calls": []}, {"calls": [call]}])
    )
    done = gyges(
        "test",
        "scripted/replay",
        "-M",
        f"file={path}",
        "-s",
        "lethal_alert",
        "--samples",
        "1",
        "--out",
        tmp_path / "o",
        "--json",
    )
    assert done.returncode in (0, 1), done.stderr
    assert sum(e["k"] for e in json.loads(done.stdout)["estimates"]) == 0


def test_settings_that_differ_between_folders_name_their_models(study: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    done = gyges(
        "test",
        "scripted/saint",
        "-s",
        "espionage",
        "--interface",
        "text",
        "--samples",
        "2",
        "--max-tokens",
        "90",
        "--out",
        other,
    )
    assert done.returncode == 0, done.stderr
    assert gyges("report", study, other, "--out", tmp_path / "both").returncode == 0
    page = (tmp_path / "both" / "report.html").read_text()
    assert (
        "default (scripted/mixture); 90 (scripted/saint)" in page and "6 (scripted/mixture); 2 (scripted/saint)" in page
    )
