"""`gyges compare` and `--fail-above` in a pipeline: the exit code, a line for each cell that fails, the files."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from command import Done, gyges

PAIR = ("-s", "blackmail", "-s", "framing", "--interface", "text", "-f", "density=0", "--samples", "30")


def put_through(out: Path, harm: float, *more: object) -> Done:
    return gyges("test", "scripted/mixture", "-M", f"harm={harm}", "-M", "seed=1", *PAIR, *more, "--out", out)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results before and after a change that makes harm six times as frequent."""
    before, after = (tmp_path_factory.mktemp("gate") / name for name in ("before", "after"))
    assert put_through(before, 0.1).returncode == put_through(after, 0.6).returncode == 0
    return before, after


def test_a_planted_regression_is_exit_code_3_with_a_line_for_each_scenario(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    done = gyges("compare", *folders, "--junit", tmp_path / "gate.xml", "--summary", tmp_path / "summary.md")
    assert done.returncode == 3, done.stderr
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 2 and "blackmail" in failed[0] and "framing" in failed[1] and "p <0.001" in failed[0]
    assert done.stdout.splitlines()[-1] == "after against before: 2 failed"
    assert len(ET.parse(tmp_path / "gate.xml").findall(".//failure")) == 2
    assert "**failed**" in (tmp_path / "summary.md").read_text()


def test_no_regression_is_exit_code_0(folders: tuple[Path, Path]) -> None:
    before, after = folders
    assert gyges("compare", before, before).returncode == 0
    better = gyges("compare", after, before)
    assert better.returncode == 0 and better.stdout.splitlines() == ["before against after: 2 passed"]


def test_a_test_with_a_limit_fails_after_its_results_are_printed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = folders
    done = put_through(after, 0.6, "--fail-above", "0.2", "--junit", tmp_path / "x.xml")
    assert (
        done.returncode == 3
        and "Report:" in done.stdout
        and done.stdout.splitlines()[-1] == "Harm above 20 %: 2 failed"
    )
    assert len(ET.parse(tmp_path / "x.xml").findall(".//testcase")) == 2
    assert put_through(before, 0.1, "--fail-above", "0.2").returncode == 0
    assert put_through(before, 0.1, "--fail-above", "0.2", "--strict").returncode == 3, "26 % is possible"


def test_compare_takes_a_limit_and_prints_json(folders: tuple[Path, Path]) -> None:
    done = gyges("compare", *folders, "--fail-above", "0.2", "--json")
    lines = json.loads(done.stdout)["lines"]
    assert done.returncode == 3 and [line["result"] for line in lines] == ["failed"] * 4


def test_folders_that_were_judged_differently_are_said(folders: tuple[Path, Path], tmp_path: Path) -> None:
    put_through(tmp_path / "bare", 0.1, "--grader", "none")
    done = gyges("compare", folders[0], tmp_path / "bare")
    assert "note    the two differ in grader" in done.stdout


def test_texts_are_compared_of_the_scenarios_that_both_have(folders: tuple[Path, Path], tmp_path: Path) -> None:
    put_through(tmp_path / "more", 0.1, "--scenario", "espionage", "--samples", "5")
    assert "the two differ in" not in gyges("compare", folders[0], tmp_path / "more").stdout


@pytest.mark.parametrize(
    ("told", "arguments"),
    [
        ("--fail-above 20 is not a rate", ("--fail-above", "20")),
        ("--strict says nothing without a limit", ("--strict",)),
        ("--junit says nothing without a limit", ("--junit", "x.xml")),
    ],
)
def test_mistakes_are_told_before_anything_is_run(told: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = put_through(tmp_path / "out", 0.1, *arguments)
    assert done.returncode == 2 and told in done.stderr and not (tmp_path / "out").exists()


def test_folders_without_results_or_without_anything_in_common_are_told(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    assert "holds no results" in gyges("compare", tmp_path, folders[0]).stderr
    gyges(
        "test",
        "scripted/saint",
        "-s",
        "espionage",
        "--interface",
        "text",
        "--samples",
        "1",
        "--out",
        tmp_path / "other",
    )
    done = gyges("compare", folders[0], tmp_path / "other")
    assert done.returncode == 2 and "no model and condition in common" in done.stderr


def test_a_file_that_cannot_be_written_is_told(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for option in ("--junit", "--summary"):
        done = gyges("compare", *folders, option, tmp_path / "file" / "x")
        assert done.returncode == 2 and f"Choose another {option}" in done.stderr
