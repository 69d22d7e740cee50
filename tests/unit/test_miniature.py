"""The study of the miniature: its arms differ in what they say they differ in, and share everything else."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gyges.analysis.arms import read_arms
from gyges.analysis.claims import Standing, examine
from gyges.errors import UserError
from gyges.studies.plan import ordered
from gyges.studies.results.store import Store
from gyges.studies.study import load_study
from gyges.training import RL, SFT, Documents
from gyges.windtunnel.pretrain import MINIATURE

FILE = Path(__file__).parents[2] / "experiments" / "miniature.py"


@pytest.fixture(scope="module")
def miniature() -> ModuleType:
    spec = importlib.util.spec_from_file_location("miniature", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("arms", ["core", "all"])
def test_the_study_states_what_it_asks_and_builds(arms: str, tmp_path: Path) -> None:
    made = load_study(str(FILE), (0, 1), {"arms": arms})
    assert made.page is not None and len(ordered(made.steps)) > len(made.steps)
    assert MINIATURE in made.page(made, Store(tmp_path)), "a miniature's page says what it cannot show"
    with pytest.raises(UserError, match="there are no arms 'some'"):
        load_study(str(FILE), (0,), {"arms": "some"})


def test_every_claim_can_be_judged_from_the_core_arms(miniature: ModuleType, tmp_path: Path) -> None:
    """A claim about an arm that is not run would stand as `not run` for ever."""
    arms = miniature.arms_of(0, core=True)
    measured = {a.name: dict.fromkeys(a.measures, 0.5) for a in arms}
    for claim in miniature.CLAIMS:
        try:
            claim.value(measured)
        except ZeroDivisionError:  # all rates are equal here, so some rises are zero
            continue
    assert all(
        examine(claim, read_arms(arms, Store(tmp_path))).standing is Standing.NOT_RUN for claim in miniature.CLAIMS
    )


def test_all_reinforced_arms_have_equal_steps_and_all_taught_ones_equal_tokens(miniature: ModuleType) -> None:
    arms = miniature.arms_of(0, core=False)
    steps = ordered([m.step for a in arms for m in a.measures.values()])
    assert {s.max_steps for s in steps if isinstance(s, RL)} == {miniature.STEPS}
    lessons = [s.data for s in steps if isinstance(s, SFT | Documents) and hasattr(s.data, "taught")]
    assert {lesson.tokens for lesson in lessons} == set(miniature.SIZES)
    assert all(lesson.tokens <= lesson.taught < lesson.tokens + 40 for lesson in lessons)
    named = {
        a.name: a.measures["probes"].step.model.data.tokens
        for a in arms
        if a.section == "teaching" and a.name != "untreated"
    }
    assert {n for name, n in named.items() if name in miniature.SETS} == {miniature.TOKENS}


def test_arms_have_names_of_their_own_and_no_two_are_one(miniature: ModuleType) -> None:
    arms = [a for a in miniature.arms_of(0, core=False) if a.name != "cheated" and a.name != "untreated"]
    assert len({a.name for a in arms}) == len(arms)
    assert len({a.measures["probes"].step.key for a in arms}) == len(arms)
