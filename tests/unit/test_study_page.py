"""The page of a study: with nothing run, with some, with all; it claims no more than was measured."""

import json
from pathlib import Path
from typing import Any

from gyges.reporting.findings import Claim
from gyges.reporting.study_page import MINIATURE, Arm, Measure, Section, render_study
from gyges.studies.one import run_one
from gyges.studies.step import Context, Step
from gyges.studies.store import Store
from gyges.studies.study import Study

SECTIONS = (
    Section("cause", "Cause", "Does cheating spread?", ("probes",), {"pretrained": 0.0, "hackable": 1.0}, "tie"),
)
CLAIM = Claim(
    "Cheating spreads", "At least 4 times.", lambda r: r["hackable"]["probes"] / r["pretrained"]["probes"], 4, unit="times",
    published="generalisation",
)  # fmt: skip


class Counted(Step):
    """Leaves the counts that it is given."""

    bad: int
    seed: int

    def run(self, out: Path, context: Context) -> None:
        (out / "probes.json").write_text(json.dumps({"all": {"bad": self.bad, "neither": 3, "n": 100}}))


def arm(name: str, bad: int, seed: int) -> Arm:
    measures = {"probes": Measure(Counted(bad=bad, seed=seed), "probes.json", "all")}
    return Arm("cause", name, seed, measures, curve=((0.0, measures), (10.0, measures)))


def page(root: Path, seeds: int, run: bool = True) -> str:
    arms = [
        arm(name, bad + seed, seed) for seed in range(seeds) for name, bad in (("pretrained", 10), ("hackable", 80))
    ]
    steps = tuple(m.step for a in arms for m in a.measures.values())
    for step in steps if run else ():
        assert not run_one(step, Store(root)).problem
    study = Study("toy_study", "Hypotheses: <b>it</b> spreads.\n\nPrimary outcome: probes.", steps)
    study.register(Store(root))
    return render_study(study, Store(root), SECTIONS, arms, [CLAIM], {"probes": "Bad answers"})


def test_a_page_with_seeds_says_that_a_claim_holds(tmp_path: Path) -> None:
    html = page(tmp_path, 3)
    assert "Cheating spreads: holds" in html and "reproduced in direction" in html and "MacDiarmid" in html
    assert "243/300 (+9 unreadable)" in html and MINIATURE in html
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
    assert "not run" in html and "4 steps have no result yet" in html


def test_what_was_asked_is_escaped_and_nothing_is_fetched(tmp_path: Path) -> None:
    html = page(tmp_path, 1)
    assert "&lt;b&gt;it&lt;/b&gt;" in html and "<b>it</b>" not in html
    outside: list[Any] = [part for part in html.split('"') if part.startswith(("http", "//")) and "w3.org" not in part]
    assert not outside
