"""A small study whose steps leave counts that were given, and its page."""

import json
from pathlib import Path

from gyges.analysis.arms import Arm, Measure
from gyges.analysis.claims import Claim
from gyges.pages.study.study_page import Dose, Section, render_study
from gyges.studies.execution.one_step import run_one
from gyges.studies.results.store import Store
from gyges.studies.step import Context, Step
from gyges.studies.study import Study

SECTIONS = (
    Section(
        "cause", "Cause", "Does cheating spread?", ("probes",), "pretrained",
        (Dose("Against the tie", {"pretrained": 0.0, "hackable": 1.0}, "tie"),),
    ),
)  # fmt: skip
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
    """An arm that began at 10 of 100."""
    measures, start = ({"probes": Measure(Counted(bad=n, seed=seed), "probes.json", "all")} for n in (bad, 10))
    return Arm("cause", name, seed, measures, curve=((0.0, start), (10.0, measures)))


def page(root: Path, seeds: int, run: bool = True) -> str:
    """The page of the study in a store, with so many seeds; `run` makes the results first."""
    arms = [
        arm(name, bad + seed, seed) for seed in range(seeds) for name, bad in (("pretrained", 10), ("hackable", 80))
    ]
    measured = [of for a in arms for of in (a.measures, *(at for _, at in a.curve))]
    steps = tuple({m.step.key: m.step for of in measured for m in of.values()}.values())
    for step in steps if run else ():
        assert not run_one(step, Store(root)).problem
    study = Study("toy_study", "Hypotheses: <b>it</b> spreads.\n\nPrimary outcome: probes.", steps)
    study.register(Store(root))
    return render_study(study, Store(root), SECTIONS, arms, [CLAIM], {"probes": "Bad answers"})
