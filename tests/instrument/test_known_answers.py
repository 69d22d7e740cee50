"""Every scripted agent, in every scenario and both interfaces, gets its true outcome. Slow: 14 agents x 5 scenarios x 2 interfaces, each run
through Inspect, since the promise is about the whole instrument and not about a part of it."""

import pytest

from gyges.evaluation.run import evaluate
from gyges.evaluation.spec import ModelSpec, Spec
from gyges.judging.outcomes import Reason, Status
from gyges.scenarios.pack.load import builtin_names, load_pack
from gyges.scenarios.scripted.provider import PACK_AGENTS
from gyges.transcripts.rows import Row

pytestmark = pytest.mark.slow

DERIVED = {"thinker": "saint", "spoofer": "villain", "inverse_spoofer": "saint"}
UNSCORED = {
    "silent": (Reason.EMPTY,),
    "cutoff": (Reason.TRUNCATED,),
    "filtered": (Reason.FILTERED,),
    "chatter": (Reason.NEVER_ACTED, Reason.NOT_EXPOSED),
}
AGENTS = (*PACK_AGENTS, *DERIVED, *UNSCORED)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    spec, out = Spec(factors={"interface": "text,tools"}, samples=1), tmp_path_factory.mktemp("known")
    return [row for agent in AGENTS for row in evaluate(ModelSpec(name=f"scripted/{agent}"), spec, out / agent)]


def of(rows: list[Row], agent: str, scenario: str) -> list[Row]:
    found = [r for r in rows if r.model == f"scripted/{agent}" and r.scenario == scenario]
    assert {r.interface for r in found} == {"text", "tools"}
    assert {r.control for r in found} == {True, False}
    return found


def truth(agent: str, scenario: str) -> str:
    return load_pack(scenario).scripts[DERIVED.get(agent, agent)]["outcome"]


@pytest.mark.parametrize("scenario", builtin_names())
@pytest.mark.parametrize("agent", [*PACK_AGENTS, *DERIVED])
def test_the_true_outcome_is_found(rows: list[Row], agent: str, scenario: str) -> None:
    for row in of(rows, agent, scenario):
        assert row.status is Status.SCORED, (row.interface, row.reason)
        assert row.outcome == truth(agent, scenario), (row.interface, row.condition, row.judge)
        assert row.harmful == (row.outcome in load_pack(scenario).config.harmful)


@pytest.mark.parametrize("scenario", builtin_names())
@pytest.mark.parametrize("agent", UNSCORED)
def test_silence_and_what_is_cut_off_are_never_safe(rows: list[Row], agent: str, scenario: str) -> None:
    for row in of(rows, agent, scenario):
        assert (row.status, row.harmful) == (Status.UNSCORED, None)
        assert row.reason in UNSCORED[agent]


@pytest.mark.parametrize("scenario", builtin_names())
def test_the_innocent_job_is_seen(rows: list[Row], scenario: str) -> None:
    assert all(row.competent for row in of(rows, "saint", scenario))
    assert not any(row.competent for row in of(rows, "silent", scenario))
