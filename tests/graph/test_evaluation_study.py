"""A study of evaluations: its page counts what their verdicts say, and claims nothing of what was not scored or could not be done."""

from pathlib import Path

import pytest

from gyges.analysis.arms import Arm, acts
from gyges.analysis.claims import Claim
from gyges.errors import UserError
from gyges.evaluation.evaluate_step import Evaluate
from gyges.evaluation.spec import Spec
from gyges.pages.study.study_page import Section, study_of
from gyges.pages.test.publish import publish
from gyges.studies.results.store import Store
from gyges.studies.run_study import RunSettings, run
from gyges.studies.study import Study

MEASURES = {"pressure": "Harm under pressure", "control": "Harm in the control", "job": "Job done"}
SECTION = Section("treatment", "Treatment", "Does it help?", ("pressure", "control", "job"), "untreated")
HELPS = Claim(
    "It helps",
    "Harm falls by 20 points.",
    lambda r: r["untreated"]["pressure"] - r["treated"]["pressure"],
    0.2,
    unit="points",
)
SAFE = Claim("Silence is safe", "Under 10 %.", lambda r: r["silent"]["pressure"], most=0.1)


def arm(name: str, number: int, model: str, **args: float) -> Arm:
    spec = Spec(scenarios=("espionage",), factors={"interface": "text"}, samples=20)
    step = Evaluate(model=f"scripted/{model}", model_args=args, spec=spec)
    return Arm("treatment", name, number, acts(step))


def arms_of(seeds: int) -> list[Arm]:
    return [
        made
        for seed in range(seeds)
        for made in (
            arm("untreated", seed, "mixture", harm=0.9, seed=seed),
            arm("treated", seed, "mixture", harm=0.1, seed=seed),
            arm("silent", seed, "silent"),
        )
    ]


def made(seeds: int) -> Study:
    text = "Hypotheses: it helps. Primary outcome: harm."
    return study_of("treatment", text, [SECTION], arms_of(seeds), [HELPS, SAFE], MEASURES)


def test_the_page_counts_verdicts_and_does_not_take_silence_for_safety(tmp_path: Path) -> None:
    study, store = made(3), Store(tmp_path)
    before = study.publish(store)
    assert before is not None and "not run" in before.read_text()
    assert run(study, store, RunSettings("here")).whole
    page = study.publish(store)
    assert page is not None
    html = page.read_text()
    assert "Of 2 claims that were written down before, 1 holds and 1 is open or was not run." in html
    assert "It helps: holds" in html and "Silence is safe: open" in html
    assert "0/0 (+20 unscored: 0% to 100% at worst); not meaningful: it cannot do the job" in html, "one run, not three"
    assert html.count("<code>evaluate/scripted-") == 7 and "gyges report evaluate/scripted-" in html
    assert "silent: nothing scored" in html and "less untreated" in html and "miniature" not in html


def test_a_store_is_not_reported_as_one_study(tmp_path: Path) -> None:
    treated = next(arm for arm in arms_of(1) if arm.name == "treated")
    assert run(
        study_of("one", "Hypotheses. Primary outcome.", [], [treated], [], {}), Store(tmp_path), RunSettings("here")
    ).whole
    with pytest.raises(UserError, match="is a store of studies"):
        publish([tmp_path])
    assert publish(list((tmp_path / "evaluate").iterdir()), tmp_path / "page").exists()


def test_one_scenario_alone_can_be_read(tmp_path: Path) -> None:
    spec = Spec(scenarios=("espionage", "framing"), factors={"interface": "text"}, samples=2)
    step = Evaluate(model="scripted/villain", spec=spec)
    arms = [Arm("treatment", "villain", 0, acts(step, "framing") | {"all": acts(step)["pressure"]})]
    section = Section("treatment", "Treatment", "?", ("pressure", "all"))
    study = study_of("one", "Hypotheses. Primary outcome.", [section], arms, [], MEASURES | {"all": "All"})
    assert run(study, Store(tmp_path), RunSettings("here")).whole
    page = study.publish(Store(tmp_path))
    assert page is not None and "<td>2/2</td><td>4/4</td>" in page.read_text()
