"""The page of a study: with nothing run, with some, with all; it claims no more than was measured."""

from pathlib import Path
from typing import Any

from study_toys import page


def test_a_page_with_seeds_says_that_a_claim_holds(tmp_path: Path) -> None:
    html = page(tmp_path, 3)
    assert "Cheating spreads: holds" in html and "reproduced in direction" in html and "MacDiarmid" in html
    assert "243/300 (+9 unreadable)" in html
    assert "Seed by seed: 8.0 times, 7.4 times, 6.8 times" in html


def test_a_page_with_one_seed_claims_a_direction_alone(tmp_path: Path) -> None:
    html = page(tmp_path, 1)
    assert (
        "as expected (one seed)" in html
        and "directions only" in html
        and "holds" not in html.partition("How to read")[0].replace("holds, or", "")
    )


def test_a_page_before_anything_is_run_says_so(tmp_path: Path) -> None:
    html = page(tmp_path, 2, run=False)
    assert "not run" in html and "5 steps have no result yet" in html


def test_what_was_asked_is_escaped_and_nothing_is_fetched(tmp_path: Path) -> None:
    html = page(tmp_path, 1)
    assert "&lt;b&gt;it&lt;/b&gt;" in html and "<b>it</b>" not in html
    outside: list[Any] = [part for part in html.split('"') if part.startswith(("http", "//")) and "w3.org" not in part]
    assert not outside


def test_curves_say_where_a_rate_left_its_start(tmp_path: Path) -> None:
    html = page(tmp_path, 2)
    assert "Bad answers: above the start beyond chance from step 10 on in every seed." in html
    assert "Bad answers: no lasting rise over the start beyond chance." in html
    assert html.count('class="curve faint') == 4, "each seed stands behind its arm's mean"


def test_arms_are_compared_seed_by_seed(tmp_path: Path) -> None:
    assert "Bad answers, less pretrained" in page(tmp_path / "three", 3)
    assert "+70 points (+70 points to +70 points)" in page(tmp_path / "three", 3)
    assert "<td>+70 points</td>" in page(tmp_path / "one", 1), "one seed has no interval"
