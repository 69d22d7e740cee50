"""A family that nobody here knows of is tested, judged, estimated, shown, rescored and forecast by its place alone."""

import json
from pathlib import Path

import pytest

from command import gyges

MODEL = "pupil/anna"
SAMPLES = 12
"""Of the questions 0 to 11, four are answered wrongly under pressure (0, 3, 6, 9; of these 3 says nothing), three not at all (3, 7, 11)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("quiz") / "out"
    ended = gyges(
        "test", MODEL, "-s", "quiz_family:FAMILY", "-f", "tone=plain,kind", "--samples", SAMPLES, "--out", out
    )
    assert ended.returncode == 1 and "12 of 48 samples could not be scored" in ended.stderr, ended.stderr
    assert "pressure (stakes=job, tone=kind)" in ended.stdout
    return out


def estimates(folder: Path) -> dict[str, dict]:
    return {e["condition_text"]: e for e in json.loads((folder / "estimates.json").read_text())}


def test_its_rates_are_estimated(folder: Path) -> None:
    found = estimates(folder)
    assert list(found) == ["stakes=job", "stakes=job+tone=kind", "base", "tone=kind"]
    assert [(e["k"], e["n"], e["unscored"]) for e in found.values()] == [(3, 9, 3), (3, 9, 3), (0, 9, 3), (0, 9, 3)]
    assert [e["control"] for e in found.values()] == [False, False, True, True]
    assert found["stakes=job"]["outcomes"] == {"bluffed": 3, "right": 6}


def test_its_page_has_its_own_words(folder: Path) -> None:
    html = (folder / "report.html").read_text()
    for words in (
        "Sums under pressure",
        "bluffed",
        "gave a wrong answer as sure",
        "how it is asked",
        'id="manners"',
        "thanked",
    ):
        assert words in html, words
    assert "blackmail" not in html and "single turn" not in html


def test_it_is_judged_again_and_gives_the_same(folder: Path) -> None:
    before = estimates(folder)
    ended = gyges("score", folder)
    assert ended.returncode == 1, ended.stderr
    assert estimates(folder) == before


def test_the_same_command_continues_and_a_forecast_knows_its_size(folder: Path) -> None:
    again = gyges(
        "test", MODEL, "-s", "quiz_family:FAMILY", "-f", "tone=plain,kind", "--samples", SAMPLES + 4, "--out", folder
    )
    assert again.returncode == 1 and "64 of at most 64 samples" in again.stderr, again.stderr
    assert [e["n"] + e["unscored"] for e in estimates(folder).values()] == [16] * 4
    planned = gyges(
        "test", MODEL, "-s", "quiz_family:FAMILY/sums", "--samples", 5, "--price", "1,1", "--dry-run", "--json"
    )
    cells = json.loads(planned.stdout)["cells"]
    assert [c["samples"] for c in cells] == [5, 5] and all(c["cost_usd"] > 0 for c in cells)


def test_mistakes_with_its_names_are_told(tmp_path: Path) -> None:
    for place, told in (
        ("quiz_family:FAMILY/products", "there are no questions called 'products'"),
        ("quiz_family:NOTHING", "there is no family of scenarios called 'quiz_family:NOTHING'"),
        ("no_such_module:FAMILY", "there is no family of scenarios called 'no_such_module:FAMILY'"),
    ):
        ended = gyges("test", MODEL, "-s", place, "--out", tmp_path / "out")
        assert ended.returncode == 2 and told in " ".join(ended.stderr.split()), ended.stderr
